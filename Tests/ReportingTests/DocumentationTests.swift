import Experiments
import Reporting
import SimKernel
import Testing

@Suite struct DocumentationTests {
  @Test func everyFieldOfAScenarioHasAPage() throws {
    var pages = 0
    func visit(_ record: RecordDescription, _ path: [String]) {
      for field in record.fields {
        let place = path + [field.key]
        let page = Documentation.explain(field, at: place.joined(separator: "."))
        #expect(page.hasPrefix(place.joined(separator: ".") + ": "))
        #expect(!field.doc.isEmpty && page.hasSuffix("\n"))
        #expect(Documentation.json(field)["key"]?.string == field.key)
        pages += 1
        descend(field.shape, place)
      }
    }
    func descend(_ shape: FieldShape, _ path: [String]) {
      switch shape {
      case .value: break
      case .record(let record): visit(record, path)
      case .variant(_, _, let members):
        for member in members { visit(member, path + [member.name]) }
      case .list(let element), .map(let element): descend(element, path)
      }
    }
    visit(Scenario.description, [])
    #expect(pages > 100)
  }

  @Test func aFieldSaysWhatItTakes() throws {
    let (field, trail) = try #require(Scenario.description.find(["workload", "batch_per_worker"]))
    #expect(
      Documentation.explain(field, at: trail.joined(separator: ".")) == """
        workload.batch_per_worker: samples of one micro-batch on one worker
          takes    a whole number >= 1
          example  1
          default  32

        """)
    #expect(Documentation.keys(below: field.shape) == [])
    let (workload, _) = try #require(Scenario.description.find(["workload"]))
    #expect(Documentation.keys(below: workload.shape).contains("batch_per_worker"))
  }

  @Test func membersOfAFamilyShowTheirParameters() throws {
    let (topology, _) = try #require(Scenario.description.find(["cluster", "topology"]))
    let page = Documentation.explain(topology, at: "cluster.topology")
    #expect(page.contains("one topology, as its name or as {\"kind\": name, ...}"))
    #expect(page.contains("star: ") && page.contains("hosts_per_leaf"))
  }
}
