import SimKernel

/// Turns the description of records into pages for the terminal.
public enum Documentation {
  /// The fields of a record, one line each, or more where they are longer than `width`.
  public static func fields(of record: RecordDescription, width: Int = .max) -> String {
    var table = TextTable(
      [
        (title: "key", alignment: .left), (title: "takes", alignment: .left),
        (title: "default", alignment: .left), (title: "meaning", alignment: .left),
      ], isProse: true)
    for field in record.fields {
      table.add([
        field.key, kind(of: field.shape),
        field.required ? "(required)" : field.defaultValue ?? "-", field.doc,
      ])
    }
    return table.text(width: width)
  }

  /// Everything about one field.
  public static func explain(
    _ field: FieldDescription, at path: String, width: Int = .max
  ) -> String {
    var text = lines(field.doc, head: "\(path): ", width)
    switch field.shape {
    case .value(let expectation, let example, _):
      text += "  takes    \(expectation)\n  example  \(example)\n"
    default: break
    }
    if field.required {
      text += "  required\n"
    } else if let value = field.defaultValue {
      text += "  default  \(value)\n"
    }
    return text + details(of: field.shape, width)
  }

  private static func lines(_ text: String, head: String, _ width: Int) -> String {
    WrappedText.lines(text, head: head, indent: 4, width: width).joined(separator: "\n") + "\n"
  }

  private static func details(of shape: FieldShape, _ width: Int) -> String {
    switch shape {
    case .value: return ""
    case .record(let record):
      return record.fields.isEmpty ? "" : "\n" + fields(of: record, width: width)
    case .variant(let noun, let discriminator, let members):
      var text = "  one \(noun), as its name or as {\"\(discriminator)\": name, ...}\n"
      for member in members { text += "\n" + self.member(member, width: width) }
      return text
    case .list(let element): return "  a list of:\n" + details(of: element, width)
    case .map(let element):
      return "  an object with free keys, each:\n" + details(of: element, width)
    }
  }

  /// One member of a registry with its fields.
  public static func member(_ member: RecordDescription, width: Int = .max) -> String {
    var text = lines(member.summary, head: "\(member.name): ", width)
    if member.fields.isEmpty { return text }
    let room = width == .max ? width : max(20, width - 4)
    for line in fields(of: member, width: room).split(separator: "\n") { text += "    \(line)\n" }
    return text
  }

  /// The keys or names one step below `shape`.
  public static func keys(below shape: FieldShape) -> [String] {
    switch shape {
    case .value: []
    case .record(let record): record.fields.map(\.key)
    case .variant(_, let discriminator, let members):
      [discriminator] + members.map(\.name) + members.flatMap { $0.fields.map(\.key) }
    case .list(let element), .map(let element): keys(below: element)
    }
  }

  /// A field as JSON: key, what it takes, default, meaning.
  public static func json(_ field: FieldDescription) -> JSONNode {
    let value = field.defaultValue.flatMap { try? JSONNode.parse($0, origin: "default") }
    return JSONNode(
      .object([
        JSONMember("key", JSONNode(.string(field.key))),
        JSONMember("takes", JSONNode(.string(kind(of: field.shape)))),
        JSONMember("required", JSONNode(.bool(field.required))),
        JSONMember("default", value ?? JSONNode(.null)),
        JSONMember("meaning", JSONNode(.string(field.doc))),
      ]))
  }

  private static func kind(of shape: FieldShape) -> String {
    switch shape {
    case .value(let expectation, _, _): expectation
    case .record: "an object"
    case .variant(let noun, _, _): "a \(noun)"
    case .list(let element): "a list of " + kind(of: element)
    case .map: "an object of named entries"
    }
  }
}
