import Compression
import SimKernel

/// Measures on this machine what codecs cost, on one core, and fits it.
///
/// Every pipeline encodes and decodes a heavy-tailed gradient of each size several times; the
/// shortest counts, since whatever else the machine does only adds. Code and scratch memory are warm;
/// each repetition takes another stretch of the gradient, so that small ones do not lie in a cache
/// where no gradient that was just copied from an accelerator would lie.
public struct CodecCalibration: ~Copyable {
  /// R^2 below which a fit does not say much.
  public static let doubtfulFit = 0.9

  /// One pipeline's times and fits.
  public struct Measurement: Sendable {
    public var pipeline: String
    public var encode: CodecCostFit
    public var decode: CodecCostFit

    /// The entry of a profile.
    public var entry: CodecCosts.Entry {
      CodecCosts.Entry(pipeline: pipeline, encode: encode.cost, decode: decode.cost)
    }
    /// Whether one of the fits explains its times badly.
    public var isDoubtful: Bool {
      min(encode.rSquared, decode.rSquared) < CodecCalibration.doubtfulFit
    }
  }

  /// Elements of the gradients, ascending.
  public let sizes: [Int]
  public let repeats: Int
  private let gradient: [Float]
  private var decoded: [Float]
  private var scratch = CodecScratch()

  /// Sizes of 4096, times four, to `elements`; that many repetitions of each.
  ///
  /// - Precondition: `elements` and `repeats` are at least ``smallestElements`` and 1.
  /// - Complexity: memory for three gradients of `elements`.
  public init(elements: Int, repeats: Int) {
    precondition(elements >= Self.smallestElements && repeats >= 1, "sizes to fit a line to")
    var sizes: [Int] = []
    var size = 4096
    while size < elements {
      sizes.append(size)
      size *= 4
    }
    self.sizes = sizes + [elements]
    self.repeats = repeats
    var random = RandomStream(seed: 1, purpose: RandomPurpose("codec calibration"))
    gradient = (0..<elements).map { _ in
      let value = random.normal()
      return Float(value * value * value * 0.01)
    }
    decoded = [Float](repeating: 0, count: elements)
  }

  /// The least that ``init(elements:repeats:)`` takes: three sizes.
  public static let smallestElements = 65_536

  /// Every codec of the catalogue as a pipeline text: its defaults, 1 % for ratios, and the example
  /// of its declaration for anything else that it needs.
  public static var catalogue: [String] {
    CodecCatalog.registry.descriptions.map { codec in
      let needed = codec.fields.filter(\.required).map { field -> String in
        guard case .value(_, let example, _) = field.shape, field.key != "ratio" else {
          return field.key + "=0.01"
        }
        return field.key + "=" + example
      }
      return codec.name + (needed.isEmpty ? "" : ":" + needed.joined(separator: ","))
    }
  }

  /// Measures `pipeline` at all sizes.
  ///
  /// - Throws: `CodecError` if it cannot take the gradient.
  public mutating func measure(
    _ pipeline: CompressionPipeline
  ) throws(CodecError) -> Measurement {
    var encodes: [Double] = []
    var decodes: [Double] = []
    for size in sizes {
      let (encode, decode) = try times(pipeline, size)
      encodes.append(encode)
      decodes.append(decode)
    }
    return Measurement(
      pipeline: pipeline.label, encode: CodecCostFit(sizes: sizes, times: encodes),
      decode: CodecCostFit(sizes: sizes, times: decodes))
  }

  /// Seconds of the fastest encode and the fastest decode of `count` elements.
  private mutating func times(
    _ pipeline: CompressionPipeline, _ count: Int
  ) throws(CodecError) -> (encode: Double, decode: Double) {
    let random = RandomStream(seed: 1, purpose: RandomPurpose("codec calibration"))
    // A matrix, for codecs that factorise; 64 columns divide every power of four.
    let shape = count % 64 == 0 ? [count / 64, 64] : [count]
    let tensors = [TensorRange(name: "gradient", offset: 0, count: count, shape: shape)]
    var encoded = EncodedGradient()
    var best = (encode: Double.infinity, decode: Double.infinity)
    // Short calls meet more noise, and cost little to repeat. The first meets cold memory.
    let rounds = 1 + repeats * (count <= 65_536 ? 4 : 1)
    for round in 0..<rounds {
      let offset = (gradient.count - count) / rounds * round & ~15
      let stretch = offset..<offset + count
      let encode = try Self.seconds { () throws(CodecError) in
        try Self.unsafely(gradient, stretch) { values throws(CodecError) in
          try pipeline.encode(
            values, tensors: tensors, scope: .model, random: random, scratch: &scratch,
            into: &encoded)
        }
      }
      let decode = try Self.seconds { () throws(CodecError) in
        var failure: CodecError?
        decoded.withUnsafeMutableBufferPointer { target in
          do throws(CodecError) {
            try pipeline.decode(
              encoded, into: UnsafeMutableBufferPointer(rebasing: target[stretch]),
              scratch: &scratch)
          } catch { failure = error }
        }
        if let failure { throw failure }
      }
      if round > 0 { best = (min(best.encode, encode), min(best.decode, decode)) }
    }
    return best
  }

  /// Calls `body` with a stretch of `values`.
  private static func unsafely(
    _ values: [Float], _ stretch: Range<Int>,
    _ body: (UnsafeBufferPointer<Float>) throws(CodecError) -> Void
  ) throws(CodecError) {
    var failure: CodecError?
    values.withUnsafeBufferPointer { buffer in
      do throws(CodecError) {
        try body(UnsafeBufferPointer(rebasing: buffer[stretch]))
      } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Seconds that `body` takes, at least a nanosecond.
  private static func seconds(
    _ body: () throws(CodecError) -> Void
  ) throws(CodecError) -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    try body()
    let (seconds, attoseconds) = start.duration(to: clock.now).components
    return max(1e-9, Double(seconds) + Double(attoseconds) * 1e-18)
  }
}
