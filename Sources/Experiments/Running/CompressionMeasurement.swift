import Compression
import Dispatch
import Interchange
import SimKernel

/// Encodes and decodes one gradient file and measures size, error and speed.
///
/// Speed is wall time of the best of several repetitions on one core; it is the only figure that
/// differs from run to run.
public struct CompressionMeasurement {
  private let pipeline: CompressionPipeline
  private let scope: CodecScope
  private let seed: UInt64

  public init(pipeline: CompressionPipeline, scope: CodecScope, seed: UInt64) {
    self.pipeline = pipeline
    self.scope = scope
    self.seed = seed
  }

  /// The columns of a row.
  public static let header = [
    "file", "elements", "payload_bits", "encoded_bytes", "compression_ratio", "rel_l2", "cosine",
    "encode_gigabytes_per_s", "decode_gigabytes_per_s",
  ]

  /// What one pipeline makes of one gradient.
  public struct Figures: Sendable {
    public var elements: Int
    /// By the codec's formula, without framing.
    public var payloadBits: Int64
    public var encodedBytes: ByteCount
    /// |decoded - original| / |original|.
    public var relativeL2: Double
    public var cosine: Double
    /// Of float32 gradient.
    public var encodeGigabytesPerSecond: Double
    public var decodeGigabytesPerSecond: Double

    public init(
      elements: Int, payloadBits: Int64, encodedBytes: ByteCount, relativeL2: Double,
      cosine: Double, encodeGigabytesPerSecond: Double, decodeGigabytesPerSecond: Double
    ) {
      self.elements = elements
      self.payloadBits = payloadBits
      self.encodedBytes = encodedBytes
      self.relativeL2 = relativeL2
      self.cosine = cosine
      self.encodeGigabytesPerSecond = encodeGigabytesPerSecond
      self.decodeGigabytesPerSecond = decodeGigabytesPerSecond
    }

    /// Raw bytes over those of the frame.
    public var compressionRatio: Double {
      Double(elements * 4) / Double(max(1, encodedBytes.bytes))
    }
    /// Payload bits an element; 0 without elements.
    public var bitsPerElement: Double { Double(payloadBits) / Double(max(1, elements)) }
  }

  /// The row of `gradient`.
  ///
  /// - Throws: `CodecError`, as `InvalidInput` naming the file, for values a codec cannot take.
  public func row(of gradient: GradientFile, file: String) throws(InvalidInput) -> [String] {
    let figures: Figures
    do throws(CodecError) {
      figures = try measure(gradient)
    } catch {
      throw InvalidInput([
        Issue(
          path: FieldPath([file]),
          problem: .invalid(found: "\(error)", expected: "give gradients the codec can take"))
      ])
    }
    func number(_ value: Double) -> String { value.isFinite ? JSONNumber.shortest(value) : "" }
    return [
      file, String(figures.elements), String(figures.payloadBits),
      String(figures.encodedBytes.bytes), number(figures.compressionRatio),
      number(figures.relativeL2), number(figures.cosine),
      number(figures.encodeGigabytesPerSecond), number(figures.decodeGigabytesPerSecond),
    ]
  }

  /// Measures `gradient`.
  ///
  /// - Throws: `CodecError` for values a codec cannot take.
  public func measure(_ gradient: GradientFile) throws(CodecError) -> Figures {
    let tensors = gradient.tensors.map {
      TensorRange(name: $0.name, offset: $0.offset, count: $0.count, shape: $0.shape)
    }
    let random = RandomStream(seed: seed, purpose: RandomPurpose("compress"))
    var scratch = CodecScratch()
    var encoded = EncodedGradient()
    var decoded = [Float](repeating: 0, count: gradient.values.count)
    let bytes = Double(gradient.values.count * 4)
    // Memory is reused, as in training: faulting in fresh pages takes longer than many a codec.
    let encodeTime = try best(bytes) { () throws(CodecError) in
      let failure = gradient.values.withUnsafeBufferPointer { values -> CodecError? in
        do throws(CodecError) {
          try pipeline.encode(
            values, tensors: tensors, scope: scope, random: random, scratch: &scratch,
            into: &encoded)
          return nil
        } catch { return error }
      }
      if let failure { throw failure }
    }
    let decodeTime = try best(bytes) { () throws(CodecError) in
      let failure = decoded.withUnsafeMutableBufferPointer { target -> CodecError? in
        do throws(CodecError) {
          try pipeline.decode(encoded, into: target, scratch: &scratch)
          return nil
        } catch { return error }
      }
      if let failure { throw failure }
    }
    let error = GradientError.compare(original: gradient.values, decoded: decoded)
    return Figures(
      elements: gradient.values.count, payloadBits: encoded.payloadBits,
      encodedBytes: encoded.encodedBytes, relativeL2: error.relativeL2, cosine: error.cosine,
      encodeGigabytesPerSecond: bytes / encodeTime / 1e9,
      decodeGigabytesPerSecond: bytes / decodeTime / 1e9)
  }

  /// The shortest of several repetitions, in seconds: few of large inputs, many of small ones.
  ///
  /// The first one, which meets cold memory, is not the only one.
  private func best(
    _ bytes: Double, _ work: () throws(CodecError) -> Void
  ) throws(CodecError) -> Double {
    var shortest = Double.infinity
    let repetitions = bytes > 64e6 ? 2 : bytes > 1e6 ? 5 : 20
    for _ in 0..<repetitions {
      let start = DispatchTime.now().uptimeNanoseconds
      try work()
      shortest = min(shortest, Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9)
    }
    return max(shortest, 1e-9)
  }
}
