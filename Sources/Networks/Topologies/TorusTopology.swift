import SimKernel

/// An n-dimensional grid of hosts with wrap-around links and dimension-order routing.
///
/// A dimension of two has one cable between its two nodes, a dimension of one has none. The longest
/// minimal way has Σ⌊nᵢ/2⌋ links; a Valiant way goes to a node drawn by hash first and has up to
/// twice as many.
public struct TorusTopology: TopologySpecification {
  public var dimensions: [Int]
  public var link: LinkSpecification
  public var routing: RoutingPolicy

  public init(dimensions: [Int], link: LinkSpecification, routing: RoutingPolicy = .minimal) {
    precondition(
      !dimensions.isEmpty && dimensions.allSatisfy { $0 >= 1 }, "dimensions are at least 1")
    self.dimensions = dimensions
    self.link = link
    self.routing = routing
  }

  public init(_ fields: inout FieldReader) {
    dimensions = fields.required(
      "dimensions", .list(of: .integer(1...TopologyLimits.hosts), atLeast: 1),
      doc: "hosts along each dimension, such as [4, 4]")
    link = fields.record("link", doc: "the cable between neighbours") { LinkSpecification(&$0) }
    routing = fields.optional(
      "routing", .choice("routing"), default: .minimal,
      doc: "minimal: dimension after dimension, the shorter way round; valiant: the same by way of "
        + "a node drawn by a hash of the pair; adaptive: the less loaded of the two when a flow "
        + "starts (UGAL)")
    var product = 1
    for size in dimensions { product = min(product * size, TopologyLimits.hosts + 1) }
    if dimensions.count > 16 || product > TopologyLimits.hosts {
      fields.report(
        "dimensions",
        .outOfRange(
          found: dimensions.map(String.init).joined(separator: " x "),
          expected: "at most \(TopologyLimits.hosts) hosts in at most 16 dimensions"))
      dimensions = [1]
    }
  }

  public var acceleratorCount: Int { dimensions.reduce(1, *) }

  public func makeTopology() -> Topology {
    let shape = dimensions.map(String.init).joined(separator: "x")
    return makeTopology(name: "torus(\(shape))")
  }

  func makeTopology(name: String) -> Topology {
    var builder = TopologyBuilder(name: name)
    let nodes = (0..<acceleratorCount).map { builder.addHost("h\($0)") }
    var table = [Int32](repeating: -1, count: nodes.count * dimensions.count * 2)
    for node in 0..<nodes.count {
      for (d, size) in dimensions.enumerated() where size > 1 {
        for up in size == 2 ? [true] : [true, false] {
          let next = TorusRouting.neighbour(of: node, d, up: up, in: dimensions)
          let id = builder.link(from: nodes[node], to: nodes[next], link)
          table[(node * dimensions.count + d) * 2 + (up ? 0 : 1)] = id.rawValue
        }
      }
    }
    let rule = TorusRouting(dimensions: dimensions, neighbourLink: table, policy: routing)
    return builder.build { _, _ in .rule(rule) }
  }
}
