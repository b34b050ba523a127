import SimKernel

/// A network that carries transfers in simulated time.
///
/// The run loop merges the network's clock with the jobs': at an instant it drains all notices,
/// lets jobs react - who may send more at the same instant - and repeats until nothing changes; only
/// then does it ask ``nextEventTime``, which is where a network computes what the changes mean.
///
///     while network.nextEventTime != .never {
///       network.advance(to: network.nextEventTime)
///       repeat {
///         notices.removeAll(keepingCapacity: true)
///         network.drain(into: &notices)
///         for notice in notices { ... network.send(next, at: now) ... }
///       } while !notices.isEmpty
///     }
///
/// `any NetworkModel & ~Copyable` holds one at a seam; concrete models are noncopyable structs.
public protocol NetworkModel: ~Copyable {
  /// Starts a transfer at `now`, which is not before the last instant the network has seen.
  ///
  /// A transfer of zero bytes takes its latency only; one to its own source is delivered at once.
  mutating func send(_ transfer: Transfer, at now: SimTime)
  /// Announces that `destination` is ready to take the message of `source` with `tag`.
  ///
  /// Models without matching ignore it.
  mutating func postReceive(source: NodeID, destination: NodeID, tag: Int32, at now: SimTime)
  /// Forgets every transfer of `group`; none of them gives another notice.
  mutating func cancel(group: GroupID, at now: SimTime)
  /// Changes a link's line rate, or takes it down or up; nil leaves a property as it is.
  mutating func change(link: LinkID, bandwidth: Bandwidth?, up: Bool?, at now: SimTime)
  /// The next instant at which something happens by itself; the present if notices are due, and
  /// ``SimTime/never`` if nothing is pending.
  var nextEventTime: SimTime { mutating get }
  /// Moves the present to `now`.
  ///
  /// - Precondition: `now` is neither in the past nor after ``nextEventTime``.
  mutating func advance(to now: SimTime)
  /// Moves the present to the first instant with notices, at most to `limit`, and returns it; or
  /// ``SimTime/never`` if nothing is pending and there is no limit.
  ///
  /// What happens inside the network without a notice need not come back to the caller: a model with
  /// many such events implements this in one loop, which it may leave early.
  mutating func advance(until limit: SimTime) -> SimTime
  /// Moves all notices due at the present to the end of `notices`, ordered by ``TransferID``.
  mutating func drain(into notices: inout [Notice])
  /// What `link` has carried until the present.
  ///
  /// Mutating like ``waiting``, although no model changes anything: Swift 6.3 takes a call of a
  /// nonmutating member of `any NetworkModel & ~Copyable` for consuming it.
  mutating func usage(of link: LinkID) -> LinkUsage
  /// What has happened at the port that feeds `link`; nil if the model has no ports.
  ///
  /// Mutating for the same reason.
  mutating func portReport(of link: LinkID) -> PortReport?
  /// What went wrong on the way of a transfer that ended at the present instant; nil if the model
  /// knows no losses.
  mutating func losses(of transfer: TransferID) -> TransferLosses?
  /// The transfers that will never finish unless a link changes, by ``TransferID``, as of the last
  /// ``nextEventTime``.
  var waiting: [WaitingTransfer] { mutating get }
}

/// What a transfer lost on its way and sent again.
public struct TransferLosses: Sendable, Equatable {
  /// Packets that were sent more than once, counted each time.
  public var retransmissions: Int64
  /// Payload that was dropped, or arrived in vain.
  public var lost: ByteCount
  public init(retransmissions: Int64, lost: ByteCount) {
    self.retransmissions = retransmissions
    self.lost = lost
  }
}

extension NetworkModel where Self: ~Copyable {
  public mutating func advance(until limit: SimTime) -> SimTime {
    let next = min(nextEventTime, limit)
    if next != .never { advance(to: next) }
    return next
  }
  public mutating func losses(of transfer: TransferID) -> TransferLosses? { nil }
  public mutating func portReport(of link: LinkID) -> PortReport? { nil }
  public mutating func postReceive(
    source: NodeID, destination: NodeID, tag: Int32, at now: SimTime
  ) {}
}

/// Notices that are due at the present instant.
struct Outbox: ~Copyable {
  private var notices: [Notice] = []
  // Working memory of ``drain(into:)``.
  private var starts: [Int32] = []
  private var sorted: [Notice] = []

  var isEmpty: Bool { notices.isEmpty }

  /// A notice for the source, or of a delivery for the destination.
  mutating func append(_ kind: Notice.Kind, of transfer: Transfer) {
    append(
      kind, of: transfer, at: kind == .delivered ? transfer.destination : transfer.source)
  }
  mutating func append(_ kind: Notice.Kind, of transfer: Transfer, at node: NodeID) {
    let isDelivery = node == transfer.destination
    notices.append(
      Notice(
        kind, transfer.id, group: transfer.group, tag: transfer.tag,
        node: isDelivery ? transfer.destination : transfer.source,
        peer: isDelivery ? transfer.source : transfer.destination))
  }
  mutating func remove(group: GroupID) { notices.removeAll { $0.group == group } }

  /// Moves everything to `target` in the order of ``Notice/precedes(_:_:)``.
  mutating func drain(into target: inout [Notice]) {
    if notices.isEmpty { return }
    var (low, high) = (notices[0].transfer.sequence, notices[0].transfer.sequence)
    var isSorted = true
    for index in 1..<notices.count {
      if Notice.precedes(notices[index], notices[index - 1]) { isSorted = false }
      low = min(low, notices[index].transfer.sequence)
      high = max(high, notices[index].transfer.sequence)
    }
    if !isSorted {
      if notices.count >= 16, (high - low) / 8 < Int64(notices.count) {
        // A step of a synchronous collective: neighbouring numbers, so counting beats comparing.
        countingSort(from: low, through: high)
      } else {
        notices.sort(by: Notice.precedes)
      }
    }
    if target.isEmpty {
      // The caller's memory comes back as the next instant's.
      swap(&target, &notices)
    } else {
      target.append(contentsOf: notices)
    }
    notices.removeAll(keepingCapacity: true)
  }

  private mutating func countingSort(from low: Int64, through high: Int64) {
    starts.removeAll(keepingCapacity: true)
    starts.append(contentsOf: repeatElement(0, count: Int(high - low) + 2))
    for notice in notices { starts[Int(notice.transfer.sequence - low) + 1] += 1 }
    for index in 1..<starts.count { starts[index] += starts[index - 1] }
    sorted.removeAll(keepingCapacity: true)
    sorted.append(contentsOf: notices)
    for notice in notices {
      let index = Int(notice.transfer.sequence - low)
      sorted[Int(starts[index])] = notice
      starts[index] += 1
    }
    // Notices of one transfer keep the order in which they were given; their kinds decide instead.
    for index in 1..<sorted.count where Notice.precedes(sorted[index], sorted[index - 1]) {
      var place = index
      while place > 0, Notice.precedes(sorted[place], sorted[place - 1]) {
        sorted.swapAt(place, place - 1)
        place -= 1
      }
    }
    swap(&sorted, &notices)
  }
}
