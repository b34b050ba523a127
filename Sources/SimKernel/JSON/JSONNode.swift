/// A JSON value that remembers where it was written.
public struct JSONNode: Sendable {
  public var value: JSONValue
  /// Where the value begins; nil if a program made it.
  public var position: TextPosition?

  public init(_ value: JSONValue, at position: TextPosition? = nil) {
    self.value = value
    self.position = position
  }
}

/// The six kinds of JSON value; objects keep the order they were written in.
public indirect enum JSONValue: Sendable {
  case null
  case bool(Bool)
  case number(JSONNumber)
  case string(String)
  case array([JSONNode])
  case object([JSONMember])
}

/// A number, with its exact integer where it has one.
public struct JSONNumber: Sendable, Equatable {
  /// The nearest `Double`.
  public var double: Double
  /// The value, if it was written as an integer that fits.
  public var integer: Int64?

  public init(_ value: Double) {
    double = value
    integer = nil
  }
  public init(_ value: Int) {
    double = Double(value)
    integer = Int64(value)
  }
  init(text: Substring) {
    double = Double(text) ?? .nan
    integer = Int64(text)
  }
  /// The shortest text that reads back as the same number.
  public var text: String {
    if let integer { return String(integer) }
    return JSONNumber.shortest(double)
  }
  /// The shortest decimal that reads back as `value`; whole numbers without `.0`.
  public static func shortest(_ value: Double) -> String {
    let text = value.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

/// A key with its value.
public struct JSONMember: Sendable {
  public var key: String
  public var node: JSONNode
  public init(_ key: String, _ node: JSONNode) {
    self.key = key
    self.node = node
  }
}

// MARK: - Reading

extension JSONNode {
  /// Reads a whole document.
  ///
  /// - Throws: `JSONError` at the first fault, with line and column. A key that occurs twice in one
  ///   object is a fault.
  public static func parse(
    _ bytes: UnsafeRawBufferPointer, origin: String
  ) throws(JSONError) -> JSONNode {
    var reader = JSONReader(bytes, origin: origin)
    let node = try JSONNode(from: &reader)
    try reader.end()
    return node
  }
  /// Reads a whole document from a string.
  public static func parse(_ text: String, origin: String) throws(JSONError) -> JSONNode {
    var copy = text
    let result = copy.withUTF8 { buffer -> Result<JSONNode, JSONError> in
      do throws(JSONError) {
        return .success(try parse(UnsafeRawBufferPointer(buffer), origin: origin))
      } catch { return .failure(error) }
    }
    return try result.get()
  }

  /// Reads the next value of `reader`.
  public init(from reader: inout JSONReader) throws(JSONError) {
    let kind = try reader.peek()
    position = reader.position
    switch kind {
    case .object:
      try reader.beginObject()
      var members: [JSONMember] = []
      var first = true
      // Membership is looked up in a set only where a list would be slow; nothing iterates over it.
      var known: Set<String> = []
      while true {
        guard let key = try reader.nextKey(first: &first) else { break }
        _ = try reader.peek()
        let place = reader.position
        let isKnown =
          members.count < 16 ? members.contains { $0.key == key } : known.contains(key)
        if isKnown {
          throw JSONError(position: place, message: "the key \"\(key)\" is given twice")
        }
        members.append(JSONMember(key, try JSONNode(from: &reader)))
        if members.count == 16 {
          known = Set(members.map(\.key))
        } else if members.count > 16 {
          known.insert(key)
        }
      }
      value = .object(members)
    case .array:
      try reader.beginArray()
      var elements: [JSONNode] = []
      var first = true
      while try reader.nextElement(first: &first) { elements.append(try JSONNode(from: &reader)) }
      value = .array(elements)
    case .string: value = .string(try reader.string())
    case .number:
      let number = JSONNumber(text: try reader.numberText())
      guard number.double.isFinite else {
        throw JSONError(
          position: position ?? reader.position, message: "a number beyond 1.8e308 in magnitude")
      }
      value = .number(number)
    case .bool: value = .bool(try reader.bool())
    case .null:
      try reader.null()
      value = .null
    }
  }
}

// MARK: - Access

extension JSONNode {
  /// The value of `key`, if this is an object that has it.
  public subscript(key: String) -> JSONNode? {
    guard case .object(let members) = value else { return nil }
    return members.first { $0.key == key }?.node
  }
  /// The members, if this is an object.
  public var members: [JSONMember]? {
    if case .object(let members) = value { return members }
    return nil
  }
  /// The elements, if this is an array.
  public var elements: [JSONNode]? {
    if case .array(let elements) = value { return elements }
    return nil
  }
  /// The text, if this is a string.
  public var string: String? {
    if case .string(let text) = value { return text }
    return nil
  }
  /// The number, if this is one.
  public var number: Double? {
    if case .number(let number) = value { return number.double }
    return nil
  }
  /// What this is, with an article, as a message says it.
  public var kindName: String {
    switch value {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

// MARK: - Changing

extension JSONNode {
  /// Sets the value at `path`, whose parts are keys or array indices, creating objects on the way.
  ///
  /// - Returns: false if a part of the path leads through something that is neither.
  public mutating func set(_ path: some Collection<String>, to node: JSONNode) -> Bool {
    set(Array(path)[...], to: node)
  }

  private mutating func set(_ path: ArraySlice<String>, to node: JSONNode) -> Bool {
    guard let part = path.first else {
      self = node
      return true
    }
    let rest = path.dropFirst()
    switch value {
    case .object(var members):
      if let index = members.firstIndex(where: { $0.key == part }) {
        guard members[index].node.set(rest, to: node) else { return false }
      } else {
        var child = JSONNode(.object([]), at: node.position)
        guard child.set(rest, to: node) else { return false }
        members.append(JSONMember(part, child))
      }
      value = .object(members)
      return true
    case .array(var elements):
      guard let index = Int(part), elements.indices.contains(index),
        elements[index].set(rest, to: node)
      else { return false }
      value = .array(elements)
      return true
    default: return false
    }
  }

  /// The same value, said to be written at `position` throughout: for values made from a text.
  public func placed(at position: TextPosition?) -> JSONNode {
    var copy = JSONNode(value, at: position)
    switch value {
    case .array(let elements): copy.value = .array(elements.map { $0.placed(at: position) })
    case .object(let members):
      copy.value = .object(members.map { JSONMember($0.key, $0.node.placed(at: position)) })
    default: break
    }
    return copy
  }

  /// The value at `path`, or nil.
  public func get(_ path: some Collection<String>) -> JSONNode? { get(Array(path)[...]) }

  private func get(_ path: ArraySlice<String>) -> JSONNode? {
    guard let part = path.first else { return self }
    switch value {
    case .object: return self[part]?.get(path.dropFirst())
    case .array(let elements):
      guard let index = Int(part), elements.indices.contains(index) else { return nil }
      return elements[index].get(path.dropFirst())
    default: return nil
    }
  }

  /// Lays `overlay` over this value: objects merge key by key, anything else is replaced; a null
  /// removes the key (RFC 7396).
  public mutating func merge(_ overlay: JSONNode) {
    guard case .object(let changes) = overlay.value else {
      self = overlay
      return
    }
    var members: [JSONMember] = []
    if case .object(let present) = value {
      members = present
    } else {
      position = overlay.position
    }
    for change in changes {
      let index = members.firstIndex { $0.key == change.key }
      if case .null = change.node.value {
        if let index { members.remove(at: index) }
      } else if let index {
        members[index].node.merge(change.node)
      } else {
        // Merged over nothing, so that nulls inside are not kept.
        var added = JSONNode(.null, at: change.node.position)
        added.merge(change.node)
        members.append(JSONMember(change.key, added))
      }
    }
    value = .object(members)
  }
}

// MARK: - Writing

extension JSONNode {
  /// Indented text in the order written.
  public var prettyText: String {
    var out = ""
    write(to: &out, indent: 2, depth: 0)
    return out
  }
  /// Text on one line in the order written.
  public var compactText: String {
    var out = ""
    write(to: &out, indent: nil, depth: 0)
    return out
  }

  private func write(to out: inout String, indent: Int?, depth: Int) {
    func newline(_ depth: Int) {
      guard let indent else { return }
      out += "\n" + String(repeating: " ", count: indent * depth)
    }
    switch value {
    case .null: out += "null"
    case .bool(let flag): out += flag ? "true" : "false"
    case .number(let number): out += number.text
    case .string(let text): out += JSONNode.quoted(text)
    case .array(let elements):
      let flat = elements.allSatisfy { $0.members == nil && $0.elements == nil }
      out += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { out += indent != nil && flat ? ", " : "," }
        if !flat { newline(depth + 1) }
        element.write(to: &out, indent: indent, depth: depth + 1)
      }
      if !flat, !elements.isEmpty { newline(depth) }
      out += "]"
    case .object(let members):
      out += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { out += "," }
        newline(depth + 1)
        out += JSONNode.quoted(member.key) + (indent == nil ? ":" : ": ")
        member.node.write(to: &out, indent: indent, depth: depth + 1)
      }
      if !members.isEmpty { newline(depth) }
      out += "}"
    }
  }

  /// `text` as a JSON string literal.
  public static func quoted(_ text: String) -> String {
    // Almost every text is plain, and appending scalar by scalar is ten times slower.
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }) {
      return "\"" + text + "\""
    }
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case _ where scalar.value < 0x20:
        let hex = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}

extension JSONNode: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral
{
  public init(stringLiteral value: String) { self.init(.string(value)) }
  public init(integerLiteral value: Int) { self.init(.number(JSONNumber(value))) }
  public init(floatLiteral value: Double) { self.init(.number(JSONNumber(value))) }
  public init(booleanLiteral value: Bool) { self.init(.bool(value)) }
}
