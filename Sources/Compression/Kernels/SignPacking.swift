import CKernels

/// Signs as bits: bit j of word i is set where element 64 i + j is below zero.
///
/// Zero counts as positive, and so does minus zero: the sign family sends +1 for `x >= 0`.
enum SignPacking {
  /// Packs the signs of `count` elements and returns the bits of the largest magnitude, as
  /// ``Reductions/largestMagnitudeBits(_:_:)``; the last word's unused bits are 0.
  @discardableResult
  static func pack(
    _ values: UnsafePointer<Float>, _ count: Int, into words: UnsafeMutablePointer<UInt64>
  ) -> Int32 {
    ck_pack_signs(values, count, words)
  }

  /// Writes `positive` or `negative` by the signs of elements `range` to `target`, which begins at
  /// element 0.
  static func unpack(
    _ words: UnsafePointer<UInt64>, _ range: Range<Int>, positive: Float, negative: Float,
    into target: UnsafeMutablePointer<Float>, _ stores: LargeStores
  ) {
    ck_unpack_signs(
      words, range.lowerBound, range.upperBound, positive, negative, stores.stream, target)
  }

  /// The stream's bits as whole words, which ``unpack`` reads: copied, since the last bytes of a
  /// frame need not fill one.
  static func words(
    of stream: PayloadStream, scratch: inout CodecScratch
  ) -> UnsafePointer<UInt64> {
    let words = scratch.temporary(of: UInt64.self, (stream.count + 63) / 64)
    if stream.count > 0 { words[(stream.count - 1) / 64] = 0 }
    UnsafeMutableRawPointer(words).copyMemory(from: stream.base, byteCount: stream.byteCount)
    return UnsafePointer(words)
  }
}
