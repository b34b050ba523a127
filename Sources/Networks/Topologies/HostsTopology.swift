import SimKernel

/// Hosts with several accelerators on a fast inner fabric (NVLink-like), joined by their network
/// interfaces to one switch or to a leaf-spine fabric.
///
/// The inner fabric is a non-blocking switch: inner links count twice between accelerators of a
/// host. Traffic between hosts goes accelerator, inner switch, interface, fabric and back;
/// accelerator i of m uses interface ⌊i · nics/m⌋ both ways, so a single flat ring uses one
/// interface a host, as one NCCL channel does.
public struct HostsTopology: TopologySpecification {
  public var hosts: Int
  public var acceleratorsPerHost: Int
  public var innerLink: LinkSpecification
  public var nicLink: LinkSpecification
  public var nicsPerHost: Int
  public var fabric: Fabric?

  /// Leaves and spines that join the hosts.
  public struct Fabric: Sendable, Equatable {
    public var leaves: Int
    public var spines: Int
    public var fabricLink: LinkSpecification

    public init(leaves: Int, spines: Int, fabricLink: LinkSpecification) {
      self.leaves = leaves
      self.spines = spines
      self.fabricLink = fabricLink
    }
    public init(_ fields: inout FieldReader) {
      leaves = fields.required(
        "leaves", .integer(1...65536), doc: "leaf switches; hosts fill them in equal blocks")
      spines = fields.required("spines", .integer(1...65536), doc: "spine switches")
      fabricLink = fields.record("fabric_link", doc: "the cable between a leaf and a spine") {
        LinkSpecification(&$0)
      }
      if leaves * spines > TopologyLimits.links {
        fields.report(
          "leaves",
          .outOfRange(
            found: "\(leaves * spines) fabric cables", expected: "at most \(TopologyLimits.links)"))
        (leaves, spines) = (1, 1)
      }
    }
  }

  public init(
    hosts: Int, acceleratorsPerHost: Int, innerLink: LinkSpecification, nicLink: LinkSpecification,
    nicsPerHost: Int = 1, fabric: Fabric? = nil
  ) {
    precondition(
      hosts >= 1 && acceleratorsPerHost >= 1 && nicsPerHost >= 1,
      "hosts have accelerators and interfaces")
    self.hosts = hosts
    self.acceleratorsPerHost = acceleratorsPerHost
    self.innerLink = innerLink
    self.nicLink = nicLink
    self.nicsPerHost = nicsPerHost
    self.fabric = fabric
  }

  public init(_ fields: inout FieldReader) {
    hosts = fields.required("hosts", .integer(1...TopologyLimits.hosts), doc: "hosts")
    acceleratorsPerHost = fields.required(
      "accelerators_per_host", .integer(1...1024), doc: "accelerators in each host")
    innerLink = fields.record(
      "inner_link", doc: "the link between an accelerator and its host's inner switch"
    ) { LinkSpecification(&$0) }
    nicLink = fields.record("nic_link", doc: "the cable between a network interface and the fabric")
    { LinkSpecification(&$0) }
    nicsPerHost = fields.optional(
      "nics_per_host", .integer(1...64), default: 1, doc: "network interfaces of each host")
    fabric = fields.optionalRecord(
      "fabric", doc: "a leaf-spine fabric between the hosts; one switch if absent"
    ) { Fabric(&$0) }
    if hosts * acceleratorsPerHost > TopologyLimits.hosts {
      fields.report(
        "hosts",
        .outOfRange(
          found: "\(hosts) hosts of \(acceleratorsPerHost)",
          expected: "at most \(TopologyLimits.hosts) accelerators"))
      hosts = 1
    }
    if let leaves = fabric?.leaves, leaves > hosts {
      fields.report(
        "fabric",
        .outOfRange(found: "\(leaves) leaves", expected: "at most one leaf a host (\(hosts))"))
      fabric?.leaves = 1
    }
  }

  public var acceleratorCount: Int { hosts * acceleratorsPerHost }

  public func makeTopology() -> Topology {
    var builder = TopologyBuilder(name: "hosts(\(hosts)x\(acceleratorsPerHost))")
    var inner: [NodeID] = []
    for host in 0..<hosts {
      let accelerators = (0..<acceleratorsPerHost).map {
        builder.addAccelerator("h\(host).a\($0)", host: host)
      }
      let hub = builder.addSwitch("h\(host)")
      for accelerator in accelerators { builder.join(accelerator, hub, innerLink, inner: true) }
      inner.append(hub)
    }
    let leaves =
      fabric.map {
        FabricPlan.addLeafSpine(
          to: &builder, spines: $0.spines,
          uplinks: Array(repeating: ($0.spines, $0.fabricLink), count: $0.leaves))
      } ?? [builder.addSwitch("switch")]
    let perLeaf = (hosts + leaves.count - 1) / leaves.count
    for (host, hub) in inner.enumerated() {
      for nic in 0..<nicsPerHost {
        builder.join(hub, leaves[host / perLeaf], nicLink, cable: nic)
      }
    }
    return builder.build()
  }
}
