import SimKernel

/// A communication pattern whose operations are computed from indices.
///
/// The patterns are those of LogGOPSim's schedgen: in every one all receives are posted at the
/// start, and tags are 0. Rank 0 is the root. Where a send carries what earlier rounds brought it
/// waits for all of them, and not for the last alone; that matters only if hosts differ.
public struct LogGPPattern: Sendable, Equatable {
  public enum Kind: String, CaseIterable, Sendable {
    /// Ring all-reduce: 2(n-1) rounds of ⌊bytes / n⌋ to the next rank.
    case ring
    /// All-reduce by halving and doubling; n must be a power of two.
    case halvingDoubling = "halving_doubling"
    /// All-reduce that exchanges everything with rank r xor 2^k; n must be a power of two.
    case recursiveDoubling = "recursive_doubling"
    /// Round k sends everything to rank r + 2^k: a barrier, or an all-gather of one item.
    case dissemination
    /// Binomial tree from rank 0.
    case binomialBroadcast = "binomial_broadcast"
    /// Binomial tree to rank 0.
    case binomialReduce = "binomial_reduce"
    /// Everybody sends to everybody else, first to the next rank.
    case allToAll = "all_to_all"
    /// Everybody sends to rank 0.
    case gather
    /// Rank 0 sends to everybody.
    case scatter
    /// Segments from rank to rank down a chain.
    case pipelinedChain = "pipelined_chain"

    /// One line for lists.
    public var summary: String {
      switch self {
      case .ring: "ring all-reduce, 2(n-1) rounds of bytes/n"
      case .halvingDoubling: "all-reduce by recursive halving and doubling"
      case .recursiveDoubling: "all-reduce by recursive doubling of whole payloads"
      case .dissemination: "rounds to rank + 1, 2, 4, ... of whole payloads"
      case .binomialBroadcast: "binomial tree from rank 0"
      case .binomialReduce: "binomial tree to rank 0"
      case .allToAll: "everybody sends to everybody else"
      case .gather: "everybody sends to rank 0"
      case .scatter: "rank 0 sends to everybody"
      case .pipelinedChain: "segments from rank to rank down a chain"
      }
    }
  }

  public let kind: Kind
  public let ranks: Int
  /// The payload of a rank; of ``Kind/gather``, ``Kind/scatter`` and ``Kind/allToAll``, one message.
  public let bytes: ByteCount
  /// The message size of a ``Kind/pipelinedChain``.
  public let segment: ByteCount
  /// ⌈log2 n⌉.
  let log: Int
  /// Messages a rank sends at most.
  let rounds: Int

  /// A pattern among `ranks` ranks; nil if `kind` needs another number of them.
  public init?(_ kind: Kind, ranks: Int, bytes: ByteCount, segment: ByteCount = .bytes(1)) {
    precondition(bytes >= .zero && bytes <= LogGPScheduleBuilder.largestMessage, "0 to 2^50 bytes")
    precondition(segment > .zero, "a segment has bytes")
    guard ranks >= 1, ranks < 1 << 30 else { return nil }
    let needsPower = kind == .halvingDoubling || kind == .recursiveDoubling
    if needsPower, ranks & (ranks - 1) != 0 { return nil }
    self.kind = kind
    self.ranks = ranks
    self.bytes = bytes
    self.segment = segment
    log = ranks == 1 ? 0 : Int.bitWidth - (ranks - 1).leadingZeroBitCount
    switch kind {
    case .ring: rounds = 2 * (ranks - 1)
    case .halvingDoubling: rounds = 2 * log
    case .recursiveDoubling, .dissemination, .binomialBroadcast, .binomialReduce: rounds = log
    case .allToAll, .gather, .scatter: rounds = ranks
    case .pipelinedChain:
      let count = (bytes.bytes + segment.bytes - 1) / segment.bytes
      guard count < 1 << 31 else { return nil }
      rounds = Int(count)
    }
  }

  // A message is numbered so that sender and receiver each know the other from the number.

  /// Where message `id` of `rank` goes, and its size.
  @inline(__always)
  func send(_ id: Int, at rank: Int) -> SendFacts {
    switch kind {
    case .ring:
      SendFacts(
        destination: rank + 1 == ranks ? 0 : rank + 1, size: bytes.bytes / Int64(ranks))
    case .halvingDoubling: SendFacts(destination: rank ^ mask(id), size: halved(id))
    case .recursiveDoubling: SendFacts(destination: rank ^ 1 &<< id, size: bytes.bytes)
    case .dissemination:
      SendFacts(destination: wrapped(rank + 1 &<< id), size: bytes.bytes)
    case .binomialBroadcast: SendFacts(destination: rank + 1 &<< id, size: bytes.bytes)
    case .binomialReduce: SendFacts(destination: rank - 1 &<< id, size: bytes.bytes)
    case .allToAll: SendFacts(destination: wrapped(rank + id), size: bytes.bytes)
    case .gather: SendFacts(destination: 0, size: bytes.bytes)
    case .scatter: SendFacts(destination: id, size: bytes.bytes)
    case .pipelinedChain: SendFacts(destination: rank + 1, size: segmentSize(id))
    }
  }

  /// Where message `id` at `rank` comes from, and its size.
  @inline(__always)
  func message(_ id: Int, at rank: Int) -> MessageFacts {
    switch kind {
    case .ring:
      MessageFacts(source: rank == 0 ? ranks - 1 : rank - 1, size: bytes.bytes / Int64(ranks))
    case .halvingDoubling: MessageFacts(source: rank ^ mask(id), size: halved(id))
    case .recursiveDoubling: MessageFacts(source: rank ^ 1 &<< id, size: bytes.bytes)
    case .dissemination:
      MessageFacts(source: wrapped(rank + ranks - 1 &<< id), size: bytes.bytes)
    case .binomialBroadcast: MessageFacts(source: rank - 1 &<< id, size: bytes.bytes)
    case .binomialReduce: MessageFacts(source: rank + 1 &<< id, size: bytes.bytes)
    case .allToAll: MessageFacts(source: wrapped(rank + ranks - id), size: bytes.bytes)
    case .gather: MessageFacts(source: id, size: bytes.bytes)
    case .scatter: MessageFacts(source: 0, size: bytes.bytes)
    case .pipelinedChain: MessageFacts(source: rank - 1, size: segmentSize(id))
    }
  }

  /// The messages that `rank` receives, by number.
  func receives(_ rank: Int) -> Range<Int> {
    switch kind {
    case .ring, .halvingDoubling, .recursiveDoubling, .dissemination: 0..<rounds
    case .binomialBroadcast: rank == 0 ? 0..<0 : level(rank)..<level(rank) + 1
    case .binomialReduce: children(rank)
    case .allToAll: 1..<ranks
    case .gather: rank == 0 ? 1..<ranks : 0..<0
    case .scatter: rank == 0 ? 0..<0 : rank..<rank + 1
    case .pipelinedChain: rank == 0 ? 0..<0 : 0..<rounds
    }
  }

  /// The messages that `rank` sends, by number.
  func sends(_ rank: Int) -> Range<Int> {
    switch kind {
    case .ring, .halvingDoubling, .recursiveDoubling, .dissemination: 0..<rounds
    case .binomialBroadcast: children(rank)
    case .binomialReduce: rank == 0 ? 0..<0 : level(rank)..<level(rank) + 1
    case .allToAll: 1..<ranks
    case .gather: rank == 0 ? 0..<0 : rank..<rank + 1
    case .scatter: rank == 0 ? 1..<ranks : 0..<0
    case .pipelinedChain: rank + 1 == ranks ? 0..<0 : 0..<rounds
    }
  }

  /// Whether a send waits for all earlier rounds: its rank has sent in each of them, and received.
  ///
  /// Rounds have different partners, so they may come in any order where hosts differ.
  var isChained: Bool {
    kind == .halvingDoubling || kind == .recursiveDoubling || kind == .dissemination
  }
  /// Whether a send waits for all receives of its rank.
  var waitsForAll: Bool { kind == .binomialReduce }

  /// The sends of `rank` that wait for nothing.
  func initialSends(_ rank: Int) -> Range<Int> {
    let all = sends(rank)
    switch kind {
    case .ring, .halvingDoubling, .recursiveDoubling, .dissemination: return all.prefix(1)
    case .binomialBroadcast, .pipelinedChain: return rank == 0 ? all : 0..<0
    case .binomialReduce: return children(rank).isEmpty ? all : 0..<0
    case .allToAll, .gather, .scatter: return all
    }
  }

  /// The sends of `rank` that wait for receive `id`, and in a chain for the start of the send before.
  @inline(__always)
  func sendsReleased(by id: Int, at rank: Int) -> Range<Int> {
    switch kind {
    case .ring, .halvingDoubling, .recursiveDoubling, .dissemination:
      id + 1 < rounds ? id + 1..<id + 2 : 0..<0
    case .binomialBroadcast: children(rank)
    case .pipelinedChain: rank + 1 == ranks ? 0..<0 : id..<id + 1
    case .binomialReduce, .allToAll, .gather, .scatter: 0..<0
    }
  }

  // MARK: - Numbers

  @inline(__always)
  private func wrapped(_ rank: Int) -> Int { rank >= ranks ? rank - ranks : rank }
  @inline(__always)
  private func mask(_ round: Int) -> Int {
    1 &<< (round < log ? round : 2 &* log &- 1 &- round)
  }
  /// Halves are rounded down, and doubled again.
  @inline(__always)
  private func halved(_ round: Int) -> Int64 {
    round < log
      ? bytes.bytes &>> Int64(round + 1) : (bytes.bytes &>> Int64(log)) &<< Int64(round - log)
  }
  @inline(__always)
  private func segmentSize(_ id: Int) -> Int64 {
    min(segment.bytes, bytes.bytes - Int64(id) * segment.bytes)
  }
  /// ⌊log2 rank⌋, for a rank above 0.
  @inline(__always)
  private func level(_ rank: Int) -> Int { Int.bitWidth - 1 - rank.leadingZeroBitCount }
  /// The levels of the children of `rank` in the binomial tree: rank + 2^level.
  @inline(__always)
  private func children(_ rank: Int) -> Range<Int> {
    let first = rank == 0 ? 0 : level(rank) + 1
    var end = first
    while rank + 1 &<< end < ranks { end += 1 }
    return first..<end
  }
}

extension LogGPPattern {
  /// What one rank does.
  public struct RankOperations: Sendable {
    /// A message of the rank: the other end, the size, and the sends that wait for it.
    public struct Message: Sendable {
      public var peer: Int
      public var size: ByteCount
      /// Positions in ``RankOperations/sends``; empty for a send.
      public var releases: Range<Int>
    }
    public var rank: Int
    /// Whether each send waits for the start of the one before.
    public var isChained: Bool
    public var sends: [Message]
    public var receives: [Message]
  }

  /// The operations of every rank, one after the other.
  public func operations() -> some Sequence<RankOperations> {
    (0..<ranks).lazy.map { rank in
      let sends = sends(rank)
      return RankOperations(
        rank: rank, isChained: isChained,
        sends: sends.map { id in
          let facts = send(id, at: rank)
          return RankOperations.Message(
            peer: facts.destination, size: .bytes(facts.size), releases: 0..<0)
        },
        receives: receives(rank).map { id in
          let facts = message(id, at: rank)
          let released = waitsForAll ? sends : sendsReleased(by: id, at: rank)
          let first = released.isEmpty ? 0 : released.lowerBound - sends.lowerBound
          return RankOperations.Message(
            peer: facts.source, size: .bytes(facts.size),
            releases: first..<first + released.count)
        })
    }
  }

  /// The same with every operation stored.
  ///
  /// - Complexity: O(messages) time and memory.
  public func schedule() -> LogGPSchedule {
    var builder = LogGPScheduleBuilder(hosts: ranks)
    for operations in operations() {
      builder.begin(host: operations.rank)
      let sends = operations.sends.map { builder.send($0.size, to: $0.peer) }
      if operations.isChained {
        for (earlier, later) in zip(sends, sends.dropFirst()) {
          builder.require(later, after: earlier, onStart: true)
        }
      }
      for receive in operations.receives {
        let operation = builder.receive(receive.size, from: receive.peer)
        for send in receive.releases { builder.require(sends[send], after: operation) }
      }
    }
    return builder.finish()
  }
}

/// Carries out a ``LogGPPattern``: a few numbers a rank are all its state.
struct PatternProgram: LogGPProgram, ~Copyable {
  private let pattern: LogGPPattern
  /// Rounds of a chain that a rank has received, bit by bit, and how many it has sent.
  private struct Chain: BitwiseCopyable {
    var received: UInt64 = 0
    var sent: UInt32 = 0
  }
  private var chains: FlatBuffer<Chain>
  /// Receives of each rank that are not over, where sends wait for all of them.
  private var open: FlatBuffer<Int32>
  private var unfinished: Int

  init(_ pattern: LogGPPattern) {
    self.pattern = pattern
    // Fewer than 64 rounds: there are fewer than 2^30 ranks.
    chains = FlatBuffer(repeating: Chain(), count: pattern.isChained ? pattern.ranks : 0)
    open = FlatBuffer(repeating: 0, count: pattern.waitsForAll ? pattern.ranks : 0)
    unfinished = 0
    for rank in 0..<pattern.ranks {
      let receives = pattern.receives(rank).count
      if pattern.waitsForAll { open[rank] = Int32(receives) }
      unfinished += receives + pattern.sends(rank).count
    }
  }

  var hostCount: Int { pattern.ranks }
  var cpuCount: Int { 1 }
  var nicCount: Int { 1 }

  mutating func begin(_ host: Int, _ ready: inout FlatBuffer<ReadyOperation>) {
    release(pattern.initialSends(host), 0, &ready)
  }
  @inline(__always)
  func send(_ operation: UInt32, at host: Int) -> SendFacts {
    pattern.send(Int(operation), at: host)
  }
  @inline(__always)
  func message(_ operation: UInt32, at host: Int) -> MessageFacts {
    pattern.message(Int(operation), at: host)
  }
  func calculation(_ operation: UInt32, at host: Int) -> CalculationFacts {
    preconditionFailure("patterns only send and receive")
  }
  func receiveCPU(_ operation: UInt32, at host: Int) -> Int { 0 }

  @inline(__always)
  mutating func started(
    _ operation: UInt32, at host: Int, time: Int64, _ ready: inout FlatBuffer<ReadyOperation>
  ) {
    if !pattern.isChained { return }
    chains[host].sent = operation &+ 1
    if chains[host].received &>> UInt64(operation) & 1 != 0 {
      release(pattern.sendsReleased(by: Int(operation), at: host), time, &ready)
    }
  }

  /// Messages of one pair never overtake one another - one NIC a host - and their receives are
  /// posted in the same order from the start, so a message and its receive have the same number.
  @inline(__always)
  mutating func arrive(_ message: UInt32, at host: Int, time: Int64) -> UInt32? {
    message | Self.receiveMark
  }
  mutating func post(_ receive: UInt32, at host: Int) -> (message: UInt32, time: Int64)? { nil }

  /// Tells the end of a receive from the end of a send.
  private static var receiveMark: UInt32 { 1 << 31 }

  @inline(__always)
  mutating func finished(
    _ operation: UInt32, at host: Int, time: Int64, _ ready: inout FlatBuffer<ReadyOperation>
  ) {
    unfinished &-= 1
    if operation & Self.receiveMark == 0 { return }
    if pattern.waitsForAll {
      open[host] -= 1
      if open[host] == 0 { release(pattern.sends(host), time, &ready) }
      return
    }
    let id = Int(operation & ~Self.receiveMark)
    if pattern.isChained {
      chains[host].received |= 1 &<< UInt64(id)
      if chains[host].sent != id + 1 { return }
    }
    release(pattern.sendsReleased(by: id, at: host), time, &ready)
  }

  @inline(__always)
  private func release(
    _ sends: Range<Int>, _ time: Int64, _ ready: inout FlatBuffer<ReadyOperation>
  ) {
    for id in sends {
      ready.append(
        ReadyOperation(
          operation: UInt32(truncatingIfNeeded: id), kind: .send, time: time))
    }
  }

  var isComplete: Bool { unfinished == 0 }
  func waitingReport() -> [String] { ["\(unfinished) operations of \(pattern.kind.rawValue)"] }
}
