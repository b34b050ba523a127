import SimKernel

/// Sites joined by long-distance links: every site a router with hosts on access links of their own.
///
/// Both directions of a link may differ, as they do at the edge. Traffic takes the way of least total
/// latency (around links that are down: of fewest links). Hosts are called `paris.0`, routers as
/// their site, links between sites `paris->oslo`.
public struct WANTopology: TopologySpecification {
  /// Hosts of a site that are alike.
  public struct Hosts: Sendable, Equatable {
    public var count: Int
    /// From a host to the router.
    public var uplink: LinkSpecification
    /// From the router to a host.
    public var downlink: LinkSpecification
    public init(count: Int, uplink: LinkSpecification, downlink: LinkSpecification? = nil) {
      self.count = count
      self.uplink = uplink
      self.downlink = downlink ?? uplink
    }
    init(_ fields: inout FieldReader) {
      count = fields.optional(
        "count", .integer(1...TopologyLimits.hosts), default: 1, doc: "hosts of this kind")
      uplink = LinkSpecification(&fields)
      downlink = uplink.back(
        &fields, doc: "what differs on the way from the router to the host; nothing if absent")
    }
  }

  /// A router with its hosts.
  public struct Site: Sendable, Equatable {
    public var name: String
    public var hosts: [Hosts]
    public init(name: String, hosts: [Hosts]) {
      self.name = name
      self.hosts = hosts
    }
    init(_ fields: inout FieldReader) {
      name = fields.required(
        "name", .text("a name", example: "paris"), doc: "name, used by links and hosts")
      hosts = fields.records(
        "hosts",
        doc: "its hosts, an entry for those that are alike, with their access link; none "
          + "for a site that only passes traffic on"
      ) { Hosts(&$0) }
    }
    var hostCount: Int { hosts.reduce(0) { $0 + $1.count } }
  }

  /// A link each way between two sites.
  public struct Connection: Sendable, Equatable {
    public var from: String
    public var to: String
    public var link: LinkSpecification
    public var back: LinkSpecification
    public init(
      from: String, to: String, _ link: LinkSpecification, back: LinkSpecification? = nil
    ) {
      self.from = from
      self.to = to
      self.link = link
      self.back = back ?? link
    }
    init(_ fields: inout FieldReader) {
      from = fields.required("from", .text("the name of a site", example: "paris"), doc: "one end")
      to = fields.required("to", .text("the name of a site", example: "oslo"), doc: "the other end")
      link = LinkSpecification(&fields)
      back = link.back(&fields, doc: "what differs on the way back; nothing if absent")
    }
  }

  public var sites: [Site]
  public var connections: [Connection]

  /// - Precondition: names are unique, connections name two sites, there are hosts, and hosts reach
  ///   one another.
  public init(sites: [Site], connections: [Connection]) {
    self.sites = sites
    self.connections = connections
    let problem = self.problem
    precondition(problem == nil, problem.map { "\($0.found): \($0.expected)" } ?? "")
  }

  public init(_ fields: inout FieldReader) {
    sites = fields.records("sites", doc: "routers with their hosts") { Site(&$0) }
    connections = fields.records("links", doc: "links between sites, one each way") {
      Connection(&$0)
    }
    if fields.isDescribing { return }
    if let problem {
      fields.report(problem.key, .invalid(found: problem.found, expected: problem.expected))
      let link = LinkSpecification(bandwidth: .gigabitsPerSecond(1))
      (sites, connections) = ([Site(name: "a", hosts: [Hosts(count: 1, uplink: link)])], [])
    }
  }

  public var acceleratorCount: Int { sites.reduce(0) { $0 + $1.hostCount } }

  /// The first thing that does not fit together.
  private var problem: (key: String, found: String, expected: String)? {
    if sites.count > TopologyLimits.sites {
      return ("sites", "\(sites.count) sites", "at most \(TopologyLimits.sites)")
    }
    for site in sites {
      if let (found, expected) = PlaceName.problem(site.name, of: "site") {
        return ("sites", found, expected)
      }
    }
    var names: Set<String> = []
    for site in sites where !names.insert(site.name).inserted {
      return ("sites", "two sites are called \"\(site.name)\"", "rename one")
    }
    var total = 0
    for site in sites {
      for hosts in site.hosts { total = min(total + hosts.count, TopologyLimits.hosts + 1) }
    }
    if total == 0 { return ("sites", "no site has hosts", "give \"hosts\" to those that do") }
    if total > TopologyLimits.hosts {
      return (
        "sites", "more than \(TopologyLimits.hosts) hosts", "at most \(TopologyLimits.hosts)"
      )
    }
    let known = sites.map(\.name)
    var joined: Set<String> = []
    for connection in connections {
      let (from, to) = (connection.from, connection.to)
      for name in [from, to] where !names.contains(name) {
        return (
          "links", "the link \(from)->\(to) names an unknown site \"\(name)\"",
          Spelling.suggestion(for: name, among: known).map { "did you mean \"\($0)\"?" }
            ?? "the sites are: \(known.prefix(8).joined(separator: ", "))"
        )
      }
      if from == to {
        return ("links", "the link \(from)->\(to) joins a site to itself", "remove it")
      }
      if !joined.insert("\(from)->\(to)").inserted || !joined.insert("\(to)->\(from)").inserted {
        return (
          "links", "two links join \(from) and \(to)",
          "give one with the bandwidth of both; the way back goes into its \"back\""
        )
      }
    }
    return unreachable
  }

  /// The first site with hosts that the first one cannot reach: links go both ways.
  private var unreachable: (key: String, found: String, expected: String)? {
    let populated = sites.indices.filter { sites[$0].hostCount > 0 }
    let numbers = numbersByName
    var neighbours = [[Int]](repeating: [], count: sites.count)
    for connection in connections {
      let (a, b) = (numbers[connection.from]!, numbers[connection.to]!)
      neighbours[a].append(b)
      neighbours[b].append(a)
    }
    var seen = [Bool](repeating: false, count: sites.count)
    seen[populated[0]] = true
    var frontier = [populated[0]]
    while let site = frontier.popLast() {
      for other in neighbours[site] where !seen[other] {
        seen[other] = true
        frontier.append(other)
      }
    }
    return populated.first { !seen[$0] }.map {
      (
        "links",
        "site \"\(sites[$0].name)\" cannot be reached from \"\(sites[populated[0]].name)\"",
        "add links that join them"
      )
    }
  }

  private var numbersByName: [String: Int] {
    var numbers: [String: Int] = [:]
    for (index, site) in sites.enumerated() { numbers[site.name] = index }
    return numbers
  }

  public func makeTopology() -> Topology {
    var builder = TopologyBuilder(name: "wan(\(sites.count) sites, \(acceleratorCount) hosts)")
    var siteOfHost: [Int32] = []
    var accessLinks: [Int32] = []
    var routers: [NodeID] = []
    for (index, site) in sites.enumerated() {
      let router = builder.addSwitch(site.name)
      routers.append(router)
      var number = 0
      for hosts in site.hosts {
        for _ in 0..<hosts.count {
          let host = builder.addHost("\(site.name).\(number)")
          let link = builder.join(host, router, hosts.uplink, back: hosts.downlink)
          siteOfHost.append(Int32(index))
          accessLinks.append(link.rawValue)
          number += 1
        }
      }
    }
    let numbers = numbersByName
    let firstLink = builder.links.count
    var links: [(from: Int, to: Int, latency: SimDuration)] = []
    for connection in connections {
      let (a, b) = (numbers[connection.from]!, numbers[connection.to]!)
      builder.join(routers[a], routers[b], connection.link, back: connection.back)
      links.append((a, b, connection.link.latency))
      links.append((b, a, connection.back.latency))
    }
    let rule = SiteRouting(
      sites: sites.count, siteOfHost: siteOfHost, accessLinks: accessLinks, firstLink: firstLink,
      links: links)
    return builder.build { _, _ in .rule(rule) }
  }
}
