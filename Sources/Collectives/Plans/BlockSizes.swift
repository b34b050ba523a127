import SimKernel

/// What every rank has for every other: the sizes of an all-to-all with unequal blocks.
///
///     let blocks = BlockSizes(rankCount: 2, sizes: [.bytes(1), .bytes(2), .bytes(0), .bytes(4)])
///     blocks.size(from: 0, to: 1)  // 2 bytes
///
/// Rank r's payload is its blocks for rank 0, 1, ... one after the other.
public struct BlockSizes: Hashable, Sendable {
  public let rankCount: Int
  /// Row r holds the bytes of rank r's payload before each block, and all of them at the end.
  private let before: [Int64]

  /// Blocks of `sizes`, source by source: the one from s to d is `sizes[s * rankCount + d]`.
  ///
  /// - Precondition: there is one size for every pair, none is negative, and a rank's sum fits.
  public init(rankCount: Int, sizes: [ByteCount]) {
    precondition(
      rankCount > 0 && sizes.count == rankCount * rankCount, "one size for every pair of ranks")
    self.rankCount = rankCount
    var before: [Int64] = []
    before.reserveCapacity(rankCount * (rankCount + 1))
    for source in 0..<rankCount {
      var sum: Int64 = 0
      before.append(0)
      for size in sizes[source * rankCount..<(source + 1) * rankCount] {
        precondition(size.bytes >= 0, "a block has a size")
        sum += size.bytes
        before.append(sum)
      }
    }
    self.before = before
  }

  /// The size of the block from `source` to `destination`.
  public func size(from source: Int, to destination: Int) -> ByteCount {
    let bounds = bounds(from: source, to: destination)
    return ByteCount(bounds.upperBound - bounds.lowerBound)
  }
  /// The size of the payload of `source`: all its blocks.
  public func payload(of source: Int) -> ByteCount {
    ByteCount(before[source * (rankCount + 1) + rankCount])
  }
  /// Where the block for `destination` lies in the payload of `source`.
  func bounds(from source: Int, to destination: Int) -> Range<Int64> {
    let place = source * (rankCount + 1) + destination
    return before[place]..<before[place + 1]
  }
  /// The same proportions, cut between bytes, with `size` for the largest payload of a rank.
  public func scaled(largest size: ByteCount) -> BlockSizes {
    let most = (0..<rankCount).map { payload(of: $0).bytes }.max() ?? 0
    if most == 0 { return self }
    return BlockSizes(
      rankCount: rankCount,
      sizes: (0..<rankCount).flatMap { source in
        (0..<rankCount).map { size.share(bounds(from: source, to: $0), of: most) }
      })
  }
  /// All sizes, source by source.
  public var sizes: [ByteCount] {
    (0..<rankCount).flatMap { source in
      (0..<rankCount).map { size(from: source, to: $0) }
    }
  }
}
