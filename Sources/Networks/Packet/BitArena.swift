/// Bit sets of many sizes in one growable buffer, recycled by size.
struct BitArena: ~Copyable {
  private var words = FlatBuffer<UInt64>(capacity: 1024)
  /// Free blocks by the logarithm of their size.
  private var free: [[Int32]] = []

  /// Words of a block for so many bits: a power of two.
  static func wordCount(bits: Int) -> Int {
    let needed = max(1, (bits + 63) / 64)
    return 1 << (Int.bitWidth - (needed - 1).leadingZeroBitCount)
  }

  /// A block of `count` words, all zero.
  ///
  /// - Precondition: `count` is a power of two.
  mutating func allocate(words count: Int) -> Int32 {
    let size = count.trailingZeroBitCount
    while free.count <= size { free.append([]) }
    if let block = free[size].popLast() {
      for index in Int(block)..<Int(block) + count { words[index] = 0 }
      return block
    }
    let block = Int32(words.count)
    for _ in 0..<count { words.append(0) }
    return block
  }

  mutating func release(_ block: Int32, words count: Int) {
    free[count.trailingZeroBitCount].append(block)
  }

  @inline(__always)
  func contains(_ bit: Int32, in block: Int32) -> Bool {
    words[Int(block &+ (bit &>> 6))] & (1 &<< UInt64(bit & 63)) != 0
  }
  /// Adds `bit`; returns false if it was there.
  @inline(__always)
  mutating func insert(_ bit: Int32, in block: Int32) -> Bool {
    let mask: UInt64 = 1 &<< UInt64(bit & 63)
    let index = Int(block &+ (bit &>> 6))
    let old = words[index]
    words[index] = old | mask
    return old & mask == 0
  }
  @inline(__always)
  mutating func remove(_ bit: Int32, in block: Int32) {
    words[Int(block &+ (bit &>> 6))] &= ~(1 &<< UInt64(bit & 63))
  }
  /// The first bit at or after `start` that is set.
  ///
  /// - Precondition: there is one.
  func firstSet(from start: Int32, in block: Int32) -> Int32 {
    var word = start &>> 6
    var bits = words[Int(block &+ word)] & (UInt64.max &<< UInt64(start & 63))
    while bits == 0 {
      word &+= 1
      bits = words[Int(block &+ word)]
    }
    return word &<< 6 | Int32(bits.trailingZeroBitCount)
  }
  /// The first bit in `start..<end` that is not set, or `end`.
  @inline(__always)
  func firstClear(from start: Int32, to end: Int32, in block: Int32) -> Int32 {
    var bit = start
    while bit < end {
      let word = bit &>> 6
      let bits = ~words[Int(block &+ word)] & (UInt64.max &<< UInt64(bit & 63))
      if bits != 0 { return min(end, word &<< 6 | Int32(bits.trailingZeroBitCount)) }
      bit = (word &+ 1) &<< 6
    }
    return end
  }
}
