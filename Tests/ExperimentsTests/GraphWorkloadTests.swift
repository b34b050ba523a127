import Experiments
import Foundation
import SimKernel
import Testing

/// Graphs of operations as what the workers of a scenario execute.
@Suite struct GraphWorkloadTests {
  /// 100 us of compute, then 1000 bytes to sum while 300 us are computed, then 50 us that need both.
  private static let diamond = #"""
    {"simnet_graph": 1, "name": "diamond",
     "resources": [{"name": "gpu"}, {"name": "nic"}, {"name": "host"}],
     "operations": [
       {"name": "a", "kind": "compute", "resource": "gpu", "duration": "100 us"},
       {"name": "sum", "kind": "collective", "resource": "nic", "bytes": "1000 B", "after": ["a"]},
       {"name": "b", "kind": "compute", "resource": "gpu", "duration": "300 us", "after": ["a"]},
       {"name": "copy", "kind": "memory", "resource": "host", "duration": "20 us", "after": ["sum"]},
       {"name": "c", "kind": "compute", "resource": "gpu", "duration": "50 us",
        "after": ["copy", "b"]}]}
    """#

  private static func scenario(_ workload: String = "", _ more: String = "") -> String {
    """
    {"simnet": 1,
     "cluster": {"topology": {"kind": "star", "hosts": 2,
       "link": {"bandwidth": "8 Gbps", "latency": "0 s"}}, "device": "v100"},
     "network": {"transport": "ideal"},
     "workload": {"model": {"graph": "worker.json"}, "iterations": 3, "warmup": 0\(workload)}\(more)}
    """
  }

  private static func table(
    _ graph: String, _ text: String, set: [String] = []
  ) throws -> ResultTable {
    let scratch = try Scratch()
    try scratch.write("worker.json", graph)
    return try SweepRunner(scratch.scenario(text, set: set)).run(SweepOptions()).table
  }

  private static func refusals(_ graph: String, _ text: String = scenario()) throws -> [String] {
    let scratch = try Scratch()
    try scratch.write("worker.json", graph)
    do {
      _ = try SweepRunner(scratch.scenario(text))
      return []
    } catch let invalid as InvalidInput {
      return invalid.issues.map { "\($0.path): \($0.message)" }
    }
  }

  @Test("what a collective hides behind costs nothing, and the rest is waited for")
  func overlap() throws {
    // A ring of two moves 500 bytes twice: 1 us, hidden with the copy behind 300 us.
    let hidden = try Self.table(Self.diamond, Self.scenario())
    #expect(hidden.cells("iteration_time_s") == ["0.00045"])
    #expect(hidden.cells("exposed_communication_s") == ["0"])
    #expect(hidden.cells("compute_time_s") == ["0.00045"])
    #expect(hidden.cells("model") == ["diamond"] && hidden.cells("raw_bytes") == ["1000"])
    // A thousandth of the bandwidth: 1 ms and 20 us of copying, of which 300 us are hidden.
    let slow = try Self.table(
      Self.diamond, Self.scenario(), set: ["cluster.topology.link.bandwidth=8 Mbps"])
    // Summing 500 bytes takes the device some nanoseconds more.
    #expect(slow.cells("iteration_time_s")[0].hasPrefix("0.00117000"))
    #expect(slow.cells("exposed_communication_s")[0].hasPrefix("0.00072000"))
    let compressed = try Self.table(
      Self.diamond, Self.scenario(#", "precision": "fp32""#),
      set: ["cluster.topology.link.bandwidth=8 Mbps", "communication.compression=fp16"])
    #expect(Double(compressed.cells("iteration_time_s")[0])! < 0.0008)
    let assumed = try Self.table(
      Self.diamond, Self.scenario("", #", "assumptions": {"compute_time": 2}"#))
    #expect(assumed.cells("iteration_time_s") == ["0.0009"])
  }

  /// `count` layers: forward, then backward with a sum each; every tenth sum has no bytes.
  private static func chain(_ count: Int, seed: UInt64) -> String {
    var random = RandomStream(seed: seed, purpose: RandomPurpose("graph test"))
    var operations: [String] = []
    for layer in 0..<count {
      var after: [String] = []
      for _ in 0..<2 where layer > 0 { after.append("\"op\(Int(random.next() % UInt64(layer)))\"") }
      operations.append(
        #"{"name": "op\#(layer)", "kind": "compute", "resource": "gpu", "duration": "\#(1 + random.next() % 50) us", "after": [\#(after.joined(separator: ","))]}"#
      )
      if layer % 3 == 0 {
        let bytes = layer % 30 == 0 ? 0 : 4 * Int(1 + random.next() % 5000)
        operations.append(
          #"{"name": "sum\#(layer)", "kind": "collective", "resource": "nic", "bytes": "\#(bytes) B", "after": ["op\#(layer)"]}"#
        )
        if layer > 10 {
          operations.append(
            #"{"name": "use\#(layer)", "kind": "compute", "resource": "gpu", "duration": "2 us", "after": ["sum\#(layer - layer % 3)", "op\#(layer / 2)"]}"#
          )
        }
      }
    }
    return #"{"simnet_graph": 1, "resources": [{"name": "gpu"}, {"name": "nic"}], "operations": ["#
      + operations.joined(separator: ",\n") + "]}"
  }

  @Test(
    "random graphs of 10^4 operations end under every schedule",
    arguments: [
      "per_tensor", "layer", "random", "tic", "tac", "pace", "p3", "byte_scheduler", "mg_wfbp",
      "horovod", "buckets",
    ])
  func noDeadlock(schedule: String) throws {
    let graph = Self.chain(6000, seed: 3)
    let text = Self.scenario("", #", "communication": {"schedule": "\#(schedule)"}"#)
    let refusals = try Self.refusals(graph, text)
    if !refusals.isEmpty {
      // Those that join collectives may have to say that these wait for one another.
      #expect(["mg_wfbp", "horovod", "buckets", "pace"].contains(schedule))
      #expect(refusals.allSatisfy { $0.contains("joins collectives") }, "\(refusals)")
      return
    }
    let table = try Self.table(graph, text, set: ["workload.iterations=1"])
    let time = try #require(Double(table.cells("iteration_time_s")[0]))
    let compute = try #require(Double(table.cells("compute_time_s")[0]))
    #expect(time >= compute && compute > 0.1)
  }

  @Test("what workers cannot execute is refused with the reason") func refused() throws {
    func with(_ operation: String) -> String {
      Self.diamond.replacingOccurrences(of: "}]}", with: "}, \(operation)]}")
    }
    let receive = try Self.refusals(
      with(#"{"name": "r", "kind": "receive", "resource": "nic", "bytes": "1 B"}"#))
    #expect(receive.count == 1 && receive[0].contains("r is a receive, which names no peer"))
    let second = try Self.refusals(
      with(#"{"name": "x", "kind": "compute", "resource": "host", "duration": "1 s"}"#))
    #expect(second.count == 1 && second[0].contains("a worker has one accelerator"))
    let circle = try Self.refusals(
      Self.diamond.replacingOccurrences(
        of: #""duration": "100 us"}"#, with: #""duration": "100 us", "after": ["c"]}"#))
    #expect(circle.count == 1 && circle[0].contains("worker.json") == false || !circle.isEmpty)
    let none = try Self.refusals(
      Self.diamond.replacingOccurrences(of: "1000 B", with: "0 B"))
    #expect(none.count == 1 && none[0].contains("nothing to communicate"))
    #expect(try Self.refusals("{").count == 1)
    let joined = try Self.refusals(
      Self.diamond.replacingOccurrences(
        of: "}]}",
        with:
          #"}, {"name": "late", "kind": "collective", "resource": "nic", "bytes": "8 B", "after": ["c"]}]}"#
      ), Self.scenario("", #", "communication": {"schedule": "one_shot"}"#))
    #expect(joined.count == 1 && joined[0].contains("joins collectives"))
    let steps = try Self.refusals(Self.diamond, Self.scenario(#", "accumulation_steps": 2"#))
    #expect(steps.count == 1 && steps[0].contains("workload.accumulation_steps"))
    let scratch = try Scratch()
    #expect(throws: InvalidInput.self) {
      _ = try SweepRunner(scratch.scenario(Self.scenario()))
    }
  }

  @Test("the order of a graph's members and another file with the same content change nothing")
  func determinism() throws {
    let graph = Self.chain(300, seed: 9)
    let one = try Self.table(graph, Self.scenario()).csv
    #expect(try Self.table(graph, Self.scenario()).csv == one)
  }
}
