/// The bytes of a file, front to back, unpacked if the file is a gzip.
struct ByteStream: ~Copyable {
  let path: String
  /// Bytes read together.
  let chunkSize: Int
  /// Bytes from front to back; nil where unpacking them tells.
  let size: Int?
  private var plain: PlainReader?
  private var gzip: GzipReader?

  /// Bytes that readers ask for at once if nobody says otherwise.
  static let usualChunk = 1 << 18

  /// - Throws: if the file cannot be opened, or is packed by something other than gzip.
  init(path: String, chunkSize: Int = usualChunk) throws(InterchangeError) {
    try self.init(try InputFile(path: path), chunkSize: chunkSize)
  }

  init(_ file: consuming InputFile, chunkSize: Int = usualChunk) throws(InterchangeError) {
    path = file.path
    self.chunkSize = max(1, chunkSize)
    let head = try file.bytes(at: 0, count: min(6, file.size))
    if GzipReader.recognises(head) {
      size = nil
      gzip = GzipReader(file)
      plain = nil
      return
    }
    for (magic, tool) in Self.packers where head.starts(with: magic) {
      throw InterchangeError(
        path: path, found: "a file packed by \(tool)", expected: "unpack it first: \(tool) -d",
        byteOffset: 0)
    }
    size = file.size
    plain = PlainReader(file)
    gzip = nil
  }

  private static let packers: [(magic: [UInt8], tool: String)] = [
    ([0x28, 0xB5, 0x2F, 0xFD], "zstd"), ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "xz"),
    (Array("BZh".utf8), "bzip2"), ([0x04, 0x22, 0x4D, 0x18], "lz4"),
    (Array("PK".utf8) + [3, 4], "unzip"),
  ]

  /// Whether offsets count unpacked bytes.
  var isPacked: Bool { gzip != nil }

  /// Fills the front of `buffer`; 0 at the end only.
  mutating func read(
    into buffer: UnsafeMutableRawBufferPointer
  ) throws(InterchangeError) -> Int {
    if gzip != nil { return try gzip!.read(into: buffer) }
    return try plain!.read(into: buffer)
  }

  /// Everything that is left, at most `limit` bytes.
  mutating func readAll(limit: Int) throws(InterchangeError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: chunkSize)
    while true {
      var count = 0
      var failure: InterchangeError?
      chunk.withUnsafeMutableBytes { buffer in
        do throws(InterchangeError) { count = try read(into: buffer) } catch { failure = error }
      }
      if let failure { throw failure }
      if count == 0 { return bytes }
      if bytes.count + count > limit {
        throw InterchangeError(
          path: path, found: "more than \(limit) bytes",
          expected: "a smaller file of this kind", byteOffset: limit)
      }
      bytes += chunk[..<count]
    }
  }
}

/// A file that is read in order.
private struct PlainReader: ~Copyable {
  private let file: InputFile
  private var offset = 0

  init(_ file: consuming InputFile) { self.file = file }

  mutating func read(
    into buffer: UnsafeMutableRawBufferPointer
  ) throws(InterchangeError) -> Int {
    let count = min(buffer.count, file.size - offset)
    if count == 0 { return 0 }
    try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: offset)
    offset += count
    return count
  }
}
