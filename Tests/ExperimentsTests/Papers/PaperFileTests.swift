import Experiments
import Foundation
import SimKernel
import Testing

@Suite("paper files")
struct PaperFileTests {
  @Test("a whole file is read, in the order written")
  func whole() throws {
    let paper = try TinyPaper.paper(TinyPaper.text())
    #expect(paper.name == "tiny")
    #expect(paper.citation.short == "Nobody, Nowhere 2020")
    #expect(
      paper.published.cases.map(\.labels) == [
        ["1 Gbps", "fp32"], ["1 Gbps", "fp16"], ["10 Gbps", "fp32"],
      ])
    #expect(paper.published.cases[1].value == .number(280.5))
    #expect(paper.tolerance == .relative(0.01))
  }

  @Test("nulls are left out, and two numbers are a range")
  func values() throws {
    let paper = try TinyPaper.paper(
      TinyPaper.text(values: #"{"1 Gbps": {"fp32": null, "fp16": [200, 300]}}"#))
    #expect(paper.published.cases.map(\.value) == [.range(200...300)])
  }

  @Test("what the numbers rest on must be given")
  func required() throws {
    let found = try TinyPaper.problems(#"{"simnet_paper": 1}"#)
    for key in [
      "paper", "figure", "obtained", "not_modelled", "scenario", "measure", "published",
      "tolerance",
    ] { #expect(found.contains { $0.contains("\(key): missing") }, "\(key): \(found)") }
  }

  @Test("a slip is told with its line and what was meant")
  func slips() throws {
    for (text, expected) in [
      (TinyPaper.text(more: #", "mises": []"#), "unknown key \"mises\"; did you mean \"misses\"?"),
      (
        TinyPaper.text(measure: #"{"column": "exposed_comunication_s"}"#),
        "unknown column \"exposed_comunication_s\"; did you mean \"exposed_communication_s\"?"
      ),
      (
        TinyPaper.text(by: #"["cluster.topology.link.bandwith", "workload.gradient_type"]"#),
        "unknown axis of the sweep \"cluster.topology.link.bandwith\"; "
          + "did you mean \"cluster.topology.link.bandwidth\"?"
      ),
      (
        TinyPaper.text(values: #"{"11 Gbps": {"fp32": 1}}"#),
        "unknown value of cluster.topology.link.bandwidth \"11 Gbps\""
      ),
      (
        TinyPaper.text(values: #"{"1 Gbps": {"fp23": 1}}"#),
        "unknown value of workload.gradient_type \"fp23\"; did you mean \"fp32\"?"
      ),
      (TinyPaper.text(values: #"{"1 Gbps": 3}"#), "expected an object by the labels"),
      (TinyPaper.text(values: #"{"1 Gbps": {"fp32": "3"}}"#), "expected a number, [low, high]"),
      (TinyPaper.text(values: "{}"), "a table without numbers"),
      (
        TinyPaper.text(tolerance: #"{"kind": "relativ", "within": 1}"#),
        "unknown tolerance \"relativ\"; did you mean \"relative\"?"
      ),
      (
        TinyPaper.text(
          more: #", "misses": [{"where": {"workload.gradient_type": "fp8"}, "because": "x"}]"#),
        "unknown value of workload.gradient_type \"fp8\""
      ),
      (
        TinyPaper.text(tolerance: #"{"kind": "order", "along": ["workload.model"]}"#),
        "unknown axis of the published table \"workload.model\""
      ),
      (TinyPaper.text(more: #", "replay": {}"#), "one experiment a file"),
      (
        TinyPaper.text(
          measure: #"{"column": "samples_per_s", "compared_with": {"workload.gradient_type": 1}}"#),
        "unknown value of workload.gradient_type \"1\""
      ),
    ] {
      let found = try TinyPaper.problems(text)
      #expect(found.contains { $0.contains(expected) }, "\(expected): \(found)")
      #expect(found.allSatisfy { $0.first?.isNumber ?? false }, "has a line: \(found)")
    }
  }

  @Test("an axis that the table does not name must be averaged")
  func leftOver() throws {
    let by = #"["cluster.topology.link.bandwidth"]"#
    let values = #"{"1 Gbps": 420}"#
    let found = try TinyPaper.problems(TinyPaper.text(by: by, values: values))
    #expect(found.contains { $0.contains("an axis workload.gradient_type") }, "\(found)")
    // (561.1 + 280.5) / 2
    let reproduction = try TinyPaper.reproduce(
      TinyPaper.text(
        measure: #"{"column": "exposed_communication_s", "scale": 1000, "mean_over": ["#
          + #""workload.gradient_type"]}"#, by: by, values: values))
    #expect((reproduction.cases[0].simulated - 420.8).magnitude < 1)
    let largest = try TinyPaper.reproduce(
      TinyPaper.text(
        measure: #"{"column": "exposed_communication_s", "scale": 1000, "max_over": ["#
          + #""workload.gradient_type"]}"#, by: by, values: values))
    #expect((largest.cases[0].simulated - 561.1).magnitude < 1)
  }

  @Test("a number without a point of the sweep is refused")
  func missingPoint() throws {
    let constrained = TinyPaper.scenario.replacing(
      #""workload.gradient_type": ["fp32", "fp16"]"#,
      with: #""zip": {"workload.gradient_type": ["fp32", "fp16"], "#
        + #""workload.batch_per_worker": [32, 64]}, "#
        + #""constraints": ["workload.batch_per_worker != 64"]"#)
    let found = try TinyPaper.problems(TinyPaper.text(scenario: constrained))
    #expect(
      found.contains { $0.contains("fp16") && ($0.contains("no point") || $0.contains("unknown")) },
      "\(found)")
  }
}

extension String {
  fileprivate func replacing(_ part: String, with other: String) -> String {
    guard let range = range(of: part) else { return self }
    return replacingCharacters(in: range, with: other)
  }
}
