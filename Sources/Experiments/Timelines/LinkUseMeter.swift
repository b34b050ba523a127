import Networks
import SimKernel
import Training

/// Spreads messages over the links of their ways and over time.
///
/// A message is taken to leave at a constant rate and to be on all its links at once, so that shares
/// are means over slots: they add up to the bytes of the messages, not to what a congested moment
/// looked like.
struct LinkUseMeter {
  private struct Message: BitwiseCopyable {
    var source: Int32
    var destination: Int32
    var bytes: Int64
    var start: SimTime
    var end: SimTime
  }
  private var messages: [Message] = []
  private(set) var isOverfull = false

  /// Messages that are kept, 32 bytes each.
  static let limit = 4_000_000
  /// How many links are shown, and how finely.
  static let shownLinks = 32
  static let slots = 1000

  /// Why links cannot be told from the ends of a message; nil if they can.
  static func refusal(_ topology: Topology, _ network: NetworkSettings) -> String? {
    if topology.isAdaptive { return "routes are chosen by load as messages start" }
    if network.model == .packet, network.packet.spreads {
      return "packets of a message take different ways"
    }
    return nil
  }

  mutating func add(_ transfer: TransferSpan) {
    if messages.count == Self.limit { isOverfull = true }
    if isOverfull { return }
    messages.append(
      Message(
        source: transfer.source.rawValue, destination: transfer.destination.rawValue,
        bytes: transfer.size.bytes, start: transfer.start,
        end: max(transfer.left, transfer.start)))
  }

  /// Writes the shares of the busiest links over the span of all messages.
  func fill(_ timeline: inout RunTimeline) {
    guard let first = messages.map(\.start).min(), let last = messages.map(\.end).max(),
      last > first
    else { return }
    let length = (last - first).picoseconds
    let slot = (length + Int64(Self.slots) - 1) / Int64(Self.slots)
    let topology = timeline.topology
    // Looked up only.
    var routes: [UInt64: [Int]] = [:]
    func route(_ message: Message) -> [Int] {
      let key =
        UInt64(UInt32(bitPattern: message.source)) << 32
        | UInt64(UInt32(bitPattern: message.destination))
      if let known = routes[key] { return known }
      let (from, to) = (NodeID(rawValue: message.source), NodeID(rawValue: message.destination))
      let way =
        topology.route(from: from, to: to, key: Topology.routeKey(from: from, to: to)) ?? []
      let links = way.map(\.index)
      routes[key] = links
      return links
    }
    var carried = [Int64](repeating: 0, count: topology.links.count)
    for message in messages { for link in route(message) { carried[link] += message.bytes } }
    let busy = carried.indices.filter { carried[$0] > 0 }.map { link in
      (
        link: link,
        share: Double(carried[link]) / Double(max(1, topology.links[link].bandwidth.bitsPerSecond))
      )
    }.sorted { ($1.share, $0.link) < ($0.share, $1.link) }.prefix(Self.shownLinks)
    if busy.isEmpty { return }
    var place = [Int](repeating: -1, count: topology.links.count)
    for (index, entry) in busy.enumerated() { place[entry.link] = index }
    var bytes = [[Double]](
      repeating: [Double](repeating: 0, count: Self.slots), count: busy.count)
    for message in messages {
      for link in route(message) where place[link] >= 0 {
        Self.spread(
          Double(message.bytes), from: (message.start - first).picoseconds,
          to: (message.end - first).picoseconds, slot: slot, over: &bytes[place[link]])
      }
    }
    timeline.slotLength = SimDuration(picoseconds: slot)
    timeline.slotStart = first
    timeline.links = busy.enumerated().map { index, entry in
      let perSlot = topology.links[entry.link].bandwidth.bytesPerPicosecond * Double(slot)
      return RunTimeline.LinkUse(
        link: LinkID(entry.link), shares: bytes[index].map { perSlot > 0 ? $0 / perSlot : 0 })
    }
  }

  /// Adds `amount` evenly over `start..<end`; what takes no time goes to one slot.
  static func spread(
    _ amount: Double, from start: Int64, to end: Int64, slot: Int64, over slots: inout [Double]
  ) {
    let last = slots.count - 1
    if end <= start {
      slots[min(last, Int(start / slot))] += amount
      return
    }
    var place = start
    while place < end {
      let index = min(last, Int(place / slot))
      let until = index == last ? end : min(end, Int64(index + 1) * slot)
      slots[index] += amount * (Double(until - place) / Double(end - start))
      place = until
    }
  }
}
