/// The bits of a gzip file, lowest first, read a block at a time.
struct GzipInput: ~Copyable {
  private let file: InputFile
  /// A block, followed by eight bytes that may be loaded and do not count.
  private let block: UnsafeMutablePointer<UInt8>
  private var count = 0
  private var place = 0
  /// Where the block begins in the file.
  private var offset = 0
  /// The next bits, and how many of them are there.
  private(set) var bits: UInt64 = 0
  private(set) var available = 0

  private static let blockSize = 1 << 16

  init(_ file: consuming InputFile) {
    self.file = file
    block = .allocate(capacity: Self.blockSize + 8)
    block.initialize(repeating: 0, count: Self.blockSize + 8)
  }

  deinit { block.deallocate() }

  var path: String { file.path }
  /// Where the first bit that was not taken stands.
  var byteOffset: Int { offset + place - available / 8 }

  func failure(_ found: String, _ expected: String) -> InterchangeError {
    InterchangeError(path: path, found: found, expected: expected, byteOffset: byteOffset)
  }

  /// Brings at least 48 bits, or all that the file still has.
  mutating func refill() throws(InterchangeError) {
    if available >= 48 { return }
    if count - place >= 8 {
      // In bounds: eight bytes of the block are left.
      let next = UnsafeRawPointer(block + place).loadUnaligned(as: UInt64.self)
      bits |= next << UInt64(available)
      let taken = (63 - available) >> 3
      place += taken
      available += taken * 8
      // Whatever was loaded beyond the whole bytes comes again.
      if available < 64 { bits &= (1 << UInt64(available)) - 1 }
      return
    }
    while available <= 56 {
      if place == count, try !readBlock() { return }
      bits |= UInt64(block[place]) << UInt64(available)
      place += 1
      available += 8
    }
  }

  private mutating func readBlock() throws(InterchangeError) -> Bool {
    offset += count
    place = 0
    count = min(Self.blockSize, file.size - offset)
    if count == 0 { return false }
    // In bounds: a block is at least `count` bytes.
    try file.read(
      into: UnsafeMutableRawBufferPointer(start: block, count: count), at: offset)
    return true
  }

  /// Drops bits that are there.
  mutating func drop(_ count: Int) {
    bits >>= UInt64(count)
    available -= count
  }

  /// Takes at most 32 bits.
  mutating func take(_ count: Int) throws(InterchangeError) -> Int {
    if available < count { try refill() }
    guard available >= count else { throw truncated }
    let value = bits & ((1 << UInt64(count)) - 1)
    drop(count)
    return Int(value)
  }

  /// Drops what is left of a byte.
  mutating func alignToByte() { drop(available & 7) }

  /// Whether nothing is left.
  var isAtEnd: Bool {
    mutating get throws(InterchangeError) {
      try refill()
      return available == 0
    }
  }

  var truncated: InterchangeError {
    failure("the compressed data ends here", "a whole gzip file: copy or download it again")
  }
}
