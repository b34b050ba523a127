import SimKernel

/// A dragonfly: groups of fully joined routers, and at least one cable between any two groups (Kim,
/// Dally, Scott, Abts, "Technology-driven, highly-scalable dragonfly topology", ISCA 2008,
/// doi:10.1109/ISCA.2008.19).
///
/// With a routers a group, p hosts and h global ports a router there are up to a·h + 1 groups and
/// a·p·(a·h + 1) hosts; a = 2p = 2h balances the load. Global cables are in the palm-tree
/// arrangement; with fewer groups every pair gets ⌊a·h/(groups-1)⌋ cables.
///
/// Minimal ways have at most five links: host, local, global, local, host. Valiant ways between
/// groups go through a third group drawn by a hash of the pair and have at most seven. With fewer
/// `hosts` than there are places the first ones are present.
public struct DragonflyTopology: TopologySpecification {
  public var routersPerGroup: Int
  public var hostsPerRouter: Int
  public var globalLinksPerRouter: Int
  public var groups: Int
  public var hosts: Int
  public var hostLink: LinkSpecification
  public var localLink: LinkSpecification
  public var globalLink: LinkSpecification
  public var routing: RoutingPolicy

  /// - Precondition: sizes are at least 1, `groups` at most a·h + 1 (nil: as many), `hosts` at most
  ///   groups · a · p (nil: all).
  public init(
    routersPerGroup: Int, hostsPerRouter: Int, globalLinksPerRouter: Int, groups: Int? = nil,
    hosts: Int? = nil, hostLink: LinkSpecification, localLink: LinkSpecification,
    globalLink: LinkSpecification, routing: RoutingPolicy = .minimal
  ) {
    precondition(
      routersPerGroup >= 1 && hostsPerRouter >= 1 && globalLinksPerRouter >= 1,
      "groups have routers, routers have hosts and global links")
    let most = routersPerGroup * globalLinksPerRouter + 1
    self.routersPerGroup = routersPerGroup
    self.hostsPerRouter = hostsPerRouter
    self.globalLinksPerRouter = globalLinksPerRouter
    self.groups = groups ?? most
    precondition((1...most).contains(self.groups), "a dragonfly has a·h + 1 groups at most")
    let capacity = self.groups * routersPerGroup * hostsPerRouter
    self.hosts = hosts ?? capacity
    precondition((1...capacity).contains(self.hosts), "a dragonfly has g·a·p hosts at most")
    self.hostLink = hostLink
    self.localLink = localLink
    self.globalLink = globalLink
    self.routing = routing
  }

  public init(_ fields: inout FieldReader) {
    var a = fields.required(
      "routers_per_group", .integer(1...1024), doc: "routers of a group, each joined to the others")
    var p = fields.required("hosts_per_router", .integer(1...1024), doc: "hosts on each router")
    var h = fields.required(
      "global_links_per_router", .integer(1...1024), doc: "ports of a router for other groups")
    var most = a * h + 1
    let groupsGiven = fields.optional(
      "groups", .count(1),
      doc: "groups; routers_per_group x global_links_per_router + 1 if absent, which is the most")
    if let groupsGiven, groupsGiven > most {
      fields.report(
        "groups",
        .outOfRange(
          found: String(groupsGiven),
          expected: "1...\(most), since a group has \(a) x \(h) ports for other groups"))
    }
    var g = min(groupsGiven ?? most, most)
    let cables = g * a * (a - 1) / 2 + g * a * h / 2
    if g * a * p > TopologyLimits.hosts || cables > TopologyLimits.links {
      fields.report(
        fields.has("groups") ? "groups" : nil,
        .outOfRange(
          found: "\(g) groups with \(g * a * p) hosts and \(cables) cables between routers",
          expected: "at most \(TopologyLimits.hosts) hosts and \(TopologyLimits.links) cables; "
            + "give fewer \"groups\""))
      (a, p, h, g, most) = (1, 1, 1, 1, 1)
    }
    let capacity = g * a * p
    let given = fields.optional(
      "hosts", .count(1), doc: "hosts that are present, the first ones; all places if absent")
    if let given, given > capacity {
      fields.report(
        "hosts",
        .outOfRange(found: String(given), expected: "1...\(capacity), the places of the groups"))
    }
    hosts = min(given ?? capacity, capacity)
    (routersPerGroup, hostsPerRouter, globalLinksPerRouter, groups) = (a, p, h, g)
    hostLink = fields.record("host_link", doc: "the cable between a host and its router") {
      LinkSpecification(&$0)
    }
    localLink = fields.record("local_link", doc: "the cable between two routers of a group") {
      LinkSpecification(&$0)
    }
    globalLink = fields.record("global_link", doc: "the cable between two groups") {
      LinkSpecification(&$0)
    }
    routing = fields.optional(
      "routing", .choice("routing"), default: .minimal,
      doc: "minimal: the cable between the two groups; valiant: by way of a third group, drawn by "
        + "a hash of the pair; adaptive: the less loaded of the two when a flow starts (UGAL)")
  }

  /// The smallest balanced dragonfly (a = 2p = 2h) for `hosts`, with only the groups they fill.
  static func balanced(hosts: Int, link: LinkSpecification) -> DragonflyTopology {
    var p = 1
    while 2 * p * p * (2 * p * p + 1) < hosts { p += 1 }
    let perGroup = 2 * p * p
    return DragonflyTopology(
      routersPerGroup: 2 * p, hostsPerRouter: p, globalLinksPerRouter: p,
      groups: (hosts + perGroup - 1) / perGroup, hosts: hosts, hostLink: link, localLink: link,
      globalLink: link)
  }

  public var acceleratorCount: Int { hosts }

  public func makeTopology() -> Topology {
    var builder = TopologyBuilder(
      name: "dragonfly(\(groups)x\(routersPerGroup), \(hosts) hosts)")
    let nodes = (0..<hosts).map { builder.addHost("h\($0)") }
    let routers = (0..<groups * routersPerGroup).map {
      builder.addSwitch("g\($0 / routersPerGroup).r\($0 % routersPerGroup)")
    }
    var rule = DragonflyRouting(
      groups: groups, routersPerGroup: routersPerGroup, hostsPerRouter: hostsPerRouter,
      globalPorts: globalLinksPerRouter, policy: routing)
    for (host, node) in nodes.enumerated() {
      let link = builder.join(node, routers[host / hostsPerRouter], hostLink)
      rule.hostLinks.append(link.rawValue)
    }
    rule.localLinks = [Int32](repeating: -1, count: routers.count * routersPerGroup)
    for router in routers.indices {
      let group = router - router % routersPerGroup
      for other in router + 1..<max(router + 1, group + routersPerGroup) {
        let link = builder.join(routers[router], routers[other], localLink).rawValue
        rule.localLinks[router * routersPerGroup + other - group] = link
        rule.localLinks[other * routersPerGroup + router - group] = link + 1
      }
    }
    rule.globalLinks = [Int32](repeating: -1, count: routers.count * globalLinksPerRouter)
    for group in 0..<groups {
      for other in group + 1..<max(group + 1, groups) {
        for number in 0..<rule.cablesPerPair {
          let ends = rule.cable(number, from: group, to: other)
          let link = builder.join(
            routers[ends.from], routers[ends.to], globalLink, cable: number
          ).rawValue
          rule.globalLinks[ends.from * globalLinksPerRouter + ends.fromPort] = link
          rule.globalLinks[ends.to * globalLinksPerRouter + ends.toPort] = link + 1
        }
      }
    }
    return builder.build { [rule] _, _ in .rule(rule) }
  }
}
