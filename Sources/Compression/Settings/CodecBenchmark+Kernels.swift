import CZstd

extension CodecBenchmark {
  /// A loop without its codec: reads the gradient, writes to memory of the same size.
  struct Kernel: Sendable {
    var label: String
    var aim: Double?
    var run: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
  }

  /// The kernels that aims are about.
  static let kernels: [Kernel] = [
    Kernel(label: "sign pack", aim: 1.9) { source, target, count in
      SignPacking.pack(
        source, count, into: UnsafeMutableRawPointer(target).assumingMemoryBound(to: UInt64.self))
    },
    Kernel(label: "byte shuffle", aim: 0.9) { source, target, count in
      ByteShuffle.shuffle(
        UnsafeRawPointer(source).assumingMemoryBound(to: UInt8.self),
        UnsafeMutableRawPointer(target).assumingMemoryBound(to: UInt8.self), count: count, width: 4)
    },
    Kernel(label: "byte unshuffle", aim: 0.9) { source, target, count in
      ByteShuffle.unshuffle(
        UnsafeRawPointer(source).assumingMemoryBound(to: UInt8.self),
        UnsafeMutableRawPointer(target).assumingMemoryBound(to: UInt8.self), count: count, width: 4)
    },
  ]
}

extension Bench {
  /// Times a copy and the kernel.
  func measure(_ kernel: CodecBenchmark.Kernel, _ report: (CodecBenchmark.Row) -> Void) {
    // One word more: signs are written in whole ones.
    let target = UnsafeMutablePointer<Float>.allocate(capacity: gradient.count + 2)
    target.initialize(repeating: 0, count: gradient.count + 2)
    defer { target.deallocate() }
    let best = contest([
      { Self.copy(gradient, target) },
      {
        gradient.withUnsafeBufferPointer { values in
          if let base = values.baseAddress { kernel.run(base, target, values.count) }
        }
      },
    ])
    report(
      CodecBenchmark.Row(
        label: kernel.label, operation: .kernel, elements: gradient.count,
        gigabytesPerSecond: gigabytes / best[1], yardstick: "memcpy",
        yardstickGigabytesPerSecond: gigabytes / best[0], aim: kernel.aim))
  }

  /// The lossless stage beside a direct call of libzstd on the same bytes: at most 5 % may be lost.
  func measureZstandard(_ report: (CodecBenchmark.Row) -> Void) throws {
    for level in [1, 3] {
      let plain = try PipelineRun("zstd:level=\(level)", .model, gradient, shape: [gradient.count])
      let exponents = try PipelineRun(
        "zstd:level=\(level),shuffle=exponent", .model, gradient, shape: [gradient.count])
      let direct = DirectZstandard(gradient, level: level)
      let best = contest([
        { direct.compress() }, { direct.decompress(into: plain.target) }, { plain.encode() },
        { plain.decode() }, { exponents.encode() }, { exponents.decode() },
      ])
      try plain.check()
      try exponents.check()
      func add(
        _ label: String, _ operation: CodecBenchmark.Operation, _ time: Double, _ other: Double,
        _ bits: Int64
      ) {
        report(
          CodecBenchmark.Row(
            label: label, operation: operation, elements: gradient.count,
            gigabytesPerSecond: gigabytes / time,
            yardstick: operation == .encode ? "ZSTD_compress2" : "ZSTD_decompressDCtx",
            yardstickGigabytesPerSecond: gigabytes / other, aim: 0.95, payloadBits: bits))
      }
      let label = "zstd:level=\(level)"
      add(label, .encode, best[2], best[0], plain.encoded.payloadBits)
      add(label, .decode, best[3], best[1], plain.encoded.payloadBits)
      add(label + ",shuffle=exponent", .encode, best[4], best[0], exponents.encoded.payloadBits)
      add(label + ",shuffle=exponent", .decode, best[5], best[1], exponents.encoded.payloadBits)
    }
  }

  /// Top-k of inputs that a guess from a sample goes wrong on, compared with the plain gradient.
  ///
  /// The aim is a fifth: the slowest fallback reads the gradient five times instead of once.
  func measureAdversarial(_ report: (CodecBenchmark.Row) -> Void) throws {
    let count = gradient.count
    func sorted(ascending: Bool) -> [Float] {
      (0..<count).map { Float(ascending ? $0 : count - $0) * 0x1p-20 }
    }
    let inputs: [(String, () -> [Float])] = [
      ("all equal", { [Float](repeating: -0.25, count: count) }),
      ("all zeros", { [Float](repeating: 0, count: count) }),
      ("ascending", { sorted(ascending: true) }), ("descending", { sorted(ascending: false) }),
      (
        "one huge value",
        {
          var values = [Float](repeating: 0x1p-100, count: count)
          if count > 0 { values[count / 2] = 1e30 }
          return values
        }
      ),
    ]
    let text = CodecBenchmark.adversarialPipeline
    let normal = try PipelineRun(text, .model, gradient, shape: [count])
    for (name, make) in inputs {
      let other = try PipelineRun(text, .model, make(), shape: [count])
      let best = contest([{ normal.encode() }, { other.encode() }])
      try other.check()
      report(
        CodecBenchmark.Row(
          label: "\(text), \(name)", operation: .encode, elements: count,
          gigabytesPerSecond: gigabytes / best[1], yardstick: "plain input",
          yardstickGigabytesPerSecond: gigabytes / best[0], aim: 0.2,
          payloadBits: other.encoded.payloadBits))
    }
  }
}

extension CodecBenchmark {
  /// The pipeline that adversarial inputs go through.
  static let adversarialPipeline = "top_k:ratio=0.01"
}

/// libzstd called directly, with its own contexts, on the bytes of a gradient.
private final class DirectZstandard {
  private let values: [Float]
  private let compressor: OpaquePointer
  private let decompressor: OpaquePointer
  private let memory: UnsafeMutableRawBufferPointer
  private var size = 0

  init(_ values: [Float], level: Int) {
    guard let compressor = ZSTD_createCCtx(), let decompressor = ZSTD_createDCtx() else {
      fatalError("libzstd is out of memory")
    }
    _ = ZSTD_CCtx_setParameter(compressor, ZSTD_c_compressionLevel, Int32(level))
    self.values = values
    self.compressor = compressor
    self.decompressor = decompressor
    memory = .allocate(byteCount: ZSTD_compressBound(4 * values.count), alignment: 64)
  }
  deinit {
    ZSTD_freeCCtx(compressor)
    ZSTD_freeDCtx(decompressor)
    memory.deallocate()
  }

  func compress() {
    values.withUnsafeBytes { bytes in
      size = ZSTD_compress2(
        compressor, memory.baseAddress, memory.count, bytes.baseAddress, bytes.count)
    }
  }
  func decompress(into target: UnsafeMutablePointer<Float>) {
    _ = ZSTD_decompressDCtx(decompressor, target, 4 * values.count, memory.baseAddress, size)
  }
}
