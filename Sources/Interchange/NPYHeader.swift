/// What the header of an `.npy` file says, checked against the file's size.
struct NPYHeader {
  let format: FloatFormat
  let shape: [Int]
  let count: Int
  /// Where the elements begin.
  let dataStart: Int

  /// Reads and checks the header of `file`.
  init(of file: borrowing InputFile) throws(InterchangeError) {
    let path = file.path
    func failure(_ found: String, _ expected: String, _ offset: Int) -> InterchangeError {
      InterchangeError(path: path, found: found, expected: expected, byteOffset: offset)
    }
    let head = try file.bytes(at: 0, count: min(12, file.size))
    guard head.count >= 10, head[0] == 0x93, head[1..<6].elementsEqual("NUMPY".utf8) else {
      throw failure("the first bytes are not \\x93NUMPY", "an .npy file", 0)
    }
    let lengthWidth: Int
    switch head[6] {
    case 1: lengthWidth = 2
    case 2, 3: lengthWidth = 4
    default: throw failure("version \(head[6]).\(head[7])", "version 1.0, 2.0 or 3.0", 6)
    }
    let start = 8 + lengthWidth
    guard head.count >= start else {
      throw failure("the file ends in its header", "the header's length", file.size)
    }
    let length = head[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= file.size - start, length <= 1 << 20 else {
      throw failure(
        "a header of \(length) bytes in a file of \(file.size)", "the header fits the file", 8)
    }
    dataStart = start + length
    let text = try file.bytes(at: start, count: length)
    var parser = PythonDictionary(text)
    guard let values = parser.read() else {
      throw failure(
        "the header is not a dictionary of descr, fortran_order and shape",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }", start + parser.offset)
    }
    (shape, count) = (values.shape, values.shape.contains(0) ? 0 : values.count)
    switch values.type {
    case "<f8": format = .float64
    case "<f4": format = .float32
    case "<f2": format = .float16
    case ">f8", ">f4", ">f2":
      throw failure(
        "the big-endian type \(values.type)", "little-endian: a.astype('<f4')", start)
    case let type where type.dropFirst().first.map { "iub".contains($0) } ?? false:
      throw failure(
        "the type '\(type)'", "gradients are floating point: save a.astype('<f4')", start)
    case let type where type.hasPrefix("|V"):
      throw failure(
        "the type '\(type)'",
        "npy has no name for bfloat16 and eight-bit types: save a.astype('<f4'), or safetensors",
        start)
    default: throw failure("the type '\(values.type)'", "'<f4', '<f8' or '<f2'", start)
    }
    // With at most one extent above 1 the two orders are the same.
    if values.isFortranOrder, shape.filter({ $0 > 1 }).count > 1 {
      throw failure("Fortran order", "C order: save numpy.ascontiguousarray(a)", start)
    }
    let (size, overflow) = count.multipliedReportingOverflow(by: format.width)
    guard !overflow, count != .max, size == file.size - dataStart else {
      throw failure(
        "\(file.size - dataStart) bytes of data for the shape \(shape)",
        "\(overflow || count == .max ? "far more" : String(size)) bytes", dataStart)
    }
  }
}

/// Parses the one Python literal that an `.npy` header is.
private struct PythonDictionary {
  private let text: [UInt8]
  /// Where parsing stands or stopped.
  private(set) var offset = 0

  init(_ text: [UInt8]) { self.text = text }

  /// The three entries; `count` is the product of the extents, `Int.max` if it is beyond `Int`.
  mutating func read() -> (type: String, isFortranOrder: Bool, shape: [Int], count: Int)? {
    var type: String?
    var fortran: Bool?
    var shape: [Int]?
    guard take("{") else { return nil }
    while !take("}") {
      guard let key = string(), take(":") else { return nil }
      switch key {
      case "descr": type = string()
      case "fortran_order": fortran = boolean()
      case "shape": shape = tuple()
      default: return nil
      }
      if !take(",") {
        guard take("}") else { return nil }
        break
      }
    }
    skipSpace()
    guard offset == text.count, let type, let fortran, let shape else { return nil }
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      if overflow {
        count = .max
        break
      }
      count = product
    }
    return (type, fortran, shape, count)
  }

  private mutating func skipSpace() {
    while offset < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[offset]) { offset += 1 }
  }
  private mutating func take(_ symbol: StaticString) -> Bool {
    skipSpace()
    guard offset < text.count, text[offset] == symbol.utf8Start.pointee else { return false }
    offset += 1
    return true
  }
  private mutating func string() -> String? {
    skipSpace()
    guard offset < text.count,
      text[offset] == UInt8(ascii: "'") || text[offset] == UInt8(ascii: "\"")
    else { return nil }
    guard let end = text[(offset + 1)...].firstIndex(of: text[offset]) else { return nil }
    let value = String(validating: text[(offset + 1)..<end], as: UTF8.self)
    offset = end + 1
    return value
  }
  private mutating func boolean() -> Bool? {
    skipSpace()
    for (word, value) in [("True", true), ("False", false)]
    where text[offset...].starts(with: word.utf8) {
      offset += word.utf8.count
      return value
    }
    return nil
  }
  private mutating func tuple() -> [Int]? {
    guard take("(") else { return nil }
    var extents: [Int] = []
    while !take(")") {
      skipSpace()
      let start = offset
      while offset < text.count, text[offset] &- 0x30 < 10 { offset += 1 }
      // Python 2 wrote long integers with an L.
      guard let extent = Int(String(decoding: text[start..<offset], as: UTF8.self)) else {
        return nil
      }
      _ = take("L")
      extents.append(extent)
      if !take(",") {
        guard take(")") else { return nil }
        break
      }
    }
    return extents
  }
}
