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
  /// Moves all notices due at the present to the end of `notices`, ordered by ``TransferID``.
  mutating func drain(into notices: inout [Notice])
  /// What `link` has carried until the present.
  ///
  /// Mutating like ``waiting``, although no model changes anything: Swift 6.3 takes a call of a
  /// nonmutating member of `any NetworkModel & ~Copyable` for consuming it.
  mutating func usage(of link: LinkID) -> LinkUsage
  /// The transfers that will never finish unless a link changes, by ``TransferID``, as of the last
  /// ``nextEventTime``.
  var waiting: [WaitingTransfer] { mutating get }
}

extension NetworkModel where Self: ~Copyable {
  public mutating func postReceive(
    source: NodeID, destination: NodeID, tag: Int32, at now: SimTime
  ) {}
}

/// Notices that are due at the present instant.
struct Outbox: ~Copyable {
  private var notices: [Notice] = []

  var isEmpty: Bool { notices.isEmpty }

  mutating func append(_ kind: Notice.Kind, of transfer: Transfer) {
    let node = kind == .delivered ? transfer.destination : transfer.source
    notices.append(Notice(kind, transfer.id, group: transfer.group, tag: transfer.tag, node: node))
  }
  mutating func remove(group: GroupID) { notices.removeAll { $0.group == group } }

  /// Moves everything to `target` in the order of ``Notice/precedes(_:_:)``.
  mutating func drain(into target: inout [Notice]) {
    if notices.isEmpty { return }
    var (low, high) = (notices[0].transfer.sequence, notices[0].transfer.sequence)
    var sorted = true
    for index in 1..<notices.count {
      if Notice.precedes(notices[index], notices[index - 1]) { sorted = false }
      low = min(low, notices[index].transfer.sequence)
      high = max(high, notices[index].transfer.sequence)
    }
    if sorted {
      target.append(contentsOf: notices)
    } else if notices.count >= 16, (high - low) / 8 < Int64(notices.count) {
      // A step of a synchronous collective: neighbouring numbers, so counting beats comparing.
      target.append(contentsOf: countingSorted(from: low, through: high))
    } else {
      notices.sort(by: Notice.precedes)
      target.append(contentsOf: notices)
    }
    notices.removeAll(keepingCapacity: true)
  }

  private func countingSorted(from low: Int64, through high: Int64) -> [Notice] {
    var starts = [Int32](repeating: 0, count: Int(high - low) + 2)
    for notice in notices { starts[Int(notice.transfer.sequence - low) + 1] += 1 }
    for index in 1..<starts.count { starts[index] += starts[index - 1] }
    var result = notices
    for notice in notices {
      let index = Int(notice.transfer.sequence - low)
      result[Int(starts[index])] = notice
      starts[index] += 1
    }
    // Notices of one transfer keep the order in which they were given; their kinds decide instead.
    for index in 1..<result.count where Notice.precedes(result[index], result[index - 1]) {
      var place = index
      while place > 0, Notice.precedes(result[place], result[place - 1]) {
        result.swapAt(place, place - 1)
        place -= 1
      }
    }
    return result
  }
}
