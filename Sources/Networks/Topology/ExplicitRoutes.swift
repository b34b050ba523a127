import SimKernel

/// Routes given one by one, found by binary search over (from, to).
struct ExplicitRoutes: Sendable {
  private let keys: [UInt64]
  private let paths: [[LinkID]]

  /// The routes; a later one replaces an earlier one of the same pair.
  init(_ routes: [(from: NodeID, to: NodeID, links: [LinkID])]) {
    let sorted = routes.enumerated().sorted {
      let (a, b) = (
        Self.key($0.element.from, $0.element.to), Self.key($1.element.from, $1.element.to)
      )
      return a != b ? a < b : $0.offset < $1.offset
    }
    var keys: [UInt64] = []
    var paths: [[LinkID]] = []
    for (_, route) in sorted {
      let key = Self.key(route.from, route.to)
      if keys.last == key {
        paths[paths.count - 1] = route.links
      } else {
        keys.append(key)
        paths.append(route.links)
      }
    }
    self.keys = keys
    self.paths = paths
  }

  private static func key(_ from: NodeID, _ to: NodeID) -> UInt64 {
    UInt64(UInt32(bitPattern: from.rawValue)) << 32 | UInt64(UInt32(bitPattern: to.rawValue))
  }

  /// The route of a pair, or nil if none was given.
  subscript(from: NodeID, to: NodeID) -> [LinkID]? {
    let key = Self.key(from, to)
    var (low, high) = (0, keys.count)
    while low < high {
      let middle = (low + high) / 2
      if keys[middle] < key { low = middle + 1 } else { high = middle }
    }
    return low < keys.count && keys[low] == key ? paths[low] : nil
  }
}
