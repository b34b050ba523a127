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

  /// The sum of `count` such accounts, saturating.
  public static func * (account: IterationAccount, count: Int) -> IterationAccount {
    var product = IterationAccount()
    product.compute = account.compute * count
    product.encode = account.encode * count
    product.communication = account.communication * count
    product.decode = account.decode * count
    product.stragglers = account.stragglers * count
    product.optimizer = account.optimizer * count
    return product
  }

  /// The mean of `count` accounts whose sum this is; see ``IterationSum/mean(of:)``.
  public func mean(of count: Int) -> IterationAccount {
    var sum = IterationSum()
    sum += self
    return sum.mean(of: count)
  }
}

/// A sum of many accounts, exact: that of a thousand slow workers exceeds the 106 days that one
/// duration can last.
public struct IterationSum: Sendable, Equatable, BitwiseCopyable {
  private var compute: Int128 = 0
  private var encode: Int128 = 0
  private var communication: Int128 = 0
  private var decode: Int128 = 0
  private var stragglers: Int128 = 0
  private var optimizer: Int128 = 0

  /// The sum of no accounts.
  public init() {}

  public static func += (sum: inout IterationSum, account: IterationAccount) {
    sum.add(account, times: 1)
  }
  /// Adds `account` `count` times.
  public mutating func add(_ account: IterationAccount, times count: Int) {
    let n = Int128(count)
    compute += n * Int128(account.compute.picoseconds)
    encode += n * Int128(account.encode.picoseconds)
    communication += n * Int128(account.communication.picoseconds)
    decode += n * Int128(account.decode.picoseconds)
    stragglers += n * Int128(account.stragglers.picoseconds)
    optimizer += n * Int128(account.optimizer.picoseconds)
  }

  public static func += (sum: inout IterationSum, other: IterationSum) {
    sum.compute += other.compute
    sum.encode += other.encode
    sum.communication += other.communication
    sum.decode += other.decode
    sum.stragglers += other.stragglers
    sum.optimizer += other.optimizer
  }

  /// The mean of `count` accounts whose sum this is, in whole picoseconds: parts are rounded down and
  /// the largest remainders get the missing picoseconds (Hamilton's method), so that the parts still
  /// add up to the total, which is rounded down once.
  public func mean(of count: Int) -> IterationAccount {
    precondition(count > 0, "a mean needs at least one account")
    let n = Int128(count)
    let sums = [compute, encode, communication, decode, stragglers, optimizer]
    var floors = sums.map { $0 / n }
    let missing = sums.reduce(0, +) / n - floors.reduce(0, +)
    let order = sums.indices.sorted { (sums[$0] % n, $1) > (sums[$1] % n, $0) }
    for index in order.prefix(Int(missing)) { floors[index] += 1 }
    func part(_ index: Int) -> SimDuration { .picoseconds(Int64(clamping: floors[index])) }
    var result = IterationAccount()
    result.compute = part(0)
    result.encode = part(1)
    result.communication = part(2)
    result.decode = part(3)
    result.stragglers = part(4)
    result.optimizer = part(5)
    return result
  }
}
