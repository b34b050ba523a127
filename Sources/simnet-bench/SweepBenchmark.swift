import Experiments
import Foundation
import SimKernel

extension Benchmark {
  /// Many cheap points, by wall clock: what two cores gain over one.
  static var sweep: Benchmark {
    Benchmark(
      name: "sweep", summary: "points of a sweep a second, two at a time against one at a time"
    ) { extent, report in
      let bandwidths = (1...extent.pick(40, 200)).map { #""\#($0) Gbps""# }
      let text = BenchmarkScenario.text(
        workers: 16, iterations: 20, warmup: 2,
        sweep: #"{"cluster.topology.link.bandwidth": [\#(bandwidths.joined(separator: ", "))]}"#)
      let file = ScenarioFile(
        root: BenchmarkScenario.root(text), origin: "benchmark",
        directory: URL(fileURLWithPath: "/"))
      guard let runner = try? SweepRunner(file) else {
        preconditionFailure("the benchmark's scenario is valid")
      }
      var tables: [ResultTable?] = [nil, nil]
      func seconds(jobs: Int) -> Double {
        let start = WallClock.seconds
        guard let outcome = try? runner.run(SweepOptions(jobs: jobs)) else {
          preconditionFailure("a sweep without files cannot fail")
        }
        let elapsed = WallClock.seconds - start
        precondition(outcome.finishedPoints == runner.count, "every point ends")
        tables[jobs - 1] = outcome.table
        return elapsed
      }
      let contest = Contest(
        rounds: extent.pick(3, 5), [{ seconds(jobs: 1) }, { seconds(jobs: 2) }])
      precondition(tables[0]?.rows == tables[1]?.rows, "results do not depend on threads")
      let rates = contest.best.map { Double(runner.count) / $0 }
      report(
        Measurement(
          what: "sweep, 2 at a time", n: runner.count, rate: rates[1], unit: "points/s",
          ceiling: "1 at a time", ceilingRate: rates[0]))
      folders(extent, report)
    }
  }

  /// Cheap points through a folder, as `simnet sweep` runs them: checks, runs, journal and table; and
  /// a look at the finished folder.
  private static func folders(_ extent: Extent, _ report: (Measurement) -> Void) {
    let side = extent.pick(20, 100)
    let bandwidths = (1...side).map { #""\#($0) Gbps""# }.joined(separator: ", ")
    func scenario(_ other: String) -> ScenarioFile {
      let text = #"""
        {"simnet": 1, "title": "cheap", "network": {"model": "alpha_beta"},
         "cluster": {"device": "a100", "topology": {"kind": "star", "hosts": 2,
           "link": {"bandwidth": "10 Gbps", "latency": "5 us"}}},
         "workload": {"model": "resnet50", "batch_per_worker": 32, "iterations": 2, "warmup": 1},
         "sweep": {"cluster.topology.link.bandwidth": [\#(bandwidths)], \#(other)}}
        """#
      return ScenarioFile(
        root: BenchmarkScenario.root(text), origin: "benchmark",
        directory: URL(fileURLWithPath: "/"))
    }
    func batches(_ count: Int) -> String {
      #""workload.batch_per_worker": [\#((1...count).map(String.init).joined(separator: ", "))]"#
    }
    let variants = #""communication": {"fp32": {}, "fp16": {"compression": "fp16"}}, "#
    for (what, sweep) in [
      ("fp32 and fp16 points", variants + batches(side / 2)),
      ("fp32 points and their fp16 baselines", batches(side)),
    ] {
      let path = NSTemporaryDirectory() + "simnet-bench-\(UUID().uuidString)"
      defer { try? FileManager.default.removeItem(atPath: path) }
      let folder = SweepFolder(path: path, scenario: scenario(sweep))
      var points = 0
      let before = Resident.bytes
      let start = WallClock.seconds
      do {
        let runner = try SweepRunner(folder.scenario, threads: 2)
        _ = try folder.prepare(runner)
        let results = try runner.execute(
          SweepOptions(jobs: 2, journalPath: folder.journalPath(.whole)))
        try folder.write(results, to: folder.resultsPath, arguments: [], wallTime: 0)
        points = results.finishedPoints
      } catch { preconditionFailure("the benchmark's sweep is valid: \(error)") }
      let seconds = WallClock.seconds - start
      let growth = Double(Resident.bytes - before) / Double(points)
      let again = WallClock.seconds
      precondition(folder.isFinished, "a finished folder is known to be")
      let resumed = WallClock.seconds - again
      report(
        Measurement(
          what: "sweep folder, \(what), 2 at a time (\(Int(growth)) B resident a point, "
            + "\(Int(resumed * 1e6)) us to resume)",
          n: points, rate: Double(points) / seconds, unit: "points/s", ceiling: "the aim",
          ceilingRate: 5000))
    }
  }
}
