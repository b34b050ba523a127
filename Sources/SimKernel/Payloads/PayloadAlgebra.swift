/// What a collective needs to know about the things it moves, and nothing about how they are made.
///
/// Collectives name payloads by ``PayloadID``; the algebra slices and combines them and answers
/// their size. A size is asked when its transfer starts, so supports may grow, ranges widen and
/// servers re-encode without the collective knowing a codec. Training implements it over real
/// encoded gradients; ``ByteAlgebra`` implements it over bare byte counts.
public protocol PayloadAlgebra {
  /// The share `part` of `payload` when its elements are numbered 0..<`whole`.
  ///
  /// Equal cuts use small numbers (part 2..<3 of 16), tensors their element offsets. The shares of
  /// any cut of 0..<`whole` add up to the payload.
  mutating func slice(_ payload: PayloadID, part: Range<Int64>, of whole: Int64) -> PayloadID

  /// The payload `rank` holds after `incoming` was reduced into its own `local`.
  mutating func combine(_ local: PayloadID, with incoming: PayloadID, at rank: RankID) -> PayloadID

  /// What travels when `payload` is sent.
  func size(of payload: PayloadID) -> ByteCount

  /// The time `rank` spends on reducing `incoming` into `local` before the result may be used.
  func combiningTime(of local: PayloadID, with incoming: PayloadID, at rank: RankID) -> SimDuration
}

/// The plainest payload algebra: sizes only, sums keep the size of the larger operand.
///
/// It models dense all-reduce and gathers of given sizes; a sum costs `size / reductionRate`.
public struct ByteAlgebra: PayloadAlgebra, Sendable {
  private var sizes: [ByteCount] = []
  /// Bytes are cut between multiples of this, the size of one gradient element.
  public let unit: Int64
  /// How fast a rank sums two payloads; nil costs nothing.
  public let reductionRate: Bandwidth?

  /// An algebra without payloads.
  public init(unit: Int64 = 1, reductionRate: Bandwidth? = nil) {
    precondition(unit > 0, "the unit of a cut is at least one byte")
    self.unit = unit
    self.reductionRate = reductionRate
  }

  /// A payload of `size` bytes.
  public mutating func payload(of size: ByteCount) -> PayloadID {
    sizes.append(size)
    return PayloadID(sizes.count - 1)
  }
  public mutating func slice(
    _ payload: PayloadID, part: Range<Int64>, of whole: Int64
  ) -> PayloadID {
    self.payload(of: sizes[payload.index].share(part, of: whole, unit: unit))
  }
  public mutating func combine(
    _ local: PayloadID, with incoming: PayloadID, at rank: RankID
  ) -> PayloadID {
    sizes[local.index] >= sizes[incoming.index] ? local : incoming
  }
  public func size(of payload: PayloadID) -> ByteCount { sizes[payload.index] }
  public func combiningTime(
    of local: PayloadID, with incoming: PayloadID, at rank: RankID
  ) -> SimDuration {
    reductionRate.map { $0.time(toSend: sizes[incoming.index]) } ?? .zero
  }
  /// Forgets every payload and keeps the memory.
  public mutating func removeAll() { sizes.removeAll(keepingCapacity: true) }
}
