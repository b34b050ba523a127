import SimKernel

/// What every host computes, sends and receives, and what waits for what: a GOAL schedule.
///
/// GOAL (Hoefler, Siebert, Lumsdaine, ICPP 2009, doi:10.1109/ICPP.2009.70) describes each host as
/// operations with dependencies on the end (`requires`) or on the start (`irequires`) of others of
/// the same host. A receive matches the first message that fits, in posting order, by source and tag.
///
///     var builder = LogGPScheduleBuilder(hosts: 2)
///     builder.begin(host: 0)
///     builder.send(.bytes(8), to: 1, tag: 0)
///     builder.begin(host: 1)
///     builder.receive(.bytes(8), from: 0, tag: 0)
///     let outcome = try LogGP.run(builder.finish(), on: .uniform(.logGOPSim))
public struct LogGPSchedule: Sendable {
  /// Stands for any source, or any tag, of a receive.
  public static let any: Int32 = -1

  struct Operation: BitwiseCopyable, Sendable {
    /// Bytes, or the picoseconds of a calculation.
    var size: Int64
    var host: Int32
    var peer: Int32
    var tag: Int32
    /// Messages and receives of one (source, destination, tag) share a channel.
    var channel: Int32 = -1
    /// How many starts and ends of others it waits for.
    var dependencies: UInt32 = 0
    /// Where it was written; 0 if nowhere.
    var line: UInt32
    var kind: OperationKind
    var cpu: UInt8
    var nic: UInt8
  }

  /// One that waits for another.
  struct Dependent: BitwiseCopyable, Sendable {
    private var packed: UInt32
    init(_ operation: UInt32, onStart: Bool) { packed = operation << 1 | (onStart ? 1 : 0) }
    var operation: UInt32 { packed >> 1 }
    /// It waits for the start only.
    var onStart: Bool { packed & 1 != 0 }
  }

  /// The number of hosts.
  public let hostCount: Int
  /// CPUs and NICs of every host: the highest number used, plus one.
  public let cpuCount: Int
  public let nicCount: Int
  let operations: [Operation]
  /// The operations of each host.
  let ranges: [Range<Int>]
  /// Where the dependents of each operation begin.
  let firstDependent: [UInt32]
  let dependents: [Dependent]
  let channelCount: Int
  /// Hosts with a receive from any source or of any tag.
  let hasWildcards: [Bool]

  /// The number of operations.
  public var operationCount: Int { operations.count }
  /// The number of sends.
  public var messageCount: Int { operations.count { $0.kind == .send } }

  /// The dependents of an operation.
  @inline(__always)
  func dependentRange(_ operation: Int) -> Range<Int> {
    Int(firstDependent[operation])..<Int(firstDependent[operation + 1])
  }
}

/// Collects a ``LogGPSchedule``, host by host.
public struct LogGPScheduleBuilder: Sendable {
  private struct Dependency: BitwiseCopyable, Sendable {
    var later: UInt32
    var earlier: UInt32
    var onStart: Bool
  }
  private let hostCount: Int
  private var cpuCount = 1
  private var nicCount = 1
  private var host = -1
  private var operations: [LogGPSchedule.Operation] = []
  private var dependencies: [Dependency] = []
  private var ranges: [Range<Int>]
  private var hasWildcards: [Bool]

  /// A schedule in which nobody does anything yet.
  public init(hosts: Int) {
    precondition(hosts >= 1 && hosts < Int(Int32.max), "a schedule has hosts")
    hostCount = hosts
    ranges = [Range<Int>](repeating: 0..<0, count: hosts)
    hasWildcards = [Bool](repeating: false, count: hosts)
  }

  /// The most operations of a schedule.
  public static let operationLimit = Int(Int32.max)
  /// The longest calculation, 13 days.
  public static let longestCalculation = SimDuration.picoseconds(1 << 60)
  /// The largest message.
  public static let largestMessage = ByteCount(1 << 50)

  /// Goes on with `host`, once for every host that does something.
  public mutating func begin(host: Int) {
    precondition(ranges[host].isEmpty && host != self.host, "each host is described once")
    self.host = host
    ranges[host] = operations.count..<operations.count
  }

  /// Computes for `duration`.
  ///
  /// - Returns: the operation's number at its host, for ``require(_:after:onStart:)``.
  @discardableResult
  public mutating func calculate(_ duration: SimDuration, cpu: UInt8 = 0, line: Int = 0) -> Int {
    precondition(
      duration >= .zero && duration <= Self.longestCalculation, "0 to 13 days of calculation")
    return append(.calculation, duration.picoseconds, peer: -1, tag: 0, cpu, 0, line)
  }

  /// Sends `size` bytes.
  @discardableResult
  public mutating func send(
    _ size: ByteCount, to destination: Int, tag: Int32 = 0, cpu: UInt8 = 0, nic: UInt8 = 0,
    line: Int = 0
  ) -> Int {
    precondition(destination >= 0 && destination < hostCount, "a message goes to a host")
    precondition(size >= .zero && size <= Self.largestMessage, "a message of 0 to 2^50 bytes")
    return append(.send, size.bytes, peer: Int32(destination), tag: tag, cpu, nic, line)
  }

  /// Receives a message of `source`, or of anybody if that is nil, with `tag`, or with any if that
  /// is nil.
  @discardableResult
  public mutating func receive(
    _ size: ByteCount, from source: Int?, tag: Int32? = 0, cpu: UInt8 = 0, nic: UInt8 = 0,
    line: Int = 0
  ) -> Int {
    precondition(source.map { $0 >= 0 && $0 < hostCount } ?? true, "a message comes from a host")
    if source == nil || tag == nil { hasWildcards[host] = true }
    return append(
      .receive, size.bytes, peer: source.map { Int32($0) } ?? LogGPSchedule.any,
      tag: tag ?? LogGPSchedule.any, cpu, nic, line)
  }

  private mutating func append(
    _ kind: OperationKind, _ size: Int64, peer: Int32, tag: Int32, _ cpu: UInt8, _ nic: UInt8,
    _ line: Int
  ) -> Int {
    precondition(host >= 0, "an operation belongs to a host")
    precondition(operations.count < Self.operationLimit, "fewer than 2^31 operations")
    cpuCount = max(cpuCount, Int(cpu) + 1)
    nicCount = max(nicCount, Int(nic) + 1)
    operations.append(
      LogGPSchedule.Operation(
        size: size, host: Int32(host), peer: peer, tag: tag,
        line: UInt32(truncatingIfNeeded: line), kind: kind, cpu: cpu, nic: nic))
    ranges[host] = ranges[host].lowerBound..<operations.count
    return operations.count - 1 - ranges[host].lowerBound
  }

  /// Lets `later` wait for the end of `earlier`, or for its start only; both are numbers at this
  /// host.
  public mutating func require(_ later: Int, after earlier: Int, onStart: Bool = false) {
    let range = ranges[host]
    precondition(
      later >= 0 && later < range.count && earlier >= 0 && earlier < range.count,
      "both are operations of this host")
    let first = range.lowerBound
    dependencies.append(
      Dependency(
        later: UInt32(first + later), earlier: UInt32(first + earlier), onStart: onStart))
    operations[first + later].dependencies += 1
  }

  /// The schedule.
  ///
  /// - Complexity: O(n log n) for n operations.
  public consuming func finish() -> LogGPSchedule {
    let channelCount = numberChannels()
    var first = [UInt32](repeating: 0, count: operations.count + 1)
    for dependency in dependencies { first[Int(dependency.earlier) + 1] += 1 }
    for index in 1..<first.count { first[index] += first[index - 1] }
    // Dependents of one operation stay in the order in which they were written.
    var place = first
    var dependents = [LogGPSchedule.Dependent](
      repeating: LogGPSchedule.Dependent(0, onStart: false), count: dependencies.count)
    for dependency in dependencies {
      let index = Int(place[Int(dependency.earlier)])
      place[Int(dependency.earlier)] += 1
      dependents[index] = LogGPSchedule.Dependent(dependency.later, onStart: dependency.onStart)
    }
    return LogGPSchedule(
      hostCount: hostCount, cpuCount: cpuCount, nicCount: nicCount, operations: operations,
      ranges: ranges, firstDependent: first, dependents: dependents, channelCount: channelCount,
      hasWildcards: hasWildcards)
  }

  /// Gives all messages and receives of one (source, destination, tag) the same small number, so
  /// that matching needs no table.
  private mutating func numberChannels() -> Int {
    struct Key: BitwiseCopyable, Comparable {
      var pair: UInt64
      var rest: UInt64
      static func < (a: Key, b: Key) -> Bool {
        a.pair != b.pair ? a.pair < b.pair : a.rest < b.rest
      }
    }
    var keys: [Key] = []
    for (index, operation) in operations.enumerated() where operation.kind != .calculation {
      let isSend = operation.kind == .send
      let destination = isSend ? operation.peer : operation.host
      if hasWildcards[Int(destination)] { continue }
      let source = isSend ? operation.host : operation.peer
      keys.append(
        Key(
          pair: UInt64(UInt32(bitPattern: destination)) << 32 | UInt64(UInt32(bitPattern: source)),
          rest: UInt64(UInt32(bitPattern: operation.tag)) << 32 | UInt64(UInt32(index))))
    }
    keys.sort()
    var count: Int32 = 0
    for (index, key) in keys.enumerated() {
      let previous = index > 0 ? keys[index - 1] : key
      if index == 0 || key.pair != previous.pair || key.rest >> 32 != previous.rest >> 32 {
        count += 1
      }
      operations[Int(UInt32(truncatingIfNeeded: key.rest))].channel = count - 1
    }
    return Int(count)
  }
}
