import SimKernel

/// The three-level k-ary fat tree: k pods of k/2 edge and k/2 aggregation switches, (k/2)² cores,
/// k³/4 hosts, full bisection bandwidth (Al-Fares, Loukissas, Vahdat, SIGCOMM 2008,
/// doi:10.1145/1402958.1402967).
///
/// Ways between pods have six links and as many alternatives as there are cores. A tapered tree has
/// fewer or slower up-links: with w up-links of bandwidth c above k/2 links of bandwidth b, a level is
/// oversubscribed k/2 · b : w · c. With fewer `hosts` than k³/4 the first ones are present, in order
/// of pod and edge switch.
public struct FatTreeTopology: TopologySpecification {
  /// What leads up from each switch of a level.
  public struct Uplinks: Sendable, Equatable {
    /// How many, 1 to k/2.
    public var count: Int
    public var link: LinkSpecification
    public init(count: Int, link: LinkSpecification) {
      self.count = count
      self.link = link
    }
  }

  public var k: Int
  public var link: LinkSpecification
  public var hosts: Int
  /// From each edge switch; their number is that of a pod's aggregation switches.
  public var edgeUplinks: Uplinks
  /// From each aggregation switch to the cores.
  public var aggregationUplinks: Uplinks
  public var routing: FatTreeRoutingPolicy

  /// - Precondition: `k` is even and at least 2, `hosts` at most k³/4 (nil: all), up-links 1 to k/2
  ///   (nil: k/2 of `link`).
  public init(
    k: Int, link: LinkSpecification, hosts: Int? = nil, edgeUplinks: Uplinks? = nil,
    aggregationUplinks: Uplinks? = nil, routing: FatTreeRoutingPolicy = .ecmp
  ) {
    precondition(k >= 2 && k % 2 == 0, "a fat tree has an even k")
    self.k = k
    self.link = link
    self.hosts = hosts ?? k * k * k / 4
    precondition((1...k * k * k / 4).contains(self.hosts), "a fat tree has k³/4 hosts at most")
    let full = Uplinks(count: k / 2, link: link)
    self.edgeUplinks = edgeUplinks ?? full
    self.aggregationUplinks = aggregationUplinks ?? full
    precondition(
      (1...k / 2).contains(self.edgeUplinks.count)
        && (1...k / 2).contains(self.aggregationUplinks.count), "a switch has 1 to k/2 up-links")
    self.routing = routing
  }

  public init(_ fields: inout FieldReader) {
    var k = fields.required(
      "k", .integer(2...TopologyLimits.fatTreeArity), doc: "ports of every switch; even")
    if k % 2 != 0 {
      fields.report(
        "k",
        .invalid(
          found: "k = \(k) is odd",
          expected: "half of a switch's ports go up, so write an even k such as \(k + 1)"))
      k += 1
    }
    let link = fields.record("link", doc: "every cable of the tree") { LinkSpecification(&$0) }
    let capacity = k * k * k / 4
    let given = fields.optional(
      "hosts", .count(1), doc: "hosts that are present, the first ones; all k³/4 if absent")
    if let given, given > capacity {
      fields.report(
        "hosts",
        .outOfRange(found: String(given), expected: "1...\(capacity), the hosts of k = \(k)"))
    }
    self.k = k
    self.link = link
    hosts = min(given ?? capacity, capacity)
    let full = Uplinks(count: k / 2, link: link)
    let taper = fields.optionalRecord(
      "taper", doc: "up-links that are fewer or slower, level by level (oversubscription)"
    ) { fields in
      (
        edge: Self.uplinks(
          &fields, "edge", of: "edge switch, as many as a pod has aggregation switches", full),
        aggregation: Self.uplinks(
          &fields, "aggregation", of: "aggregation switch to the cores", full)
      )
    }
    edgeUplinks = taper?.edge ?? full
    aggregationUplinks = taper?.aggregation ?? full
    routing = fields.optional(
      "routing", .choice("routing"), default: .ecmp,
      doc: "the way up: ecmp picks by a hash of the pair, d_mod_k by the destination's number, so "
        + "that shifts meet no contention")
  }

  /// Reads one level of `taper`.
  private static func uplinks(
    _ fields: inout FieldReader, _ key: String, of owner: String, _ full: Uplinks
  ) -> Uplinks {
    fields.optionalRecord(key, doc: "up-links of each \(owner)") { fields in
      let count = fields.optional(
        "uplinks", .integer(1...TopologyLimits.fatTreeArity / 2), doc: "how many; k/2 if absent")
      let link = fields.optionalRecord(
        "link", doc: "each of them; as the rest of the tree if absent"
      ) { LinkSpecification(&$0) }
      if let count, count > full.count {
        fields.report(
          "uplinks",
          .outOfRange(found: String(count), expected: "1...\(full.count), half of the ports"))
      }
      return Uplinks(count: min(count ?? full.count, full.count), link: link ?? full.link)
    } ?? full
  }

  public var acceleratorCount: Int { hosts }

  public func makeTopology() -> Topology {
    let half = k / 2
    let (planes, ports) = (edgeUplinks.count, aggregationUplinks.count)
    var builder = TopologyBuilder(name: "fat_tree(k=\(k), \(hosts) hosts)")
    var rule = FatTreeRouting(
      half: half, edgeUplinks: planes, aggregationUplinks: ports, policy: routing)
    rule.hostLinks = [Int32](repeating: -1, count: hosts)
    let nodes = (0..<hosts).map { builder.addHost("h\($0)") }
    let cores = (0..<planes * ports).map { builder.addSwitch("core\($0)") }
    for pod in 0..<k {
      let aggregation = (0..<planes).map { builder.addSwitch("agg\(pod).\($0)") }
      for (index, switchNode) in aggregation.enumerated() {
        rule.aggregationNodes.append(switchNode.rawValue)
        for port in 0..<ports {
          let up = builder.join(switchNode, cores[index * ports + port], aggregationUplinks.link)
          rule.aggregationLinks.append(up.rawValue)
        }
      }
      for index in 0..<half {
        let edge = builder.addSwitch("edge\(pod).\(index)")
        rule.edgeNodes.append(edge.rawValue)
        for above in aggregation {
          rule.edgeLinks.append(builder.join(edge, above, edgeUplinks.link).rawValue)
        }
        let first = (pod * half + index) * half
        for host in first..<first + half where host < hosts {
          rule.hostLinks[host] = builder.join(nodes[host], edge, link).rawValue
        }
      }
    }
    return builder.build { [rule] _, _ in .rule(rule) }
  }
}
