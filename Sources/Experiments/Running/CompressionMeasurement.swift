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

  /// Measures `gradient`.
  ///
  /// - Throws: `CodecError`, as `InvalidInput` naming the file, for values a codec cannot take.
  public func row(of gradient: GradientFile, file: String) throws(InvalidInput) -> [String] {
    do throws(CodecError) {
      return try measure(gradient, file: file)
    } catch {
      throw InvalidInput([
        Issue(
          path: FieldPath([file]),
          problem: .invalid(found: "\(error)", expected: "give gradients the codec can take"))
      ])
    }
  }

  private func measure(_ gradient: GradientFile, file: String) throws(CodecError) -> [String] {
    let tensors = gradient.tensors.map {
      TensorRange(name: $0.name, offset: $0.offset, count: $0.count, shape: $0.shape)
    }
    let random = RandomStream(seed: seed, purpose: RandomPurpose("compress"))
    var scratch = CodecScratch()
    var encoded = EncodedGradient()
    var decoded = [Float](repeating: 0, count: gradient.values.count)
    let bytes = Double(gradient.values.count * 4)
    let encodeTime = try best(bytes) { () throws(CodecError) in
      encoded = try pipeline.encode(
        gradient.values, tensors: tensors, scope: scope, random: random, scratch: &scratch)
    }
    let decodeTime = try best(bytes) { () throws(CodecError) in
      decoded = try pipeline.decode(encoded, count: gradient.values.count, scratch: &scratch)
    }
    let error = GradientError.compare(original: gradient.values, decoded: decoded)
    func number(_ value: Double) -> String { value.isFinite ? JSONNumber.shortest(value) : "" }
    return [
      file, String(gradient.values.count), String(encoded.payloadBits),
      String(encoded.encodedBytes.bytes),
      number(bytes / Double(max(1, encoded.encodedBytes.bytes))), number(error.relativeL2),
      number(error.cosine), number(bytes / encodeTime / 1e9), number(bytes / decodeTime / 1e9),
    ]
  }

  /// The shortest of several repetitions, in seconds: few of large inputs, many of small ones.
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
