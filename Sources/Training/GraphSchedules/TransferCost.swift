import SimKernel

/// What one message costs as a function of its size: T(M) = a + b M.
public struct TransferCost: Sendable, Equatable {
  /// a: what every message costs.
  public var startup: SimDuration
  /// b, in picoseconds a byte.
  public var picosecondsPerByte: Double

  /// - Precondition: both are finite and not negative.
  public init(startup: SimDuration, picosecondsPerByte: Double) {
    precondition(
      startup >= .zero && picosecondsPerByte >= 0 && picosecondsPerByte.isFinite,
      "a message takes a finite time")
    self.startup = startup
    self.picosecondsPerByte = picosecondsPerByte
  }

  /// The time of a message of `size`, rounded up to a picosecond.
  public func time(_ size: ByteCount) -> SimDuration {
    startup + .roundingUp(picoseconds: Double(size.bytes) * picosecondsPerByte)
  }

  /// An all-reduce over `workers` in messages that take `latency` each and `picosecondsPerByte`, each
  /// byte being added in `additionPerByte` picoseconds (Shi et al., arXiv:1912.09268, table 2).
  ///
  /// - Precondition: `workers` is positive; logarithms are rounded up to whole steps.
  public static func allReduce(
    _ algorithm: AllReduce, workers: Int, latency: SimDuration, picosecondsPerByte beta: Double,
    additionPerByte gamma: Double = 0
  ) -> TransferCost {
    precondition(workers > 0, "there is a worker")
    let n = Double(workers)
    var steps = 0
    while 1 << steps < workers { steps += 1 }
    let log = Double(steps)
    switch algorithm {
    case .ring:
      return TransferCost(
        startup: latency * (2 * (workers - 1)),
        picosecondsPerByte: 2 * (n - 1) / n * beta + (n - 1) / n * gamma)
    case .recursiveDoubling:
      return TransferCost(
        startup: latency * steps, picosecondsPerByte: (beta + gamma) * log)
    case .halvingDoubling:
      return TransferCost(
        startup: latency * (2 * steps),
        picosecondsPerByte: workers == 1 ? 0 : 2 * beta - (2 * beta + gamma) / n + gamma)
    case .binaryTree:
      return TransferCost(
        startup: latency * (2 * steps), picosecondsPerByte: (2 * beta + gamma) * log)
    case .doubleBinaryTree:
      return TransferCost(
        startup: latency * (2 * steps), picosecondsPerByte: workers == 1 ? 0 : beta + gamma)
    }
  }

  /// The algorithms of ``allReduce(_:workers:latency:picosecondsPerByte:additionPerByte:)``.
  public enum AllReduce: String, CaseIterable, Sendable {
    case ring
    case recursiveDoubling = "recursive_doubling"
    case halvingDoubling = "halving_doubling"
    case binaryTree = "binary_tree"
    case doubleBinaryTree = "double_binary_tree"
  }
}
