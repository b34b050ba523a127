/// RFC 4180 with LF line ends: what pandas, R, DuckDB and spreadsheets read without options.
public enum CSV {
  /// `field`, quoted if it must be.
  public static func escaped(_ field: String) -> String {
    let needsQuotes = field.utf8.contains { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }
    if !needsQuotes { return field }
    return "\""
      + field.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
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
      let start = out.count
      out.append(contentsOf: field.utf8)
      let needsQuotes = out[start...].contains {
        $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D
      }
      if needsQuotes {
        out.removeSubrange(start...)
        out.append(contentsOf: escaped(field).utf8)
      }
    }
    out.append(0x0A)
  }

  /// The rows of `text`, quotes resolved; tolerates CRLF and a missing last line end.
  public static func parse(_ text: String) -> [[String]] {
    var rows: [[String]] = []
    var row: [String] = []
    var field: [UInt8] = []
    var quoted = false
    var any = false
    var previousQuote = false
    func flush() {
      row.append(String(decoding: field, as: UTF8.self))
      field.removeAll(keepingCapacity: true)
    }
    for byte in text.utf8 {
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
        if previousQuote { field.append(byte) }
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
    if any || !field.isEmpty || !row.isEmpty {
      flush()
      rows.append(row)
    }
    return rows
  }
}
