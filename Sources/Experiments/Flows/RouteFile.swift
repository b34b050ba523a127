import Networks
import SimKernel

/// Reads routes that are pinned: `source,destination,links` with the names of links in order,
/// separated by blanks.
///
/// Each route holds for its direction only. Its links have to lead from the source to the
/// destination, none twice.
public enum RouteFile {
  private static let columns = [
    RecordColumns.Column(name: "source", isRequired: true, doc: "the name of an accelerator"),
    RecordColumns.Column(name: "destination", isRequired: true, doc: "the name of an accelerator"),
    RecordColumns.Column(
      name: "links", isRequired: true, doc: "names of links, separated by blanks"),
  ]

  /// `topology` with the routes in the file at `path`.
  ///
  /// - Throws: `InvalidInput` with the place of everything that is wrong, ``InputError`` if the file
  ///   cannot be read.
  public static func apply(_ path: String, to topology: Topology) throws -> Topology {
    let names = PlaceNames(topology)
    var stream = try RecordStream(path: path)
    let columns = try RecordColumns(columns, of: &stream)
    var issues = TableIssues()
    var routes: [(from: NodeID, to: NodeID, links: [LinkID])] = []
    var seen: [UInt64: Int] = [:]
    while try stream.next() {
      if issues.isFull { break }
      if let mismatch = columns.mismatch(stream) {
        issues.report(mismatch)
        continue
      }
      func node(_ column: Int) -> NodeID? {
        switch names.accelerator(stream.text(columns[column]!)) {
        case .success(let node): return node
        case .failure(let found):
          issues.report(
            Self.columns[column].name, at: stream.place(columns[column]!), found.problem)
          return nil
        }
      }
      guard let from = node(0), let to = node(1) else { continue }
      let key = UInt64(UInt32(from.rawValue)) << 32 | UInt64(UInt32(to.rawValue))
      if let line = seen.updateValue(stream.line, forKey: key) {
        issues.report(
          "source", at: stream.place(columns[0]!),
          .invalid(
            found: "a second route from \"\(topology.nodeNames[from.index])\" to "
              + "\"\(topology.nodeNames[to.index])\"", expected: "the first is on line \(line)"))
      }
      switch Self.links(stream.text(columns[2]!), from: from, to: to, topology, names) {
      case .success(let links): routes.append((from, to, links))
      case .failure(let found):
        issues.report("links", at: stream.place(columns[2]!), found.problem)
      }
    }
    try issues.throwIfInvalid()
    return topology.pinning(routes)
  }

  private static func links(
    _ text: String, from: NodeID, to: NodeID, _ topology: Topology, _ names: PlaceNames
  ) -> Result<[LinkID], Issue.Problem.Found> {
    var links: [LinkID] = []
    var place = from
    for name in text.split(separator: " ") {
      switch names.link(String(name)) {
      case .failure(let found): return .failure(found)
      case .success(let link):
        let ends = topology.links[link.index]
        if ends.from != place {
          return broken(
            "\"\(name)\" starts at \"\(topology.nodeNames[ends.from.index])\"",
            "the way has come to \"\(topology.nodeNames[place.index])\"")
        }
        if links.contains(link) {
          return broken("\"\(name)\" is used twice", "remove the detour")
        }
        links.append(link)
        place = ends.to
      }
    }
    if place != to {
      return broken(
        links.isEmpty ? "no links" : "the way ends at \"\(topology.nodeNames[place.index])\"",
        "it has to end at \"\(topology.nodeNames[to.index])\"")
    }
    return .success(links)
  }

  private static func broken(
    _ found: String, _ expected: String
  ) -> Result<[LinkID], Issue.Problem.Found> {
    .failure(.init(.invalid(found: found, expected: expected)))
  }
}
