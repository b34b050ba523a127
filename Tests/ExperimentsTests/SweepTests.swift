import Experiments
import SimKernel
import Testing

@Suite struct SweepTests {
  private func sweep(_ text: String) throws -> Sweep { try Sweep(of: json(text)) }
  private func labels(_ sweep: Sweep) -> [[String]] {
    (0..<sweep.count).map { sweep.point($0).labels }
  }

  @Test func withoutASweepThereIsOnePointWithoutLabels() throws {
    for text in [#"{"a": 1}"#, #"{"a": 1, "sweep": null}"#] {
      let sweep = try sweep(text)
      #expect(sweep.count == 1 && sweep.columns == [])
      #expect(sweep.point(0).labels == [])
      #expect(sweep.point(0).root.canonicalText == #"{"a":1}"#)
    }
  }

  @Test func theFirstAxisVariesSlowest() throws {
    let sweep = try sweep(#"{"sweep": {"a": [1, 2], "b.c": ["x", "y", "z"]}}"#)
    #expect(sweep.columns == ["a", "b.c"])
    #expect(
      labels(sweep) == [
        ["1", "x"], ["1", "y"], ["1", "z"], ["2", "x"], ["2", "y"], ["2", "z"],
      ])
    #expect(sweep.point(4).root.canonicalText == #"{"a":2,"b":{"c":"y"}}"#)
    #expect(sweep.point(4).index == 4)
  }

  @Test func listedValuesReplaceAndNamedVariantsMerge() throws {
    let base = #""c": {"x": 1, "y": {"z": 2, "w": 3}}"#
    let listed = try sweep("{\(base), \"sweep\": {\"c\": [{\"x\": 9}]}}")
    #expect(listed.point(0).root["c"]?.canonicalText == #"{"x":9}"#)
    #expect(listed.point(0).labels == [#"{"x":9}"#])
    let named = try sweep(
      "{\(base), \"sweep\": {\"c\": {\"as it is\": {}, \"deep\": {\"y\": {\"z\": 7}}, "
        + "\"less\": {\"x\": null}}}}")
    #expect(labels(named) == [["as it is"], ["deep"], ["less"]])
    #expect(named.point(0).root["c"]?.canonicalText == #"{"x":1,"y":{"w":3,"z":2}}"#)
    #expect(named.point(1).root["c"]?.canonicalText == #"{"x":1,"y":{"w":3,"z":7}}"#)
    #expect(named.point(2).root["c"]?.canonicalText == #"{"y":{"w":3,"z":2}}"#)
    let plain = try sweep(#"{"d": "v100", "sweep": {"d": {"old": "v100", "new": "a100"}}}"#)
    #expect(labels(plain) == [["old"], ["new"]])
    #expect(plain.point(1).root["d"]?.string == "a100")
  }

  @Test func zippedAxesMoveTogether() throws {
    let sweep = try sweep(
      #"{"sweep": {"zip": {"a": [1, 2], "b": {"one": {"x": 1}, "two": {"x": 2}}}, "c": [true, false]}}"#
    )
    #expect(sweep.columns == ["a", "b", "c"])
    #expect(
      labels(sweep) == [
        ["1", "one", "true"], ["1", "one", "false"], ["2", "two", "true"], ["2", "two", "false"],
      ])
    let groups = try self.sweep(
      #"{"sweep": {"zip": [{"a": [1, 2], "b": [3, 4]}, {"c": [5, 6], "d": [7, 8]}]}}"#)
    #expect(groups.count == 4)
    #expect(groups.point(1).labels == ["1", "3", "6", "8"])
  }

  @Test func indicesLeadIntoLists() throws {
    let sweep = try sweep(#"{"jobs": [{"n": 1}, {"n": 2}], "sweep": {"jobs[1].n": [7, 8]}}"#)
    #expect(sweep.point(1).root.canonicalText == #"{"jobs":[{"n":1},{"n":8}]}"#)
  }

  @Test(arguments: [
    (#"{"sweep": {}}"#, "a sweep without axes"),
    (#"{"sweep": []}"#, "found an array, expected an object of axes"),
    (#"{"sweep": {"a": []}}"#, "an axis without values"),
    (#"{"sweep": {"a": {}}}"#, "an axis without values"),
    (#"{"sweep": {"a": 5}}"#, "found a number, expected a list of values"),
    (#"{"sweep": {"zip": {}}}"#, "an axis without values"),
    (#"{"sweep": {"zip": {"a": [1], "b": [1, 2]}}}"#, "a has 1, b has 2"),
    (#"{"sweep": {"a": [1], "zip": {"a": [1], "b": [2]}}}"#, "a is swept twice"),
    (#"{"x": [{}], "sweep": {"x[0].a": [1], "x.0.a": [2]}}"#, "is swept twice"),
    (#"{"a": 1, "sweep": {"a.b": [1]}}"#, "leads through a plain value"),
    (#"{"a": [1], "sweep": {"a[1]": [1]}}"#, "past the end of a list"),
    (#"{"sweep": {"a.b": [1, 2], "a": [{"c": 1}]}}"#, "overwrites what a.b sets"),
    (#"{"sweep": {"a.b": [1, 2], "a": {"v": {"b": 3}}}}"#, "overwrites what a.b sets"),
    (#"{"sweep": {"seed": [1, 2]}}"#, "seed cannot be swept"),
    (#"{"sweep": {"title": ["a"]}}"#, "title cannot be swept"),
    (#"{"sweep": {"sweep.a": [1]}}"#, "sweep.a cannot be swept"),
  ]) func axesThatCannotMeanWhatTheySayAreRefused(_ text: String, _ part: String) throws {
    do {
      _ = try sweep(text)
      Testing.Issue.record("accepted")
    } catch let invalid as InvalidInput {
      #expect(invalid.issues.contains { $0.message.contains(part) }, "\(invalid)")
      for issue in invalid.issues { #expect(issue.position != nil) }
    }
  }

  @Test func aVariantBesideAnAxisOfItsOwnKeyIsFine() throws {
    let parentFirst = try sweep(#"{"sweep": {"a": [{"c": 1}], "a.b": [1, 2]}}"#)
    #expect(parentFirst.point(1).root.canonicalText == #"{"a":{"b":2,"c":1}}"#)
    let merged = try sweep(#"{"sweep": {"a.b": [1, 2], "a": {"v": {"c": 3}}}}"#)
    #expect(merged.point(1).root.canonicalText == #"{"a":{"b":2,"c":3}}"#)
  }

  @Test func tooManyPointsAreASlipAndNoTrap() throws {
    let list = "[" + (0..<2000).map(String.init).joined(separator: ",") + "]"
    let axes = (0..<9).map { "\"a\($0)\": \(list)" }.joined(separator: ", ")
    #expect(throws: InvalidInput.self) { try sweep("{\"sweep\": {\(axes)}}") }
  }
}

/// `--set path=value`.
@Suite struct AssignmentTests {
  private func root(_ text: String, _ assignments: String...) throws -> String {
    try Scratch().scenario(text, set: assignments).root.canonicalText
  }

  @Test func aValueIsJSONOrText() throws {
    #expect(try root("{}", "a.b=5") == #"{"a":{"b":5}}"#)
    #expect(try root("{}", "a=10 Gbps") == #"{"a":"10 Gbps"}"#)
    #expect(try root("{}", #"a={"x":[1,2]}"#) == #"{"a":{"x":[1,2]}}"#)
    #expect(try root("{}", "a=true") == #"{"a":true}"#)
    #expect(try root("{}", "a=") == #"{"a":""}"#)
    #expect(try root("{}", "a=b=c") == #"{"a":"b=c"}"#)
    #expect(try root(#"{"a":[1,2]}"#, "a[1]=3") == #"{"a":[1,3]}"#)
    #expect(try root("{}", "a=top_k:ratio=0.01|fp16") == #"{"a":"top_k:ratio=0.01|fp16"}"#)
  }

  @Test func commasMakeAnAxisUnlessQuotedOrBracketed() throws {
    #expect(try root("{}", "a=1,2") == #"{"sweep":{"a":[1,2]}}"#)
    #expect(try root("{}", "a=1 Gbps, 2 Gbps") == #"{"sweep":{"a":["1 Gbps","2 Gbps"]}}"#)
    #expect(try root("{}", #"a="1,2""#) == #"{"a":"1,2"}"#)
    #expect(try root("{}", #"a="x\",y","z""#) == #"{"sweep":{"a":["x\",y","z"]}}"#)
    #expect(try root("{}", "a=[1,2],[3]") == #"{"sweep":{"a":[[1,2],[3]]}}"#)
  }

  @Test func aValueTakesTheAxisOfItsPathOut() throws {
    let swept = #"{"sweep":{"a":[1,2],"b":[3,4]}}"#
    #expect(try root(swept, "a=9") == #"{"a":9,"sweep":{"b":[3,4]}}"#)
    #expect(try root(swept, "a=9", "b=8") == #"{"a":9,"b":8}"#)
    #expect(try root(swept, "a=7,8") == #"{"sweep":{"a":[7,8],"b":[3,4]}}"#)
    let zipped = #"{"sweep":{"zip":{"a":[1,2],"b":[3,4]}}}"#
    #expect(try root(zipped, "a=9") == #"{"a":9,"sweep":{"zip":[{"b":[3,4]}]}}"#)
    #expect(try root(zipped, "a=9", "b=8") == #"{"a":9,"b":8}"#)
    #expect(try root(#"{"x":[{}],"sweep":{"x.0.n":[1]}}"#, "x[0].n=2") == #"{"x":[{"n":2}]}"#)
  }

  @Test func anAxisKeepsItsPlace() throws {
    let file = try Scratch().scenario(#"{"sweep":{"a":[1],"b":[2],"c":[3]}}"#, set: ["b=7,8"])
    #expect(try Sweep(of: file.root).columns == ["a", "b", "c"])
  }

  @Test(arguments: ["foo", "=1", ""]) func withoutAPathItAssignsNothing(_ text: String) throws {
    #expect(throws: InvalidInput.self) { try root("{}", text) }
  }

  @Test func aPathThroughAPlainValueIsRefused() throws {
    #expect(throws: InvalidInput.self) { try root(#"{"a":1}"#, "a.b=2") }
  }
}
