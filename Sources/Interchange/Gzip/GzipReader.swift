/// What a gzip file holds, front to back (RFC 1951 and 1952), checked against its checksums.
///
/// Several members one after the other are one text, as for gzip itself. Memory: 350 kB.
struct GzipReader: ~Copyable {
  private var input: GzipInput
  /// The last 32 KiB handed out, then what was decoded since.
  private let window: UnsafeMutablePointer<UInt8>
  private var start = history
  private var end = history
  /// Bytes of the member so far, of which references may reach back at most 32 KiB.
  private var memberSize = 0
  private var crc = CRC32()
  private var state = State.header
  private var isLastBlock = false
  private var storedCount = 0
  private var literals = HuffmanDecoder()
  private var distances = HuffmanDecoder()

  private enum State { case header, block, stored, compressed, end }

  private static let history = 1 << 15
  private static let capacity = history + 1 << 18
  /// The longest match, and room for copies of eight bytes to write too far.
  private static let slack = 258 + 8

  init(_ file: consuming InputFile) {
    input = GzipInput(file)
    window = .allocate(capacity: Self.capacity)
    window.initialize(repeating: 0, count: Self.capacity)
  }

  deinit { window.deallocate() }

  /// Whether a file that begins with `bytes` is one.
  static func recognises(_ bytes: [UInt8]) -> Bool {
    bytes.count >= 3 && bytes[0] == 0x1F && bytes[1] == 0x8B && bytes[2] == 8
  }

  /// Fills as much of `buffer` as there is at once; 0 at the end.
  mutating func read(
    into buffer: UnsafeMutableRawBufferPointer
  ) throws(InterchangeError) -> Int {
    if buffer.isEmpty { return 0 }
    while start == end {
      if state == .end { return 0 }
      try decode()
    }
    let count = min(buffer.count, end - start)
    // In bounds: `start + count <= end`, and no more than the buffer holds.
    buffer.baseAddress!.copyMemory(from: window + start, byteCount: count)
    start += count
    return count
  }

  /// Decodes until the window is full or the member ends.
  private mutating func decode() throws(InterchangeError) {
    // Keep the last 32 KiB before the next bytes.
    (window).update(from: window + end - Self.history, count: Self.history)
    start = Self.history
    end = Self.history
    while end + Self.slack <= Self.capacity {
      switch state {
      case .header: try readHeader()
      case .block: try beginBlock()
      case .stored: try copyStored()
      case .compressed: try decodeSymbols()
      case .end: return
      }
      // A member that ends has its checksum behind it.
      if state == .end {
        try finishMember()
        return
      }
    }
    addToChecksum()
  }

  private mutating func addToChecksum() {
    crc.add(UnsafeRawBufferPointer(start: window + start, count: end - start))
    memberSize += end - start
  }

  // MARK: - Members

  private mutating func readHeader() throws(InterchangeError) {
    let magic = try input.take(16)
    guard magic == 0x8B1F else {
      throw input.failure(
        "bytes that do not begin a gzip member", "1f 8b, or the end of the file")
    }
    guard try input.take(8) == 8 else { throw input.failure("an unknown method", "DEFLATE") }
    let flags = try input.take(8)
    _ = try input.take(32)
    _ = try input.take(16)
    if flags & 4 != 0 {
      for _ in 0..<(try input.take(16)) { _ = try input.take(8) }
    }
    // A file name, then a comment.
    for flag in [8, 16] where flags & flag != 0 {
      while try input.take(8) != 0 {}
    }
    if flags & 2 != 0 { _ = try input.take(16) }
    state = .block
  }

  private mutating func finishMember() throws(InterchangeError) {
    addToChecksum()
    input.alignToByte()
    let expected = try input.take(32)
    guard expected == Int(crc.value) else {
      throw input.failure("the checksum does not match", "undamaged data: copy the file again")
    }
    guard try input.take(32) == memberSize & 0xFFFF_FFFF else {
      throw input.failure("the length does not match", "undamaged data: copy the file again")
    }
    crc.reset()
    memberSize = 0
    state = try input.isAtEnd ? .end : .header
    // What was decoded is handed out before the next member begins.
  }

  // MARK: - Blocks

  private mutating func beginBlock() throws(InterchangeError) {
    if isLastBlock {
      isLastBlock = false
      state = .end
      return
    }
    isLastBlock = try input.take(1) == 1
    switch try input.take(2) {
    case 0:
      input.alignToByte()
      let count = try input.take(16)
      guard try input.take(16) == ~count & 0xFFFF else {
        throw input.failure("a stored block with a wrong length", "undamaged data")
      }
      storedCount = count
      state = .stored
    case 1:
      var lengths = [UInt8](repeating: 8, count: 288)
      for symbol in 144..<256 { lengths[symbol] = 9 }
      for symbol in 256..<280 { lengths[symbol] = 7 }
      _ = literals.build(lengths[...])
      _ = distances.build([UInt8](repeating: 5, count: 32)[...])
      state = .compressed
    case 2:
      try readCodes()
      state = .compressed
    default: throw input.failure("a block of an unknown kind", "undamaged data")
    }
  }

  private mutating func readCodes() throws(InterchangeError) {
    let literalCount = try input.take(5) + 257
    let distanceCount = try input.take(5) + 1
    let codeCount = try input.take(4) + 4
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    var lengths = [UInt8](repeating: 0, count: 19)
    for index in 0..<codeCount { lengths[order[index]] = UInt8(try input.take(3)) }
    let damaged = "undamaged data"
    guard literalCount <= 286, distanceCount <= 30, literals.build(lengths[...]) else {
      throw input.failure("a Huffman code that cannot be", damaged)
    }
    lengths = []
    while lengths.count < literalCount + distanceCount {
      let symbol = try nextSymbol(literals)
      var value: UInt8 = 0
      var count = 1
      switch symbol {
      case 0..<16: value = UInt8(symbol)
      case 16:
        guard let last = lengths.last else {
          throw input.failure("a Huffman code that repeats nothing", damaged)
        }
        value = last
        count = 3 + (try input.take(2))
      case 17: count = 3 + (try input.take(3))
      default: count = 11 + (try input.take(7))
      }
      lengths.append(contentsOf: repeatElement(value, count: count))
    }
    guard lengths.count == literalCount + distanceCount, lengths[256] > 0,
      literals.build(lengths[..<literalCount]), distances.build(lengths[literalCount...])
    else { throw input.failure("a Huffman code that cannot be", damaged) }
  }

  private mutating func nextSymbol(_ code: HuffmanDecoder) throws(InterchangeError) -> Int {
    try input.refill()
    guard let found = code.decodeSlowly(input.bits) else {
      throw input.failure("bits that are no code", "undamaged data")
    }
    guard found.length <= input.available else { throw input.truncated }
    input.drop(found.length)
    return found.symbol
  }

  private mutating func copyStored() throws(InterchangeError) {
    while storedCount > 0, end + Self.slack <= Self.capacity {
      window[end] = UInt8(try input.take(8))
      end += 1
      storedCount -= 1
    }
    if storedCount == 0 { state = .block }
  }
}

extension GzipReader {
  /// Decodes symbols until the block ends or the window is full.
  private mutating func decodeSymbols() throws(InterchangeError) {
    let mask = UInt64(1 << HuffmanDecoder.tableBits - 1)
    while end + Self.slack <= Self.capacity {
      // 48 bits are enough for a length, a distance and their extra bits.
      try input.refill()
      let entry = Int(literals.table[Int(input.bits & mask)])
      var symbol = entry >> 4
      if entry == 0 {
        symbol = try nextSymbol(literals)
      } else {
        guard entry & 15 <= input.available else { throw input.truncated }
        input.drop(entry & 15)
      }
      if symbol < 256 {
        // In bounds: the slack is left.
        window[end] = UInt8(symbol)
        end += 1
        continue
      }
      if symbol == 256 {
        state = .block
        return
      }
      guard symbol < 286 else { throw input.failure("a length that cannot be", "undamaged data") }
      let length = try lengthValue(symbol - 257)
      try copyMatch(length)
    }
  }

  /// Lengths 3 to 258: groups of four of equal width, then 258 by itself.
  private mutating func lengthValue(_ code: Int) throws(InterchangeError) -> Int {
    if code < 8 { return code + 3 }
    if code == 28 { return 258 }
    let extra = code / 4 - 1
    return 3 + (4 + code % 4) << extra + (try input.take(extra))
  }

  private mutating func copyMatch(_ length: Int) throws(InterchangeError) {
    try input.refill()
    let mask = UInt64(1 << HuffmanDecoder.tableBits - 1)
    let entry = Int(distances.table[Int(input.bits & mask)])
    var code = entry >> 4
    if entry == 0 {
      code = try nextSymbol(distances)
    } else {
      guard entry & 15 <= input.available else { throw input.truncated }
      input.drop(entry & 15)
    }
    guard code < 30 else { throw input.failure("a distance that cannot be", "undamaged data") }
    var distance = code + 1
    if code >= 4 {
      let extra = code / 2 - 1
      distance = 1 + (2 + code % 2) << extra + (try input.take(extra))
    }
    guard distance <= memberSize + end - memberStart, distance <= Self.history else {
      throw input.failure("a reference to before the beginning", "undamaged data")
    }
    // In bounds: the distance is within the window, and the slack is left for the whole match and
    // for the seven bytes that the last copy may write too far.
    let target = window + end
    let source = target - distance
    if distance >= 8 {
      var done = 0
      while done < length {
        let bytes = UnsafeRawPointer(source + done).loadUnaligned(as: UInt64.self)
        UnsafeMutableRawPointer(target + done).storeBytes(of: bytes, as: UInt64.self)
        done += 8
      }
    } else {
      for index in 0..<length { target[index] = source[index] }
    }
    end += length
  }

  /// Where the bytes that are not in ``memberSize`` begin in the window.
  private var memberStart: Int { start }
}
