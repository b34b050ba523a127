import Foundation
import Testing

/// `reproduce` as users meet it, and the committed papers with the README's table of them.
@Suite struct ReproduceTests {
  private static let papers = Simnet.root.appendingPathComponent("Scenarios/papers")
  private static let results = Simnet.root.appendingPathComponent("Results/papers")

  /// A ring of 4 carries 3/2 of ResNet-18's 46,758,048 bytes in 561.1 ms at 1 Gbps.
  private static func tiny(_ published: String = #"{"1 Gbps": 561.1, "10 Gbps": 80}"#) -> String {
    """
    {"simnet_paper": 1,
     "paper": {"authors": "Nobody", "title": "Nothing", "venue": "Nowhere 2020"},
     "figure": "figure 1", "obtained": "computed", "not_modelled": [],
     "scenario": {"simnet": 1,
       "cluster": {"topology": {"kind": "star", "hosts": 4,
         "link": {"bandwidth": "1 Gbps", "latency": "0 us"}}, "device": "v100"},
       "network": {"model": "alpha_beta", "transport": "ideal"},
       "workload": {"model": "resnet18", "iterations": 1, "warmup": 0,
         "compute": {"forward": "10 ms", "backward": "20 ms", "optimizer": "0 ms"}},
       "communication": {"algorithm": "ring", "schedule": {"policy": "one_shot"}},
       "sweep": {"cluster.topology.link.bandwidth": ["1 Gbps", "10 Gbps"]}},
     "measure": {"column": "exposed_communication_s", "scale": 1000, "unit": "ms"},
     "published": {"by": ["cluster.topology.link.bandwidth"], "values": \(published)},
     "tolerance": {"kind": "relative", "within": 0.01},
     "misses": [{"where": {"cluster.topology.link.bandwidth": "10 Gbps"},
       "because": "the number is made up"}]}
    """
  }

  private func run(_ arguments: [String], _ text: String = tiny()) throws -> (Finished, Scratch) {
    let scratch = try Scratch()
    try scratch.write("tiny.json", text)
    return (
      try Simnet.run(["reproduce", "tiny.json"] + arguments, in: scratch.folder), scratch
    )
  }

  @Test func `misses are shown with what explains them, and are no failure`() throws {
    let (done, scratch) = try run(["-o", "out"])
    #expect(done.status == 0 && done.errors == "", "\(done.errors)")
    let lines = done.output.split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("reproduced  points  within  band  mean |error|  worst"))
    #expect(lines[1].hasPrefix("tiny             2       1   1 %"))
    #expect(lines.contains { $0.hasPrefix("tiny") && $0.contains("80") && $0.contains("-2") })
    #expect(done.output.contains("tiny: 1 missed: the number is made up"))
    #expect(scratch.names.contains("out"))
    let csv = try scratch.read("out/tiny.csv").split(separator: "\n").map(String.init)
    #expect(csv.count == 3)
    #expect(csv[1].contains(",1 Gbps,561.1,561.") && csv[1].hasSuffix(",1 %,yes,"))
    #expect(csv[2].hasSuffix(",no,the number is made up"))
  }

  @Test func `strict ends with 3 where a band is missed`() throws {
    #expect(try run(["--strict"]).0.status == 3)
    #expect(try run(["--strict"], Self.tiny(#"{"1 Gbps": 561.1}"#)).0.status == 0)
  }

  @Test func `a slip ends with 65 and its line, before anything runs`() throws {
    let (done, scratch) = try run(["-o", "out"], Self.tiny(#"{"2 Gbps": 561.1}"#))
    #expect(done.status == 65)
    #expect(done.errors.contains("tiny.json:13:"), "\(done.errors)")
    #expect(done.errors.contains("unknown value of cluster.topology.link.bandwidth \"2 Gbps\""))
    #expect(done.output == "" && !scratch.names.contains("out"))
  }

  @Test func `the same twice, and as many jobs as one likes`() throws {
    #expect(try run(["-j", "1"]).0.output == run(["-j", "3"]).0.output)
  }

  // MARK: - What is committed

  private static func names(_ folder: URL, _ ending: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(ending) && !$0.hasSuffix(".constants.csv") }
      .map { String($0.dropLast(ending.count)) }.sorted()
  }

  @Test func everyPaperHasItsResults() throws {
    let papers = try Self.names(Self.papers, ".json")
    #expect(papers.count >= 10)
    #expect(try papers == Self.names(Self.results, ".csv"))
  }

  @Test func everyMissIsExplained() throws {
    for name in try Self.names(Self.results, ".csv") {
      let text = try String(
        contentsOf: Self.results.appendingPathComponent(name + ".csv"), encoding: .utf8)
      for line in text.split(separator: "\n").dropFirst() {
        #expect(!line.hasSuffix(",no,"), "\(name): \(line)")
      }
    }
  }

  /// The table of `make papers`, line by line.
  @Test func theReadmeHasTheSummary() throws {
    let readme = try String(
      contentsOf: Simnet.root.appendingPathComponent("README.md"), encoding: .utf8)
    let summary = try String(
      contentsOf: Self.results.appendingPathComponent("summary.md"), encoding: .utf8)
    let table = summary.split(separator: "\n", omittingEmptySubsequences: false)
      .prefix { !$0.isEmpty }
    #expect(try table.count == Self.names(Self.papers, ".json").count + 2)
    #expect(readme.contains(table.joined(separator: "\n")))
  }

  /// Those that take no time, and need no file of others.
  @Test(arguments: ["tictac-figure-13-training", "tictac-figure-13-inference"])
  func committedResultsComeOutAgain(name: String) throws {
    let scratch = try Scratch()
    let file = Self.papers.appendingPathComponent(name + ".json").path
    let done = try Simnet.run(["reproduce", file, "-q", "-o", scratch.folder])
    #expect(done.status == 0, "\(done.errors)")
    let committed = try String(
      contentsOf: Self.results.appendingPathComponent(name + ".csv"), encoding: .utf8)
    #expect(try scratch.read(name + ".csv") == committed)
  }
}
