import SimKernel

/// Sign and exponent only: the magnitude is rounded to one of the two powers of two around it, up
/// with the probability of its mantissa, mantissa / 2^23 (natural compression).
///
/// The rounding adds 23 random bits to the float's own and drops the mantissa: the carry has exactly
/// that probability, and subnormals go to 0 or 2^-126 alike. Unbiased with a squared relative error
/// of 1/8 at most; magnitudes from 2^127 stay there, as 2^128 is no float32. The clipped variant of
/// GRACE keeps seven bits of exponent: biased exponents 18...145, of which 18 stands for zero, so
/// magnitudes rounded to 2^-109 or less vanish and those beyond 2^18 saturate.
public struct NaturalCompression: Codec {
  /// Whether exponents are clipped to seven bits.
  public let isClipped: Bool

  public init(isClipped: Bool = false) { self.isClipped = isClipped }

  public var name: String { "natural" }
  public var parameters: [(key: String, value: String)] {
    isClipped ? [("clipped", "true")] : []
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "\(width)n",
      citation: "Horvath et al., Natural Compression for Distributed Deep Learning, MSML 2022, "
        + "arXiv:1905.10988",
      bias: isClipped ? .biased : .unbiased, isRandomised: true)
  }
  private var width: Int { isClipped ? 8 : 9 }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    form.gatheredCodes(of: name)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    var leaving = load
    leaving.bytesPerValue = Double(width) / 8
    let bytes = (4 + Double(width) / 8) * load.values
    return StageCost(
      encode: CodecWork(
        kernels: 1, bytesPerElement: bytes, operationsPerElement: 14 * load.values,
        source: "derived: one pass, 10 operations a random number and 4 to add and cut"),
      decode: CodecWork(kernels: 1, bytesPerElement: bytes, source: "derived: one pass"),
      leaving: leaving)
  }
  public func worstCase(_ size: inout WorstCase) { size.bitsPerValue = width }

  public func streamBytes(for record: Encoded) -> Int? {
    BitPacking.bytes(record.valueCount, width: width)
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    let memory = scratch.stream(BitPacking.bytes(values.count, width: width))
    let bytes = memory.assumingMemoryBound(to: UInt8.self)
    let hash = CounterHash(setting.random)
    var worst: Int32 = 0
    if let source = values.baseAddress {
      if isClipped {
        worst = Self.clipped(source, values.count, hash, into: bytes)
      } else {
        var writer = CodeWriter<UInt16>(width: width, into: bytes, scratch: &scratch)
        writer.append(0..<values.count) {
          worst = max(worst, Self.round(source, $0, hash, into: $1))
        }
        writer.finish()
      }
    }
    guard worst < Reductions.infinityBits else { throw setting.notFinite(name, values) }
    record.replace(
      .values,
      with: PayloadStream(
        .values, .packed, parameter: UInt8(width), count: values.count, base: memory))
  }

  /// The exponent field that a magnitude is rounded to; at most 255 for finite ones.
  @inline(__always)
  private static func exponent(_ magnitude: UInt32, _ random: UInt32) -> UInt32 {
    // Below 2^31 + 2^23: no wrap.
    (magnitude &+ random >> 9) >> 23
  }

  private static func round(
    _ source: UnsafePointer<Float>, _ range: Range<Int>, _ hash: CounterHash,
    into codes: UnsafeMutablePointer<UInt16>
  ) -> Int32 {
    let input = source + range.lowerBound
    var counter = hash.counter(range.lowerBound)
    var worst: Int32 = 0
    for index in 0..<range.count {
      let bits = input[index].bitPattern
      let magnitude = bits & 0x7FFF_FFFF
      let signed = Int32(truncatingIfNeeded: magnitude)
      worst = signed > worst ? signed : worst
      let rounded = exponent(magnitude, hash.bits(counter: counter))
      let kept = rounded < 254 ? rounded : 254
      codes[index] = UInt16(truncatingIfNeeded: kept | (bits >> 31) << 8)
      counter &+= 1
    }
    return worst
  }

  private static func clipped(
    _ source: UnsafePointer<Float>, _ count: Int, _ hash: CounterHash,
    into codes: UnsafeMutablePointer<UInt8>
  ) -> Int32 {
    var counter = hash.counter(0)
    var worst: Int32 = 0
    for index in 0..<count {
      let bits = source[index].bitPattern
      let magnitude = bits & 0x7FFF_FFFF
      let signed = Int32(truncatingIfNeeded: magnitude)
      worst = signed > worst ? signed : worst
      let rounded = exponent(magnitude, hash.bits(counter: counter))
      let above = (rounded > 18 ? rounded : 18) &- 18
      codes[index] = UInt8(truncatingIfNeeded: (above < 127 ? above : 127) | (bits >> 31) << 7)
      counter &+= 1
    }
    return worst
  }

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let stream = try record.packedValues(width: width, for: name)
    let output = try target.floats(stream.count, codec: name, scratch: &scratch)
    let bytes = stream.elements(as: UInt8.self)
    if isClipped {
      for index in 0..<stream.count {
        let code = UInt32(bytes[index])
        let above = code & 127
        let magnitude = above == 0 ? 0 : (above &+ 18) << 23
        output[index] = Float(bitPattern: magnitude | (code >> 7) << 31)
      }
    } else {
      var reader = CodeReader<UInt16>(
        width: width, bytes, total: stream.count, scratch: &scratch)
      reader.read(0..<stream.count) { index, code in
        // The exponent 255, which is never written, would be infinite.
        output[index] = Float(bitPattern: UInt32(code & 255) << 23 | UInt32(code >> 8) << 31)
      }
    }
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: stream.count, base: output))
  }
}

extension NaturalCompression {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      isClipped: fields.optional(
        "clipped", .bool, default: false,
        doc: "8 bits instead of 9: exponents clipped to 18...145, as GRACE does; biased"))
  }
}
