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
    }
  }
}
