import Networks
import SimKernel

/// Finds accelerators by name or by their position, and links by name.
public struct PlaceNames: Sendable {
  private let topology: Topology
  private let nodes: [String: Int32]
  private let links: [String: Int32]

  /// The names of `topology`.
  public init(_ topology: Topology) {
    self.topology = topology
    nodes = Dictionary(
      topology.nodeNames.enumerated().map { ($1, Int32($0)) },
      uniquingKeysWith: { first, _ in first })
    links = Dictionary(
      topology.links.enumerated().map { ($1.name, Int32($0)) },
      uniquingKeysWith: { first, _ in first })
  }

  /// The accelerator that `text` names, or that stands at this position among the accelerators.
  ///
  /// A name goes before a position, should an accelerator be called `3`.
  func accelerator(_ text: String) -> Result<NodeID, Issue.Problem.Found> {
    if let index = nodes[text] {
      let node = NodeID(rawValue: index)
      if topology.host(of: node) != nil { return .success(node) }
      return .failure(
        .init(
          .invalid(
            found: "\"\(text)\" is a switch", expected: "flows run between accelerators")))
    }
    if let index = Int(text) {
      guard topology.accelerators.indices.contains(index) else {
        return .failure(
          .init(
            .outOfRange(
              found: text,
              expected: "an accelerator of \(topology.name): 0...\(topology.accelerators.count - 1)"
            )))
      }
      return .success(topology.accelerators[index])
    }
    let names = topology.accelerators.map { topology.nodeNames[$0.index] }
    return .failure(
      .init(
        .unknownName(
          noun: "node", found: text,
          suggestion: names.count > 4096 ? nil : Spelling.suggestion(for: text, among: names),
          known: names)))
  }

  /// The link that `text` names.
  func link(_ text: String) -> Result<LinkID, Issue.Problem.Found> {
    if let index = links[text] { return .success(LinkID(rawValue: index)) }
    let names = topology.links.map(\.name)
    return .failure(
      .init(
        .unknownName(
          noun: "link", found: text,
          suggestion: names.count > 4096 ? nil : Spelling.suggestion(for: text, among: names),
          known: names)))
  }
}
