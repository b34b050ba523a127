import SimKernel

/// A randomised Hadamard rotation: signs drawn by position, then the Walsh-Hadamard transform over the
/// next power of two (Ailon and Chazelle, STOC 2006; Suresh et al., ICML 2017, arXiv:1611.00429).
///
/// Nothing is normalised: `forward` gives sqrt(d) times the rotated vector, and the transform of
/// that is d times the vector, so that the scales of codecs absorb exact powers of two.
struct RandomRotation: ~Copyable {
  private let signs: CounterHash
  /// The rotated values of one scope.
  let values: UnsafeMutablePointer<Float>
  private let buffer: UnsafeMutablePointer<Float>

  /// Memory for the scopes of `bounds`, and the signs that `key` draws.
  init(key: UInt64, bounds: UnsafeBufferPointer<Int>, scratch: inout CodecScratch) {
    signs = CounterHash(key: key)
    var largest = 0
    for scope in 0..<bounds.count - 1 { largest = max(largest, bounds[scope + 1] - bounds[scope]) }
    values = scratch.temporary(of: Float.self, HadamardTransform.paddedCount(largest))
    buffer = scratch.temporary(of: Float.self, HadamardTransform.block)
  }

  /// The sum of the padded lengths of all scopes.
  static func paddedCount(_ bounds: UnsafeBufferPointer<Int>) -> Int {
    var total = 0
    for scope in 0..<bounds.count - 1 {
      total += HadamardTransform.paddedCount(bounds[scope + 1] - bounds[scope])
    }
    return total
  }
  /// The padded lengths of `values` elements in `scopes` scopes: exact for one, a bound for more.
  static func largestPaddedCount(_ values: Int, scopes: Int) -> Int {
    scopes == 1 ? HadamardTransform.paddedCount(values) : 2 * values
  }

  /// Rotates elements `range` of `source` into ``values``.
  ///
  /// - Throws: `CodecError` if an element is not finite, or so large that sums may overflow.
  func forward(
    _ source: UnsafeBufferPointer<Float>, _ range: Range<Int>, codec: String,
    setting: StageSetting
  ) throws(CodecError) -> Int {
    let count = HadamardTransform.paddedCount(range.count)
    let input = source.baseAddress! + range.lowerBound
    var largest: Int32 = 0
    for start in stride(from: 0, to: count, by: HadamardTransform.block) {
      let size = min(HadamardTransform.block, count - start)
      let present = max(0, min(size, range.count - start))
      largest = max(
        largest, flip(input + start, present, position: range.lowerBound + start, values + start))
      (values + start + present).update(repeating: 0, count: size - present)
      // A block of padding is its own transform.
      if present > 0 { HadamardTransform.transformBlock(values + start, size) }
      HadamardTransform.combineBlocks(values, upTo: start + size, of: count, buffer: buffer)
    }
    guard largest < Reductions.infinityBits else { throw setting.notFinite(codec, source) }
    // |sum| < 2^(exponent + 1) d, and twice that must still be a float.
    guard Int(largest >> 23) - 127 + count.trailingZeroBitCount <= 124 else {
      throw setting.tooLarge(codec, source, "magnitudes are too large to be rotated in float32")
    }
    return count
  }

  /// Copies with the signs of the positions from `position`; returns the bits of the largest
  /// magnitude.
  private func flip(
    _ source: UnsafePointer<Float>, _ count: Int, position: Int,
    _ target: UnsafeMutablePointer<Float>
  ) -> Int32 {
    let hash = signs
    var counter = hash.counter(position)
    var largest: Int32 = 0
    for index in 0..<count {
      let bits = source[index].bitPattern
      let magnitude = Int32(truncatingIfNeeded: bits & 0x7FFF_FFFF)
      largest = magnitude > largest ? magnitude : largest
      target[index] = Float(bitPattern: bits ^ (hash.bits(counter: counter) & 0x8000_0000))
      counter &+= 1
    }
    return largest
  }

  /// Fills the `count` rotated values a block at a time with `fill`, which gets positions and writes
  /// them at the pointer, rotates back, and writes elements `range` times `factor` to `target`.
  func backward(
    _ range: Range<Int>, factor: Float, into target: UnsafeMutablePointer<Float>,
    _ fill: (Range<Int>, UnsafeMutablePointer<Float>) -> Void
  ) {
    let count = HadamardTransform.paddedCount(range.count)
    for start in stride(from: 0, to: count, by: HadamardTransform.block) {
      let size = min(HadamardTransform.block, count - start)
      fill(start..<start + size, values + start)
      HadamardTransform.transformBlock(values + start, size)
      HadamardTransform.combineBlocks(values, upTo: start + size, of: count, buffer: buffer)
    }
    let hash = signs
    var counter = hash.counter(range.lowerBound)
    let output = target + range.lowerBound
    for index in 0..<range.count {
      let sign = hash.bits(counter: counter) & 0x8000_0000
      output[index] = Float(bitPattern: (values[index] * factor).bitPattern ^ sign)
      counter &+= 1
    }
  }
}

extension RandomRotation {
  /// Padded elements per element, for costs: 1 to 2, and 1/ln 2 on average over sizes whose logarithm
  /// is uniform.
  static let expectedPadding = 1.4427

  /// What a rotation costs an accelerator, per element: signs and blocks in one pass, the levels above
  /// in another.
  static func work(values: Double) -> CodecWork {
    CodecWork(
      kernels: 2, bytesPerElement: (4 + 12 * expectedPadding) * values,
      operationsPerElement: (10 + 20 * expectedPadding) * values,
      source:
        "derived: 4 bytes read and 4 written, then 8, of a vector padded by 1/ln 2, 20 levels "
        + "of one addition and 10 operations a sign")
  }
}

extension Encoded {
  /// Adds the key of a rotation as framing: every worker derives it, so it is not payload.
  mutating func note(key: UInt64, scratch: inout CodecScratch) {
    let memory = scratch.stream(8)
    memory.storeBytes(of: key, as: UInt64.self)
    replace(.key, with: PayloadStream(.key, .uint64, count: 1, base: memory))
  }
  /// The key of a rotation.
  ///
  /// - Throws: `CodecError` if a damaged frame has none.
  func key(for codec: String) throws(CodecError) -> UInt64 {
    let stream = try require(.key, .uint64, for: codec)
    guard stream.count == 1 else {
      throw CodecError(codec: codec, byteOffset: stream.offset, "one key is needed")
    }
    return stream.elements(as: UInt64.self)[0]
  }

  /// The values, which must be `width` bits for every padded element of `bounds`.
  ///
  /// - Throws: `CodecError` if a damaged frame says otherwise.
  func rotatedValues(
    width: Int, _ bounds: UnsafeBufferPointer<Int>, for codec: String
  ) throws(CodecError) -> (stream: PayloadStream, codes: Int) {
    let stream = try require(.values, .bits, for: codec)
    let codes = RandomRotation.paddedCount(bounds)
    guard Int(stream.parameter) == width, stream.bits == width * codes else {
      throw CodecError(
        codec: codec, byteOffset: stream.offset,
        "\(codes) codes of \(width) bits are needed, not \(stream.bits) bits")
    }
    return (stream, codes)
  }
}
