import Collectives
import Experiments
import Networks
import SimKernel

/// What the options of `simnet collective` stand for.
extension CollectiveCommand {
  /// Names the options instead of the keys they stand for.
  static func throwIfInvalid(_ issues: IssueCollector) throws {
    let named = issues.errors.map { issue in
      var copy = issue
      switch issue.path.parts {
      case ["--", "model"]: copy.path = FieldPath(["--network"])
      case ["--", "transport"]: copy.path = FieldPath(["--transport"])
      default: break
      }
      return copy
    }
    if !named.isEmpty { throw InvalidInput(named) }
  }

  func topologySpecification() throws -> any TopologySpecification {
    if topology.hasSuffix(".json") || topology == "-" {
      let file = try ScenarioFile.read(topology)
      let issues = IssueCollector()
      let specification = FieldReader.member(
        of: TopologyCatalog.registry, file.root, path: FieldPath(["topology"]), issues: issues)
      try issues.throwIfInvalid()
      return specification
    }
    let made = TopologyCatalog.sized(
      kind: topology, ranks: ranks,
      bandwidth: try QuantityText.parse(bandwidth, as: .bandwidth, option: "--bandwidth"),
      latency: try QuantityText.parse(latency, as: .duration, option: "--latency"))
    switch made {
    case .success(let specification): return specification
    case .failure(let refusal):
      throw InvalidInput([
        Issue(path: FieldPath(["--topology"]), problem: .conflict("\(refusal)"))
      ])
    }
  }

  /// The algorithm as a scenario would have it.
  func algorithmNode() throws -> JSONNode {
    if !algorithm.hasPrefix("{") { return JSONNode(.string(algorithm)) }
    return try JSONNode.parse(algorithm, origin: "--algorithm")
  }

  /// The blocks of an all-to-all-v, in the proportions given.
  func readShares(_ text: String) throws -> BlockSizes {
    let node =
      text.hasPrefix("[")
      ? try JSONNode.parse(text, origin: "--blocks") : try ScenarioFile.read(text).root
    func refuse(_ found: String, _ node: JSONNode) -> InvalidInput {
      InvalidInput([
        Issue(
          path: FieldPath(["--blocks"]), position: node.position,
          problem: .invalid(
            found: found,
            expected:
              "give as many lists as ranks, each with as many whole numbers from 0, such as "
              + "[[0, 1], [2, 0]]"))
      ])
    }
    guard let rows = node.elements, !rows.isEmpty else {
      throw refuse("\(node.kindName) is no list of lists", node)
    }
    var sizes: [ByteCount] = []
    for row in rows {
      guard let entries = row.elements, entries.count == rows.count else {
        throw refuse(
          "a row of \(row.elements.map { String($0.count) } ?? row.kindName) among \(rows.count)",
          row)
      }
      for entry in entries {
        // Below 2^40 a row of 2^16 still fits.
        guard let number = entry.number, number >= 0, number < 0x1p40, number == number.rounded()
        else { throw refuse("\(entry.number.map { "\($0)" } ?? entry.kindName)", entry) }
        sizes.append(ByteCount(Int64(number)))
      }
    }
    return BlockSizes(rankCount: rows.count, sizes: sizes)
  }
}
