import SimKernel

/// Dimension-order routing on an n-dimensional torus: no tables, the shorter way round in each
/// dimension, the key deciding when both are equally long.
///
/// Node (x, y, ...) has index x + X (y + Y (...)). Deadlock freedom needs no virtual channels here,
/// since links are fluid or queues are modelled elsewhere (Dally, Seitz, IEEE ToC 36, 1987).
struct TorusRouting: Sendable {
  let dimensions: [Int]
  /// `neighbourLink[(node * dimensions.count + d) * 2 + (0 up, 1 down)]`, or -1.
  let neighbourLink: [Int32]

  /// The neighbour of `node` one step up or down in dimension `d`.
  static func neighbour(of node: Int, _ d: Int, up: Bool, in dimensions: [Int]) -> Int {
    var stride = 1
    for index in 0..<d { stride *= dimensions[index] }
    let size = dimensions[d]
    let position = node / stride % size
    let next = up ? (position + 1) % size : (position + size - 1) % size
    return node + (next - position) * stride
  }

  /// The route from `from` to `to`.
  func route(from: NodeID, to: NodeID, key: UInt64) -> [LinkID] {
    var path: [LinkID] = []
    var node = from.index
    var stride = 1
    for (d, size) in dimensions.enumerated() {
      let position = node / stride % size
      let target = to.index / stride % size
      let ahead = (target - position + size) % size
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
    return path
  }
}
