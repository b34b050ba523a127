import Foundation

/// Standard output is data, standard error is talk.
enum Terminal {
  /// Writes data; a reader that has gone away ends the program quietly.
  static func print(_ text: String) {
    var copy = text
    let isWritten = copy.withUTF8 { buffer -> Bool in
      var offset = 0
      while offset < buffer.count {
        let count = write(STDOUT_FILENO, buffer.baseAddress! + offset, buffer.count - offset)
        if count < 0 {
          if errno == EINTR { continue }
          return false
        }
        offset += count
      }
      return true
    }
    if isWritten { return }
    if errno == EPIPE { Foundation.exit(0) }
    say("standard output: \(String(cString: strerror(errno)))")
    Foundation.exit(ExitStatus.inputOutput)
  }

  /// Says a line on standard error.
  static func say(_ line: String) {
    talk(line + "\n")
  }

  /// Writes to standard error as it is; nobody is left to be told if that fails.
  static func talk(_ text: String) {
    var copy = text
    copy.withUTF8 { buffer in
      var offset = 0
      while offset < buffer.count {
        let count = write(STDERR_FILENO, buffer.baseAddress! + offset, buffer.count - offset)
        if count < 0, errno != EINTR { return }
        offset += max(0, count)
      }
    }
  }

  /// Columns of the terminal on standard output, or `fallback` where it is none; `COLUMNS` in the
  /// environment overrides both.
  static func width(fallback: Int = 200) -> Int {
    if let text = ProcessInfo.processInfo.environment["COLUMNS"], let columns = Int(text),
      columns > 0
    {
      return columns
    }
    var size = winsize()
    if isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0,
      size.ws_col > 0
    {
      return Int(size.ws_col)
    }
    return fallback
  }

  /// Whether people watch standard error.
  static var isTalkingToPeople: Bool { isatty(STDERR_FILENO) == 1 }
}
