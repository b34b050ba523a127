import Compression
import Glibc
import SimKernel

/// What the tests of this module share: files, gradients, and short forms of encode and decode.
enum Support {
  /// The folder of this test target.
  static var folder: String {
    let parts = #filePath.split(separator: "/").dropLast()
    return "/" + parts.joined(separator: "/")
  }
  /// The bytes of a file under `../shared` beside the repository, or beside a folder of worktrees.
  static func sharedBytes(_ name: String) -> [UInt8]? {
    let parts = #filePath.split(separator: "/").dropLast(4)
    for above in 0..<min(2, parts.count + 1) {
      let folder = "/" + parts.dropLast(above).joined(separator: "/")
      if let found = bytes(folder + "/shared/" + name) { return found }
    }
    return nil
  }

  /// The bytes of a file, or nil if there is none.
  static func bytes(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { return result }
      result += buffer[0..<count]
    }
  }

  /// The float32 vector of a version 1.0 `.npy` file.
  static func npy(_ path: String) -> [Float]? {
    guard let bytes = bytes(path), bytes.count > 10 else { return nil }
    return npy(bytes)
  }
  /// As above, from the bytes of the file.
  static func npy(_ bytes: [UInt8]) -> [Float] {
    let start = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
    return (0..<(bytes.count - start) / 4).map { index in
      let at = start + 4 * index
      return Float(
        bitPattern: UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16
          | UInt32(bytes[at + 3]) << 24)
    }
  }

  /// The gradient of a digits classifier: 17226 elements, 12 % exact zeros.
  static let digits = npy(folder + "/Fixtures/mlp-digits.middle.w0.npy")!
  /// The gradient of a word embedding: 35424 elements, 91 % exact zeros.
  static let words = npy(folder + "/Fixtures/wordemb.middle.w0.npy")!

  static func tensors(_ shapes: [(String, Int)]) -> [TensorRange] {
    var offset = 0
    return shapes.map { name, count in
      defer { offset += count }
      return TensorRange(name: name, offset: offset, count: count)
    }
  }
  /// Tensors of these dimensions, one after another.
  static func tensors(shaped shapes: [(String, [Int])]) -> [TensorRange] {
    var offset = 0
    return shapes.map { name, shape in
      let count = shape.reduce(1, *)
      defer { offset += count }
      return TensorRange(name: name, offset: offset, count: count, shape: shape)
    }
  }
  static let digitTensors = tensors(shaped: [
    ("fc1.weight", [128, 64]), ("fc1.bias", [128]), ("fc2.weight", [64, 128]), ("fc2.bias", [64]),
    ("fc3.weight", [10, 64]), ("fc3.bias", [10]),
  ])
  static let wordTensors = tensors(shaped: [
    ("emb.weight", [4096, 8]), ("fc1.weight", [32, 16]), ("fc1.bias", [32]),
    ("fc2.weight", [64, 32]), ("fc2.bias", [64]),
  ])

  /// A pipeline that must be valid.
  static func pipeline(_ text: String) throws -> CompressionPipeline {
    let issues = IssueCollector()
    let pipeline = CompressionPipeline.read(text, issues: issues)
    try issues.throwIfInvalid()
    return pipeline
  }

  /// The stream of seed `seed`.
  static func random(_ seed: Int = 1) -> RandomStream {
    RandomStream(seed: UInt64(seed), purpose: RandomPurpose("codec"))
  }

  /// Heavy-tailed numbers, some of them exactly zero.
  static func synthetic(_ count: Int, seed: Int = 1) -> [Float] {
    var stream = RandomStream(seed: UInt64(seed), purpose: RandomPurpose("test gradient"))
    return (0..<count).map { _ in
      let value = stream.normal()
      return stream.uniform() < 0.1 ? 0 : Float(value * value * value * 0.01)
    }
  }

  /// Standard normal numbers.
  static func normal(_ count: Int, seed: Int = 1) -> [Float] {
    var stream = RandomStream(seed: UInt64(seed), purpose: RandomPurpose("normal gradient"))
    return (0..<count).map { _ in Float(stream.normal()) }
  }

  /// Encodes and decodes.
  static func roundTrip(
    _ text: String, _ values: [Float], scope: CodecScope = .model, tensors: [TensorRange]? = nil,
    seed: Int = 1
  ) throws -> (encoded: EncodedGradient, decoded: [Float]) {
    let pipeline = try pipeline(text)
    var scratch = CodecScratch()
    let encoded = try pipeline.encode(
      values, tensors: tensors, scope: scope, random: random(seed), scratch: &scratch)
    let decoded = try pipeline.decode(encoded, count: values.count, scratch: &scratch)
    return (encoded, decoded)
  }
}

/// One valid text of every registered codec, and chains of them.
enum Chains {
  static let each =
    [
      "none", "fp16", "bf16", "int8", "int8:shared_range=true", "qsgd", "qsgd:s=1",
      "qsgd:s=4,norm=max", "qsgd:s=16", "qsgd:s=300", "qsgd:s=32767", "qsgd:s=4,code=elias_gamma",
      "qsgd:s=16,code=elias_delta", "qsgd:s=127,code=elias_omega", "terngrad", "terngrad:clip=2.5",
      "terngrad:packing=base243", "ef_sign", "top_k:ratio=0.01", "top_k:ratio=0.1,index=packed",
      "top_k:ratio=0.1,index=bitmap", "top_k:ratio=0.1,index=leb128",
      "top_k:ratio=0.1,index=elias_gamma", "top_k:ratio=0.1,index=rice",
      "top_k:ratio=0.1,index=auto", "random_k:ratio=0.1", "random_k:ratio=0.1,scaled=false", "zstd",
      "zstd:shuffle=byte", "zstd:shuffle=bit", "zstd:shuffle=exponent",
      "zstd:level=-1,shuffle=auto",
    ] + quantisers + sparsifiers
  static let chained = [
    "none|fp16", "top_k:ratio=0.01|fp16|zstd:level=3", "top_k:ratio=0.05|zstd",
    "top_k:ratio=0.05|int8|zstd", "top_k:ratio=0.1|ef_sign", "top_k:ratio=0.1|qsgd:s=4",
    "top_k:ratio=0.1,index=rice|terngrad|zstd", "random_k:ratio=0.1|fp16",
    "random_k:ratio=0.1|int8:shared_range=true", "random_k:ratio=0.1|zstd", "fp16|zstd",
    "top_k:ratio=0.1|zstd:shuffle=exponent", "fp16|zstd:level=9,shuffle=exponent",
    "bf16|zstd:shuffle=bit", "int8|zstd", "qsgd:s=4|zstd", "ef_sign|zstd",
    "qsgd:s=4,code=elias_gamma|zstd", "terngrad:packing=base243|zstd",
  ]
  static let all = each + chained + chainedQuantisers + chainedSparsifiers
  static let scopes: [CodecScope] = [.model, .layer, .bucket(512), .bucket(100)]
}

extension Support {
  /// How many positions at least one of `gradients` has.
  static func unionCount(_ gradients: [SparseGradient]) -> Int {
    Set(gradients.flatMap(\.positions)).count
  }
  /// n (1 - (1 - k/n)^P), factor by factor.
  static func expectedUnion(kept: Int, elementCount: Int, workers: Int) -> Double {
    let miss = 1 - Double(kept) / Double(elementCount)
    return Double(elementCount) * (1 - (0..<workers).reduce(1.0) { power, _ in power * miss })
  }
}
