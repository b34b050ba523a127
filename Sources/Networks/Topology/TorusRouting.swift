import SimKernel

/// Dimension-order routing on an n-dimensional torus: no tables, the shorter way round in each
/// dimension, the key deciding when both are equally long.
///
/// Node (x, y, ...) has index x + X (y + Y (...)). Deadlock freedom needs no virtual channels here,
/// since links are fluid or queues are modelled elsewhere (Dally, Seitz, IEEE ToC 36, 1987).
///
/// A Valiant way may pass a node twice, but no link: both halves stay within the same circle of a
/// dimension only when the other coordinates agree, and together they go round it once at most.
struct TorusRouting: RoutingRule {
  let dimensions: [Int]
  /// `neighbourLink[(node * dimensions.count + d) * 2 + (0 up, 1 down)]`, or -1.
  let neighbourLink: [Int32]
  let policy: RoutingPolicy

  var sharesShortestWays: Bool { false }

  /// The neighbour of `node` one step up or down in dimension `d`.
  static func neighbour(of node: Int, _ d: Int, up: Bool, in dimensions: [Int]) -> Int {
    var stride = 1
    for index in 0..<d { stride *= dimensions[index] }
    let size = dimensions[d]
    let position = node / stride % size
    let next = up ? (position + 1) % size : (position + size - 1) % size
    return node + (next - position) * stride
  }

  func route(from source: Int, to target: Int, key: UInt64) -> [LinkID]? {
    var path: [LinkID] = []
    switch policy {
    case .minimal, .adaptive: walk(from: source, to: target, key: key, &path)
    case .valiant: return alternative(from: source, to: target, key: key)
    }
    return path
  }

  var isAdaptive: Bool { policy == .adaptive }

  func alternative(from source: Int, to target: Int, key: UInt64) -> [LinkID]? {
    var path: [LinkID] = []
    let nodes = neighbourLink.count / (2 * dimensions.count)
    let middle = Topology.middle(of: nodes, key: key)
    walk(from: source, to: middle, key: key, &path)
    walk(from: middle, to: target, key: key, &path)
    return path
  }

  /// Adds the way in dimension order.
  private func walk(from source: Int, to target: Int, key: UInt64, _ path: inout [LinkID]) {
    var node = source
    var stride = 1
    for (d, size) in dimensions.enumerated() {
      let ahead = (target / stride % size - node / stride % size + size) % size
      let up =
        ahead * 2 == size
        ? Topology.choice(of: 2, at: d, key: key) == 0 : ahead * 2 < size
      for _ in 0..<(up ? ahead : size - ahead) where ahead != 0 {
        // A dimension of two has one cable, filed as "up".
        let link = neighbourLink[(node * dimensions.count + d) * 2 + (up || size == 2 ? 0 : 1)]
        path.append(LinkID(rawValue: link))
        node = Self.neighbour(of: node, d, up: up, in: dimensions)
      }
      stride *= size
    }
  }
}
