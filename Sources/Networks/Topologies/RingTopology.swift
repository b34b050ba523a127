import SimKernel

/// Hosts in a circle, each joined to the next by a cable; traffic takes the shorter way round.
public struct RingTopology: TopologySpecification {
  public var hosts: Int
  public var link: LinkSpecification

  public init(hosts: Int, link: LinkSpecification) {
    precondition(hosts >= 1, "a ring has hosts")
    self.hosts = hosts
    self.link = link
  }

  public init(_ fields: inout FieldReader) {
    hosts = fields.required(
      "hosts", .integer(1...TopologyLimits.hosts), doc: "hosts, each with one accelerator")
    link = fields.record("link", doc: "the cable between neighbours") { LinkSpecification(&$0) }
  }

  public var acceleratorCount: Int { hosts }

  public func makeTopology() -> Topology {
    TorusTopology(dimensions: [hosts], link: link).makeTopology(name: "ring(\(hosts))")
  }
}
