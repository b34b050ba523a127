import SimKernel

/// A random rotation, then one bit a rotated element and one scale a scope (DRIVE).
///
/// With d the next power of two and y the rotated vector, the scale |y|_2^2 / |y|_1 makes the
/// decoded vector's projection on the original exact; that is unbiased under a uniformly random
/// rotation, and under this Hadamard rotation only approximately, for long vectors: (1, 0.5) decodes
/// to (1.25, 0) for every draw of signs. `min_mse` sends |y|_1 / d, the least squares scale, which
/// shrinks the vector and wants error feedback. Every worker rotates by its own key, so that errors
/// average out; all derive the keys, so they are framing. Padding up to the power of two is sent and
/// may almost double a payload; every scope is padded on its own.
///
/// The transform moves the padded vector through memory once for sixteen levels and once more for every
/// five above, so a long vector cannot reach the speed of the codecs that pass over it once.
public struct Drive: Codec {
  /// What the signs are multiplied by.
  public enum Scale: String, Sendable, CaseIterable {
    case unbiased
    case minMSE = "min_mse"
  }
  public let scale: Scale

  public init(scale: Scale = .unbiased) { self.scale = scale }

  public var name: String { "drive" }
  public var parameters: [(key: String, value: String)] {
    scale == .unbiased ? [] : [("scale", scale.rawValue)]
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "2^ceil(log2 n)+32",
      citation: "Vargaftik et al., DRIVE: One-bit Distributed Mean Estimation, NeurIPS 2021, "
        + "arXiv:2105.08339",
      // Nearly unbiased is not unbiased: on short vectors no draw of signs gives the gradient.
      bias: .biased, sampleScaling: .needsFullTensor, isRandomised: true)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    form.gatheredCodes(of: name)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    var leaving = load
    let padding = RandomRotation.expectedPadding
    leaving.bytesPerValue = 0.125 * padding
    let rotation = RandomRotation.work(values: load.values)
    return StageCost(
      encode: rotation
        + CodecWork(
          kernels: 1, bytesPerElement: 4.125 * padding * load.values,
          source: "derived: one pass for both norms and the signs"),
      decode: CodecWork(
        kernels: 1, bytesPerElement: 0.125 * padding * load.values,
        source: "derived: signs are read by the rotation") + rotation,
      leaving: leaving)
  }
  public func worstCase(_ size: inout WorstCase) {
    let codes = RandomRotation.largestPaddedCount(size.values, scopes: size.scopeCount)
    size.bitsPerValue = 1
    size.otherBits += codes - size.values + 32 * size.scopeCount
  }

  public func streamBytes(for record: Encoded) -> Int? {
    record.valueCount / 4 + 64 + 4 * record.scopeCount
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let codes = RandomRotation.paddedCount(bounds)
    let memory = scratch.stream((codes + 7) / 8)
    let scaleMemory = scratch.stream(4 * record.scopeCount)
    let scales = scaleMemory.assumingMemoryBound(to: Float.self)
    var random = setting.random
    let key = random.next()
    let rotation = RandomRotation(key: key, bounds: bounds, scratch: &scratch)
    var writer = CodeWriter<UInt8>(
      width: 1, into: memory.assumingMemoryBound(to: UInt8.self), scratch: &scratch)
    for scope in 0..<record.scopeCount {
      scales[scope] = 0
      let elements = bounds[scope]..<bounds[scope + 1]
      if elements.isEmpty { continue }
      let count = try rotation.forward(values, elements, codec: name, setting: setting)
      let rotated = UnsafePointer(rotation.values)
      var magnitudes = 0.0
      var squares = 0.0
      for start in stride(from: 0, to: count, by: Reductions.blockSize) {
        let end = min(start + Reductions.blockSize, count)
        magnitudes += Reductions.sumOfMagnitudes(rotated + start, end - start)
        squares += Reductions.sumOfSquares(rotated + start, end - start)
        writer.append(start..<end) { Self.signs(rotated, $0, into: $1) }
      }
      // Rotated values carry a factor sqrt(d), and so does the transform back: both scales lose d.
      switch scale {
      case .unbiased:
        scales[scope] = magnitudes == 0 ? 0 : Float(squares / magnitudes / Double(count))
      case .minMSE: scales[scope] = Float(magnitudes / Double(count) / Double(count))
      }
    }
    writer.finish()
    record.replace(
      .values,
      with: PayloadStream(
        .values, .bits, parameter: 1, count: values.count, bits: codes, base: memory))
    record.replace(
      .scales,
      with: PayloadStream(.scales, .float32, count: record.scopeCount, base: scaleMemory))
    record.note(key: key, scratch: &scratch)
  }

  private static func signs(
    _ source: UnsafePointer<Float>, _ range: Range<Int>, into codes: UnsafeMutablePointer<UInt8>
  ) {
    let input = source + range.lowerBound
    for index in 0..<range.count { codes[index] = input[index] < 0 ? 1 : 0 }
  }

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let bounds = try record.valueBounds(for: name, scratch: &scratch)
    let (stream, codes) = try record.rotatedValues(width: 1, bounds, for: name)
    let scales = try record.scales(1, for: name)
    let key = try record.key(for: name)
    let output = try target.floats(stream.count, codec: name, scratch: &scratch)
    let rotation = RandomRotation(key: key, bounds: bounds, scratch: &scratch)
    var reader = CodeReader<UInt8>(
      width: 1, stream.elements(as: UInt8.self), total: codes, scratch: &scratch)
    var first = 0
    for scope in 0..<record.scopeCount {
      let elements = bounds[scope]..<bounds[scope + 1]
      if elements.isEmpty { continue }
      // Sums of +1 and -1 are exact, so the scale is applied to the result.
      rotation.backward(elements, factor: scales[scope], into: output) { range, target in
        let place = target - (first + range.lowerBound)
        reader.read(first + range.lowerBound..<first + range.upperBound) { index, code in
          place[index] = Float(bitPattern: 0x3F80_0000 | UInt32(code) << 31)
        }
      }
      first += HadamardTransform.paddedCount(elements.count)
    }
    record.remove(.scales)
    record.remove(.key)
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: stream.count, base: output))
  }
}

extension Drive {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      scale: fields.optional(
        "scale", .choice("scale"), default: .unbiased,
        doc:
          "l2^2/l1 of the rotated vector, nearly unbiased on long vectors, or l1/d, which has the "
          + "least squared error"))
  }
}
