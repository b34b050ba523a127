import Foundation
import SimKernel
import Testing

/// `simnet inspect`.
@Suite struct InspectTests {
  private let network =
    "topology: [ Ring ]\nnpus_count: [ 4 ]\nbandwidth: [ 50 ]\nlatency: [ 500 ]\n"

  @Test func aFileIsSaidInWordsAndInJSON() throws {
    let scratch = try Scratch()
    // The name says something else than the content.
    try scratch.write("network.txt", network)
    let text = try Simnet.run(["inspect", "network.txt"], in: scratch.folder)
    #expect(text.status == 0 && text.errors == "")
    #expect(text.output.hasPrefix("network.txt: ASTRA-sim analytical network"))
    #expect(text.output.contains("shape Ring, count 4, bandwidth_gbps 400, latency_us 0.5"))
    let json = try Simnet.run(["inspect", "network.txt", "--format", "json"], in: scratch.folder)
    let node = try JSONNode.parse(json.output, origin: "inspect")
    #expect(node["format"]?.string == "astra_sim_network" && node["npus"]?.number == 4)
  }

  @Test func oneThatCannotBeReadDoesNotStopTheOthers() throws {
    let scratch = try Scratch()
    try scratch.write("a.yml", network.replacing("Ring", with: "Torus"))
    try scratch.write("b.yml", network)
    try scratch.write("c", "hello")
    let run = try Simnet.run(
      ["inspect", "a.yml", "b.yml", "c", "--format", "jsonl"], in: scratch.folder)
    #expect(run.status == 65)
    #expect(run.output.split(separator: "\n").count == 1)
    #expect(run.errors.contains("a.yml:1: the topology \"Torus\""))
    #expect(run.errors.contains("c: content that simnet does not know; it understands: PyTorch"))
    let missing = try Simnet.run(["inspect", "none"], in: scratch.folder)
    #expect(missing.status == 74 && missing.errors.hasPrefix("none: it cannot be opened"))
  }
}
