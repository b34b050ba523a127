/// RFC 4180 with LF line ends: what pandas, R, DuckDB and spreadsheets read without options.
public enum CSV {
  /// `field`, quoted if it must be.
  public static func escaped(_ field: String) -> String {
    var bytes: [UInt8] = []
    append(field, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
  /// One line with its line end.
  public static func line(_ fields: [String]) -> String {
    var bytes: [UInt8] = []
    append(fields, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
  /// Appends the UTF-8 bytes of ``line(_:)``.
  public static func append(_ fields: [String], to out: inout [UInt8]) {
    for (index, field) in fields.enumerated() {
      if index > 0 { out.append(0x2C) }
      append(field, to: &out)
    }
    out.append(0x0A)
  }

  private static func append(_ field: String, to out: inout [UInt8]) {
    let start = out.count
    out.append(contentsOf: field.utf8)
    var needsQuotes = false
    var quotes = 0
    for byte in out[start...] {
      if byte == 0x22 { quotes += 1 }
      if byte == 0x2C || byte == 0x22 || byte == 0x0A || byte == 0x0D { needsQuotes = true }
    }
    if !needsQuotes { return }
    out.removeSubrange(start...)
    out.append(0x22)
    if quotes == 0 {
      out.append(contentsOf: field.utf8)
    } else {
      for byte in field.utf8 {
        if byte == 0x22 { out.append(0x22) }
        out.append(byte)
      }
    }
    out.append(0x22)
  }

  /// Why a text is no CSV.
  public enum Damage: Error, Equatable, CustomStringConvertible {
    /// A quoted cell that begins in this line, counted from 1, goes on to the end of the text.
    case openQuote(line: Int)

    public var description: String {
      switch self {
      case .openQuote(let line): "the quote that opens in line \(line) is never closed"
      }
    }
  }

  /// The rows of `text`, quotes resolved; tolerates CRLF and a missing last line end.
  ///
  /// - Throws: ``Damage`` if the text ends inside a quoted cell, as a file does that was cut off.
  public static func parse(_ text: String) throws(Damage) -> [[String]] {
    var rows: [[String]] = []
    var row: [String] = []
    var field: [UInt8] = []
    var quoted = false
    var any = false
    var previousQuote = false
    var line = 1
    var opened = 1
    func flush() {
      row.append(String(decoding: field, as: UTF8.self))
      field.removeAll(keepingCapacity: true)
    }
    for byte in text.utf8 {
      if byte == 0x0A { line += 1 }
      if quoted {
        if byte == 0x22 {
          quoted = false
          previousQuote = true
        } else {
          field.append(byte)
        }
        continue
      }
      switch byte {
      case 0x22:
        if previousQuote { field.append(byte) } else { opened = line }
        quoted = true
        any = true
      case 0x2C:
        flush()
        any = true
      case 0x0A:
        if any || !field.isEmpty || !row.isEmpty {
          flush()
          rows.append(row)
        }
        row = []
        any = false
      case 0x0D: break
      default:
        field.append(byte)
        any = true
      }
      previousQuote = false
    }
    if quoted { throw .openQuote(line: opened) }
    if any || !field.isEmpty || !row.isEmpty {
      flush()
      rows.append(row)
    }
    return rows
  }
}
