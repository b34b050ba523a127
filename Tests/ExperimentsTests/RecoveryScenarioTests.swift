import Experiments
import SimKernel
import Testing

/// Crashes, checkpoints and lost messages as a scenario has them.
@Suite struct RecoveryScenarioTests {
  private func table(_ more: String, set: [String] = []) throws -> ResultTable {
    try SweepRunner(Scratch().scenario(quick(more), set: set)).run(SweepOptions()).table
  }

  @Test("columns say what a crash cost, and add up to the makespan") func columns() throws {
    let plain = try table("", set: ["workload.iterations=6"])
    #expect(plain.cells("crashes") == ["0"] && plain.cells("goodput") == ["1"])
    let crashed = try table(
      #", "faults": [{"at": "300 ms", "host": 2, "crash": "50 ms"}]"#,
      set: [
        "workload.iterations=6",
        #"workload.recovery={"checkpoint_every": 2, "checkpoint_time": "10 ms", "restart_time": "30 ms"}"#,
      ])
    func number(_ name: String, _ table: ResultTable) throws -> Double {
      try #require(Double(table.cells(name)[0]))
    }
    #expect(crashed.cells("crashes") == ["1"])
    #expect(crashed.cells("checkpoint_time_s") == ["0.02"])
    #expect(crashed.cells("downtime_s") == ["0.08"])
    let cost = try number("rework_time_s", crashed) + 0.02 + 0.08
    let total = try number("makespan_s", crashed)
    // Workers of a ring that were out of step begin together after a checkpoint.
    #expect(abs(total - cost - (try number("makespan_s", plain))) < 1e-3 * total)
    #expect(abs((try number("goodput", crashed)) - (1 - cost / total)) < 1e-9)
    #expect(crashed.cells("folded") == ["faults"])
    let iterations = try [crashed, plain].map { try number("iteration_time_s", $0) }
    #expect(abs(iterations[0] - iterations[1]) < 1e-3 * iterations[1])
  }

  @Test(
    "every schedule and strategy goes on after a crash",
    arguments: [
      #""schedule": "p3""#, #""schedule": "byte_scheduler""#, #""schedule": "random""#,
      #""strategy": "parameter_server", "servers": {"count": 2, "placement": "colocated"}"#,
      #""strategy": "all_gather", "compression": [{"codec": "top_k", "ratio": 0.01}]"#,
    ])
  func schedules(communication: String) throws {
    let more =
      #", "communication": {\#(communication)}, "faults": [{"at": "200 ms", "host": 1, "crash": "5 ms"}, {"at": "400 ms", "host": 0, "crash": "5 ms"}]"#
    for every in ["{}", #"{"checkpoint_every": 1, "checkpoint_time": "1 ms"}"#] {
      let result = try table(
        more, set: ["workload.iterations=8", "workload.recovery=\(every)"])
      #expect(result.rows.count == 1)
      #expect((Int(result.cells("crashes")[0]) ?? 0) >= 1)
    }
  }

  @Test(
    "lost messages make a run longer and are counted",
    arguments: [
      "alpha_beta", "loggp", "flow", "packet",
    ])
  func losses(model: String) throws {
    let more = #", "network": {"model": "\#(model)"}, "communication": {"sending": {"loss": 0.05}}"#
    let lossy = try table(more, set: ["workload.iterations=3"])
    let plain = try table(more, set: ["workload.iterations=3", "communication.sending.loss=0"])
    #expect((Int(lossy.cells("lost_messages")[0]) ?? 0) > 0)
    #expect(plain.cells("lost_messages") == ["0"])
    #expect(
      (Double(lossy.cells("iteration_time_s")[0]) ?? 0)
        > (Double(plain.cells("iteration_time_s")[0]) ?? 1))
  }

  @Test("what makes no sense is refused where it stands") func refusals() throws {
    let cases: [(String, String)] = [
      (#", "faults": [{"at": "1 s", "node": "switch", "crash": "1 s"}]"#, "only hosts crash"),
      (#", "faults": [{"at": "1 s", "host": 9, "crash": "1 s"}]"#, "0...3"),
      (#", "faults": [{"at": "1 s", "host": 1, "crash": "1 s", "up": false}]"#, "until it is back"),
      (#", "faults": [{"at": "1 s", "host": 1}]"#, "a fault changes nothing"),
      (#", "host_failures": {"mtbf": "0 s", "away": "1 s"}"#, "above zero"),
    ]
    for (more, expected) in cases {
      let found = try problems(quick(more))
      #expect(found.count == 1 && found[0].contains(expected), "\(found)")
    }
    let settings: [(String, String)] = [
      (#"{"checkpoint_every": 2}"#, "checkpoint_time"),
      (#"{"checkpoint_time": "1 s"}"#, "no checkpoint is written"),
      (
        #"{"checkpoint_every": 2, "checkpoint_time": "1 s", "write_rate": "1 Gbps"}"#,
        "says it already"
      ),
    ]
    for (record, expected) in settings {
      let found = try problems(quick(), set: ["workload.recovery=\(record)"])
      #expect(found.count == 1 && found[0].contains(expected), "\(found)")
    }
  }

  @Test("hosts that crash all the time end the run with the reason") func hopeless() throws {
    let runner = try SweepRunner(
      Scratch().scenario(quick(#", "host_failures": {"mtbf": "10 ms", "away": "1 s"}"#)))
    let outcome = try runner.run(SweepOptions())
    #expect(outcome.failures.count == 1)
    #expect("\(outcome.failures[0])".contains("crashed 255 times"))
  }
}

/// Workers with different devices.
@Suite struct MixedDeviceTests {
  private func table(_ set: [String]) throws -> ResultTable {
    try SweepRunner(Scratch().scenario(Self.plain, set: set)).run(SweepOptions()).table
  }

  /// Four workers without stragglers.
  private static let plain = """
    {"simnet": 1,
     "cluster": {"topology": {"kind": "star", "hosts": 4,
       "link": {"bandwidth": "10 Gbps", "latency": "1 us"}}, "device": "v100"},
     "workload": {"model": "resnet18", "iterations": 2, "warmup": 0},
     "gradients": {"source": "synthetic", "sample": 2048}}
    """

  @Test(
    "the slowest device sets the pace, and the others wait",
    arguments: [
      "{}", #"{"schedule": "p3"}"#, #"{"schedule": "byte_scheduler"}"#,
      #"{"strategy": "all_gather", "compression": [{"codec": "top_k", "ratio": 0.01}]}"#,
      #"{"strategy": "parameter_server", "servers": {"count": 4, "placement": "colocated"}}"#,
    ])
  func slowest(communication: String) throws {
    func number(_ name: String, _ table: ResultTable) throws -> Double {
      try #require(Double(table.cells(name)[0]))
    }
    let base = ["communication=\(communication)"]
    let slow = try table(base)
    let fast = try table(base + ["cluster.device=a100"])
    let mixed = try table(
      base + [#"cluster.devices=[{"hosts": [1, 3], "device": "a100"}]"#])
    let same = try table(base + [#"cluster.devices=[{"hosts": [0, 1, 2, 3], "device": "v100"}]"#])
    // The same device for each host runs as one for all, but for the picoseconds of cuts and ties.
    #expect(same.cells("compute_time_s") == slow.cells("compute_time_s"))
    let own = try [same, slow].map { try number("iteration_time_s", $0) }
    #expect(abs(own[0] - own[1]) < 1e-5 * own[1])
    let times = try [fast, mixed, slow].map { try number("iteration_time_s", $0) }
    #expect(times[0] < times[1] && times[1] <= times[2] * (1 + 1e-5))
    let compute = try [fast, mixed, slow].map { try number("compute_time_s", $0) }
    #expect(abs(compute[1] - (compute[0] + compute[2]) / 2) < 1e-6)
    #expect(mixed.cells("compute_source")[0].contains("2 workers on v100, 2 workers on a100"))
    #expect(mixed.cells("folded") == ["several devices"])
  }

  @Test("hosts that are not there or listed twice are refused") func refusals() throws {
    for (list, expected) in [
      (#"[{"hosts": [4], "device": "a100"}]"#, "0...3"),
      (#"[{"hosts": [1, 2], "device": "a100"}, {"hosts": [2], "device": "v100"}]"#, "listed twice"),
      (#"[{"hosts": [1], "device": "a1000"}]"#, "a100"),
    ] {
      let found = try problems(Self.plain, set: ["cluster.devices=\(list)"])
      #expect(found.count == 1 && found[0].contains(expected), "\(found)")
      #expect(found.first?.hasPrefix("cluster.devices") == true)
    }
  }
}
