/// The highest byte of every floating-point number apart from the bytes below it.
///
/// Sign and exponent are all that an entropy coder can shorten in a gradient; the bytes below are
/// noise, which it would only copy slowly. Numbers whose highest byte is 0 are nearly always exact
/// zeros: their lower bytes are left out where all of them are, which also keeps runs of zeros short.
enum ExponentPlane {
  /// Bytes beyond the lower ones that ``split(_:_:plane:lower:)`` may overwrite.
  static let slack = 4

  /// Writes the highest bytes of `count` words to `plane`, the others to `lower`, in the same order.
  ///
  /// - Precondition: `lower` has room for all lower bytes and ``slack``.
  /// - Returns: how many elements' lower bytes were written: those whose highest byte is not 0, or
  ///   all where that would lose something.
  static func split<Word: FixedWidthInteger & UnsignedInteger>(
    _ words: UnsafePointer<Word>, _ count: Int, plane: UnsafeMutablePointer<UInt8>,
    lower: UnsafeMutablePointer<UInt8>
  ) -> Int {
    let width = Word.bitWidth / 8 - 1
    let raw = UnsafeMutableRawPointer(lower)
    var written = 0
    // Lower bytes of words that are not zero although their highest byte is.
    var lost: Word = 0
    for index in 0..<count {
      let word = words[index]
      let top = UInt8(truncatingIfNeeded: word >> Word(8 * width))
      plane[index] = top
      // In bounds: a whole word at no more than `width` bytes an element, and `slack` behind.
      raw.storeBytes(of: word.littleEndian, toByteOffset: written, as: Word.self)
      lost |= top == 0 ? word : 0
      written &+= top == 0 ? 0 : width
    }
    if lost == 0 { return written / width }
    for index in 0..<count {
      raw.storeBytes(of: words[index].littleEndian, toByteOffset: index * width, as: Word.self)
    }
    return count
  }

  /// Undoes ``split(_:_:plane:lower:)`` of which `kept` elements' lower bytes are left.
  ///
  /// - Returns: false where the plane does not ask for as many, which only damage does.
  static func join<Word: FixedWidthInteger & UnsignedInteger>(
    plane: UnsafePointer<UInt8>, lower: UnsafePointer<UInt8>, kept: Int,
    _ words: UnsafeMutablePointer<Word>, _ count: Int
  ) -> Bool {
    let width = Word.bitWidth / 8 - 1
    let skips = kept < count
    var nonzero = 0
    for index in 0..<count { nonzero &+= plane[index] == 0 ? 0 : 1 }
    if skips && nonzero != kept { return false }
    let mask = (Word(1) << Word(8 * width)) - 1
    let raw = UnsafeRawPointer(lower)
    var at = 0
    // The last elements are read byte by byte: a whole word would end beyond the lower bytes.
    let end = kept * width - Word.bitWidth / 8
    for index in 0..<count {
      let top = plane[index]
      let step = skips && top == 0 ? 0 : width
      var low: Word = 0
      if at <= end {
        // In bounds: the word ends with the lower bytes at the latest.
        low = Word(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: Word.self)) & mask
        if step == 0 { low = 0 }
      } else {
        // In bounds: as many elements as were kept take `width` bytes each.
        for byte in 0..<step { low |= Word(lower[at + byte]) << Word(8 * byte) }
      }
      words[index] = low | Word(top) << Word(8 * width)
      at &+= step
    }
    return true
  }
}
