import SimKernel

/// One encoded gradient: its bytes, and what of them the literature counts.
public struct EncodedGradient: Sendable {
  /// The frame: streams, and what is needed to decode them.
  public internal(set) var bytes: [UInt8]
  /// The payload by the codec's formula, without framing.
  public internal(set) var payloadBits: Int64

  /// An empty one, whose memory an encode fills and reuses.
  public init() {
    bytes = []
    payloadBits = 0
  }

  /// The size of the frame.
  public var encodedBytes: ByteCount { ByteCount(Int64(bytes.count)) }
  /// The payload rounded up to a byte.
  public var payloadBytes: ByteCount { .holding(bits: payloadBits) }
}
