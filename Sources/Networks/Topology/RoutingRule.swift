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
  /// Whether a transfer may choose between that way and an ``alternative(from:to:key:)`` when it
  /// starts.
  var isAdaptive: Bool { get }
  /// The way by a middle that `key` draws.
  func alternative(from source: Int, to target: Int, key: UInt64) -> [LinkID]?
}

extension RoutingRule {
  var isAdaptive: Bool { false }
  func alternative(from source: Int, to target: Int, key: UInt64) -> [LinkID]? { nil }
}

/// Which ways are taken where a fabric offers more than the shortest.
public enum RoutingPolicy: String, CaseIterable, Sendable {
  /// The topology's shortest way.
  case minimal
  /// By way of a random middle, then minimal (Valiant, Brebner, "Universal schemes for parallel
  /// communication", STOC 1981, doi:10.1145/800076.802479): twice the links for an even load
  /// whatever the traffic.
  ///
  /// The middle is a hash of the pair, so that a pair keeps its way and runs are repeatable.
  case valiant
  /// Minimal or by way of a random middle, as load has it when a transfer starts (UGAL: Singh, "Load-
  /// balanced routing in interconnection networks", Stanford 2005; on dragonflies Kim et al., ISCA
  /// 2008, doi:10.1109/ISCA.2008.19).
  ///
  /// The middle is drawn for each transfer, and the way taken on which the busiest link's flows times
  /// the number of links are fewer; the minimal one if they are equal. A transfer keeps its way. Only
  /// the flow model knows the load; under the others this is ``minimal``.
  case adaptive
}

extension Topology {
  /// Chooses one of `count` middles of a Valiant route by hash.
  static func middle(of count: Int, key: UInt64) -> Int {
    // No node has this number: the choice is independent of those on the way.
    choice(of: count, at: -1, key: key)
  }
}
