import CKernels
import SimKernel

/// Stochastic {-1, 0, +1} times the largest magnitude of the scope (TernGrad).
///
/// An element keeps its sign with probability |x| / max. Unbiased; clipping at a multiple of the
/// standard deviation first shrinks the scale, and with it the variance, at the price of a bias.
public struct TernGrad: Codec {
  /// How ternary digits are written.
  public enum Packing: String, Sendable, CaseIterable {
    /// Two bits a digit.
    case twoBit = "two_bit"
    /// Five digits a byte.
    case base243
  }

  /// Clips at so many population standard deviations; nil does not clip.
  public let clip: Double?
  public let packing: Packing

  public init(clip: Double? = nil, packing: Packing = .twoBit) {
    self.clip = clip
    self.packing = packing
  }

  public var name: String { "terngrad" }
  public var parameters: [(key: String, value: String)] {
    var result: [(key: String, value: String)] = []
    if let clip { result.append(("clip", JSONNumber.shortest(clip))) }
    if packing != .twoBit { result.append(("packing", packing.rawValue)) }
    return result
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: packing == .twoBit ? "2n+32" : "8*ceil(n/5)+32",
      citation: "Wen et al., TernGrad, NeurIPS 2017, arXiv:1705.07878",
      bias: clip == nil ? .unbiased : .biased, sampleScaling: .scalesInBuckets, isRandomised: true)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = form.requireFloats(for: name) { return .failure(mismatch) }
    var result = form
    result.content = .codes
    result.aggregation = .gather
    result.maker = name
    return .success(result)
  }
  private var bitsPerValue: Double { packing == .twoBit ? 2 : 1.6 }
  public func cost(entering load: StageLoad) -> StageCost {
    var leaving = load
    leaving.bytesPerValue = bitsPerValue / 8
    let passes = clip == nil ? 2.0 : 3.0
    return StageCost(
      encode: CodecWork(
        kernels: passes, bytesPerElement: (4 * passes + bitsPerValue / 8) * load.values,
        operationsPerElement: 16 * load.values,
        source: "derived: one pass a statistic, one to round, 16 operations a random number"),
      decode: CodecWork(
        kernels: 1, bytesPerElement: (4 + bitsPerValue / 8) * load.values,
        source: "derived: one pass"),
      leaving: leaving)
  }
  public func worstCase(_ size: inout WorstCase) {
    size.bitsPerValue = 2
    size.otherBits += 32 * size.scopeCount + 8
  }

  public func streamBytes(for record: Encoded) -> Int? {
    let values = record.streams.reduce(0) { $0 + ($1.role == .values ? $1.count : 0) }
    return packedBytes(values) + 8 + 4 * record.scopeCount
  }
  private func packedBytes(_ count: Int) -> Int {
    packing == .twoBit ? BitPacking.bytes(count, width: 2) : (count + 4) / 5
  }

  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let rounding = StochasticRounding(
      hash: CounterHash(setting.random), limit: 1, signBit: 1)
    let memory = scratch.stream(packedBytes(values.count))
    let bytes = memory.assumingMemoryBound(to: UInt8.self)
    let scaleMemory = scratch.stream(4 * record.scopeCount)
    let scales = scaleMemory.assumingMemoryBound(to: Float.self)
    let digits =
      packing == .base243 ? scratch.temporary(of: UInt8.self, values.count + 4) : bytes
    var writer = CodeWriter<UInt8>(width: 2, into: bytes, scratch: &scratch)
    for scope in 0..<record.scopeCount {
      scales[scope] = 0
      let range = bounds[scope]..<bounds[scope + 1]
      if range.isEmpty { continue }
      let source = values.baseAddress!
      let limit = try largest(values, range, setting)
      // Below this the factor would leave single precision; such a scope is sent as zeros.
      let factor: Float = limit < 0x1p-80 ? 0 : 1 / limit
      scales[scope] = factor == 0 ? 0 : limit
      if packing == .twoBit {
        writer.append(range) { rounding.ternary(source, $0, factor, into: $1) }
      } else {
        rounding.ternary(source, range, factor, into: digits + range.lowerBound)
      }
    }
    writer.finish()
    if packing == .base243 { Self.pack243(digits, values.count, into: bytes) }
    let stream =
      packing == .twoBit
      ? PayloadStream(.values, .packed, parameter: 2, count: values.count, base: memory)
      : PayloadStream(
        .values, .bits, parameter: 243, count: values.count, bits: 8 * packedBytes(values.count),
        base: memory)
    record.replace(.values, with: stream)
    record.replace(
      .scales,
      with: PayloadStream(.scales, .float32, count: record.scopeCount, base: scaleMemory))
  }

  /// The largest magnitude of the scope, clipped if the codec clips.
  private func largest(
    _ values: UnsafeBufferPointer<Float>, _ range: Range<Int>, _ setting: StageSetting
  ) throws(CodecError) -> Float {
    let source = values.baseAddress! + range.lowerBound
    let largest = Float(
      bitPattern: UInt32(Reductions.largestMagnitudeBits(source, range.count)))
    guard largest.isFinite else { throw setting.notFinite(name, values) }
    guard let clip else { return largest }
    let mean = Reductions.sum(source, range.count) / Double(range.count)
    let square = Reductions.sumOfSquares(source, range.count) / Double(range.count)
    let deviation = max(0, square - mean * mean).squareRoot()
    // Equal elements have no deviation: clipping would erase them for good.
    return deviation > 0 ? min(largest, Float(clip * deviation)) : largest
  }

  private static func pack243(
    _ digits: UnsafeMutablePointer<UInt8>, _ count: Int, into bytes: UnsafeMutablePointer<UInt8>
  ) {
    // The memory has four digits beyond the last.
    for padding in 0..<4 { digits[count + padding] = 0 }
    for group in 0..<(count + 4) / 5 {
      let d = digits + 5 * group
      // At most 2 * (81 + 27 + 9 + 3 + 1) = 242.
      bytes[group] = d[0] &* 81 &+ d[1] &* 27 &+ d[2] &* 9 &+ d[3] &* 3 &+ d[4]
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
        "\(scales.count) scales for \(record.scopeCount) scopes")
    }
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let output = try target.floats(stream.count, codec: name, scratch: &scratch)
    let source = stream.elements(as: UInt8.self)
    let fits =
      packing == .twoBit
      ? stream.type == .packed && stream.parameter == 2
      : stream.type == .bits && stream.byteCount == packedBytes(stream.count)
    guard fits else {
      throw CodecError(codec: name, byteOffset: stream.offset, "\(packing) digits are needed")
    }
    if packing == .base243 {
      try decode243(stream, record, bounds, scales, output, scratch: &scratch)
    } else {
      var reader = CodeReader<UInt8>(width: 2, source, total: stream.count, scratch: &scratch)
      let stores = LargeStores(stream.count)
      for scope in 0..<record.scopeCount {
        let scale = scales.elements(as: Float.self)[scope]
        reader.runs(bounds[scope]..<bounds[scope + 1]) { run, digits in
          ck_ternary_to_float(digits, run.count, scale, stores.stream, output + run.lowerBound)
        }
      }
      stores.finish()
    }
    record.remove(.scales)
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: stream.count, base: output))
  }

  private func decode243(
    _ stream: PayloadStream, _ record: Encoded, _ bounds: UnsafeBufferPointer<Int>,
    _ scales: PayloadStream, _ output: UnsafeMutablePointer<Float>, scratch: inout CodecScratch
  ) throws(CodecError) {
    let source = stream.elements(as: UInt8.self)
    let digits = scratch.temporary(of: UInt8.self, Self.chunk + 8)
    let stores = LargeStores(stream.count)
    var scope = 0
    // Digits of a chunk stay in the first cache until they are values.
    for start in stride(from: 0, to: stream.count, by: Self.chunk) {
      let end = min(start + Self.chunk, stream.count)
      let wrong = ck_unpack_five_digits(source + start / 5, (end - start + 4) / 5, digits)
      if wrong >= 0 {
        let place = start / 5 + wrong
        throw CodecError(
          codec: name, byteOffset: stream.offset.map { $0 + place },
          "\(source[place]) is not five ternary digits")
      }
      var position = start
      while position < end {
        while bounds[scope + 1] <= position { scope += 1 }
        let next = min(end, bounds[scope + 1])
        ck_ternary_to_float(
          digits + (position - start), next - position, scales.elements(as: Float.self)[scope],
          stores.stream, output + position)
        position = next
      }
    }
    stores.finish()
  }

  /// Elements whose digits are in the first cache at a time: a multiple of five.
  private static var chunk: Int { 4000 }
}

extension TernGrad {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      clip: fields.optional(
        "clip", .positive,
        doc: "clips at so many standard deviations before scaling (2.5 in the paper); biased"),
      packing: fields.optional(
        "packing", .choice("packing"), default: .twoBit,
        doc: "two bits a ternary digit, or five digits a byte"))
  }
}
