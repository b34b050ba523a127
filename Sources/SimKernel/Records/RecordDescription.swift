/// What a record is made of, collected by visiting its declaration in describe mode.
public struct RecordDescription: Sendable {
  /// The name under which it is registered, or the key it stands under.
  public var name: String
  public var summary: String
  public var fields: [FieldDescription]

  /// Visits `declaration` and collects its fields.
  public static func of(
    name: String, summary: String, _ declaration: (inout FieldReader) -> Void
  ) -> RecordDescription {
    var reader = FieldReader.describing()
    declaration(&reader)
    return RecordDescription(name: name, summary: summary, fields: reader.described)
  }
}

/// One field of a record.
public struct FieldDescription: Sendable {
  public var key: String
  public var doc: String
  public var required: Bool
  /// The default as JSON text; nil if there is none or the field is required.
  public var defaultValue: String?
  public var shape: FieldShape
}

extension FieldDescription {
  /// The key that says which member of a registry is meant.
  init(choosing noun: String, as discriminator: String, among members: [RecordDescription]) {
    let names = members.map(\.name)
    key = discriminator
    doc = "which \(noun) it is; the other keys are those of its choice"
    required = true
    defaultValue = nil
    shape = .value(
      expectation: "one of \(names.joined(separator: ", "))",
      example: JSONNode.quoted(names.first ?? ""), schema: "{}")
  }
}

/// What a field holds.
public indirect enum FieldShape: Sendable {
  /// A plain value.
  case value(expectation: String, example: String, schema: String)
  /// A nested record.
  case record(RecordDescription)
  /// One member of a registry, named by `discriminator`.
  case variant(noun: String, discriminator: String, members: [RecordDescription])
  /// A list of such things.
  case list(FieldShape)
  /// An object with free keys and such values.
  case map(FieldShape)
}

extension RecordDescription {
  /// The description of what stands at `path`, whose parts may name keys, members or indices.
  public func find(_ path: [String]) -> (field: FieldDescription, trail: [String])? {
    guard let first = path.first, let field = fields.first(where: { $0.key == first }) else {
      return nil
    }
    var current = field
    var trail = [first]
    var rest = path.dropFirst()
    while let part = rest.first {
      guard let next = current.shape.child(part) else { return nil }
      if let next = next.field { current = next }
      trail.append(part)
      rest = rest.dropFirst()
      if next.field == nil, let shape = next.shape {
        current.shape = shape
        current.doc = next.doc ?? current.doc
      }
    }
    return (current, trail)
  }
}

extension FieldShape {
  /// What stands one step deeper: a field, or a narrower shape of the same field.
  func child(_ part: String) -> (field: FieldDescription?, shape: FieldShape?, doc: String?)? {
    switch self {
    case .value: return nil
    case .record(let record):
      guard let field = record.fields.first(where: { $0.key == part }) else { return nil }
      return (field, nil, nil)
    case .variant(let noun, let discriminator, let members):
      if part == discriminator {
        return (FieldDescription(choosing: noun, as: discriminator, among: members), nil, nil)
      }
      if let member = members.first(where: { $0.name == part }) {
        return (nil, .record(member), member.summary)
      }
      for member in members {
        if let field = member.fields.first(where: { $0.key == part }) { return (field, nil, nil) }
      }
      return nil
    case .list(let element):
      if Int(part) != nil { return (nil, element, nil) }
      return element.child(part)
    case .map(let element):
      return (nil, element, nil)
    }
  }

  /// The JSON Schema of the shape, as JSON text.
  public func schema(doc: String?) -> String {
    let annotation = doc.map { #""description":\#(JSONNode.quoted($0)),"# } ?? ""
    switch self {
    case .value(_, _, let schema):
      return schema == "{}" ? "{\(annotation.dropLast())}" : "{" + annotation + schema.dropFirst()
    case .record(let record):
      return record.schema(annotation: annotation, discriminator: nil)
    case .variant(_, let discriminator, let members):
      let names = members.map { JSONNode.quoted($0.name) }.joined(separator: ",")
      let records = members.map {
        $0.schema(
          annotation: #""description":\#(JSONNode.quoted($0.summary)),"#,
          discriminator: (discriminator, $0.name))
      }
      return "{" + annotation
        + #""anyOf":[{"enum":[\#(names)]},\#(records.joined(separator: ","))]}"#
    case .list(let element):
      // A list may also be written in its string form, such as a codec pipeline.
      let list = #"{"type":"array","items":\#(element.schema(doc: nil))}"#
      if case .variant = element {
        return "{" + annotation + #""anyOf":[{"type":"string"},\#(list)]}"#
      }
      return "{" + annotation + list.dropFirst()
    case .map(let element):
      return "{" + annotation
        + #""type":"object","additionalProperties":\#(element.schema(doc: nil))}"#
    }
  }
}

extension RecordDescription {
  /// The JSON Schema of the record, as JSON text.
  func schema(annotation: String, discriminator: (key: String, name: String)?) -> String {
    var properties: [String] = []
    var required = fields.filter(\.required).map { JSONNode.quoted($0.key) }
    if let (key, name) = discriminator {
      properties.append(#"\#(JSONNode.quoted(key)):{"const":\#(JSONNode.quoted(name))}"#)
      required.insert(JSONNode.quoted(key), at: 0)
    }
    for field in fields {
      var text = field.shape.schema(doc: field.doc)
      if let value = field.defaultValue {
        text = text.dropLast() + (text == "{}" ? "" : ",") + #""default":\#(value)}"#
      }
      properties.append("\(JSONNode.quoted(field.key)):\(text)")
    }
    return "{" + annotation + #""type":"object","additionalProperties":false,"properties":{"#
      + properties.joined(separator: ",") + "}"
      + (required.isEmpty ? "" : #","required":[\#(required.joined(separator: ","))]"#) + "}"
  }

  /// The whole JSON Schema document (draft 2020-12) of a root record.
  public func schemaDocument(id: String) -> String {
    let body = schema(
      annotation:
        #""$schema":"https://json-schema.org/draft/2020-12/schema","title":\#(JSONNode.quoted(id)),"#,
      discriminator: nil)
    let node = try? JSONNode.parse(body, origin: "schema")
    return node?.prettyText ?? body
  }
}
