extension CodecBenchmark {
  /// A pipeline and scope to measure, and the aim for its encode as a ratio to a copy.
  public struct Case: Sendable {
    public var text: String
    public var scope: CodecScope
    public var aim: Double?
    /// Whether the gradient is one matrix, for codecs that look at shapes.
    public var isMatrix: Bool

    init(
      _ text: String, _ scope: CodecScope = .model, aim: Double? = nil, isMatrix: Bool = false
    ) {
      self.text = text
      self.scope = scope
      self.aim = aim
      self.isMatrix = isMatrix
    }

    /// The pipeline with its scope, unless that is the model.
    public var label: String { scope == .model ? text : "\(text) \(scope)" }

    /// Dimensions of a gradient of `count` elements: for a matrix, rows near the square root.
    func shape(_ count: Int) -> [Int] {
      guard isMatrix else { return [count] }
      var rows = Int(Double(count).squareRoot())
      while rows > 1, count % rows != 0 { rows -= 1 }
      return rows <= 1 ? [count] : [rows, count / rows]
    }
  }

  /// Every codec of the catalogue in sensible settings, and the settings that studies use most.
  ///
  /// Aims are what C reached on a Zen 4 core beside a copy of 8.9 to 12 GB/s, most of it with AVX-512;
  /// for top-k what AVX2 allows (1.5 with AVX-512). Aims of int8 and qsgd are about one pass: a scale
  /// over the whole model needs two passes over memory, so they are stated for buckets.
  public static let cases: [Case] = [
    Case("none"), Case("fp16", aim: 1.3), Case("bf16", aim: 1.3),
    Case("fp8"), Case("fp8:scaled=false"), Case("mxfp8"), Case("mxfp4"),
    Case("int8"), Case("int8", .bucket(512), aim: 1.8), Case("int8", .bucket(4096), aim: 1.8),
    Case("int4"), Case("int4", .bucket(512)), Case("intn:bits=6"), Case("uint8_affine"),
    Case("qsgd"), Case("qsgd", .bucket(512), aim: 1.4),
    Case("qsgd:s=7,norm=max", .bucket(512)), Case("qsgd:s=4,code=elias_gamma"),
    Case("terngrad"), Case("terngrad:packing=base243"), Case("natural"),
    Case("natural:clipped=true"), Case("3lc"),
    Case("signsgd", aim: 1.9), Case("ef_sign"), Case("ef_sign", .bucket(512)), Case("signum"),
    Case("onebit"),
    Case("drive"), Case("drive", .bucket(4096)), Case("rht_usq"), Case("rht_usq", .bucket(4096)),
    Case("top_k:ratio=0.01", aim: 1.0), Case("top_k:ratio=0.001"),
    Case("top_k:ratio=0.01,index=rice"), Case("top_k:ratio=0.01,index=packed"),
    Case("stc:ratio=0.01"), Case("redsync:ratio=0.01"),
    Case("redsync:ratio=0.01,mode=binary_search"), Case("dgc:ratio=0.01"),
    Case("scalecom:ratio=0.01"),
    Case("threshold:v=0.063", aim: 1.0), Case("gaussian_k:ratio=0.001"),
    Case("sidco_e:ratio=0.01"), Case("wangni:ratio=0.01"), Case("random_k:ratio=0.01"),
    Case("omnireduce"), Case("count_sketch:ratio=0.01"),
    Case("powersgd:rank=4", isMatrix: true),
    Case("zstd:level=1"), Case("zstd"), Case("zstd:level=1,shuffle=byte"),
    Case("top_k:ratio=0.01|fp16"), Case("top_k:ratio=0.01|fp16|zstd"),
  ]
}
