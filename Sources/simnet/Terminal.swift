import Foundation
import Reporting

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

  /// Columns of the terminal at `descriptor`, or `fallback` where it is none; `COLUMNS` in the
  /// environment overrides both.
  static func width(of descriptor: Int32 = STDOUT_FILENO, fallback: Int = 200) -> Int {
    if let text = ProcessInfo.processInfo.environment["COLUMNS"], let columns = Int(text),
      columns > 0
    {
      return columns
    }
    var size = winsize()
    if isatty(descriptor) == 1, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
      return Int(size.ws_col)
    }
    return fallback
  }

  /// Rows of the terminal on standard error; `LINES` in the environment overrides it.
  static func height(fallback: Int = 24) -> Int {
    if let text = ProcessInfo.processInfo.environment["LINES"], let rows = Int(text), rows > 0 {
      return rows
    }
    var size = winsize()
    if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 {
      return Int(size.ws_row)
    }
    return fallback
  }

  /// What the terminal at `descriptor` shows besides letters: nothing if it is none.
  ///
  /// Colours unless `NO_COLOR` is set (no-color.org) or the terminal calls itself dumb; blocks where
  /// the locale is one of UTF-8.
  static func style(of descriptor: Int32 = STDOUT_FILENO) -> TextStyle {
    guard isatty(descriptor) == 1 else { return .plain }
    let environment = ProcessInfo.processInfo.environment
    func isSet(_ name: String) -> String? {
      environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
    let kind = isSet("TERM") ?? "dumb"
    let locale = isSet("LC_ALL") ?? isSet("LC_CTYPE") ?? isSet("LANG") ?? ""
    let encoding = locale.uppercased()
    return TextStyle(
      hasColors: isSet("NO_COLOR") == nil && kind != "dumb",
      hasBlocks: encoding.contains("UTF-8") || encoding.contains("UTF8"))
  }

  /// Whether people watch standard error.
  static var isTalkingToPeople: Bool { isatty(STDERR_FILENO) == 1 }
}
