import SimKernel

/// Hosts with several accelerators and interfaces, joined rail by rail: interface i of every host of
/// a pod on rail switch i, the rail switches joined by spines (NVIDIA DGX SuperPOD reference
/// architectures).
///
/// Accelerator i of g uses interface ⌊i·n/g⌋ of n, over a link of its own (PCIe). Traffic that stays
/// on its rail has four links: to the interface, up, down, to the accelerator; between pods six.
/// ``CrossRailRouting`` says what other traffic does. With `rails` 1 all interfaces of a pod meet in
/// one switch, as they do where only a total bandwidth of the host is known.
public struct PodsTopology: TopologySpecification {
  /// The inside of a host.
  public struct Host: Sendable, Equatable {
    public var accelerators: Int
    public var inner: InnerFabric
    /// To the inner switch, between two accelerators of a mesh, or one lane of a cube mesh.
    public var innerLink: LinkSpecification
    public var nics: Int
    /// Between an accelerator and its interface.
    public var pcieLink: LinkSpecification
    /// Between an interface and its rail switch.
    public var nicLink: LinkSpecification

    /// `pcieLink` is as fast as the interface and without latency if nil.
    public init(
      accelerators: Int, inner: InnerFabric, innerLink: LinkSpecification, nics: Int,
      pcieLink: LinkSpecification? = nil, nicLink: LinkSpecification
    ) {
      self.accelerators = accelerators
      self.inner = inner
      self.innerLink = innerLink
      self.nics = nics
      self.pcieLink = pcieLink ?? LinkSpecification(bandwidth: nicLink.bandwidth)
      self.nicLink = nicLink
    }
  }

  public var hosts: Int
  public var host: Host
  public var hostsPerPod: Int
  public var rails: Int
  public var spines: Int
  public var spineLink: LinkSpecification
  public var crossRail: CrossRailRouting

  /// - Precondition: interfaces divide the accelerators and rails the interfaces, a cube mesh has
  ///   eight accelerators, and what has to cross spines finds some.
  public init(
    hosts: Int, host: Host, hostsPerPod: Int? = nil, rails: Int? = nil, spines: Int = 0,
    spineLink: LinkSpecification? = nil, crossRail: CrossRailRouting = .pxn
  ) {
    self.hosts = hosts
    self.host = host
    self.hostsPerPod = hostsPerPod ?? hosts
    self.rails = rails ?? host.nics
    self.spines = spines
    self.spineLink = spineLink ?? host.nicLink
    self.crossRail = crossRail
    precondition(hosts >= 1 && self.hostsPerPod >= 1, "a pod has hosts")
    precondition(problem == nil, problem.map { "\($0.found): \($0.expected)" } ?? "")
  }

  public init(_ fields: inout FieldReader) {
    let hosts = fields.required("hosts", .integer(1...TopologyLimits.hosts), doc: "hosts")
    let accelerators = fields.optional(
      "accelerators_per_host", .integer(1...256), default: 8, doc: "accelerators in each host")
    let nics = fields.optional(
      "nics_per_host", .integer(1...256),
      doc: "network interfaces of each host, shared by equal numbers of accelerators; one for each "
        + "if absent")
    let inner: InnerFabric = fields.optional(
      "inner", .choice("inner fabric"), default: .switch,
      doc: "what joins the accelerators of a host: a non-blocking switch, a mesh of all, or the "
        + "cube_mesh of eight that DGX-1 has")
    let innerLink = fields.record(
      "inner_link",
      doc: "NVLink or the like: between an accelerator and the switch, between two accelerators of "
        + "a mesh, or one of the six lanes of a cube_mesh"
    ) { LinkSpecification(&$0) }
    let pcieLink = fields.optionalRecord(
      "pcie_link",
      doc: "between an accelerator and its interface; as fast as the interface, without latency, "
        + "if absent"
    ) { LinkSpecification(&$0) }
    let nicLink = fields.record(
      "nic_link", doc: "the cable between an interface and its rail switch"
    ) { LinkSpecification(&$0) }
    let hostsPerPod = fields.optional(
      "hosts_per_pod", .integer(1...TopologyLimits.hosts),
      doc: "hosts that share rail switches; all if absent")
    let rails = fields.optional(
      "rails", .integer(1...256),
      doc: "rail switches of a pod, interface i on number i mod rails; one for each interface if "
        + "absent, 1 joins all interfaces")
    let spines = fields.optional(
      "spines", .integer(0...4096), default: 0, doc: "switches that each join all rail switches")
    let spineLink = fields.optionalRecord(
      "spine_link",
      doc: "the cable between a rail switch and a spine, or several taken as one; as nic_link if "
        + "absent"
    ) { LinkSpecification(&$0) }
    crossRail = fields.optional(
      "cross_rail", .choice("way between rails"), default: .pxn,
      doc: "between rails: pxn goes over the inner fabric to the accelerator on the destination's "
        + "rail (NCCL's default since 2.12), spine by the own rail and a spine")
    self.hosts = hosts
    host = Host(
      accelerators: accelerators, inner: inner, innerLink: innerLink, nics: nics ?? accelerators,
      pcieLink: pcieLink, nicLink: nicLink)
    self.hostsPerPod = min(hostsPerPod ?? hosts, hosts)
    self.rails = rails ?? host.nics
    self.spines = spines
    self.spineLink = spineLink ?? nicLink
    if let problem {
      fields.report(problem.key, .invalid(found: problem.found, expected: problem.expected))
      (self.hosts, self.hostsPerPod, self.rails) = (1, 1, 1)
      host.accelerators = 1
      host.nics = 1
      host.inner = .switch
    }
  }

  /// The first thing that does not fit together.
  private var problem: (key: String, found: String, expected: String)? {
    if host.nics > host.accelerators || host.accelerators % host.nics != 0 {
      return (
        "nics_per_host", "\(host.nics) interfaces for \(host.accelerators) accelerators",
        "a divisor of the accelerators, since each interface serves as many"
      )
    }
    if rails > host.nics || host.nics % rails != 0 {
      return (
        "rails", "\(rails) rails for \(host.nics) interfaces",
        "a divisor of the interfaces, since each rail takes as many of a host"
      )
    }
    if host.inner == .cubeMesh, host.accelerators != 8 {
      return (
        "inner", "a cube_mesh of \(host.accelerators) accelerators", "a cube_mesh has eight of them"
      )
    }
    if spines == 0, hosts > hostsPerPod {
      return (
        "spines", "\(pods) pods and no spines", "spines join the pods, so give at least one"
      )
    }
    if spines == 0, rails > 1, crossRail == .spine {
      return (
        "spines", "cross_rail over spines and no spines", "give at least one, or cross_rail pxn"
      )
    }
    let ends = hosts * host.accelerators
    let cables =
      ends * (host.inner == .mesh ? host.accelerators : 4) + pods * rails * spines
    if ends > TopologyLimits.hosts || cables > TopologyLimits.links {
      return (
        "hosts", "\(ends) accelerators and about \(cables) cables",
        "at most \(TopologyLimits.hosts) accelerators and \(TopologyLimits.links) cables"
      )
    }
    return nil
  }

  private var pods: Int { (hosts + hostsPerPod - 1) / hostsPerPod }

  public var acceleratorCount: Int { hosts * host.accelerators }

  public func makeTopology() -> Topology {
    var builder = TopologyBuilder(name: "pods(\(hosts)x\(host.accelerators), \(rails) rails)")
    var rule = PodRouting(
      hostsPerPod: hostsPerPod, accelerators: host.accelerators, nics: host.nics, rails: rails,
      spines: spines, inner: host.inner, crossRail: crossRail)
    var interfaces: [NodeID] = []
    for number in 0..<hosts {
      let nodes = (0..<host.accelerators).map {
        builder.addAccelerator("h\(number).a\($0)", host: number)
      }
      addInside(number, nodes, to: &builder, &rule)
      let cards = (0..<host.nics).map { builder.addSwitch("h\(number).n\($0)") }
      for (index, node) in nodes.enumerated() {
        let link = builder.join(
          node, cards[index * host.nics / host.accelerators], host.pcieLink, inner: true)
        rule.pcieLinks.append(link.rawValue)
      }
      interfaces += cards
    }
    let railNodes = (0..<pods * rails).map {
      builder.addSwitch("pod\($0 / rails).rail\($0 % rails)")
    }
    for (index, card) in interfaces.enumerated() {
      let (number, nic) = (index / host.nics, index % host.nics)
      let rail = railNodes[number / hostsPerPod * rails + nic % rails]
      rule.nicLinks.append(builder.join(card, rail, host.nicLink).rawValue)
    }
    let spineNodes = (0..<spines).map { builder.addSwitch("spine\($0)") }
    for rail in railNodes {
      for spine in spineNodes {
        rule.spineLinks.append(builder.join(rail, spine, spineLink).rawValue)
      }
    }
    return builder.build { [rule] _, _ in .rule(rule) }
  }

  /// Joins the accelerators of a host.
  private func addInside(
    _ number: Int, _ nodes: [NodeID], to builder: inout TopologyBuilder, _ rule: inout PodRouting
  ) {
    if host.inner == .switch {
      let hub = builder.addSwitch("h\(number)")
      for node in nodes {
        rule.innerLinks.append(builder.join(node, hub, host.innerLink, inner: true).rawValue)
      }
      return
    }
    let base = rule.innerLinks.count
    rule.innerLinks += [Int32](repeating: -1, count: nodes.count * nodes.count)
    for a in nodes.indices {
      for b in a + 1..<max(a + 1, nodes.count) {
        let lanes = host.inner.lanes(a, b)
        if lanes == 0 { continue }
        let link = LinkSpecification(
          bandwidth: .bitsPerSecond(host.innerLink.bandwidth.bitsPerSecond * Int64(lanes)),
          latency: host.innerLink.latency)
        let id = builder.join(nodes[a], nodes[b], link, inner: true).rawValue
        rule.innerLinks[base + a * nodes.count + b] = id
        rule.innerLinks[base + b * nodes.count + a] = id + 1
      }
    }
  }
}
