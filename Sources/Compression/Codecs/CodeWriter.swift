/// Collects codes of one element each and packs them by the chunk, across the borders of scopes.
struct CodeWriter<Code: FixedWidthInteger & UnsignedInteger> {
  /// Elements of a chunk: codes and values of one stay in the first cache.
  static var chunk: Int { 2048 }
  private let width: Int
  private let codes: UnsafeMutablePointer<Code>
  private let target: UnsafeMutablePointer<UInt8>
  private var filled = 0
  private var start = 0

  /// A writer of codes of `width` bits into memory for all of them.
  init(width: Int, into target: UnsafeMutablePointer<UInt8>, scratch: inout CodecScratch) {
    self.width = width
    self.target = target
    codes = UnsafeMutableRawPointer(scratch.temporary(of: UInt32.self, Self.chunk))
      .assumingMemoryBound(to: Code.self)
  }

  /// Appends the codes of elements `range`, which `fill` writes a stretch at a time in ascending
  /// order.
  mutating func append(
    _ range: Range<Int>, _ fill: (Range<Int>, UnsafeMutablePointer<Code>) -> Void
  ) {
    var position = range.lowerBound
    while position < range.upperBound {
      let count = min(range.upperBound - position, Self.chunk - filled)
      fill(position..<position + count, codes + filled)
      position += count
      filled += count
      if filled == Self.chunk { flush() }
    }
  }
  /// Packs what is left.
  mutating func finish() { flush() }

  private mutating func flush() {
    BitPacking.pack(codes, filled, at: start, width: width, into: target)
    start += filled
    filled = 0
  }
}

/// Reads packed codes by the chunk, across the borders of scopes.
struct CodeReader<Code: FixedWidthInteger & UnsignedInteger> {
  private let width: Int
  private let codes: UnsafeMutablePointer<Code>
  private let source: UnsafePointer<UInt8>
  private let total: Int
  /// The chunk that is unpacked.
  private var loaded = 0..<0

  /// A reader of `total` codes of `width` bits.
  init(width: Int, _ source: UnsafePointer<UInt8>, total: Int, scratch: inout CodecScratch) {
    self.width = width
    self.source = source
    self.total = total
    codes = UnsafeMutableRawPointer(scratch.temporary(of: UInt32.self, CodeWriter<Code>.chunk))
      .assumingMemoryBound(to: Code.self)
  }

  /// Calls `body` with the position and code of every element of `range`, in order.
  ///
  /// - Precondition: ranges are asked for in ascending order and end within the total.
  @inline(__always)
  mutating func read(_ range: Range<Int>, _ body: (Int, Code) -> Void) {
    runs(range) { run, codes in
      let input = codes - run.lowerBound
      for index in run { body(index, input[index]) }
    }
  }

  /// Calls `body` with every stretch of `range` in turn and the codes of its elements.
  ///
  /// - Precondition: as for ``read(_:_:)``.
  @inline(__always)
  mutating func runs(_ range: Range<Int>, _ body: (Range<Int>, UnsafePointer<Code>) -> Void) {
    var position = range.lowerBound
    while position < range.upperBound {
      if position >= loaded.upperBound {
        // Chunks begin at multiples of 2048, so of 256, as unpacking needs.
        let end = min(loaded.upperBound + CodeWriter<Code>.chunk, total)
        BitPacking.unpack(
          source, at: loaded.upperBound, width: width, end - loaded.upperBound, into: codes)
        loaded = loaded.upperBound..<end
      }
      let end = min(range.upperBound, loaded.upperBound)
      body(position..<end, UnsafePointer(codes + (position - loaded.lowerBound)))
      position = end
    }
  }
}
