import Networks
import SimKernel

/// The pairs of ends that send most over each link.
struct LinkTalkers {
  /// At most so many pairs a link.
  static var limit: Int { 3 }

  /// Of each link, most bytes first; ties go to the pair whose flow comes first in the table.
  private(set) var ofLink: [[FlowResult.Talker]]

  /// - Complexity: O(flows + pairs x hops).
  init(_ result: FlowResult, _ paths: FlowPaths) {
    let links = result.scene.topology.links
    let network = result.scene.network
    // Which of several ways a flow takes is then not known here, but its first and last link are.
    let spreads =
      network.model == .packet && network.packet.spreads
      || network.model == .flow && result.scene.topology.isAdaptive
    var bytes = [Int64](repeating: 0, count: paths.ways.count)
    var ends = [(source: NodeID, destination: NodeID)?](repeating: nil, count: bytes.count)
    for flow in 0..<result.flows.count where result.outcome.starts[flow] >= 0 {
      let way = Int(paths.wayOfFlow[flow])
      let (sum, overflow) = bytes[way].addingReportingOverflow(result.flows.sizes[flow].bytes)
      bytes[way] = overflow ? .max : sum
      ends[way] = (result.flows.sources[flow], result.flows.destinations[flow])
    }
    ofLink = [[FlowResult.Talker]](repeating: [], count: links.count)
    var sums = [Double](repeating: 0, count: links.count)
    for (way, pair) in ends.enumerated() where bytes[way] > 0 {
      guard let pair else { continue }
      let talker = FlowResult.Talker(
        source: pair.source, destination: pair.destination, bytes: .bytes(bytes[way]), share: 0)
      for id in paths.ways[way].links ?? [] {
        let link = links[id.index]
        if spreads, link.from != pair.source, link.to != pair.destination { continue }
        sums[id.index] += Double(bytes[way])
        Self.insert(talker, into: &ofLink[id.index])
      }
    }
    for link in links.indices {
      for place in ofLink[link].indices {
        ofLink[link][place].share = Double(ofLink[link][place].bytes.bytes) / sums[link]
      }
    }
  }

  /// Keeps the first of the order; what comes later in the table goes behind its equals.
  private static func insert(_ talker: FlowResult.Talker, into list: inout [FlowResult.Talker]) {
    if list.count == limit, list[limit - 1].bytes >= talker.bytes { return }
    if list.count == limit { list.removeLast() }
    list.insert(talker, at: list.firstIndex { $0.bytes < talker.bytes } ?? list.count)
  }
}
