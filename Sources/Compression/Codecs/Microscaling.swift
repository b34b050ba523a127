import SimKernel

/// OCP microscaling: blocks of 32 elements share a power of two, and every element is a small float
/// (MXFP8 in E4M3 or E5M2, MXFP4 in E2M1).
///
/// The shared exponent is floor(log2 max |x|) minus the exponent of the format's largest number, held
/// in eight bits (E8M0); elements that then exceed the largest number saturate, as the standard says.
/// Blocks run over the flat gradient, whatever the scope; the last one may be shorter, and its
/// padding is not sent.
public struct Microscaling: Codec {
  /// The format of an element.
  public enum Format: String, Sendable, CaseIterable {
    case e4m3, e5m2, e2m1

    var numbers: SmallFloat {
      switch self {
      case .e4m3: .e4m3
      case .e5m2: .e5m2
      case .e2m1: .e2m1
      }
    }
  }
  /// Elements that share an exponent.
  static let block = 32
  /// Elements converted at a time, a multiple of the block.
  private static let chunk = 2048

  public let format: Format
  public init(_ format: Format) { self.format = format }

  private var width: Int { format.numbers.width }
  public var name: String { format == .e2m1 ? "mxfp4" : "mxfp8" }
  public var parameters: [(key: String, value: String)] {
    format == .e5m2 ? [("format", format.rawValue)] : []
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "\(width)n+8*ceil(n/32)",
      citation: "Rouhani et al., Microscaling Data Formats for Deep Learning, 2023, "
        + "arXiv:2310.10537; OCP Microscaling Formats v1.0",
      bias: .biased)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    form.gatheredCodes(of: name)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    var leaving = load
    leaving.bytesPerValue = Double(width) / 8 + 1.0 / 32
    let work = CodecWork(
      kernels: 1, bytesPerElement: (4 + leaving.bytesPerValue) * load.values,
      source: "derived: one pass, since a block of 32 fits a warp's registers")
    return StageCost(encode: work, decode: work, leaving: leaving)
  }
  public func worstCase(_ size: inout WorstCase) {
    size.bitsPerValue = width
    size.otherBits += 8 * ((size.values + Self.block - 1) / Self.block)
  }

  public func streamBytes(for record: Encoded) -> Int? {
    let count = record.valueCount
    return BitPacking.bytes(count, width: width) + 16 + count / Self.block
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    let count = values.count
    let blocks = (count + Self.block - 1) / Self.block
    let memory = scratch.stream(BitPacking.bytes(count, width: width))
    let bytes = memory.assumingMemoryBound(to: UInt8.self)
    let scaleMemory = scratch.stream(blocks)
    let exponents = scaleMemory.assumingMemoryBound(to: UInt8.self)
    let codes = scratch.temporary(of: UInt8.self, Self.chunk)
    var worst: Int32 = 0
    for start in stride(from: 0, to: count, by: Self.chunk) {
      let size = min(Self.chunk, count - start)
      let target = width == 8 ? bytes + start : codes
      worst = max(
        worst,
        Self.round(
          values.baseAddress! + start, size, format.numbers, exponents + start / Self.block,
          into: target))
      if width != 8 { BitPacking.pack(codes, size, at: start, width: width, into: bytes) }
    }
    guard worst < Reductions.infinityBits else { throw setting.notFinite(name, values) }
    record.replace(
      .values,
      with: PayloadStream(
        .values, .packed, parameter: UInt8(width), count: count, base: memory))
    record.replace(
      .scales, with: PayloadStream(.scales, .bytes, count: blocks, base: scaleMemory))
  }

  /// Exponents and codes of consecutive blocks; returns the bits of the largest magnitude.
  private static func round(
    _ source: UnsafePointer<Float>, _ count: Int, _ numbers: SmallFloat,
    _ exponents: UnsafeMutablePointer<UInt8>, into codes: UnsafeMutablePointer<UInt8>
  ) -> Int32 {
    let rounding = SmallFloat.Rounding(numbers)
    let offset = Int32(numbers.largestExponent)
    var worst: Int32 = 0
    /// The inverse of the block's power of two, from its largest magnitude.
    @inline(__always) func factor(_ block: Int, _ largest: Int32) -> Float {
      worst = largest > worst ? largest : worst
      // Within 0...254 for all bits of a magnitude, so that the inverse is a normal number.
      let exponent = max(0, largest >> 23 &- offset)
      exponents[block] = UInt8(truncatingIfNeeded: exponent)
      return Float(bitPattern: UInt32(truncatingIfNeeded: 254 &- exponent) << 23)
    }
    let whole = count / block
    for index in 0..<whole {
      let input = source + index * block
      let output = codes + index * block
      var largest: Int32 = 0
      for lane in 0..<block {
        let bits = Int32(truncatingIfNeeded: input[lane].bitPattern & 0x7FFF_FFFF)
        largest = bits > largest ? bits : largest
      }
      let factor = factor(index, largest)
      for lane in 0..<block {
        output[lane] = UInt8(truncatingIfNeeded: rounding.code(input[lane] * factor))
      }
    }
    if whole * block < count {
      let start = whole * block
      let factor = factor(
        whole, Reductions.largestMagnitudeBits(source + start, count - start))
      for index in start..<count {
        codes[index] = UInt8(truncatingIfNeeded: rounding.code(source[index] * factor))
      }
    }
    return worst
  }

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let stream = try record.packedValues(width: width, for: name)
    let scales = try record.require(.scales, .bytes, for: name)
    let count = stream.count
    guard scales.count == (count + Self.block - 1) / Self.block else {
      throw CodecError(
        codec: name, byteOffset: scales.offset, "\(scales.count) exponents for \(count) values")
    }
    let output = try target.floats(count, codec: name, scratch: &scratch)
    let bytes = stream.elements(as: UInt8.self)
    let exponents = scales.elements(as: UInt8.self)
    let codes = scratch.temporary(of: UInt8.self, Self.chunk)
    for start in stride(from: 0, to: count, by: Self.chunk) {
      let size = min(Self.chunk, count - start)
      if width != 8 { BitPacking.unpack(bytes, at: start, width: width, size, into: codes) }
      Self.widen(
        width == 8 ? bytes + start : UnsafePointer(codes), size, format.numbers,
        exponents + start / Self.block, into: output + start)
    }
    record.remove(.scales)
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: count, base: output))
  }

  private static func widen(
    _ codes: UnsafePointer<UInt8>, _ count: Int, _ numbers: SmallFloat,
    _ exponents: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<Float>
  ) {
    let widening = SmallFloat.Widening(numbers)
    /// 2^(e - 127): subnormal for e = 0; a damaged 255 is infinite.
    @inline(__always) func scale(_ block: Int) -> Float {
      let exponent = UInt32(exponents[block])
      return Float(bitPattern: exponent == 0 ? 0x0040_0000 : exponent << 23)
    }
    let whole = count / block
    for index in 0..<whole {
      let input = codes + index * block
      let output = target + index * block
      let scale = scale(index)
      for lane in 0..<block { output[lane] = widening.value(UInt32(input[lane])) * scale }
    }
    for index in whole * block..<count {
      target[index] = widening.value(UInt32(codes[index])) * scale(whole)
    }
  }
}

extension Microscaling {
  /// The formats of eight bits.
  private enum EightBits: String, CaseIterable, Sendable { case e4m3, e5m2 }

  /// Reads the record of `mxfp8`.
  static func mxfp8(_ fields: inout FieldReader) -> Microscaling {
    let format = fields.optional(
      "format", .choice("format"), default: EightBits.e4m3,
      doc: "e4m3 has one more bit of mantissa, e5m2 of exponent")
    return Microscaling(format == .e4m3 ? .e4m3 : .e5m2)
  }
}
