import SimKernel

/// A cable between any two hosts.
public struct FullMeshTopology: TopologySpecification {
  public var hosts: Int
  public var link: LinkSpecification

  public init(hosts: Int, link: LinkSpecification) {
    precondition((1...TopologyLimits.meshHosts).contains(hosts), "a mesh of n hosts has n² links")
    self.hosts = hosts
    self.link = link
  }

  public init(_ fields: inout FieldReader) {
    hosts = fields.required(
      "hosts", .integer(1...TopologyLimits.meshHosts), doc: "hosts, each with one accelerator")
    link = fields.record("link", doc: "the cable between two hosts") { LinkSpecification(&$0) }
  }

  public var acceleratorCount: Int { hosts }

  public func makeTopology() -> Topology {
    var builder = TopologyBuilder(name: "full_mesh(\(hosts))")
    let nodes = (0..<hosts).map { builder.addHost("h\($0)") }
    // The order of ids is what the routing computes them from.
    for a in nodes { for b in nodes where a != b { builder.link(from: a, to: b, link) } }
    let rule = MeshRouting(hosts: hosts)
    return builder.build { _, _ in .rule(rule) }
  }
}

/// The one link between two hosts of a full mesh, whose links are ordered by source and target.
private struct MeshRouting: RoutingRule {
  let hosts: Int
  var sharesShortestWays: Bool { false }

  func route(from source: Int, to target: Int, key: UInt64) -> [LinkID]? {
    [LinkID(source * (hosts - 1) + (target < source ? target : target - 1))]
  }
}
