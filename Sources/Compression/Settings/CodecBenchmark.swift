import SimKernel

/// Encode and decode speed of pipelines on this machine, as ratios to a copy of the same gradient
/// measured in the same run.
///
/// Ratios survive a noisy machine; absolute rates do not.
public enum CodecBenchmark {
  /// The speed of one pipeline.
  public struct Row: Sendable {
    public var label: String
    public var scope: CodecScope
    /// Gigabytes of float32 gradient a second.
    public var encodeGigabytesPerSecond: Double
    public var decodeGigabytesPerSecond: Double
    /// The same over the rate of a copy.
    public var encodeRatio: Double
    public var decodeRatio: Double
    public var payloadBits: Int64
  }

  /// The rate of a copy, and one row for every pipeline.
  public struct Report: Sendable {
    public var copyGigabytesPerSecond: Double
    public var rows: [Row]
  }

  /// What `simnet-bench` measures unless told otherwise.
  public static let pipelines: [(text: String, scope: CodecScope)] = [
    ("none", .model), ("fp16", .model), ("bf16", .model), ("int8", .model), ("int8", .bucket(512)),
    ("qsgd", .model), ("qsgd", .bucket(512)), ("qsgd:s=7,norm=max", .bucket(512)),
    ("terngrad", .model), ("ef_sign", .model), ("ef_sign", .bucket(512)),
    ("fp8", .model), ("fp8:scaled=false", .model), ("int4", .model), ("int4", .bucket(512)),
    ("mxfp8", .model), ("mxfp4", .model), ("uint8_affine", .model), ("natural", .model),
    ("natural:clipped=true", .model), ("signsgd", .model), ("onebit", .model),
    ("drive", .model), ("drive", .bucket(4096)), ("rht_usq", .model), ("rht_usq", .bucket(4096)),
    ("top_k:ratio=0.01", .model), ("top_k:ratio=0.001", .model),
    ("top_k:ratio=0.01,index=rice|fp16", .model), ("random_k:ratio=0.01", .model),
    ("zstd:level=1", .model), ("zstd:level=1,shuffle=byte", .model),
  ]

  /// Measures `pipelines` on a heavy-tailed gradient of `elements` elements, best of `repeats`.
  public static func run(
    elements: Int = 26_000_000, pipelines: [(text: String, scope: CodecScope)] = pipelines,
    repeats: Int = 5
  ) throws -> Report {
    let gradient = self.gradient(elements)
    let gigabytes = Double(4 * elements) / 1e9
    var target = [Float](repeating: 0, count: elements)
    let copy = fastest(repeats) {
      target.withUnsafeMutableBufferPointer { output in
        gradient.withUnsafeBufferPointer { _ = output.update(fromContentsOf: $0) }
      }
    }
    var rows: [Row] = []
    for (text, scope) in pipelines {
      let issues = IssueCollector()
      let pipeline = CompressionPipeline.read(text, issues: issues)
      try issues.throwIfInvalid()
      var scratch = CodecScratch()
      var encoded = EncodedGradient()
      let random = RandomStream(seed: 1, purpose: RandomPurpose("codec benchmark"))
      var failure: CodecError?
      let encode = fastest(repeats) {
        gradient.withUnsafeBufferPointer { values in
          do throws(CodecError) {
            try pipeline.encode(
              values, tensors: TensorRange.whole(elements), scope: scope, random: random,
              scratch: &scratch, into: &encoded)
          } catch { failure = error }
        }
      }
      let decode = fastest(repeats) {
        target.withUnsafeMutableBufferPointer { output in
          do throws(CodecError) {
            try pipeline.decode(encoded, into: output, scratch: &scratch)
          } catch { failure = error }
        }
      }
      if let failure { throw failure }
      rows.append(
        Row(
          label: text, scope: scope, encodeGigabytesPerSecond: gigabytes / encode,
          decodeGigabytesPerSecond: gigabytes / decode, encodeRatio: copy / encode,
          decodeRatio: copy / decode, payloadBits: encoded.payloadBits))
    }
    return Report(copyGigabytesPerSecond: gigabytes / copy, rows: rows)
  }

  /// Seconds of the fastest of `repeats` calls; the first one, which meets cold memory, is not
  /// counted.
  private static func fastest(_ repeats: Int, _ body: () -> Void) -> Double {
    body()
    var best = Double.infinity
    for _ in 0..<max(1, repeats) {
      let (seconds, attoseconds) = ContinuousClock().measure(body).components
      best = min(best, Double(seconds) + Double(attoseconds) * 1e-18)
    }
    return best
  }

  /// About normal times about Pareto, from hashes of the position.
  private static func gradient(_ count: Int) -> [Float] {
    let hash = CounterHash(key: 0x5EED)
    let tail = CounterHash(key: 0x7A11)
    return (0..<count).map { index in
      let normal =
        Float(Int32(bitPattern: hash.bits(2 * index)))
        + Float(Int32(bitPattern: hash.bits(2 * index + 1)))
      return 0x1p-38 * normal / (Float(tail.bits(index)) * 0x1p-32 + 0x1p-10).squareRoot()
    }
  }
}
