import Foundation
import Interchange
import SimKernel
import Testing

/// `simnet export`, and back again.
@Suite struct ExportTests {
  private static let graph = """
    {"simnet_graph": 1, "resources": [{"name": "gpu"}, {"name": "nic", "bandwidth": "1 Gbps"}],
     "operations": [
      {"name": "a", "kind": "compute", "resource": "gpu", "duration": "1500 us"},
      {"name": "x", "kind": "collective", "resource": "nic", "bytes": "4 MB", "after": ["a"]},
      {"name": "b", "kind": "compute", "resource": "gpu", "duration": "700 us", "after": ["a"]},
      {"name": "y", "kind": "collective", "resource": "nic", "bytes": "2 MB", "after": ["b"]},
      {"name": "c", "kind": "compute", "resource": "gpu", "duration": "300 us",
       "after": ["x", "y"]}]}
    """
  private static func scenario(_ network: String) -> String {
    """
    {"simnet": 1, "title": "t",
     "cluster": {"topology": {"kind": "star", "hosts": 4,
       "link": {"bandwidth": "10 Gbps", "latency": "5 us"}}, "device": "v100"},
     "network": {"model": "\(network)",
       "transport": {"preset": "ideal", "reduction_rate": "1000 Tbps"}},
     "workload": {"model": {"graph": "g.json"}, "iterations": 1, "warmup": 0},
     "communication": {"strategy": "all_reduce", "algorithm": "ring", "schedule": "per_tensor"}}
    """
  }

  private func seconds(_ file: String, in scratch: Scratch) throws -> Double {
    let run = try Simnet.run(["run", file, "--format", "csv"], in: scratch.folder)
    #expect(run.status == 0, "\(run.errors)")
    return Double(ImportTests.column("iteration_time_s", of: run.output).first ?? "") ?? 0
  }

  @Test func chakraComesBackAsTheSameRun() throws {
    let scratch = try Scratch()
    try scratch.write("g.json", Self.graph)
    try scratch.write("s.json", Self.scenario("flow"))
    let export = try Simnet.run(["export", "s.json", "-o", "et"], in: scratch.folder)
    #expect(export.status == 0, "\(export.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path("et")).sorted()
    #expect(names == (0..<4).map { "s.\($0).et" })
    let trace = try ChakraFile.read(path: scratch.path("et/s.2.et"))
    #expect(trace.nodes.count { $0.kind == .collective } == 2)
    #expect(trace.nodes.compactMap { $0["comm_size"]?.number } == [4_000_000, 2_000_000])
    let back = try Simnet.run(
      ["import"] + names.map { "et/" + $0 }
        + ["-o", "b.json", "--bandwidth", "10 Gbps", "--latency", "5 us"], in: scratch.folder)
    #expect(back.status == 0, "\(back.errors)")
    let (first, again) = (try seconds("s.json", in: scratch), try seconds("b.json", in: scratch))
    // Five operations, each to the microsecond.
    #expect(first > 0.006 && abs(first - again) < 5e-6, "\(first) \(again)")
  }

  /// Sums that cost nothing, or nearly so, or more than the messages.
  @Test(arguments: ["1000 Tbps", "100 Gbps", "4 Gbps"])
  func goalComesBackAsTheSameRun(_ sums: String) throws {
    let scratch = try Scratch()
    // One collective after the other: a schedule has those that are ready together side by side.
    try scratch.write(
      "g.json",
      Self.graph.replacing("700 us\", \"after\": [\"a\"]", with: "700 us\", \"after\": [\"x\"]"))
    try scratch.write("s.json", Self.scenario("loggp").replacing("1000 Tbps", with: sums))
    let export = try Simnet.run(
      ["export", "s.json", "--format", "goal", "-o", "s.goal"], in: scratch.folder)
    #expect(export.status == 0, "\(export.errors)")
    // L is the way of two links, G a byte at 10 Gb/s.
    let run = try Simnet.run(
      ["goal", "s.goal", "--loggp", "L=10us,o=0,g=0,G=10Gbps,O=0,S=none", "--format", "csv"],
      in: scratch.folder)
    #expect(run.status == 0, "\(run.errors)")
    let finish = ImportTests.column("finish_ns", of: run.output).compactMap { Double($0) }
    let expected = try seconds("s.json", in: scratch) * 1e9
    #expect(finish.count == 4)
    // Twelve messages one after the other, each of which LogGOPSim's machine charges for s - 1 bytes of
    // G = 0.8 ns, and simnet for s; all else is whole nanoseconds here.
    let difference = expected - (finish.max() ?? 0)
    #expect(abs(difference - 12 * 0.8) < 1, "\(finish) \(expected)")
  }

  @Test(arguments: ["flow", "alpha_beta"]) func everyScenarioIsASchedule(_ network: String) throws {
    let scratch = try Scratch()
    for (name, options) in [
      ("parameter-server", ["workload.model=resnet18"]), ("four-hosts-of-four", []),
      ("how-to-exchange", ["workload.model=resnet18"]),
    ] as [(String, [String])] {
      let path = Simnet.root.appendingPathComponent("Scenarios/\(name).json").path
      let run = try Simnet.run(
        ["export", path, "--format", "goal", "-o", "x.goal", "--set", "network.model=\(network)"]
          + options.flatMap { ["--set", $0] }, in: scratch.folder)
      #expect(run.status == 0, "\(name): \(run.errors)")
      let played = try Simnet.run(["goal", "x.goal", "--summary"], in: scratch.folder)
      #expect(played.status == 0, "\(name): \(played.errors)")
    }
  }

  @Test func refusalsAreUsage() throws {
    let scratch = try Scratch()
    try scratch.write("g.json", Self.graph)
    try scratch.write("s.json", Self.scenario("flow"))
    for (arguments, words) in [
      (["s.json", "-o", "-"], "folder"), (["s.json", "-o", "et", "--workers", "4"], "0..3"),
      (["s.json", "-o", "x", "--job", "nobody"], "main"), (["s.json", "-o", "s.json"], "itself"),
    ] as [([String], String)] {
      let run = try Simnet.run(["export"] + arguments, in: scratch.folder)
      #expect(run.status == 64 && run.errors.contains(words), "\(arguments): \(run.errors)")
    }
  }
}
