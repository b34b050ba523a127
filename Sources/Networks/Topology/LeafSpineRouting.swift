import SimKernel

/// Ways of a leaf-spine fabric, computed from positions: up to a spine that both leaves have cables to,
/// and down.
///
/// Up-link u of a leaf goes to spine u mod spines, so that a leaf with k of them reaches the first
/// min(k, spines) spines. A hash of the pair picks among the up-links that lead to a spine of the other
/// leaf, and another among the parallel cables down. These are the shortest ways that tables find,
/// without tables that grow with leaves times switches.
/// - Complexity: O(1) a route, O(hosts + leaves) memory.
struct LeafSpineRouting: RoutingRule {
  /// A leaf: its node, and its up-links, of which number u is link `firstUplink + 2 u` and the link back
  /// the next one.
  struct Leaf {
    var node: Int
    var uplinks: Int
    var firstUplink: Int
  }
  let spines: Int
  /// The node of spine 0; the others follow.
  let firstSpine: Int
  let leaves: [Leaf]
  var leafOfHost: [Int32] = []
  /// From each host to its leaf; the link back has the next number.
  var hostLinks: [Int32] = []

  var sharesShortestWays: Bool { true }

  func route(from source: Int, to target: Int, key: UInt64) -> [LinkID]? {
    let (near, far) = (Int(leafOfHost[source]), Int(leafOfHost[target]))
    var path = [LinkID(rawValue: hostLinks[source])]
    if near != far {
      let (leaf, other) = (leaves[near], leaves[far])
      // Of every `spines` up-links in a row, the first ones lead to a spine of the other leaf.
      let shared = min(other.uplinks, spines)
      let ways = leaf.uplinks / spines * shared + min(leaf.uplinks % spines, shared)
      let way = Topology.choice(of: ways, at: leaf.node, key: key)
      let uplink = way / shared * spines + way % shared
      let spine = uplink % spines
      let cables = (other.uplinks - spine + spines - 1) / spines
      let cable = Topology.choice(of: cables, at: firstSpine + spine, key: key)
      path.append(LinkID(leaf.firstUplink + 2 * uplink))
      path.append(LinkID(other.firstUplink + 2 * (spine + cable * spines) + 1))
    }
    path.append(LinkID(rawValue: hostLinks[target] + 1))
    return path
  }
}
