import SimKernel

/// The payloads of one running exchange: their sizes, and what combining them costs.
///
/// Sums keep the size of the larger operand, unless supports unite: then a sum has the mean size of
/// its contributions times their growth. A payload remembers how many contributions it holds, so that
/// a server can charge its reply when the last one came in.
struct ExchangeAlgebra: PayloadAlgebra {
  /// What a payload would take if it held one contribution.
  private var sizes: [Int64] = []
  private var contributions: [Int32] = []
  private let cost: CombiningCost
  private let unit: Int64
  private let expected: Int32

  init(cost: CombiningCost, unit: Int64, expected: Int) {
    self.cost = cost
    self.unit = max(1, unit)
    self.expected = Int32(expected)
  }

  mutating func payload(of size: ByteCount, contributions count: Int32 = 1) -> PayloadID {
    sizes.append(size.bytes)
    contributions.append(count)
    return PayloadID(sizes.count - 1)
  }
  /// Forgets every payload and keeps the memory.
  mutating func removeAll() {
    sizes.removeAll(keepingCapacity: true)
    contributions.removeAll(keepingCapacity: true)
  }

  mutating func slice(_ payload: PayloadID, part: Range<Int64>, of whole: Int64) -> PayloadID {
    self.payload(
      of: ByteCount(sizes[payload.index]).share(part, of: whole, unit: unit),
      contributions: contributions[payload.index])
  }
  mutating func combine(
    _ local: PayloadID, with incoming: PayloadID, at rank: RankID
  ) -> PayloadID {
    let (left, right) = (contributions[local.index], contributions[incoming.index])
    var size: ByteCount
    if cost.growth.isEmpty {
      size = ByteCount(max(sizes[local.index], sizes[incoming.index]))
    } else {
      // Neither product overflows: sizes stay below 2^40 and ranks below 2^23.
      let total =
        sizes[local.index] * Int64(left) + sizes[incoming.index] * Int64(right)
      size = ByteCount(total / Int64(left + right))
    }
    if left + right == expected, cost.replyScale != 1 { size = size.scaled(by: cost.replyScale) }
    return payload(of: size, contributions: left + right)
  }
  func size(of payload: PayloadID) -> ByteCount {
    let size = ByteCount(sizes[payload.index])
    if cost.growth.isEmpty { return size }
    let count = min(Int(contributions[payload.index]), cost.growth.count - 1)
    return size.scaled(by: cost.growth[count])
  }
  func combiningTime(
    of local: PayloadID, with incoming: PayloadID, at rank: RankID
  ) -> SimDuration {
    var time = cost.rate.map { $0.time(toSend: size(of: incoming)) } ?? .zero
    time += cost.perReduction
    // A rank that only collects gets the first contribution as it was sent, so that the second
    // arrival pays for both; a sum was decoded before.
    if contributions[local.index] == 1 { time += cost.perPayload }
    if contributions[incoming.index] == 1 { time += cost.perPayload }
    if contributions[local.index] + contributions[incoming.index] == expected {
      time += cost.onLast
    }
    return time
  }
}
