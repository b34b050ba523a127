import CKernels
import SimKernel

/// Three values, five a byte, with runs of zeros in one byte (3LC).
///
/// q = round(x / M) with M = s max |x| of the scope, 1 <= s < 2: elements above M / 2 become M with
/// their sign. A larger s leaves more zeros and larger values. Five digits make a byte, fourteen bytes
/// of zeros one, so 70 elements take at best eight bits. The paper rounds to nearest, and packs five
/// contiguous fifths of the vector; other implementations pack neighbours, which keeps runs of zeros
/// together. Biased: meant for error feedback, in both directions of a parameter server.
public struct ThreeLC: Codec {
  /// Which five digits make a byte.
  public enum Packing: String, Sendable, CaseIterable {
    /// One of each fifth of the vector.
    case fifths
    /// Five neighbours.
    case consecutive
  }

  /// s, in [1, 2).
  public let sparsity: Double
  public let packing: Packing

  public init(sparsity: Double = 1, packing: Packing = .fifths) {
    self.sparsity = sparsity
    self.packing = packing
  }

  public var name: String { "3lc" }
  public var parameters: [(key: String, value: String)] {
    var result: [(key: String, value: String)] = []
    if sparsity != 1 { result.append(("s", JSONNumber.shortest(sparsity))) }
    if packing != .fifths { result.append(("packing", packing.rawValue)) }
    return result
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "8*len(zero-run(quartic))+32*ceil(n/B)",
      citation: "Lim, Andersen and Kaminsky, 3LC: Lightweight and Effective Traffic Compression "
        + "for Distributed Machine Learning, MLSys 2019, arXiv:1802.07389",
      bias: .biased, sampleScaling: .needsFullTensor)
  }
  private var layout: Quartic.Layout { packing == .fifths ? .fifths : .consecutive }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = form.requireFloats(for: name) { return .failure(mismatch) }
    var result = form
    result.content = .codes
    result.aggregation = .gather
    result.isVariableSize = true
    result.maker = name
    return .success(result)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    var leaving = load
    // Without runs; how many there are only the gradient tells.
    leaving.bytesPerValue = 0.2
    return StageCost(
      encode: CodecWork(
        kernels: 4, bytesPerElement: 10.6 * load.values,
        source: "derived: passes for the range, digits, bytes and runs: 4+5+1.2+0.4 bytes a value"),
      decode: CodecWork(
        kernels: 3, bytesPerElement: 6.6 * load.values,
        source: "derived: passes for runs, digits and values: 0.4+1.2+5 bytes a value"),
      leaving: leaving)
  }
  public func worstCase(_ size: inout WorstCase) {
    // 1.6 bits a value, and a last byte.
    size.bitsPerValue = 2
    size.otherBits += 32 * size.scopeCount + 8
  }

  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let scaleMemory = scratch.stream(4 * record.scopeCount)
    let scales = scaleMemory.assumingMemoryBound(to: Float.self)
    let digits = scratch.temporary(of: UInt8.self, values.count + 4)
    for scope in 0..<record.scopeCount {
      scales[scope] = 0
      let start = bounds[scope]
      let count = bounds[scope + 1] - start
      if count == 0 { continue }
      let source = values.baseAddress! + start
      let bits = Reductions.largestMagnitudeBits(source, count)
      if bits >= Reductions.infinityBits { throw setting.notFinite(name, values) }
      let largest = Float(bitPattern: UInt32(bitPattern: bits))
      let magnitude = Float(Double(largest) * sparsity)
      guard magnitude.isFinite else {
        throw setting.tooLarge(
          name, values, "s times the largest value is beyond the largest float32")
      }
      scales[scope] = magnitude
      Self.quantize(source, count, half: magnitude / 2, into: digits + start)
    }
    let total = Quartic.bytes(values.count)
    let bytes = scratch.temporary(of: UInt8.self, total)
    Quartic.pack(digits, values.count, layout, into: bytes)
    let memory = scratch.stream(total)
    let length = Quartic.shorten(
      bytes, total, into: memory.assumingMemoryBound(to: UInt8.self))
    record.replace(
      .values,
      with: PayloadStream(.values, .bits, count: values.count, bits: 8 * length, base: memory))
    record.replace(
      .scales,
      with: PayloadStream(.scales, .float32, count: record.scopeCount, base: scaleMemory))
  }

  /// 2 above `half`, 0 below its negative, 1 between; |x| / M of exactly a half rounds to even, to 0.
  private static func quantize(
    _ source: UnsafePointer<Float>, _ count: Int, half: Float,
    into digits: UnsafeMutablePointer<UInt8>
  ) {
    let low = -half
    for index in 0..<count {
      let value = source[index]
      let plus: Int32 = value > half ? 1 : 0
      let minus: Int32 = value < low ? 1 : 0
      digits[index] = UInt8(truncatingIfNeeded: 1 &+ plus &- minus)
    }
  }

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let stream = try record.require(.values, .bits, for: name)
    let scales = try record.require(.scales, .float32, for: name)
    guard scales.count == record.scopeCount, stream.bits & 7 == 0 else {
      throw CodecError(
        codec: name, byteOffset: stream.offset, "whole bytes and one value a scope are needed")
    }
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let output = try target.floats(stream.count, codec: name, scratch: &scratch)
    let total = Quartic.bytes(stream.count)
    let bytes = scratch.temporary(of: UInt8.self, total)
    let source = stream.elements(as: UInt8.self)
    if let place = Quartic.lengthen(source, stream.byteCount, into: bytes, total: total) {
      throw CodecError(
        codec: name, byteOffset: stream.offset.map { $0 + place },
        "the runs do not add up to \(total) bytes of five values")
    }
    let digits = scratch.temporary(of: UInt8.self, 5 * total + 8)
    let table = scratch.temporary(of: UInt64.self, 256)
    Quartic.unpack(bytes, total, layout, table: table, into: digits)
    let stores = LargeStores(stream.count)
    for scope in 0..<record.scopeCount {
      let start = bounds[scope]
      ck_dequantize(
        digits + start, bounds[scope + 1] - start, Quartic.zero,
        scales.elements(as: Float.self)[scope], stores.stream, output + start)
    }
    stores.finish()
    record.remove(.scales)
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: stream.count, base: output))
  }
}

extension ThreeLC {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      sparsity: fields.optional(
        "s", .number(in: 1...1.9999), default: 1,
        doc: "the sent magnitude over the largest one; more leaves more zeros"),
      packing: fields.optional(
        "packing", .choice("packing"), default: .fifths,
        doc: "which five digits make a byte: one of each fifth, as in the paper, or neighbours"))
  }
}
