import Glibc

/// A regular file open for reading at given offsets.
///
/// Read with `pread` and not mapped: a file that shrinks meanwhile is then an error and not a signal.
struct InputFile: ~Copyable {
  let path: String
  /// Bytes, as of opening.
  let size: Int
  /// Negative where the file is ``contents``.
  private let descriptor: Int32
  private let contents: [UInt8]

  /// A file called `path` that holds `contents`, in memory only.
  init(path: String, contents: [UInt8]) {
    self.path = path
    self.contents = contents
    size = contents.count
    descriptor = -1
  }

  /// Opens `path`.
  ///
  /// - Throws: if there is no such file, it may not be read, or it is not a regular file.
  init(path: String) throws(InterchangeError) {
    self.path = path
    contents = []
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor < 0 { throw Self.systemError(path, "it cannot be opened") }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let error = Self.systemError(path, "its size is unknown")
      close(descriptor)
      throw error
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw InterchangeError(
        path: path, found: "not a regular file", expected: "a file that can be read again")
    }
    size = Int(status.st_size)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Fills `buffer` from `offset` on.
  ///
  /// - Throws: if the file ends before.
  func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(InterchangeError) {
    if descriptor < 0 { return try copy(into: buffer, at: offset) }
    var done = 0
    while done < buffer.count {
      // In bounds: `done < buffer.count`, and no more than the rest is asked for.
      let got = pread(
        descriptor, buffer.baseAddress! + done, min(buffer.count - done, 1 << 26), offset + done)
      if got < 0 {
        if errno == EINTR { continue }
        throw Self.systemError(path, "it cannot be read")
      }
      if got == 0 {
        throw InterchangeError(
          path: path, found: "the file ends here",
          expected: "\(buffer.count - done) more bytes", byteOffset: offset + done)
      }
      done += got
    }
  }

  private func copy(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(InterchangeError) {
    guard offset + buffer.count <= contents.count else {
      throw InterchangeError(
        path: path, found: "the file ends here",
        expected: "\(offset + buffer.count - contents.count) more bytes",
        byteOffset: contents.count)
    }
    contents.withUnsafeBytes { bytes in
      buffer.copyMemory(
        from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + buffer.count]))
    }
  }

  /// The `count` bytes from `offset` on.
  func bytes(at offset: Int, count: Int) throws(InterchangeError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    try bytes.withUnsafeMutableBufferPointer { buffer throws(InterchangeError) in
      try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
    }
    return bytes
  }

  /// The error for `errno`.
  static func systemError(_ path: String, _ what: String) -> InterchangeError {
    InterchangeError(
      path: path, kind: .system, found: what, expected: String(cString: strerror(errno)))
  }

  /// Whether `path` is a directory.
  static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
