import SimKernel

/// What reducing two payloads costs a rank, and what becomes of their size.
public struct CombiningCost: Sendable, Equatable {
  /// The rate at which dense payloads are summed; nil costs nothing.
  public var rate: Bandwidth?
  /// Added to every reduction, such as decoding what came and encoding the sum again.
  public var perReduction: SimDuration
  /// Added to a reduction for each single contribution in it, such as decoding an encoded payload.
  public var perPayload: SimDuration
  /// Added once all contributions are in, such as encoding the sum for the way back.
  public var onLast: SimDuration
  /// The size of the whole sum over the size of a contribution, such as a plain reply to encoded
  /// pushes.
  public var replyScale: Double
  /// The size of a sum of m contributions over that of one, at index m, for payloads whose supports
  /// unite.
  ///
  /// Empty if sums keep the size. What holds more contributions than listed keeps the last.
  public var growth: [Double]

  public init(
    rate: Bandwidth? = nil, perReduction: SimDuration = .zero, perPayload: SimDuration = .zero,
    onLast: SimDuration = .zero, replyScale: Double = 1, growth: [Double] = []
  ) {
    self.rate = rate
    self.perReduction = perReduction
    self.perPayload = perPayload
    self.onLast = onLast
    self.replyScale = replyScale
    self.growth = growth
  }

  /// Whether sums keep their size and cost nothing but the rate, so that no payload need be followed.
  var isRateOnly: Bool {
    perReduction == .zero && perPayload == .zero && onLast == .zero && replyScale == 1
      && growth.isEmpty
  }
}
