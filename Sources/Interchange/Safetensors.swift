import SimKernel

/// The safetensors format: eight bytes of header length, a JSON header, then the tensors' bytes.
///
/// Format: github.com/huggingface/safetensors, "Format". As there, tensors must cover the data
/// exactly: no gaps, no overlaps, nothing behind the last.
public enum Safetensors {
  /// Longer headers are refused, as the reference implementation does.
  static let longestHeader = 100_000_000

  /// Reads the floating-point tensors of `path`.
  ///
  /// The order is that of the JSON list `order` in the file's metadata, if it is there; else the
  /// order of the data. Names there may lack a prefix that the tensors have, such as `s00.w1.`, when
  /// the file holds the same tensors several times. `F64`, `F32`, `F16`, `BF16` and the four
  /// eight-bit types become `Float`; other types are refused.
  public static func read(path: String) throws(InterchangeError) -> GradientFile {
    let file = try InputFile(path: path)
    let header = try header(of: file)
    let total = header.entries.reduce(0) { $0 + $1.count }
    let values = try [Float].filled(count: total) { buffer throws(InterchangeError) in
      var done = 0
      for run in header.runs {
        // In bounds: the runs' counts add up to the total.
        let part = UnsafeMutableBufferPointer(rebasing: buffer[done..<(done + run.count)])
        try file.read(run.format, into: part, at: run.begin)
        done += run.count
      }
    }
    var tensors: [GradientTensor] = []
    tensors.reserveCapacity(header.entries.count)
    var offset = 0
    for entry in header.entries {
      tensors.append(
        GradientTensor(name: entry.name, shape: entry.shape, offset: offset, count: entry.count))
      offset += entry.count
    }
    return GradientFile(origin: path, tensors: tensors, values: values)
  }

  /// Writes the tensors in single precision and their order as metadata.
  public static func write(_ gradient: GradientFile, path: String) throws(InterchangeError) {
    var order = ""
    var text = ""
    for tensor in gradient.tensors {
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      let begin = tensor.offset * 4
      order += (order.isEmpty ? "" : ",") + JSONNode.quoted(tensor.name)
      text +=
        ",\(JSONNode.quoted(tensor.name)):{\"dtype\":\"F32\",\"shape\":[\(shape)],"
        + "\"data_offsets\":[\(begin),\(begin + tensor.count * 4)]}"
    }
    text = "{\"__metadata__\":{\"order\":\(JSONNode.quoted("[\(order)]"))}" + text + "}"
    // The data begins at a multiple of eight.
    while text.utf8.count % 8 != 0 { text += " " }

    let file = try OutputFile(path: path)
    try file.write([UInt64(text.utf8.count)])
    try file.write(Array(text.utf8))
    try file.write(gradient.values)
    try file.finish()
  }

  /// The checked header of `file`.
  private static func header(of file: borrowing InputFile) throws(InterchangeError)
    -> SafetensorsHeader
  {
    func failure(_ found: String, _ expected: String) -> InterchangeError {
      InterchangeError(path: file.path, found: found, expected: expected, byteOffset: 0)
    }
    guard file.size >= 8 else {
      throw failure(
        "the file has \(file.size) bytes", "a safetensors file begins with 8 bytes of length")
    }
    let head = try file.bytes(at: 0, count: 8)
    let length = head.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(min(file.size - 8, longestHeader)) else {
      throw failure(
        "a header of \(length) bytes in a file of \(file.size)",
        "the header fits the file and \(longestHeader) bytes")
    }
    let text = try file.bytes(at: 8, count: Int(length))
    let reader = SafetensorsHeaderReader(
      path: file.path, dataStart: 8 + text.count, dataSize: file.size - 8 - text.count)
    return try text.withUnsafeBufferPointer { bytes throws(InterchangeError) in
      try reader.read(UnsafeRawBufferPointer(bytes))
    }
  }
}
