import SimKernel

/// Hosts around one non-blocking switch.
///
/// A way from host to host has two links, up and down, so the link latency counts twice: a ring
/// all-reduce of S bytes over n hosts takes 2(n-1)(2·latency + S/(nB)).
public struct StarTopology: TopologySpecification {
  public var hosts: Int
  public var link: LinkSpecification

  public init(hosts: Int, link: LinkSpecification) {
    precondition(hosts >= 1, "a star has hosts")
    self.hosts = hosts
    self.link = link
  }

  public init(_ fields: inout FieldReader) {
    hosts = fields.required(
      "hosts", .integer(1...TopologyLimits.hosts), doc: "hosts, each with one accelerator")
    link = fields.record("link", doc: "the cable between a host and the switch") {
      LinkSpecification(&$0)
    }
  }

  public var acceleratorCount: Int { hosts }

  public func makeTopology() -> Topology {
    var builder = TopologyBuilder(name: "star(\(hosts))")
    let nodes = (0..<hosts).map { builder.addHost("h\($0)") }
    let hub = builder.addSwitch("switch")
    for node in nodes { builder.join(node, hub, link) }
    return builder.build()
  }
}
