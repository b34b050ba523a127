import Experiments
import Networks
import SimKernel
import Training

extension Benchmark {
  /// Whole data-parallel jobs through the run loop.
  static var training: Benchmark {
    Benchmark(
      name: "training",
      summary: "iterations of ResNet-50, in transfers and operations, against a binary heap"
    ) { extent, report in
      measureTraining(
        "quickstart's job", workers: 16, iterations: 20, warmup: 2,
        schedule: #"{"policy": "buckets", "bucket": "25 MiB"}"#, extent, report)
      measureTraining(
        "per tensor", workers: extent.pick(64, 256), iterations: 1, warmup: 0,
        schedule: #"{"policy": "per_tensor"}"#, extent, report)
      measureServers(
        workers: extent.pick(32, 256), iterations: extent.pick(2, 20), extent, report)
      measureFolded(workers: 65_536, iterations: 20, extent, report)
    }
  }
}

/// A job whose workers are alike, from its text to its outcome.
private func measureFolded(
  workers: Int, iterations: Int, _ extent: Benchmark.Extent, _ report: (Measurement) -> Void
) {
  let contest = Contest(
    rounds: extent.pick(1, 3),
    [
      {
        ThreadClock.measure {
          let (job, topology, network) = BenchmarkScenario.job(
            BenchmarkScenario.text(
              workers: workers, iterations: iterations, stragglers: #"{"distribution": "none"}"#))
          let builder = JobPlanBuilder(
            job, encodings: [nil], topology: topology, transport: network.transport)
          do {
            let plan = try builder.build(seed: 1, replicate: 0).0
            let outcome = try NetworkRun.run(
              topology: topology, network: network, jobs: [plan], faults: [],
              stop: NoStopSignal(), recorder: nil, folding: .auto)
            precondition(outcome.jobs[0].samples.count == workers * iterations)
          } catch { preconditionFailure("the job ends: \(error)") }
        }
      },
      { Ceilings.heapSeconds(pending: 16, operations: 100_000) },
    ])
  report(
    Measurement(
      what: "alike workers, folded, a worker and iteration", n: workers,
      rate: contest.best[0] * 1e9 / Double(workers * iterations), unit: "ns",
      ceiling: "binary heap", ceilingRate: contest.best[1] * 1e9 / 100_000))
  report(
    Measurement(
      what: "alike workers, folded, the whole run", n: workers, rate: contest.best[0] * 1e3,
      unit: "ms", ceiling: "2 s", ceilingRate: 2000))
}

/// Every tensor to one of a quarter as many servers and back, under lognormal stragglers: incast.
private func measureServers(
  workers: Int, iterations: Int, _ extent: Benchmark.Extent, _ report: (Measurement) -> Void
) {
  let (job, topology, network) = BenchmarkScenario.job(
    BenchmarkScenario.text(
      workers: workers, iterations: iterations, schedule: #"{"policy": "per_tensor"}"#,
      stragglers: #"{"distribution": "lognormal", "sigma": 0.1}"#, servers: workers / 4))
  let builder = JobPlanBuilder(
    job, encodings: [nil], topology: topology, transport: network.transport)
  guard let plan = try? builder.build(seed: 1, replicate: 0).0 else {
    preconditionFailure("servers suit every job")
  }
  let transfers = plan.exchanges.reduce(0) { $0 + $1.plan.stepCount } * iterations
  let operations = plan.graph.operations.count * workers * iterations
  let before = Resident.bytes
  // Long enough to need no repetition.
  let seconds = ThreadClock.measure {
    do {
      let outcome = try NetworkRun.run(
        topology: topology, network: network, jobs: [plan], faults: [], stop: NoStopSignal(),
        recorder: nil)
      precondition(outcome.jobs[0].samples.count == workers * iterations)
    } catch { preconditionFailure("the job ends: \(error)") }
  }
  let heap = Ceilings.heapSeconds(pending: workers, operations: 500_000) / 500_000
  func row(_ what: String, _ rate: Double, _ unit: String, _ ceiling: String, _ other: Double) {
    report(
      Measurement(
        what: "servers 1:4, \(what)", n: workers, rate: rate, unit: unit, ceiling: ceiling,
        ceilingRate: other))
  }
  row("a message", seconds * 1e9 / Double(transfers), "ns", "binary heap", heap * 1e9)
  row("an operation", seconds * 1e9 / Double(operations), "ns", "binary heap", heap * 1e9)
  row("\(iterations) iterations", seconds, "s", "60 s", 60)
  row(
    "resident beside it", Double(max(0, Resident.bytes - before)) / 1e6, "MB", "1 GB", 1000)
}

private func measureTraining(
  _ what: String, workers: Int, iterations: Int, warmup: Int, schedule: String,
  _ extent: Benchmark.Extent, _ report: (Measurement) -> Void
) {
  let (job, topology, network) = BenchmarkScenario.job(
    BenchmarkScenario.text(
      workers: workers, iterations: iterations, warmup: warmup, schedule: schedule))
  let builder = JobPlanBuilder(
    job, encodings: [nil], topology: topology, transport: network.transport)
  guard let plan = try? builder.build(seed: 1, replicate: 0).0 else {
    preconditionFailure("a ring suits every job")
  }
  let unrolled = iterations + warmup
  let transfers = plan.exchanges.reduce(0) { $0 + $1.plan.stepCount } * unrolled
  let operations = plan.graph.operations.count * workers * unrolled
  let heapOperations = 500_000
  let contest = Contest(
    rounds: extent.pick(2, 3),
    [
      {
        ThreadClock.measure {
          do {
            let outcome = try NetworkRun.run(
              topology: topology, network: network, jobs: [plan], faults: [],
              stop: NoStopSignal(), recorder: nil)
            precondition(outcome.jobs[0].samples.count == workers * iterations)
          } catch { preconditionFailure("the job ends: \(error)") }
        }
      },
      { Ceilings.heapSeconds(pending: workers, operations: heapOperations) },
    ])
  let heap = Double(heapOperations) / contest.best[1]
  func row(_ what: String, _ rate: Double, _ unit: String, _ ceiling: Double) {
    report(
      Measurement(
        what: what, n: workers, rate: rate, unit: unit, ceiling: "binary heap",
        ceilingRate: ceiling))
  }
  let seconds = contest.best[0]
  row("\(what), transfers", Double(transfers) / seconds / 1e6, "M moves/s", heap / 1e6)
  row("\(what), operations", Double(operations) / seconds / 1e6, "M ops/s", heap / 1e6)
  row("\(what), a transfer", seconds * 1e9 / Double(transfers), "ns", 1e9 / heap)
}
