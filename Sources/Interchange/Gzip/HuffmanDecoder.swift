/// A canonical Huffman code of DEFLATE (RFC 1951, 3.2.2), decoded by a table for the short codes and
/// length by length for the rare long ones.
struct HuffmanDecoder {
  /// Bits that the table looks at.
  static let tableBits = 10
  private static let longest = 15

  /// Symbol times 16 plus length, by the next ten bits; 0 where the code is longer or none.
  private(set) var table = [UInt16](repeating: 0, count: 1 << tableBits)
  private var counts = [Int](repeating: 0, count: longest + 1)
  private var symbols: [UInt16] = []

  /// Takes the code with these lengths, 0 for symbols that do not occur.
  ///
  /// - Returns: false if there are more codes of some length than bits allow, or fewer than the bits
  ///   need, except for a code of at most one symbol.
  mutating func build(_ lengths: ArraySlice<UInt8>) -> Bool {
    for length in counts.indices { counts[length] = 0 }
    for length in lengths { counts[Int(length)] += 1 }
    let used = lengths.count - counts[0]
    counts[0] = 0
    var left = 1
    for length in 1...Self.longest {
      left = left << 1 - counts[length]
      if left < 0 { return false }
    }
    if left > 0, used > 1 { return false }
    var offsets = [Int](repeating: 0, count: Self.longest + 2)
    var codes = [Int](repeating: 0, count: Self.longest + 2)
    for length in 1...Self.longest {
      offsets[length + 1] = offsets[length] + counts[length]
      codes[length + 1] = (codes[length] + counts[length]) << 1
    }
    symbols = [UInt16](repeating: 0, count: used)
    for index in table.indices { table[index] = 0 }
    for (symbol, length) in lengths.enumerated() where length > 0 {
      let length = Int(length)
      symbols[offsets[length]] = UInt16(symbol)
      offsets[length] += 1
      let code = codes[length]
      codes[length] += 1
      if length > Self.tableBits { continue }
      // Codes come with their first bit lowest.
      var index = 0
      for bit in 0..<length where code >> bit & 1 == 1 { index |= 1 << (length - 1 - bit) }
      while index < table.count {
        table[index] = UInt16(symbol << 4 | length)
        index += 1 << length
      }
    }
    return true
  }

  /// The symbol that `bits` begin with and its length; nil if none does.
  func decodeSlowly(_ bits: UInt64) -> (symbol: Int, length: Int)? {
    var code = 0
    var first = 0
    var index = 0
    for length in 1...Self.longest {
      code |= Int(bits >> UInt64(length - 1) & 1)
      let count = counts[length]
      if code - first < count { return (Int(symbols[index + code - first]), length) }
      index += count
      first = (first + count) << 1
      code <<= 1
    }
    return nil
  }
}
