import SimKernel

/// One transfer of a list that ``runFlows(_:on:window:)`` plays.
public struct FlowRequest: Sendable, Equatable {
  public var source: NodeID
  public var destination: NodeID
  public var size: ByteCount
  public var start: SimTime
  public init(source: NodeID, destination: NodeID, size: ByteCount, start: SimTime = .zero) {
    self.source = source
    self.destination = destination
    self.size = size
    self.start = start
  }
}

/// When a transfer of a list left and arrived; nil if it never did.
public struct FlowOutcome: Sendable, Equatable {
  public var senderFree: SimTime?
  public var delivered: SimTime?
  public init(senderFree: SimTime? = nil, delivered: SimTime? = nil) {
    self.senderFree = senderFree
    self.delivered = delivered
  }
}

/// Plays a list of transfers to completion on any network and returns when each ended.
///
/// At most `window` of them are under way together: further ones begin, in the order of the list, as
/// earlier ones are delivered, and not before their start. Transfer i has sequence number i and tag
/// i. Transfers that can never finish have nil times; the network's ``NetworkModel/waiting`` says
/// why.
public func runFlows(
  _ requests: [FlowRequest], on network: inout some NetworkModel & ~Copyable,
  window: Int = .max
) -> [FlowOutcome] {
  precondition(window >= 1, "at least one transfer is under way")
  var outcomes = [FlowOutcome](repeating: FlowOutcome(), count: requests.count)
  // Without a window the order of starts is the order of time; within one, the order of the list.
  let order =
    window == .max
    ? requests.indices.sorted { (requests[$0].start, $0) < (requests[$1].start, $1) }
    : Array(requests.indices)
  var next = 0
  var underway = 0
  var now = SimTime.zero
  var notices: [Notice] = []
  while true {
    while next < order.count, underway < window, requests[order[next]].start <= now {
      let request = requests[order[next]]
      let tag = Int32(truncatingIfNeeded: order[next])
      network.postReceive(
        source: request.source, destination: request.destination, tag: tag, at: now)
      network.send(
        Transfer(
          id: TransferID(job: JobID(0), sequence: Int64(order[next])), source: request.source,
          destination: request.destination, size: request.size, tag: tag),
        at: now)
      next += 1
      underway += 1
    }
    notices.removeAll(keepingCapacity: true)
    network.drain(into: &notices)
    for notice in notices {
      let index = Int(notice.transfer.sequence)
      switch notice.kind {
      case .senderFree: outcomes[index].senderFree = now
      case .delivered:
        outcomes[index].delivered = now
        underway -= 1
      case .lost: underway -= 1
      case .hostBusy, .rerouted, .blocked: break
      }
    }
    if !notices.isEmpty { continue }
    let start =
      next < order.count && underway < window
      ? max(requests[order[next]].start, now) : SimTime.never
    let due = network.advance(until: start)
    if due == .never { return outcomes }
    now = due
  }
}
