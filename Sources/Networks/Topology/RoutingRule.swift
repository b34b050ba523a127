import SimKernel

/// How a topology finds the routes between its accelerators without distance tables: by arithmetic
/// on their positions, or by small tables of its own.
///
/// A rule is asked once for each pair of endpoints (``RouteTable`` remembers the answer) and must
/// be a pure function of positions and key.
protocol RoutingRule: Sendable {
  /// Whether every shortest way is as good as the one returned, so that packets may be sprayed over
  /// all of them.
  var sharesShortestWays: Bool { get }
  /// The links from one accelerator to another, given by their positions in
  /// ``Topology/accelerators``, which differ; nil if there is no way.
  ///
  /// No link occurs twice.
  func route(from source: Int, to target: Int, key: UInt64) -> [LinkID]?
}

/// Which ways are taken where a fabric offers more than the shortest.
///
/// Adaptive routing (UGAL) decides by the queues that a packet meets; routes here are functions of
/// the endpoints, so it is not offered.
public enum RoutingPolicy: String, CaseIterable, Sendable {
  /// The topology's shortest way.
  case minimal
  /// By way of a random middle, then minimal (Valiant, Brebner, "Universal schemes for parallel
  /// communication", STOC 1981, doi:10.1145/800076.802479): twice the links for an even load
  /// whatever the traffic.
  ///
  /// The middle is a hash of the pair, so that a pair keeps its way and runs are repeatable.
  case valiant
}

extension Topology {
  /// Chooses one of `count` middles of a Valiant route by hash.
  static func middle(of count: Int, key: UInt64) -> Int {
    // No node has this number: the choice is independent of those on the way.
    choice(of: count, at: -1, key: key)
  }
}
