import SimKernel

/// The three-level k-ary fat tree: k pods of k/2 edge and k/2 aggregation switches, (k/2)² cores,
/// k³/4 hosts, full bisection bandwidth (Al-Fares, Loukissas, Vahdat, SIGCOMM 2008,
/// doi:10.1145/1402958.1402967).
///
/// Ways between pods have six links and (k/2)² alternatives, of which a hash picks one. With fewer
/// `hosts` than k³/4 the first ones are present, in order of pod and edge switch.
public struct FatTreeTopology: TopologySpecification {
  public var k: Int
  public var link: LinkSpecification
  public var hosts: Int

  /// - Precondition: `k` is even and at least 2, `hosts` at most k³/4 (nil: all).
  public init(k: Int, link: LinkSpecification, hosts: Int? = nil) {
    precondition(k >= 2 && k % 2 == 0, "a fat tree has an even k")
    self.k = k
    self.link = link
    self.hosts = hosts ?? k * k * k / 4
    precondition((1...k * k * k / 4).contains(self.hosts), "a fat tree has k³/4 hosts at most")
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
    link = fields.record("link", doc: "every cable of the tree") { LinkSpecification(&$0) }
    let capacity = k * k * k / 4
    let given = fields.optional(
      "hosts", .count(1), doc: "hosts that are present, the first ones; all k³/4 if absent")
    if let given, given > capacity {
      fields.report(
        "hosts",
        .outOfRange(found: String(given), expected: "1...\(capacity), the hosts of k = \(k)"))
    }
    self.k = k
    hosts = min(given ?? capacity, capacity)
  }

  public var acceleratorCount: Int { hosts }

  public func makeTopology() -> Topology {
    var builder = TopologyBuilder(name: "fat_tree(k=\(k), \(hosts) hosts)")
    let half = k / 2
    let nodes = (0..<hosts).map { builder.addHost("h\($0)") }
    let cores = (0..<half * half).map { builder.addSwitch("core\($0)") }
    for pod in 0..<k {
      let aggregation = (0..<half).map { builder.addSwitch("agg\(pod).\($0)") }
      for (index, switchNode) in aggregation.enumerated() {
        for port in 0..<half { builder.join(switchNode, cores[index * half + port], link) }
      }
      for index in 0..<half {
        let edge = builder.addSwitch("edge\(pod).\(index)")
        for above in aggregation { builder.join(edge, above, link) }
        let first = (pod * half + index) * half
        for host in first..<first + half where host < hosts {
          builder.join(nodes[host], edge, link)
        }
      }
    }
    return builder.build()
  }
}
