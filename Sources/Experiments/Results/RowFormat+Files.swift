import Networks
import SimKernel

extension RowFormat {
  /// Writes a table to `path`, whose ending decides the format; `fill` emits it row by row.
  ///
  /// - Throws: ``InputError`` if the file cannot be written; what `fill` throws.
  static func write(
    to path: String, _ header: [String], _ fill: (_ emit: ([String]) throws -> Void) throws -> Void
  ) throws {
    let format = RowFormat(path: path)
    try AtomicFile.stream(to: path) { writer in
      var bytes: [UInt8] = []
      var isEmpty = true
      format.begin(header, to: &bytes)
      try fill { row in
        format.append(row, header: header, isFirst: isEmpty, to: &bytes)
        isEmpty = false
        if bytes.count > 1 << 16 {
          try writer.append(bytes)
          bytes.removeAll(keepingCapacity: true)
        }
      }
      format.end(isEmpty: isEmpty, to: &bytes)
      try writer.append(bytes)
    }
  }
}

extension PortReport {
  /// The columns of ``cells(_:)``.
  static let columns = ["queue_high_water_bytes", "dropped", "trimmed", "marked", "pauses"]

  /// What happened at a port; empty cells if the model has none.
  static func cells(_ port: PortReport?) -> [String] {
    guard let port else { return columns.map { _ in "" } }
    return [
      String(port.highWaterMark.bytes), String(port.dropped), String(port.trimmed),
      String(port.marked), String(port.pauses),
    ]
  }
}
