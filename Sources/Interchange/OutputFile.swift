import Glibc

/// A file that appears whole or not at all: written beside its place, then renamed.
struct OutputFile: ~Copyable {
  let path: String
  private let partial: String
  private var descriptor: Int32

  /// Begins a file that will be at `path`, or where it leads as a symbolic link; missing folders are
  /// created.
  init(path: String) throws(InterchangeError) {
    self.path = OutputPath.target(of: path)
    OutputPath.makeFolders(of: self.path)
    partial = self.path + ".partial"
    descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw InputFile.systemError(path, "it cannot be written") }
  }

  deinit {
    if descriptor >= 0 {
      close(descriptor)
      unlink(partial)
    }
  }

  /// Appends the bytes of `elements`.
  func write<Element: BitwiseCopyable>(_ elements: [Element]) throws(InterchangeError) {
    try elements.withUnsafeBufferPointer { buffer throws(InterchangeError) in
      try write(bytes: UnsafeRawBufferPointer(buffer))
    }
  }

  private func write(bytes: UnsafeRawBufferPointer) throws(InterchangeError) {
    var done = 0
    while done < bytes.count {
      // In bounds: `done < bytes.count`, and no more than the rest is passed.
      let put = Glibc.write(
        descriptor, bytes.baseAddress! + done, min(bytes.count - done, 1 << 26))
      if put < 0 {
        if errno == EINTR { continue }
        throw InputFile.systemError(path, "it cannot be written")
      }
      done += put
    }
  }

  /// Puts the file in its place.
  consuming func finish() throws(InterchangeError) {
    let status = close(descriptor)
    descriptor = -1
    guard status == 0, rename(partial, path) == 0 else {
      let error = InputFile.systemError(path, "it cannot be written")
      unlink(partial)
      throw error
    }
  }
}
