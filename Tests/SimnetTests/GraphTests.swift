import Foundation
import Testing

/// `simnet graph`: what it prints, and what it refuses.
@Suite struct GraphTests {
  private static let figure = """
    {"simnet_graph": 1, "name": "figure 1a",
     "resources": [{"name": "gpu"}, {"name": "nic"}],
     "operations": [
      {"name": "r1", "kind": "receive", "resource": "nic", "duration": "2 ms"},
      {"name": "r2", "kind": "receive", "resource": "nic", "duration": "2 ms"},
      {"name": "op1", "kind": "compute", "resource": "gpu", "duration": "3 ms", "after": ["r1"]},
      {"name": "op2", "kind": "compute", "resource": "gpu", "duration": "1 ms",
       "after": ["op1", "r2"]}]}
    """

  @Test func figureOfTicTac() throws {
    let done = try Simnet.run(
      ["graph", "-", "--schedule", "tac,oracle", "--format", "csv"], input: Self.figure)
    #expect(done.status == 0, "\(done.errors)")
    #expect(
      done.output == """
        schedule,runs,makespan_s,makespan_p5_s,makespan_p95_s,bound_s,upper_s,lower_s,efficiency,\
        speedup,is_bound
        tac,1,0.006,0.006,0.006,0.006,0.008,0.004,0.5,1,0
        oracle,1,0.006,0.006,0.006,0.006,0.008,0.004,0.5,1,0

        """)
  }

  @Test func criticalPathAsTable() throws {
    let done = try Simnet.run(
      ["graph", "-", "--schedule", "tac", "--critical-path"], input: Self.figure)
    #expect(done.status == 0, "\(done.errors)")
    #expect(done.output.contains("no order ends before 6.000 ms"))
    #expect(done.output.contains("dependency: op1"))
  }

  @Test func equalSeedsGiveEqualRuns() throws {
    func output(_ seed: String) throws -> String {
      let done = try Simnet.run(
        ["graph", "-", "--schedule", "random,tic", "--seed", seed, "--format", "json"],
        input: Self.figure)
      #expect(done.status == 0, "\(done.errors)")
      return done.output
    }
    #expect(try output("3") == output("3"))
    #expect(try output("3") != output("4"))
  }

  @Test func refusals() throws {
    for (arguments, status, words) in [
      (["-", "--schedule", "tak"], 64, "did you mean \"tac\""),
      (["-", "--schedule", "tic", "--eager", "15 us"], 64, "eager"),
      (["-", "--inference"], 64, "is a graph"),
      (["-", "--bandwidth", "5"], 64, "no unit"),
      (["-", "--latency", "5 us"], 64, "need --bandwidth"),
      (["-", "--runs", "0"], 64, "--runs"),
      (["/nowhere/graph.json"], 74, "no such file"),
    ] as [([String], Int32, String)] {
      let done = try Simnet.run(["graph"] + arguments, input: Self.figure)
      #expect(done.status == status, "\(arguments)")
      #expect(done.errors.contains(words), "\(arguments): \(done.errors)")
      #expect(done.output.isEmpty, "\(arguments)")
    }
  }

  @Test func placesOfFaults() throws {
    let faulty = Self.figure.split(separator: "[\"r1\"]").joined(separator: "[\"r3\"]")
    let done = try Simnet.run(["graph", "-"], input: faulty)
    #expect(done.status == 65)
    #expect(done.errors.contains("<stdin>:6:"), "\(done.errors)")
    #expect(done.errors.contains("unknown operation \"r3\""), "\(done.errors)")
  }
}
