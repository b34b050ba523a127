import CKernels
import SimKernel

/// Stochastic uniform quantisation against a norm of the scope (QSGD).
///
/// level = |x| / norm x s, rounded up with the probability of its fraction, at most s; sign and level
/// travel in 1 + ceil(log2(s + 1)) bits, or only the nonzeros do, as Elias-coded gap, sign bit and
/// Elias-coded level. Unbiased. Under the l2 norm the error grows with the square root of a scope's
/// length, so whole-model scopes are coarse; buckets bound it.
///
/// Speed: a random number, rounding and packing are seventeen vector instructions for eight elements,
/// 1.6 to 2 times the rate of a copy by themselves on one AVX2 core; with the norm and the wait for
/// memory before them 0.95 to 1.1 times, where sixteen lanes (AVX-512) reach 1.4. What comes next is
/// asked for while elements are rounded, but the sum of a bucket must end before its rounding begins.
public struct QSGD: Codec {
  /// What scales the levels.
  public enum Norm: String, Sendable, CaseIterable { case l2, max }
  /// How levels are written.
  public enum Code: String, Sendable, CaseIterable {
    case fixed
    case eliasGamma = "elias_gamma"
    case eliasDelta = "elias_delta"
    case eliasOmega = "elias_omega"

    var elias: EliasCode? { EliasCode(rawValue: rawValue) }
  }

  /// s, the number of levels above 0.
  public let levels: Int
  public let norm: Norm
  public let code: Code

  public init(levels: Int = 127, norm: Norm = .l2, code: Code = .fixed) {
    self.levels = levels
    self.norm = norm
    self.code = code
  }

  public var name: String { "qsgd" }
  public var parameters: [(key: String, value: String)] {
    var result: [(key: String, value: String)] = []
    if levels != 127 { result.append(("s", String(levels))) }
    if norm != .l2 { result.append(("norm", norm.rawValue)) }
    if code != .fixed { result.append(("code", code.rawValue)) }
    return result
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: code == .fixed
        ? "(1+ceil(log2(s+1)))n+32*ceil(n/B)"
        : "sum over nonzeros [E(gap)+1+E(level)]+32*ceil(n/B)",
      citation: "Alistarh et al., QSGD, NeurIPS 2017, arXiv:1610.02132", bias: .unbiased,
      sampleScaling: .scalesInBuckets, isRandomised: true)
  }

  /// Bits of sign and level.
  var width: Int { 1 + levelBits }
  private var levelBits: Int { Int.bitWidth - levels.leadingZeroBitCount }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = form.requireFloats(for: name) { return .failure(mismatch) }
    var result = form
    result.content = .codes
    result.aggregation = .gather
    if code != .fixed { result.isVariableSize = true }
    result.maker = name
    return .success(result)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    var leaving = load
    // Elias codes depend on the gradient; the fixed width bounds what they are chosen for.
    leaving.bytesPerValue = Double(width) / 8
    return StageCost(
      encode: CodecWork(
        kernels: code == .fixed ? 2 : 3,
        bytesPerElement: (8 + Double(width) / 8 + (code == .fixed ? 0 : 2)) * load.values,
        operationsPerElement: 16 * load.values,
        source:
          "derived: one pass for the norm, one to round and pack, 16 operations a random number"
      ),
      decode: CodecWork(
        kernels: 1, bytesPerElement: (4 + Double(width) / 8) * load.values,
        source: "derived: one pass"),
      leaving: leaving)
  }
  public func worstCase(_ size: inout WorstCase) {
    switch code.elias {
    case nil: size.bitsPerValue = width
    case let elias?:
      // Gaps are shortest, and nonzeros most, when every element is nonzero: a gap of 1 costs one
      // bit; skipping elements never costs more than the codes of those skipped.
      size.bitsPerValue = elias.length(1) + 1 + elias.length(UInt32(levels)) + 2
    }
    size.otherBits += 32 * size.scopeCount
  }

  public func streamBytes(for record: Encoded) -> Int? {
    guard code == .fixed else { return nil }
    let values = record.streams.reduce(0) { $0 + ($1.role == .values ? $1.count : 0) }
    return BitPacking.bytes(values, width: width) + 8 + 4 * record.scopeCount
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let count = values.count
    let fixed = code == .fixed
    let memory =
      fixed
      ? scratch.stream(BitPacking.bytes(count, width: width))
      : UnsafeMutableRawPointer(scratch.temporary(of: UInt16.self, count))
    let scaleMemory = scratch.stream(4 * record.scopeCount)
    let scales = scaleMemory.assumingMemoryBound(to: Float.self)
    let bytes = memory.assumingMemoryBound(to: UInt8.self)
    let rounding = StochasticRounding(
      hash: CounterHash(setting.random), limit: levels,
      signBit: fixed ? levelBits : 15)
    if fixed, width == 8 {
      try forEachScope(record, bounds, values, setting, scales) { range, factor, source in
        rounding.round(source, range, factor, into: bytes + range.lowerBound)
      }
    } else if fixed, width < 8 {
      var writer = CodeWriter<UInt8>(width: width, into: bytes, scratch: &scratch)
      try forEachScope(record, bounds, values, setting, scales) { range, factor, source in
        writer.append(range) { rounding.round(source, $0, factor, into: $1) }
      }
      writer.finish()
    } else if fixed {
      var writer = CodeWriter<UInt16>(width: width, into: bytes, scratch: &scratch)
      try forEachScope(record, bounds, values, setting, scales) { range, factor, source in
        writer.append(range) { rounding.round(source, $0, factor, into: $1) }
      }
      writer.finish()
    } else {
      let target = memory.assumingMemoryBound(to: UInt16.self)
      try forEachScope(record, bounds, values, setting, scales) { range, factor, source in
        rounding.round(source, range, factor, into: target + range.lowerBound)
      }
    }
    let stream =
      fixed
      ? PayloadStream(.values, .packed, parameter: UInt8(width), count: count, base: memory)
      : eliasStream(memory.assumingMemoryBound(to: UInt16.self), count, scratch: &scratch)
    record.replace(.values, with: stream)
    record.replace(
      .scales,
      with: PayloadStream(.scales, .float32, count: record.scopeCount, base: scaleMemory))
  }

  /// Norms and scales of the scopes, and `body` with the factor that turns magnitudes into levels.
  private func forEachScope(
    _ record: Encoded, _ bounds: UnsafeBufferPointer<Int>, _ values: UnsafeBufferPointer<Float>,
    _ setting: StageSetting, _ scales: UnsafeMutablePointer<Float>,
    _ body: (Range<Int>, Float, UnsafePointer<Float>) -> Void
  ) throws(CodecError) {
    var sums = (0.0, 0.0, 0.0, 0.0)
    var summed = 0..<0
    for scope in 0..<record.scopeCount {
      scales[scope] = 0
      let range = bounds[scope]..<bounds[scope + 1]
      if range.isEmpty { continue }
      let base = values.baseAddress!
      let source = base + range.lowerBound
      let size: Float
      switch norm {
      case .max:
        size = Float(bitPattern: UInt32(Reductions.largestMagnitudeBits(source, range.count)))
      case .l2:
        if scope >= summed.upperBound {
          // Short scopes of one length together, while the first cache holds them.
          var end = scope + 1
          while end < record.scopeCount, end < scope + 4, range.count <= 512,
            bounds[end + 1] - bounds[end] == range.count
          { end += 1 }
          summed = scope..<end
          withUnsafeMutableBytes(of: &sums) {
            // In bounds: at most four sums.
            ck_sums_of_squares(
              source, range.count, summed.count,
              $0.baseAddress!.assumingMemoryBound(to: Double.self))
          }
        }
        let place = scope - summed.lowerBound
        let lanes = place == 0 ? sums.0 : place == 1 ? sums.1 : place == 2 ? sums.2 : sums.3
        let sum = Reductions.sumOfSquares(source, range.count, inLanes: lanes)
        guard sum.isFinite else { throw setting.notFinite(name, values) }
        size = Float(sum.squareRoot())
      }
      guard size.isFinite else {
        throw setting.notFinite(name, values)
      }
      // Below this the factor would leave single precision; such a scope is sent as zeros.
      if size < 0x1p-80 {
        body(range, 0, base)
        continue
      }
      scales[scope] = size
      body(range, Float(levels) / size, base)
    }
  }

  /// The Elias-coded nonzeros: gap from the one before (the first is position + 1), sign, level.
  ///
  /// Gaps run on across scopes, so that nothing has to mark where a scope ends.
  private func eliasStream(
    _ codes: UnsafePointer<UInt16>, _ count: Int, scratch: inout CodecScratch
  ) -> PayloadStream {
    let elias = code.elias!
    var bits = 0
    forEachNonzero(codes, count) { gap, code in
      bits += elias.length(gap) + 1 + elias.length(UInt32(code & 0x7FFF))
    }
    let memory = scratch.stream((bits + 7) / 8 + 8)
    var writer = BitWriter(memory.assumingMemoryBound(to: UInt8.self))
    forEachNonzero(codes, count) { gap, code in
      elias.write(gap, to: &writer)
      writer.append(UInt64(code >> 15), 1)
      elias.write(UInt32(code & 0x7FFF), to: &writer)
    }
    writer.finish()
    return PayloadStream(.values, .bits, count: count, bits: bits, base: memory)
  }
  @inline(__always)
  private func forEachNonzero(
    _ codes: UnsafePointer<UInt16>, _ count: Int, _ body: (UInt32, UInt16) -> Void
  ) {
    var last = -1
    for index in 0..<count where codes[index] & 0x7FFF != 0 {
      body(UInt32(truncatingIfNeeded: index - last), codes[index])
      last = index
    }
  }

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    guard let stream = record.stream(.values) else {
      throw CodecError(codec: name, byteOffset: 0, "the frame has no stream of values")
    }
    let scales = try record.require(.scales, .float32, for: name)
    guard scales.count == record.scopeCount else {
      throw CodecError(
        codec: name, byteOffset: scales.offset,
        "\(scales.count) norms for \(record.scopeCount) scopes")
    }
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let output = try target.floats(stream.count, codec: name, scratch: &scratch)
    let norms = scales.elements(as: Float.self)
    if code == .fixed {
      guard stream.type == .packed, Int(stream.parameter) == width else {
        throw CodecError(
          codec: name, byteOffset: stream.offset, "codes of \(width) bits are needed")
      }
      let source = stream.elements(as: UInt8.self)
      if width <= 8 {
        var reader = CodeReader<UInt8>(
          width: width, source, total: stream.count, scratch: &scratch)
        let stores = LargeStores(stream.count)
        for scope in 0..<record.scopeCount {
          let step = norms[scope] / Float(levels)
          reader.runs(bounds[scope]..<bounds[scope + 1]) { run, codes in
            ck_dequantize_levels(
              codes, run.count, UInt32(levelBits), step, stores.stream, output + run.lowerBound)
          }
        }
        stores.finish()
      } else {
        var reader = CodeReader<UInt16>(
          width: width, source, total: stream.count, scratch: &scratch)
        for scope in 0..<record.scopeCount {
          let step = norms[scope] / Float(levels)
          let (mask, shift) = (UInt16(1 << levelBits - 1), UInt16(levelBits))
          reader.read(bounds[scope]..<bounds[scope + 1]) { index, code in
            let sign = UInt32(code &>> shift) << 31
            output[index] = Float(
              bitPattern: (Float(code & mask) * step).bitPattern ^ sign)
          }
        }
      }
    } else {
      try decodeElias(stream, bounds, norms, into: output)
    }
    record.remove(.scales)
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: stream.count, base: output))
  }

  private func decodeElias(
    _ stream: PayloadStream, _ bounds: UnsafeBufferPointer<Int>, _ norms: UnsafePointer<Float>,
    into output: UnsafeMutablePointer<Float>
  ) throws(CodecError) {
    guard stream.type == .bits else {
      throw CodecError(codec: name, byteOffset: stream.offset, "Elias codes are needed")
    }
    let elias = code.elias!
    var reader = BitReader(stream.elements(as: UInt8.self), bits: stream.bits)
    for index in 0..<stream.count { output[index] = 0 }
    var position = -1
    var scope = 0
    while !reader.isAtEnd {
      guard let gap = elias.read(&reader), let sign = reader.read(1),
        let level = elias.read(&reader)
      else {
        throw CodecError(codec: name, byteOffset: stream.offset, "an Elias code is cut off")
      }
      position += Int(gap)
      while scope + 2 < bounds.count, position >= bounds[scope + 1] { scope += 1 }
      guard position < stream.count, level <= levels else {
        throw CodecError(
          codec: name, byteOffset: stream.offset, "level \(level) at element \(position)")
      }
      let value = norms[scope] / Float(levels) * Float(level)
      output[position] = sign == 1 ? -value : value
    }
  }
}

extension QSGD {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      levels: fields.optional(
        "s", .integer(1...32767), default: 127,
        doc: "levels above zero; sign and level take 1 + ceil(log2(s+1)) bits"
      ),
      norm: fields.optional(
        "norm", .choice("norm"), default: .l2,
        doc: "what magnitudes are measured against, per scope"),
      code: fields.optional(
        "code", .choice("code"), default: .fixed,
        doc: "fixed width, or Elias-coded gaps and levels of the nonzeros"))
  }
}
