import Experiments
import SimKernel
import Testing

@Suite struct SchemaDrawTests {
  private static func draws(_ schema: String, _ count: Int = 400) throws -> [JSONNode] {
    let draw = SchemaDraw(try json(schema), words: ["model.csv", "device.json", "a"])
    return (0..<count).map { index in
      var random = RandomStream(seed: 1, purpose: RandomPurpose("draws"), entity: index)
      return draw.document(&random)
    }
  }

  @Test func `whole numbers include their bounds and stay small`() throws {
    let values = try Self.draws(#"{"type":"integer","minimum":3,"maximum":9}"#)
      .compactMap { $0.number }
    #expect(values.count == 400 && values.min() == 3 && values.max() == 9)
    let open = try Self.draws(#"{"type":"integer","minimum":1024}"#).compactMap { $0.number }
    #expect(open.min() == 1024 && (open.max() ?? 0) <= 1032)
    #expect(try Self.draws(#"{"type":"integer","minimum":1,"maximum":1}"#)[0].number == 1)
    let signed = try Self.draws(#"{"type":"integer","minimum":-7,"maximum":22}"#)
      .compactMap { $0.number }
    #expect(signed.min() == -7 && signed.max() == 22)
  }

  @Test func `numbers include the ends that belong to them`() throws {
    let closed = try Self.draws(#"{"type":"number","minimum":0,"maximum":1}"#)
      .compactMap { $0.number }
    #expect(closed.min() == 0 && closed.max() == 1)
    let open = try Self.draws(#"{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1}"#)
      .compactMap { $0.number }
    #expect(open.allSatisfy { $0 > 0 && $0 < 1 } && (open.min() ?? 1) < 1e-5)
    #expect(open.contains(1.0.nextDown))
  }

  @Test func `texts match their pattern`() throws {
    let scopes = try Self.draws(
      #"{"type":"string","pattern":"^(model|layer|bucket:[1-9][0-9]*)$"}"#
    ).compactMap(\.string)
    #expect(scopes.contains("model") && scopes.contains("layer"))
    for scope in scopes where scope != "model" && scope != "layer" {
      #expect(scope.hasPrefix("bucket:") && (Int(scope.dropFirst(7)) ?? 0) > 0, "\(scope)")
    }
    let rates = try Self.draws(
      #"{"type":"string","pattern":"^\\s*[0-9.+eE-]+\\s*(Gbps|Mbps|bps)\\s*$"}"#
    ).compactMap(\.string)
    for unit in ["Gbps", "Mbps", "bps"] { #expect(rates.contains { $0.hasSuffix(unit) }) }
    #expect(
      rates.allSatisfy { rate in Double(rate.prefix { !"Gbpsm".contains($0) && $0 != "M" }) != nil }
    )
    #expect(
      try Self.draws(#"{"type":"string","pattern":"\\.json$"}"#)[0].string == "device.json")
  }

  @Test func `required keys are there, others sometimes, every branch in turn`() throws {
    let found = try Self.draws(
      #"""
      {"type":"object","required":["a"],"properties":{"a":{"type":"boolean"},
       "b":{"type":"array","minItems":2,"items":{"enum":["x","y"]}},
       "c":{"anyOf":[{"enum":["ring","tree"]},
         {"type":"object","properties":{"kind":{"const":"ring"}},"required":["kind"]}]}}}
      """#)
    #expect(found.allSatisfy { $0["a"] != nil })
    #expect(found.contains { $0["b"] != nil } && found.contains { $0["b"] == nil })
    #expect(found.allSatisfy { ($0["b"]?.elements?.count ?? 2) >= 2 })
    #expect(found.contains { $0["c"]?.string == "tree" })
    #expect(found.contains { $0["c"]?["kind"]?.string == "ring" })
  }

  /// What the schema names is drawn, without anybody having told the draw.
  @Test func `every key and every member of every family of scenarios is drawn`() throws {
    let schema = try ScenarioFuzz.scenarioSchema()
    let draw = SchemaDraw(schema, words: FuzzFolder.words)
    var seen: Set<String> = []
    func note(_ node: JSONNode, _ key: String) {
      if let text = node.string { seen.insert("\(key)=\(text)") }
      for member in node.members ?? [] {
        seen.insert(member.key)
        note(member.node, member.key)
      }
      for element in node.elements ?? [] { note(element, key) }
    }
    for index in 0..<12_000 {
      var random = RandomStream(seed: 2, purpose: RandomPurpose("draws"), entity: index)
      note(draw.document(&random), "")
    }
    var missing: [String] = []
    func visit(_ schema: JSONNode, _ key: String) {
      if let fixed = schema["const"]?.string, !seen.contains("\(key)=\(fixed)") {
        missing.append("\(key)=\(fixed)")
      }
      for choice in schema["enum"]?.elements ?? [] {
        if let text = choice.string, !seen.contains("\(key)=\(text)") {
          missing.append("\(key)=\(text)")
        }
      }
      for property in schema["properties"]?.members ?? [] {
        if !seen.contains(property.key) { missing.append(property.key) }
        visit(property.node, property.key)
      }
      for branch in schema["anyOf"]?.elements ?? [] { visit(branch, key) }
      if let items = schema["items"] { visit(items, key) }
    }
    visit(schema, "")
    #expect(missing.isEmpty)
  }
}

@Suite struct ScenarioFuzzTests {
  /// Nothing fails, and what is drawn is worth running.
  @Test func `drawn scenarios run, add up, and run again to the same rows`() throws {
    let fuzz = try ScenarioFuzz(seed: 1, limit: 30)
    var ran = 0
    var strategies: Set<String> = []
    var compressions: Set<String> = []
    for index in 0..<150 {
      let trial = fuzz.trial(index)
      if case .failed(let reasons) = trial.outcome {
        Testing.Issue.record("scenario \(index): \(reasons) \(trial.scenario.compactText)")
      }
      guard trial.outcome == .passed, let table = trial.table else { continue }
      ran += 1
      strategies.formUnion(table.cells("strategy"))
      compressions.formUnion(table.cells("compression"))
    }
    #expect(ran > 75)
    #expect(strategies.count >= 4, "\(strategies)")
    #expect(compressions.count >= 10, "\(compressions)")
  }

  @Test func `a scenario is the same alone as among others`() throws {
    let fuzz = try ScenarioFuzz(seed: 9)
    let again = try ScenarioFuzz(seed: 9)
    let all = (0..<6).map { fuzz.trial($0) }
    for index in [5, 2, 0] {
      let alone = again.trial(index)
      #expect(alone.scenario.compactText == all[index].scenario.compactText)
      #expect(alone.table?.rows == all[index].table?.rows && alone.outcome == all[index].outcome)
    }
    let other = try ScenarioFuzz(seed: 10).trial(0)
    #expect(other.scenario.compactText != all[0].scenario.compactText)
  }

  @Test func `a narrowed schema narrows what is drawn`() throws {
    var schema = try ScenarioFuzz.scenarioSchema()
    let narrowed = schema.set(
      ["properties", "cluster", "properties", "topology"],
      to: try json(
        #"""
        {"type":"object","required":["kind","hosts","link"],"properties":{
          "kind":{"const":"star"},"hosts":{"type":"integer","minimum":2,"maximum":3},
          "link":{"type":"object","required":["bandwidth"],
            "properties":{"bandwidth":{"enum":["10 Gbps"]}}}}}
        """#))
    #expect(narrowed)
    let fuzz = try ScenarioFuzz(schema: schema, seed: 3)
    for index in 0..<20 {
      let topology = fuzz.trial(index).scenario.get(["cluster", "topology"])
      #expect(topology?["kind"]?.string == "star")
      #expect([2, 3].contains(topology?["hosts"]?.number))
    }
    #expect(throws: InvalidInput.self) { try ScenarioFuzz(schema: try json("[]")) }
  }
}

/// What drawing scenarios has found.
@Suite struct FuzzRegressionTests {
  @Test func `eight workers of a day each have a mean`() throws {
    let scratch = try Scratch()
    try scratch.write("m.csv", "tensor,shape\nw,1000\n")
    let text = """
      {"simnet": 1, "cluster": {"topology": {"kind": "star", "hosts": 8,
         "link": {"bandwidth": "10 Gbps"}}},
       "workload": {"model": {"file": "m.csv"}, "iterations": 20, "warmup": 0,
         "compute": {"forward": "20 h", "backward": "4 h", "optimizer": "0 s"}}}
      """
    let outcome = try SweepRunner(scratch.scenario(text)).run(SweepOptions())
    #expect(outcome.failures.isEmpty)
    #expect(outcome.table.cells("compute_time_s") == ["86400"])
  }

  @Test(arguments: [
    (#""algorithm": "bruck""#, "bruck cannot carry out all_reduce"),
    (#""algorithm": "tree", "strategy": "all_gather""#, "tree cannot carry out all_gather"),
    (
      #""algorithm": {"kind": "hierarchical", "group": 3}"#,
      "4 ranks do not fall into groups of 3"
    ),
  ])
  func `an algorithm that cannot do it is refused before anything runs`(
    communication: String, reason: String
  ) throws {
    let found = try problems(quick(#", "communication": {\#(communication)}"#))
    #expect(
      found.count == 1 && found[0].hasPrefix("communication.algorithm: \(reason)"), "\(found)")
  }
}
