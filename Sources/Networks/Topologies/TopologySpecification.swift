import SimKernel

/// A topology as a scenario gives it: parameters that can be checked, and made into nodes and links.
public protocol TopologySpecification: Sendable {
  /// How many ranks find a place.
  var acceleratorCount: Int { get }
  /// Builds the nodes, links and routes.
  func makeTopology() -> Topology
}

/// The known topologies.
public enum TopologyCatalog {
  /// Every topology by the value of `kind`.
  public static let registry = Registry<any TopologySpecification>(
    noun: "topology", discriminator: "kind",
    entries: [
      .init("star", summary: "hosts around one switch") { StarTopology(&$0) },
      .init("ring", summary: "hosts in a circle, each joined to the next") { RingTopology(&$0) },
      .init("full_mesh", summary: "a cable between any two hosts") { FullMeshTopology(&$0) },
      .init("leaf_spine", summary: "hosts on leaf switches, all leaves joined to all spines") {
        LeafSpineTopology(&$0)
      },
      .init("fat_tree", summary: "three-level k-ary fat tree of identical switches") {
        FatTreeTopology(&$0)
      },
      .init("torus", summary: "n-dimensional grid with wrap-around links") { TorusTopology(&$0) },
      .init("dragonfly", summary: "groups of fully joined routers, all groups joined") {
        DragonflyTopology(&$0)
      },
      .init("hosts", summary: "hosts with several accelerators on a fast inner fabric") {
        HostsTopology(&$0)
      },
      .init("pods", summary: "multi-accelerator hosts with an interface on every rail") {
        PodsTopology(&$0)
      },
      .init("wan", summary: "sites of hosts, joined by long-distance links") { WANTopology(&$0) },
      .init("graph", summary: "nodes and links given one by one") { GraphTopology(&$0) },
      .init("preset", summary: "a known cluster (simnet list presets)") { PresetTopology(&$0) },
    ])

  /// The topology of `kind` for `ranks` hosts when size alone determines it.
  ///
  /// Sizes: `fat_tree` takes the smallest even k with k³/4 hosts, `leaf_spine` the squarest
  /// non-blocking arrangement, `torus` the most nearly square grid of exactly `ranks`, `dragonfly`
  /// the smallest balanced one, without the groups that stay empty.
  public static func sized(
    kind: String, ranks: Int, bandwidth: Bandwidth, latency: SimDuration
  ) -> Result<any TopologySpecification, SizingFailure> {
    let link = LinkSpecification(bandwidth: bandwidth, latency: latency)
    guard (1...TopologyLimits.hosts).contains(ranks) else {
      return .failure(.init("\(ranks) ranks are outside 1...\(TopologyLimits.hosts)"))
    }
    switch kind {
    case "star": return .success(StarTopology(hosts: ranks, link: link))
    case "ring": return .success(RingTopology(hosts: ranks, link: link))
    case "full_mesh":
      guard ranks <= TopologyLimits.meshHosts else {
        return .failure(
          .init("a full mesh has at most \(TopologyLimits.meshHosts) hosts, not \(ranks)"))
      }
      return .success(FullMeshTopology(hosts: ranks, link: link))
    case "leaf_spine":
      return .success(LeafSpineTopology.squarest(hosts: ranks, link: link))
    case "fat_tree":
      var k = 2
      while k * k * k / 4 < ranks { k += 2 }
      guard k <= TopologyLimits.fatTreeArity else {
        return .failure(.init("a fat tree for \(ranks) hosts needs k = \(k)"))
      }
      return .success(FatTreeTopology(k: k, link: link, hosts: ranks))
    case "torus":
      var width = 1
      for factor in 1...ranks where factor * factor <= ranks && ranks % factor == 0 {
        width = factor
      }
      return .success(
        TorusTopology(dimensions: width == 1 ? [ranks] : [ranks / width, width], link: link))
    case "dragonfly": return .success(DragonflyTopology.balanced(hosts: ranks, link: link))
    default:
      let known = registry.names
      guard known.contains(kind) else {
        let hint =
          Spelling.suggestion(for: kind, among: known).map { "did you mean \"\($0)\"?" }
          ?? "known are: \(known.joined(separator: ", "))"
        return .failure(.init("unknown topology \"\(kind)\"; \(hint)"))
      }
      return .failure(
        .init("topology \"\(kind)\" is not determined by its size; give it in a file"))
    }
  }

  /// Why ``sized(kind:ranks:bandwidth:latency:)`` has no answer.
  public struct SizingFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence for the user.
    public var description: String
    init(_ description: String) { self.description = description }
  }
}

/// Sizes beyond which a topology is refused instead of exhausting memory.
enum TopologyLimits {
  static let hosts = 1 << 20
  static let meshHosts = 2048
  static let sites = 512
  static let fatTreeArity = 128
  /// Hosts times spines and the like: links of a fabric.
  static let links = 1 << 22
}
