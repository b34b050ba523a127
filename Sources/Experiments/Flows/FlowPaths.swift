import Networks
import SimKernel

/// The ways of a table's flows, each pair of ends once, with what a flow alone on it would take.
public struct FlowPaths: Sendable {
  /// One pair of ends.
  struct Way: Sendable {
    /// The links it starts on; nil if there is none.
    var links: [LinkID]?
    var latency: SimDuration
    var rate: Bandwidth
    /// Flows between these ends.
    var flows = 0
  }
  private(set) var ways: [Way] = []
  /// The way of each flow.
  private(set) var wayOfFlow: [Int32] = []

  /// The ways of `flows` in `scene`, as models choose them before anything fails.
  ///
  /// - Complexity: O(flows) and one search of the topology a pair.
  public init(_ flows: FlowTable, scene: FlowScene) {
    // Looked up only, never walked: results do not depend on its order.
    var known: [UInt64: Int32] = [:]
    wayOfFlow.reserveCapacity(flows.count)
    for flow in 0..<flows.count {
      let (from, to) = (flows.sources[flow], flows.destinations[flow])
      let key = UInt64(UInt32(from.rawValue)) << 32 | UInt64(UInt32(to.rawValue))
      let way: Int32
      if let found = known[key] {
        way = found
      } else {
        way = Int32(ways.count)
        known[key] = way
        ways.append(Self.way(from, to, scene))
      }
      ways[Int(way)].flows += 1
      wayOfFlow.append(way)
    }
  }

  private static func way(_ from: NodeID, _ to: NodeID, _ scene: FlowScene) -> Way {
    let (topology, transport) = (scene.topology, scene.network.transport)
    let key = Topology.routeKey(from: from, to: to)
    guard let links = topology.route(from: from, to: to, key: key) else {
      return Way(links: nil, latency: .unbounded, rate: Bandwidth(bitsPerSecond: 0))
    }
    let isInner = topology.shareHost(from, to)
    var latency = links.isEmpty ? .zero : isInner ? transport.innerLaunch : transport.launch
    var rate = Bandwidth(bitsPerSecond: 1 << 62)
    if !isInner {
      rate = min(rate, transport.transferCap ?? rate, transport.hostCap ?? rate)
    }
    for id in links {
      let link = topology.links[id.index]
      latency += link.latency + transport.perHop
      rate = min(rate, transport.payloadRate(of: link, at: link.bandwidth))
    }
    return Way(links: links, latency: latency, rate: rate)
  }

  /// The links a flow crosses; nil if there is no way.
  func hops(of flow: Int) -> Int? { ways[Int(wayOfFlow[flow])].links?.count }

  /// What `size` would take alone in the network: the latency and the time at the slowest link;
  /// unbounded if it would never arrive.
  func ideal(_ flow: Int, size: ByteCount) -> SimDuration {
    let way = ways[Int(wayOfFlow[flow])]
    guard let links = way.links else { return .unbounded }
    return links.isEmpty ? .zero : way.latency + way.rate.time(toSend: size)
  }

  /// How many flows start over each of `count` links.
  func flowsOfLinks(_ count: Int) -> [Int] {
    var flows = [Int](repeating: 0, count: count)
    for way in ways { for link in way.links ?? [] { flows[link.index] += way.flows } }
    return flows
  }
}
