import SimKernel

/// What the header of a safetensors file says, checked against the file's size.
struct SafetensorsHeader {
  /// One tensor; `begin` counts from the start of the file.
  struct Entry {
    var name: String
    var format: FloatFormat
    var shape: [Int]
    var begin: Int
    var end: Int
    var count: Int
  }
  /// In the order the values are wanted.
  var entries: [Entry]

  /// Stretches of one format that are read at once, in the order of ``entries``.
  var runs: [(format: FloatFormat, begin: Int, count: Int)] {
    var runs: [(format: FloatFormat, begin: Int, count: Int)] = []
    for entry in entries where entry.count > 0 {
      if let last = runs.last, last.format == entry.format,
        last.begin + last.count * last.format.width == entry.begin
      {
        runs[runs.count - 1].count += entry.count
      } else {
        runs.append((entry.format, entry.begin, entry.count))
      }
    }
    return runs
  }
}

/// Reads such a header.
struct SafetensorsHeaderReader {
  let path: String
  /// Where the tensors' bytes begin in the file, and how many there are.
  let dataStart: Int
  let dataSize: Int

  private func failure(_ found: String, _ expected: String, _ offset: Int) -> InterchangeError {
    InterchangeError(path: path, found: found, expected: expected, byteOffset: offset)
  }

  /// The header whose JSON text is `bytes`, which follow eight bytes of length.
  func read(_ bytes: UnsafeRawBufferPointer) throws(InterchangeError) -> SafetensorsHeader {
    var json = JSONReader(bytes, origin: path)
    var entries: [SafetensorsHeader.Entry] = []
    var order: [String]?
    do {
      try json.beginObject()
      var first = true
      while let name = try json.nextKey(first: &first) {
        if name == "__metadata__" {
          order = try metadata(&json)
        } else {
          entries.append(try entry(name, &json))
        }
      }
      try json.end()
    } catch let error as JSONError {
      throw failure(
        "the header is not JSON: \(error.message)", "a safetensors file", 8 + json.offset)
    } catch let error as InterchangeError {
      throw error
    } catch { preconditionFailure("no other error is thrown here") }
    if entries.isEmpty {
      throw failure("the file holds no tensors", "a gradient has at least one", 8)
    }
    try checkCover(&entries)
    if let order { entries = try arrange(entries, order) }
    return SafetensorsHeader(entries: entries)
  }

  /// The list `order` of the metadata; every value there is a string, so the list is JSON in one.
  private func metadata(_ json: inout JSONReader) throws -> [String]? {
    var order: [String]?
    try json.beginObject()
    var first = true
    while let key = try json.nextKey(first: &first) {
      let offset = 8 + json.offset
      guard key == "order" else {
        try json.skip()
        continue
      }
      let text = try json.string()
      guard let names = try? JSONNode.parse(text, origin: path).elements?.map(\.string),
        !names.contains(nil)
      else {
        throw failure("the metadata \"order\" is not a list of names", "[\"a\", \"b\"]", offset)
      }
      order = names.compactMap { $0 }
    }
    return order
  }

  private func entry(_ name: String, _ json: inout JSONReader) throws -> SafetensorsHeader.Entry {
    let place = 8 + json.offset
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    try json.beginObject()
    var first = true
    while let key = try json.nextKey(first: &first) {
      switch key {
      case "dtype": type = try json.string()
      case "shape": shape = try integers(name, &json)
      case "data_offsets": offsets = try integers(name, &json)
      default: try json.skip()
      }
    }
    guard let type, let shape, let offsets, offsets.count == 2 else {
      throw failure(
        "the tensor \"\(name)\" is not described in full",
        "dtype, shape and two data_offsets", place)
    }
    guard let format = Self.format(of: type) else {
      throw failure(
        "the tensor \"\(name)\" has type \(type)", Self.advice(for: type), place)
    }
    let (begin, end) = (offsets[0], offsets[1])
    guard begin <= end, end <= dataSize else {
      throw failure(
        "the tensor \"\(name)\" lies at \(begin)..<\(end)",
        "the file has \(dataSize) bytes of data after the header", place)
    }
    // Zero as an extent makes an empty tensor whatever the others are.
    var count = shape.contains(0) ? 0 : 1
    for extent in shape where count != 0 {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      count = overflow ? .max : product
      if overflow { break }
    }
    let (size, overflow) = count.multipliedReportingOverflow(by: format.width)
    guard !overflow, size == end - begin else {
      throw failure(
        "the tensor \"\(name)\" of shape \(shape) and type \(type) has \(end - begin) bytes",
        "\(overflow ? "far more" : String(size)) bytes", place)
    }
    return SafetensorsHeader.Entry(
      name: name, format: format, shape: shape, begin: dataStart + begin, end: dataStart + end,
      count: count)
  }

  private func integers(_ name: String, _ json: inout JSONReader) throws -> [Int] {
    var values: [Int] = []
    try json.beginArray()
    var first = true
    while try json.nextElement(first: &first) {
      let place = 8 + json.offset
      guard let value = Int(try json.numberText()), value >= 0 else {
        throw failure(
          "an extent or offset of \"\(name)\" is not a whole number", "a number >= 0", place)
      }
      values.append(value)
    }
    return values
  }

  private static func advice(for type: String) -> String {
    if ["BOOL", "U8", "I8", "I16", "U16", "I32", "U32", "I64", "U64"].contains(type) {
      return "gradients are floating point; save tensor.float(), or leave the tensor out"
    }
    return "gradients are F64, F32, F16, BF16, F8_E4M3 or F8_E5M2"
  }

  private static func format(of type: String) -> FloatFormat? {
    switch type {
    case "F64": .float64
    case "F32": .float32
    case "F16": .float16
    case "BF16": .bfloat16
    case "F8_E4M3": .float8E4M3
    case "F8_E5M2": .float8E5M2
    case "F8_E4M3FNUZ": .float8E4M3FNUZ
    case "F8_E5M2FNUZ": .float8E5M2FNUZ
    default: nil
    }
  }

  // MARK: - The whole

  /// Sorts by position and checks that the tensors cover the data exactly, each name once.
  private func checkCover(_ entries: inout [SafetensorsHeader.Entry]) throws(InterchangeError) {
    // Empty tensors share their position with a neighbour; the name settles the order.
    entries.sort { ($0.begin, $0.end, $0.name) < ($1.begin, $1.end, $1.name) }
    var position = dataStart
    for entry in entries {
      if entry.begin < position {
        throw failure(
          "the tensor \"\(entry.name)\" overlaps the one before", "every byte has one owner",
          entry.begin)
      }
      if entry.begin > position {
        throw failure(
          "\(entry.begin - position) bytes belong to no tensor", "data without gaps", position)
      }
      position = entry.end
    }
    if position != dataStart + dataSize {
      throw failure(
        "\(dataStart + dataSize - position) bytes after the last tensor",
        "the file ends with its data", position)
    }
    let names = entries.map(\.name).sorted()
    for (name, next) in zip(names, names.dropFirst()) where name == next {
      throw failure("the tensor \"\(name)\" is given twice", "names are unique", 8)
    }
  }

  /// The tensors in the order of `names`, which must name each once.
  ///
  /// A file of several workers or steps holds the same tensors under several prefixes, such as
  /// `s00.w1.fc1.weight`, and its order names `fc1.weight` once: the prefixes then follow the data.
  private func arrange(
    _ entries: [SafetensorsHeader.Entry], _ names: [String]
  ) throws(InterchangeError) -> [SafetensorsHeader.Entry] {
    let rule = "the metadata \"order\" names every tensor once, perhaps without a prefix"
    var ranks: [String: Int] = [:]
    for (rank, name) in names.enumerated() {
      guard ranks.updateValue(rank, forKey: name) == nil else {
        throw failure("the metadata \"order\" names \"\(name)\" twice", rule, 8)
      }
    }
    var groups: [String: Int] = [:]
    var placed: [(group: Int, rank: Int, entry: SafetensorsHeader.Entry)] = []
    var present: [[Bool]] = []
    for entry in entries {
      guard let (prefix, rank) = Self.place(of: entry.name, in: ranks) else {
        throw failure("the metadata \"order\" leaves out \"\(entry.name)\"", rule, 8)
      }
      let group = groups[prefix] ?? present.count
      if group == present.count {
        groups[prefix] = group
        present.append([Bool](repeating: false, count: names.count))
      }
      present[group][rank] = true
      placed.append((group, rank, entry))
    }
    for flags in present {
      if let missing = flags.firstIndex(of: false) {
        throw failure(
          "the metadata \"order\" names \"\(names[missing])\", which is not there", rule, 8)
      }
    }
    return placed.sorted { ($0.group, $0.rank) < ($1.group, $1.rank) }.map(\.entry)
  }

  /// The longest ending of `name` that has a rank, and what stands before it.
  private static func place(
    of name: String, in ranks: [String: Int]
  ) -> (prefix: String, rank: Int)? {
    if let rank = ranks[name] { return ("", rank) }
    for dot in name.indices where name[dot] == "." {
      let start = name.index(after: dot)
      if let rank = ranks[String(name[start...])] { return (String(name[..<start]), rank) }
    }
    return nil
  }
}
