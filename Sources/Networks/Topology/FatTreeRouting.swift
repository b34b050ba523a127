import SimKernel

/// How a fat tree picks the way up; the way down follows from the destination.
public enum FatTreeRoutingPolicy: String, CaseIterable, Sendable {
  /// A hash of the pair at every switch, as routers spread connections.
  case ecmp
  /// The up-port is a digit of the destination's number: at an edge switch d mod w₂, above it
  /// ⌊d/w₂⌋ mod w₃, for w up-ports a level.
  ///
  /// Every destination has one way down, and shifts by a constant meet no contention in a tree that
  /// is not tapered (Zahavi, "Fat-tree routing and node ordering providing contention free traffic
  /// for MPI global collectives", JPDC 72(11), 2012, doi:10.1016/j.jpdc.2012.01.018).
  case dModK = "d_mod_k"
}

/// Ways of a three-level fat tree, computed from host numbers.
struct FatTreeRouting: RoutingRule {
  /// Hosts of an edge switch, and edge switches of a pod.
  let half: Int
  let edgeUplinks: Int
  let aggregationUplinks: Int
  let policy: FatTreeRoutingPolicy
  /// Of each host, edge switch × up-port and aggregation switch × up-port; the link back has the
  /// next number.
  var hostLinks: [Int32] = []
  var edgeLinks: [Int32] = []
  var aggregationLinks: [Int32] = []
  /// Node numbers, which the hash is keyed by.
  var edgeNodes: [Int32] = []
  var aggregationNodes: [Int32] = []

  var sharesShortestWays: Bool { policy == .ecmp }

  func route(from source: Int, to target: Int, key: UInt64) -> [LinkID]? {
    var path: [LinkID] = []
    path.reserveCapacity(6)
    func add(_ link: Int32) { path.append(LinkID(rawValue: link)) }
    add(hostLinks[source])
    let (edge, goal) = (source / half, target / half)
    if edge != goal {
      let port: Int
      switch policy {
      case .ecmp: port = Topology.choice(of: edgeUplinks, at: Int(edgeNodes[edge]), key: key)
      case .dModK: port = target % edgeUplinks
      }
      add(edgeLinks[edge * edgeUplinks + port])
      let (pod, other) = (edge / half, goal / half)
      if pod != other {
        let switchNumber = pod * edgeUplinks + port
        let up: Int
        switch policy {
        case .ecmp:
          up = Topology.choice(
            of: aggregationUplinks, at: Int(aggregationNodes[switchNumber]), key: key)
        case .dModK: up = target / edgeUplinks % aggregationUplinks
        }
        add(aggregationLinks[switchNumber * aggregationUplinks + up])
        add(aggregationLinks[(other * edgeUplinks + port) * aggregationUplinks + up] + 1)
      }
      add(edgeLinks[goal * edgeUplinks + port] + 1)
    }
    add(hostLinks[target] + 1)
    return path
  }
}
