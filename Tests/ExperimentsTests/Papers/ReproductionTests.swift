import Experiments
import Foundation
import SimKernel
import Testing

@Suite("reproduced papers")
struct ReproductionTests {
  @Test("a closed form is reproduced within a percent")
  func closedForm() throws {
    let reproduction = try TinyPaper.reproduce(TinyPaper.text())
    #expect(reproduction.within == 3)
    #expect(reproduction.meanAbsoluteError < 0.01)
    let lines = reproduction.csv.split(separator: "\n").map(String.init)
    #expect(
      lines[0] == "paper,figure,case,published,simulated,error,band,within,explanation")
    #expect(lines.count == 4)
    #expect(lines[3].hasPrefix(#""Nobody, Nowhere 2020",figure 1,"10 Gbps, fp32",56.11,56."#))
    #expect(lines[3].hasSuffix(",1 %,yes,"))
  }

  @Test("misses stay in, each with the first explanation that covers it")
  func misses() throws {
    let reproduction = try TinyPaper.reproduce(
      TinyPaper.text(
        values: #"{"1 Gbps": {"fp32": 500, "fp16": 280.5}, "10 Gbps": {"fp32": 50, "fp16": 90}}"#,
        more: #", "misses": [{"where": {"workload.gradient_type": ["fp16"]}, "because": "half"},"#
          + #" {"where": {"cluster.topology.link.bandwidth": "10 Gbps"}, "because": "fast"}]"#))
    #expect(reproduction.cases.map(\.isWithin) == [false, true, false, false])
    #expect(reproduction.cases.map(\.explanation) == [nil, nil, "fast", "half"])
    // 28.05 against 90.
    #expect(reproduction.worst?.name == "10 Gbps, fp16")
    #expect((reproduction.worst!.error + 0.69).magnitude < 0.01)
  }

  @Test("gains and ratios are taken against the variant of the same case")
  func comparisons() throws {
    for (kind, value) in [("ratio", "0.5"), ("gain_percent", "-50")] {
      let reproduction = try TinyPaper.reproduce(
        TinyPaper.text(
          measure: #"{"column": "exposed_communication_s", "as": "\#(kind)", "compared_with": "#
            + #"{"workload.gradient_type": "fp32"}}"#,
          values: #"{"1 Gbps": {"fp16": \#(value)}, "10 Gbps": {"fp16": \#(value)}}"#))
      #expect(reproduction.within == 2, "\(reproduction.cases)")
    }
  }

  @Test("a file that is required and missing leaves the paper out")
  func required() throws {
    let paper = try TinyPaper.paper(TinyPaper.text(more: #", "requires": ["nothing.log"]"#))
    #expect(paper.missingFile == "nothing.log")
    var reproducer = Reproducer(SweepOptions())
    #expect(try reproducer.reproduce(paper).cases.isEmpty)
  }

  @Test("a column of text is refused where it is read")
  func text() throws {
    #expect(throws: InvalidInput.self) {
      try TinyPaper.reproduce(TinyPaper.text(measure: #"{"column": "algorithm"}"#))
    }
  }

  @Test("candidates are tried on the points of the file they are fitted on and here")
  func sensitivity() throws {
    let scratch = try Scratch()
    try scratch.write("other.json", TinyPaper.text(values: #"{"1 Gbps": {"fp16": 280.5}}"#))
    try scratch.write(
      "tiny.json",
      TinyPaper.text(
        more: #", "constants": [{"name": "latency", "value": "0 us", "fitted": "on other", "#
          + #""path": "cluster.topology.link.latency", "fitted_on": "other.json", "#
          + #""candidates": ["0 us", "20 ms"]}]"#))
    var reproducer = Reproducer(SweepOptions())
    let found = try reproducer.sensitivity(of: PaperFile.read(scratch.path("tiny.json")))
    #expect(found.count == 1)
    let candidates = found[0].candidates
    #expect(candidates.map(\.value) == ["0 us", "20 ms"])
    #expect(candidates.map(\.own.within) == [3, 0])
    #expect(candidates[0].fitError! < 0.01 && candidates[1].fitError! > 0.1)
    #expect(ConstantSensitivity.csv(found).split(separator: "\n").count == 3)
  }

  @Test("signs and orders count beyond what tells them apart")
  func bands() throws {
    func within(
      _ band: ToleranceBand, _ pairs: [(published: Double, simulated: Double)]
    ) throws -> [Bool] {
      // Labels only matter to an order.
      let values = pairs.indices.map { "\"\($0 + 1) Gbps\": \(pairs[$0].published)" }
      let sweep = pairs.indices.map { "\"\($0 + 1) Gbps\"" }.joined(separator: ", ")
      let paper = try TinyPaper.paper(
        TinyPaper.text(
          scenario: TinyPaper.scenario
            .replacingOccurrences(of: #""1 Gbps", "10 Gbps""#, with: sweep)
            .replacingOccurrences(of: #"["fp32", "fp16"]"#, with: #"["fp32"]"#),
          by: #"["cluster.topology.link.bandwidth"]"#,
          values: "{" + values.joined(separator: ", ") + "}"))
      return band.isWithin(paper.published, pairs.map(\.simulated))
    }
    #expect(
      try within(.sign(beyond: 1), [(5, 2), (5, 0.5), (5, -2), (-5, -2), (0.5, -9)])
        == [true, false, false, true, true])
    let along = ["cluster.topology.link.bandwidth"]
    #expect(
      try within(.order(apart: 1, along: along), [(1, 10), (3, 20), (3.5, 15)])
        == [true, true, true])
    #expect(
      try within(.order(apart: 1, along: along), [(1, 10), (3, 20), (9, 15)])
        == [true, false, false])
    #expect(
      try within(.absolute(0.5), [(1, 1.5), (1, 1.6), (1, .infinity)]) == [true, false, false])
    #expect(try within(.relative(0.1), [(10, 10.9), (10, 8.9)]) == [true, false])
  }

  /// Jayarajan et al., figure 7: 76.4, 77.7 and 96.6 images/s, the largest gain of P3 on ResNet-50.
  @Test("P3's ResNet-50 at 4 Gbps is within 10 % with and without slices and priorities")
  func p3() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let file = folder.appendingPathComponent("Scenarios/papers/p3-figure-7-resnet50.json").path
    var root = try ScenarioFile.read(file).root
    let axis = "cluster.topology.link.bandwidth"
    let row = try #require(root.get(["published", "values", "4 Gbps"]))
    _ = root.set(["scenario", "sweep", axis], to: try json(#"["4 Gbps"]"#))
    _ = root.set(
      ["published", "values"], to: JSONNode(.object([JSONMember("4 Gbps", row)])))
    for (key, value) in [("iterations", 3), ("warmup", 2)] {
      _ = root.set(["scenario", "workload", key], to: JSONNode(.number(JSONNumber(value))))
    }
    let reproduction = try TinyPaper.reproduce(root.compactText)
    #expect(reproduction.cases.map(\.published) == [.number(76.4), .number(77.7), .number(96.6)])
    #expect(reproduction.paper.tolerance == .relative(0.1))
    for row in reproduction.cases { #expect(row.isWithin, "\(row)") }
    // Priorities pay, slices alone hardly do.
    let speeds = reproduction.cases.map(\.simulated)
    #expect(speeds[2] / speeds[0] > 1.15 && speeds[1] / speeds[0] < 1.05)
  }
}
