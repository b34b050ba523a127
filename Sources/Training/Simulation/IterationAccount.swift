import SimKernel

/// Where the time of one worker's iteration went, along its critical path: the parts add up to the
/// iteration exactly, in picoseconds.
public struct IterationAccount: Sendable, Equatable, BitwiseCopyable {
  /// Forward and backward, at the speed they had alone.
  public var compute: SimDuration = .zero
  /// Encoding nothing else hid, and compute time lost to encoding beside it.
  public var encode: SimDuration = .zero
  /// Waiting for exchanges whose participants were all there.
  public var communication: SimDuration = .zero
  /// Decoding nothing else hid, and compute time lost to decoding beside it.
  public var decode: SimDuration = .zero
  /// Waiting for slower workers.
  public var stragglers: SimDuration = .zero
  /// The parameter update.
  public var optimizer: SimDuration = .zero

  public init() {}

  /// The length of the iteration.
  public var total: SimDuration {
    compute + encode + communication + decode + stragglers + optimizer
  }

  /// The parts in the order of the columns.
  public var parts: [SimDuration] {
    [compute, encode, communication, decode, stragglers, optimizer]
  }

  public static func += (a: inout IterationAccount, b: IterationAccount) {
    a.compute += b.compute
    a.encode += b.encode
    a.communication += b.communication
    a.decode += b.decode
    a.stragglers += b.stragglers
    a.optimizer += b.optimizer
  }

  /// The mean of `count` accounts whose sum this is, in whole picoseconds: parts are rounded down and
  /// the largest remainders get the missing picoseconds (Hamilton's method), so that the parts still
  /// add up to the total, which is rounded down once.
  public func mean(of count: Int) -> IterationAccount {
    precondition(count > 0, "a mean needs at least one account")
    let n = Int64(count)
    let sums = parts.map(\.picoseconds)
    var floors = sums.map { $0 / n }
    let missing = sums.reduce(0, +) / n - floors.reduce(0, +)
    let order = sums.indices.sorted { (sums[$0] % n, $1) > (sums[$1] % n, $0) }
    for index in order.prefix(Int(missing)) { floors[index] += 1 }
    var result = IterationAccount()
    result.compute = .picoseconds(floors[0])
    result.encode = .picoseconds(floors[1])
    result.communication = .picoseconds(floors[2])
    result.decode = .picoseconds(floors[3])
    result.stragglers = .picoseconds(floors[4])
    result.optimizer = .picoseconds(floors[5])
    return result
  }
}
