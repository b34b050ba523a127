import SimKernel

/// Turns the description of records into pages for the terminal.
public enum Documentation {
  /// The fields of a record, one line each.
  public static func fields(of record: RecordDescription) -> String {
    var table = TextTable([
      (title: "key", alignment: .left), (title: "takes", alignment: .left),
      (title: "default", alignment: .left), (title: "meaning", alignment: .left),
    ])
    for field in record.fields {
      table.add([
        field.key, kind(of: field.shape),
        field.required ? "(required)" : field.defaultValue ?? "-", field.doc,
      ])
    }
    return table.text()
  }

  /// Everything about one field.
  public static func explain(_ field: FieldDescription, at path: String) -> String {
    var text = "\(path): \(field.doc)\n"
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
    return text + details(of: field.shape)
  }

  private static func details(of shape: FieldShape) -> String {
    switch shape {
    case .value: return ""
    case .record(let record): return record.fields.isEmpty ? "" : "\n" + fields(of: record)
    case .variant(let noun, let discriminator, let members):
      var text = "  one \(noun), as its name or as {\"\(discriminator)\": name, ...}\n"
      for member in members { text += "\n" + self.member(member) }
      return text
    case .list(let element): return "  a list of:\n" + details(of: element)
    case .map(let element): return "  an object with free keys, each:\n" + details(of: element)
    }
  }

  /// One member of a registry with its fields.
  public static func member(_ member: RecordDescription) -> String {
    var text = "\(member.name): \(member.summary)\n"
    if member.fields.isEmpty { return text }
    for line in fields(of: member).split(separator: "\n") { text += "    \(line)\n" }
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
