import SimKernel

extension ModelTable {
  private static let numbers = [
    "index", "layer_index", "numel", "elements", "grad_bytes_fp32", "fwd_macs_per_sample", "macs",
    "fwd_fraction", "activation_out_numel_per_sample", "activation_elements", "forward_us",
    "forward_ms", "backward_us", "backward_ms", "ready_us", "ready_ms",
  ]
  private static let columns = ["tensor", "name", "layer", "kind", "shape", "executed"] + numbers

  /// Turns CSV (RFC 4180, a header line) into the JSON form, each cell with its place.
  ///
  /// Lines such as `# batch: 32` before the header set the keys of the table itself. Faults of the
  /// header go to `issues`; those of cells are found when the JSON form is read.
  static func csv(_ text: String, _ origin: String, _ issues: IssueCollector) -> JSONNode {
    var members: [JSONMember] = []
    var header: [String]?
    var rows: [JSONNode] = []
    for (index, line) in text.split(
      omittingEmptySubsequences: false, whereSeparator: \.isNewline
    ).enumerated() {
      let start = TextPosition(origin: origin, line: index + 1, column: 1)
      var content = line
      if index == 0, content.first == "\u{FEFF}" { content = content.dropFirst() }
      if content.allSatisfy({ $0 == " " }) { continue }
      if content.first == "#" {
        if let member = setting(content, start) { members.append(member) }
        continue
      }
      let cells = cells(of: content)
      guard let names = header else {
        header = cells.map(\.text)
        check(cells, start, issues)
        continue
      }
      if cells.count != names.count {
        issues.report(
          Issue(
            path: FieldPath(["line \(index + 1)"]), position: start,
            problem: .invalid(
              found: "\(cells.count) cells", expected: "the header has \(names.count)")))
        continue
      }
      var row: [JSONMember] = []
      for (name, cell) in zip(names, cells) where !cell.text.isEmpty && columns.contains(name) {
        var place = start
        place.column = cell.column
        row.append(JSONMember(name, JSONNode(value(of: cell.text, in: name), at: place)))
      }
      rows.append(JSONNode(.object(row), at: start))
    }
    members.append(JSONMember("tensors_forward_order", JSONNode(.array(rows))))
    return JSONNode(.object(members))
  }

  /// `# key: value`, or nil for any other comment.
  private static func setting(_ line: Substring, _ place: TextPosition) -> JSONMember? {
    let parts = line.dropFirst().split(separator: ":", maxSplits: 1)
    guard parts.count == 2 else { return nil }
    let key = String(parts[0].drop { $0 == " " })
    let text = String(parts[1].drop { $0 == " " })
    switch key {
    case "name", "sample", "source", "format":
      return JSONMember(key, JSONNode(.string(text), at: place))
    case "batch", "parameters", "attention_score_macs_per_sample":
      return JSONMember(key, JSONNode(number(text) ?? .string(text), at: place))
    default: return nil
    }
  }

  private static func check(
    _ cells: [(text: String, column: Int)], _ start: TextPosition, _ issues: IssueCollector
  ) {
    for (index, cell) in cells.enumerated() {
      var place = start
      place.column = cell.column
      if !columns.contains(cell.text) {
        issues.report(
          Issue(
            path: FieldPath(["the header"]), position: place,
            problem: .unknownKey(
              found: cell.text,
              suggestion: Spelling.suggestion(for: cell.text, among: columns), known: columns)))
      } else if cells[..<index].contains(where: { $0.text == cell.text }) {
        issues.report(
          Issue(
            path: FieldPath(["the header"]), position: place,
            problem: .invalid(
              found: "the column \"\(cell.text)\" is given twice", expected: "remove one")))
      }
    }
  }

  private static func value(of text: String, in column: String) -> JSONValue {
    if numbers.contains(column) { return number(text) ?? .string(text) }
    switch column {
    case "shape":
      let parts = text.split(separator: "x", omittingEmptySubsequences: false)
      return .array(parts.map { JSONNode(number(String($0)) ?? .string(String($0))) })
    case "executed":
      switch text {
      case "1", "true": return .bool(true)
      case "0", "false": return .bool(false)
      default: return .string(text)
      }
    default: return .string(text)
    }
  }

  /// The number that `text` spells by JSON's rules.
  private static func number(_ text: String) -> JSONValue? {
    guard let node = try? JSONNode.parse(text, origin: ""), node.number != nil else { return nil }
    return node.value
  }

  /// The cells of a line with the columns they begin at; a quoted cell may hold commas and doubled
  /// quotes, but no line break.
  private static func cells(of line: Substring) -> [(text: String, column: Int)] {
    var cells: [(text: String, column: Int)] = []
    let bytes = Array(line.utf8)
    var index = 0
    while true {
      let start = index
      var text: [UInt8] = []
      if index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
        index += 1
        while index < bytes.count {
          if bytes[index] == UInt8(ascii: "\"") {
            guard index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "\"") else { break }
            index += 1
          }
          text.append(bytes[index])
          index += 1
        }
        index += 1
      }
      while index < bytes.count, bytes[index] != UInt8(ascii: ",") {
        text.append(bytes[index])
        index += 1
      }
      cells.append((trimmed(String(decoding: text, as: UTF8.self)), start + 1))
      if index >= bytes.count { return cells }
      index += 1
    }
  }

  private static func trimmed(_ text: String) -> String {
    var rest = text.drop { $0 == " " || $0 == "\t" }
    while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
    return String(rest)
  }
}
