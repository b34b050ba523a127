import CZstd

/// Working memory that encodes and decodes share, so that a steady state allocates nothing.
///
/// Blocks are handed out in order; the same pipeline asks for the same ones each time, and a block
/// only grows. One scratch serves one thread. Everything handed out is valid until the next encode
/// or decode with the same scratch begins.
public struct CodecScratch: ~Copyable {
  private var blocks: [UnsafeMutableRawBufferPointer] = []
  private var used = 0
  /// Blocks that encodes and decodes leave alone.
  private var keptBlocks: [UnsafeMutableRawBufferPointer] = []
  /// Memory of the frame being written, into which the last stage's streams go directly.
  private var window = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var windowUsed = 0
  private var compressor: OpaquePointer?
  private var decompressor: OpaquePointer?

  public init() {}

  deinit {
    for block in blocks { block.deallocate() }
    for block in keptBlocks { block.deallocate() }
    if let compressor { ZSTD_freeCCtx(compressor) }
    if let decompressor { ZSTD_freeDCtx(decompressor) }
  }

  /// Bytes of all blocks: what does not change any more in a steady state.
  public var heldBytes: Int { (blocks + keptBlocks).reduce(0) { $0 + $1.count } }

  /// Takes all blocks back.
  mutating func reset() {
    used = 0
    closeWindow()
  }

  /// Memory for `count` elements, aligned to 64 bytes, with indeterminate content.
  public mutating func temporary<T: BitwiseCopyable>(
    of type: T.Type, _ count: Int
  ) -> UnsafeMutablePointer<T> {
    block(count * MemoryLayout<T>.stride).assumingMemoryBound(to: type)
  }

  /// What is handed out from here on can be taken back together.
  var mark: Int { used }
  /// Takes back what was handed out since `mark`: it must not be used any more.
  mutating func release(to mark: Int) { used = mark }

  /// Memory for an output stream of `byteCount` bytes, aligned to 8: in the frame where it fits.
  public mutating func stream(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let start = (windowUsed + 7) & ~7
    if let base = window.baseAddress, start + byteCount <= window.count {
      windowUsed = start + byteCount
      return base + start
    }
    return block(byteCount)
  }

  private mutating func block(_ byteCount: Int) -> UnsafeMutableRawPointer {
    if used == blocks.count {
      blocks.append(.allocate(byteCount: max(byteCount, 64), alignment: 64))
    } else if blocks[used].count < byteCount {
      blocks[used].deallocate()
      blocks[used] = .allocate(byteCount: byteCount + byteCount / 8, alignment: 64)
    }
    used += 1
    return blocks[used - 1].baseAddress!
  }

  /// Whether streams go straight into a frame.
  var writesFrame: Bool { window.baseAddress != nil }

  /// Memory for `count` elements, with indeterminate content, that encodes and decodes do not touch.
  ///
  /// It is valid until the same `number` is asked for again.
  mutating func kept<T: BitwiseCopyable>(
    _ number: Int, of type: T.Type, _ count: Int
  ) -> UnsafeMutablePointer<T> {
    while keptBlocks.count <= number {
      keptBlocks.append(.allocate(byteCount: 64, alignment: 64))
    }
    let byteCount = count * MemoryLayout<T>.stride
    if keptBlocks[number].count < byteCount {
      keptBlocks[number].deallocate()
      keptBlocks[number] = .allocate(byteCount: byteCount, alignment: 64)
    }
    return keptBlocks[number].baseAddress!.assumingMemoryBound(to: type)
  }

  mutating func openWindow(_ memory: UnsafeMutableRawBufferPointer, from offset: Int) {
    window = memory
    windowUsed = offset
  }
  mutating func closeWindow() {
    window = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    windowUsed = 0
  }

  /// libzstd's compression context, made once.
  mutating func zstdCompressor() -> OpaquePointer {
    if let compressor { return compressor }
    guard let made = ZSTD_createCCtx() else { fatalError("libzstd is out of memory") }
    compressor = made
    return made
  }
  /// libzstd's decompression context, made once.
  mutating func zstdDecompressor() -> OpaquePointer {
    if let decompressor { return decompressor }
    guard let made = ZSTD_createDCtx() else { fatalError("libzstd is out of memory") }
    decompressor = made
    return made
  }
}
