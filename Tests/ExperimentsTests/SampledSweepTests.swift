import Experiments
import SimKernel
import Testing

/// Points that are listed, drawn, or dropped.
@Suite struct SampledSweepTests {
  private func sweep(_ text: String) throws -> Sweep { try Sweep(of: json(text)) }
  private func labels(_ sweep: Sweep) -> [[String]] {
    (0..<sweep.count).map { sweep.point($0).labels }
  }
  private func issue(_ text: String) throws -> String {
    do {
      _ = try sweep(text)
      return "none"
    } catch let invalid as InvalidInput { return invalid.issues.map(\.description).joined() }
  }

  @Test func aListWritesPointsOneByOne() throws {
    let sweep = try sweep(
      #"{"sweep": {"list": [{"a": 1, "b.c": "x"}, {"b.c": "y", "a": 2}], "d": [true, false]}}"#)
    #expect(sweep.columns == ["a", "b.c", "d"])
    #expect(
      labels(sweep) == [
        ["1", "x", "true"], ["1", "x", "false"], ["2", "y", "true"], ["2", "y", "false"],
      ])
    #expect(sweep.point(2).root.canonicalText == #"{"a":2,"b":{"c":"y"},"d":true}"#)
  }

  private static let range = #""a": {"from": 1.5, "to": 96.5, "scale": "log"}"#
  private static let whole = #""b": {"from": 1, "to": 8}"#
  private static let unit = #""c": {"from": "1 Gbps", "to": "100 Gbps"}"#

  private func drawn(_ kind: String, _ count: Int, _ axes: String, seed: Int = 1) throws -> Sweep {
    try sweep(
      #"{"sweep": {"\#(kind)": {"points": \#(count), "seed": \#(seed), "axes": {\#(axes)}}}}"#)
  }

  @Test(arguments: ["random", "latin_hypercube"])
  func drawnPointsStayInTheirRangesAndComeAgain(kind: String) throws {
    let axes = [Self.range, Self.whole, Self.unit, #""d": ["x", "y"]"#].joined(separator: ", ")
    let first = try drawn(kind, 200, axes)
    #expect(first.count == 200 && first.columns == ["a", "b", "c", "d"])
    for row in labels(first) {
      let a = try #require(Double(row[0]))
      let b = try #require(Int(row[1]))
      let c = try #require(Quantity(row[2]))
      #expect(a >= 1.5 && a <= 96.5 && row[0].count <= 8)
      #expect(b >= 1 && b <= 8)
      #expect(c.value >= 1e9 && c.value <= 1e11 && row[2].hasSuffix(" Gbps"))
      #expect(["x", "y"].contains(row[3]))
    }
    #expect(Set(labels(first).map { $0[1] }).count == 8)
    #expect(labels(first) == labels(try drawn(kind, 200, axes)))
    #expect(labels(first) != labels(try drawn(kind, 200, axes, seed: 2)))
    // Another path moves no draw of this one.
    let alone = try drawn(kind, 200, Self.unit)
    #expect(labels(alone).map { $0[0] } == labels(first).map { $0[2] })
  }

  @Test func aLatinHypercubeHasOnePointInEachStratum() throws {
    let count = 40
    let sweep = try drawn(
      "latin_hypercube", count,
      #""a": {"from": 0.0, "to": 1.0}, "b": {"from": 1.0, "to": 1024.0, "scale": "log"}"#)
    let rows = labels(sweep)
    let a = rows.map { Int(Double($0[0])! * Double(count)) }
    let b = rows.map { Int(DeterministicMath.log2(Double($0[1])!) / 10 * Double(count)) }
    #expect(a.sorted() == Array(0..<count) && b.sorted() == Array(0..<count))
    // And the axes are not drawn alike.
    #expect(a != b && a != Array(0..<count))
  }

  @Test func drawnIntegersAreEachAsLikely() throws {
    let rows = labels(try drawn("random", 8000, Self.whole))
    for value in 1...8 {
      let share = Double(rows.count { $0[0] == String(value) }) / 8000
      // Five standard deviations of a binomial share.
      #expect((share - 0.125).magnitude < 5 * (0.125 * 0.875 / 8000).squareRoot())
    }
  }

  @Test func drawnVariantsMerge() throws {
    let sweep = try sweep(
      #"{"c": {"x": 1}, "sweep": {"random": {"points": 20, "axes": {"c": {"as is": {}, "y": {"y": 2}}}}}}"#
    )
    let seen = Set((0..<20).map { sweep.point($0).root["c"]!.canonicalText })
    #expect(seen == [#"{"x":1}"#, #"{"x":1,"y":2}"#])
  }

  @Test(arguments: [
    ("a * b <= 4", ["1 1", "1 2", "1 4", "2 1", "2 2", "4 1"]),
    ("a == b", ["1 1", "2 2", "4 4"]),
    ("!(a == b) && a > b", ["2 1", "4 1", "4 2"]),
    ("a < 2 || b < 2 && a != 4", ["1 1", "1 2", "1 4", "2 1"]),
    ("a - b - 1 == 1", ["4 2"]),
    ("a / b / 2 >= 1", ["2 1", "4 1", "4 2"]),
    ("-a + 5 == b", ["1 4", "4 1"]),
    ("2e0 * a == b && base.rate < 25 GB/s && base.rate/2 == 5 Gbps", ["1 2", "2 4"]),
    ("base.size / base.rate <= 1 ms && a == 4 && b == 4", ["4 4"]),
    ("base.name == 'it' && base.flag == true && a + b == 8", ["4 4"]),
    ("base.list[1] == a && b == 1", ["2 1"]),
  ])
  func constraintsDropPoints(text: String, expected: [String]) throws {
    let base =
      #""base": {"rate": "10 Gbps", "size": "1 MB", "name": "it", "flag": true, "list": [1, 2]}"#
    let sweep = try sweep(
      #"{\#(base), "sweep": {"a": [1, 2, 4], "b": [1, 2, 4], "constraints": ["\#(text)"]}}"#)
    #expect(labels(sweep).map { $0.joined(separator: " ") } == expected)
    #expect(sweep.droppedCount == 9 - expected.count)
    #expect((0..<sweep.count).map { sweep.point($0).index } == Array(0..<expected.count))
  }

  @Test func aNamedVariantIsItsLabel() throws {
    let sweep = try sweep(
      #"{"sweep": {"c": {"none": {}, "top_k 1%": {"x": 1}}, "a": [1, 2], "constraints": ["c != 'top_k 1%' || a == 2"]}}"#
    )
    #expect(labels(sweep) == [["none", "1"], ["none", "2"], ["top_k 1%", "2"]])
  }

  @Test(arguments: [
    (#""list": 5"#, "found a number, expected a list of objects"),
    (#""list": []"#, "an axis without values"),
    (#""list": [{"a": 1}, {"b": 1}]"#, "every point of a list sets the same paths"),
    (#""random": {"axes": {"a": [1]}}"#, "points: missing"),
    (#""random": {"points": 0, "axes": {"a": [1]}}"#, "expected"),
    (#""random": {"points": 5}"#, "axes: missing"),
    (#""random": {"points": 5, "axes": {}}"#, "an object of axes"),
    (#""random": {"points": 5, "axes": {"a": []}}"#, "an axis without values"),
    (#""random": {"points": 5, "axes": {"a": {"from": 2, "to": 1}}}"#, "must be above"),
    (#""random": {"points": 5, "axes": {"a": {"from": 1}}}"#, "to: missing"),
    (
      #""random": {"points": 5, "axes": {"a": {"from": 1, "to": 2, "scale": "cubic"}}}"#,
      "linear or log"
    ),
    (
      #""random": {"points": 5, "axes": {"a": {"from": 0, "to": 2, "scale": "log"}}}"#,
      "begin above 0"
    ),
    (#""random": {"points": 5, "axes": {"a": {"from": "1 Gbps", "to": "20 Mbps"}}}"#, "same unit"),
    (#""random": {"points": 5, "axes": {"a": {"from": "x", "to": "y"}}}"#, "two numbers"),
    (#""random": {"points": 2000000, "axes": {"a": [1]}}"#, "at most"),
    (#""a": [1], "constraints": ["a = 1"]"#, "\n  a = 1\n    ^ found \"=\"; expected ==, !="),
    (#""a": [1], "constraints": ["a < "]"#, "\n      ^ found the end"),
    (#""a": [1], "constraints": ["(a < 2"]"#, "\n        ^ found the end"),
    (#""a": [1], "constraints": ["a < 'x"]"#, "closing quote"),
    (#""a": [1], "constraints": ["a"]"#, "it is a value, not a condition"),
    (#""a": [1], "constraints": ["a < 'x'"]"#, "between a number and a text"),
    (#""a": [1], "constraints": ["a < 1 Gbps"]"#, "different quantities"),
    (#""a": [1], "constraints": ["b < 1"]"#, "nothing at b"),
    (#""a": [1], "constraints": ["a > 1"]"#, "no combination"),
    (#""a": [1], "constraints": [5]"#, "found a number, expected a condition"),
    (#""constraints": ["1 < 2"]"#, "a sweep without axes"),
    (#""zip": []"#, "an axis without values"),
    (#""zip": [1, 2]"#, "found a number, expected an object of axes that move together"),
    (#""list": [1, 2]"#, "found a number, expected an object a point"),
    (#""latin_hyper_cube": {"points": 3, "axes": {"a": [1]}}"#, "latin_hypercube"),
    (#""contraints": ["a < 1"], "a": [1]"#, "constraints"),
  ])
  func whatCannotBeIsSaidOnce(text: String, expected: String) throws {
    let found = try issue("{\"sweep\": {\(text)}}")
    #expect(found.contains(expected), "\(found)")
  }

  @Test func longChainsAreRefused() throws {
    let text = String(repeating: "1+", count: 100_000) + "a < 1"
    #expect(
      try issue(#"{"sweep": {"a": [1], "constraints": ["\#(text)"]}}"#).contains("at most 10000"))
  }

  @Test func deepNestingIsRefused() throws {
    let text = String(repeating: "(", count: 5000) + "a"
    #expect(try issue(#"{"sweep": {"a": [1], "constraints": ["\#(text)"]}}"#).contains("nested"))
  }

  @Test func whatIsSetOnTheCommandLineLeavesListsAndDraws() throws {
    let scratch = try Scratch()
    let text = quick(
      #", "sweep": {"list": [{"workload.batch_per_worker": 8, "seedless": 1}], "random": {"points": 3, "axes": {"cluster.device": ["v100", "a100"]}}}"#
    )
    var file = try scratch.scenario(
      text, set: ["workload.batch_per_worker=16", "cluster.device=a100"])
    #expect(file.root.get(["sweep"])?.canonicalText == #"{"list":[{"seedless":1}]}"#)
    #expect(file.root.get(["cluster", "device"])?.string == "a100")
    try file.set("seedless=1,2")
    #expect(try Sweep(of: file.root).count == 2)
  }
}
