/// What all selecting codecs share: scopes' counts, scattering, declarations.
enum Sparsification {
  /// k = max(1, floor(count x ratio)), and 0 of nothing.
  static func kept(_ count: Int, ratio: Double) -> Int {
    count == 0 ? 0 : max(1, min(count, Int(Double(count) * ratio)))
  }

  /// The most that the scopes of a gradient keep together: exact for one scope, and otherwise one
  /// more than the share of the whole for each.
  static func mostKept(_ size: WorstCase, ratio: Double) -> Int {
    if size.scopeCount == 1 { return kept(size.elementCount, ratio: ratio) }
    return min(size.elementCount, Int(Double(size.elementCount) * ratio) + size.scopeCount)
  }

  /// The selected values of all scopes, and how many each has.
  struct Totals {
    var values = 0
    var largestScope = 0
    var largestKept = 0

    init(_ bounds: UnsafeBufferPointer<Int>, ratio: Double) {
      for scope in 0..<bounds.count - 1 {
        let count = bounds[scope + 1] - bounds[scope]
        let kept = Sparsification.kept(count, ratio: ratio)
        values += kept
        largestScope = max(largestScope, count)
        largestKept = max(largestKept, kept)
      }
    }
  }

  /// Leaves the counts of the scopes in `record`; one scope needs none.
  static func noteCounts(
    _ record: inout Encoded, ratio: Double, scratch: inout CodecScratch
  ) {
    guard record.scopeCount > 1 else { return }
    let counts = scratch.temporary(of: UInt32.self, record.scopeCount)
    for scope in 0..<record.scopeCount {
      counts[scope] = UInt32(
        kept(record.bounds[scope + 1] - record.bounds[scope], ratio: ratio))
    }
    record.replace(
      .counts, with: PayloadStream(.counts, .uint32, count: record.scopeCount, base: counts))
  }

  /// Writes the selected values to their positions in a gradient of zeros.
  ///
  /// - Precondition: positions are ascending and below the gradient's length.
  static func scatter(
    _ record: inout Encoded, _ positions: UnsafeBufferPointer<UInt32>, codec: String,
    target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: codec)
    guard values.count == positions.count else {
      throw CodecError(
        codec: codec, byteOffset: 0, "\(values.count) values for \(positions.count) positions")
    }
    let output = try target.floats(record.elementCount, codec: codec, scratch: &scratch)
    output.update(repeating: 0, count: record.elementCount)
    for index in 0..<values.count { output[Int(positions[index])] = values[index] }
    record.remove(.counts)
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: record.elementCount, base: output))
  }

  /// Refuses gradients whose positions 32 bits cannot name.
  static func requireAddressable(_ record: Encoded, codec: String) throws(CodecError) {
    if record.elementCount >= Int(UInt32.max) {
      throw CodecError(codec: codec, "more than 2^32 - 2 elements in one gradient")
    }
  }
}
