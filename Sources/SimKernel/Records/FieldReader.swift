/// Reads the fields of one configurable thing - or describes them - from a single declaration.
///
/// A record declares itself in its initialiser:
///
///     init(_ fields: inout FieldReader) {
///       ratio = fields.required("ratio", .fraction, doc: "share of the elements that is kept")
///       index = fields.optional("index", .choice("index encoding"), default: .int32, doc: "...")
///     }
///
/// In decode mode every issue is collected and a placeholder keeps decoding going, so that all
/// problems of a file are reported in one pass. In describe mode the same lines yield names, types,
/// defaults and bounds, from which the JSON Schema, `explain`, `list` and completion are made.
public struct FieldReader {
  private enum Mode {
    case decoding([JSONMember])
    case describing
  }
  private let mode: Mode
  /// Where this record stands.
  public let path: FieldPath
  /// Where this record was written.
  public let position: TextPosition?
  private let issues: IssueCollector
  /// Where the parts of this record are remembered; deeper records are parts of parts.
  private var memo: RecordMemo?
  private var requested: [String] = []
  /// The fields visited in describe mode.
  public private(set) var described: [FieldDescription] = []

  private init(mode: Mode, path: FieldPath, position: TextPosition?, issues: IssueCollector) {
    self.mode = mode
    self.path = path
    self.position = position
    self.issues = issues
  }

  /// A reader that only collects descriptions.
  static func describing() -> FieldReader {
    FieldReader(mode: .describing, path: FieldPath(), position: nil, issues: IssueCollector())
  }

  /// Whether the declaration is visited for its description; values are placeholders then, and
  /// checks across fields must not report.
  public var isDescribing: Bool {
    if case .describing = mode { return true }
    return false
  }

  // MARK: - Whole records

  /// Reads `node` by `declaration`, then reports keys that nobody asked for.
  ///
  /// With a `memo`, parts that it remembers are not read again.
  public static func read<Value>(
    _ node: JSONNode, path: FieldPath = FieldPath(), issues: IssueCollector,
    allowing extra: [String] = [], memo: RecordMemo? = nil,
    _ declaration: (inout FieldReader) -> Value
  ) -> Value {
    if node.members == nil {
      issues.report(
        Issue(
          path: path, position: node.position,
          problem: .wrongType(found: node.kindName, expected: "an object", example: "{ }")))
      // What is missing inside a thing that is no record would only be noise.
      return placeholder(declaration)
    }
    var reader = FieldReader(
      mode: .decoding(node.members ?? []), path: path, position: node.position, issues: issues)
    reader.requested = extra
    reader.memo = memo
    let value = declaration(&reader)
    reader.reportUnknownKeys()
    return value
  }

  private func reportUnknownKeys() {
    guard case .decoding(let members) = mode else { return }
    for member in members where !requested.contains(member.key) {
      issues.report(
        Issue(
          path: path.appending(member.key), position: member.node.position,
          problem: .unknownKey(
            found: member.key,
            suggestion: Spelling.suggestion(for: member.key, among: requested), known: requested)))
    }
  }

  // MARK: - Plain fields

  /// A field that must be given.
  public mutating func required<Value>(
    _ key: String, _ kind: FieldKind<Value>, doc: @autoclosure () -> String
  ) -> Value {
    describe(key, doc(), required: true, defaultValue: nil, shape: kind.shape)
    guard let node = node(key) else {
      missing(key, expected: kind.expectation, example: kind.example)
      return kind.placeholder()
    }
    return value(of: node, key, kind) ?? kind.placeholder()
  }

  /// A field with a default.
  public mutating func optional<Value>(
    _ key: String, _ kind: FieldKind<Value>, default defaultValue: Value,
    doc: @autoclosure () -> String
  ) -> Value {
    describe(key, doc(), required: false, defaultValue: kind.show(defaultValue), shape: kind.shape)
    guard let node = node(key) else { return defaultValue }
    return value(of: node, key, kind) ?? defaultValue
  }

  /// A field that may be absent.
  public mutating func optional<Value>(
    _ key: String, _ kind: FieldKind<Value>, doc: @autoclosure () -> String
  ) -> Value? {
    describe(key, doc(), required: false, defaultValue: nil, shape: kind.shape)
    guard let node = node(key) else { return nil }
    return value(of: node, key, kind)
  }

  // MARK: - Nested fields

  /// A nested record that must be given.
  public mutating func record<Value>(
    _ key: String, doc: @autoclosure () -> String, _ declaration: (inout FieldReader) -> Value
  ) -> Value {
    describe(key, doc(), required: true, defaultValue: nil) {
      .record(.of(name: key, summary: doc()) { _ = declaration(&$0) })
    }
    guard let node = node(key) else {
      missing(key, expected: "an object", example: "{ }")
      return Self.placeholder(declaration)
    }
    return part(node, key, declaration)
  }

  /// A nested record that may be absent; its own defaults then apply.
  public mutating func optionalRecord<Value>(
    _ key: String, doc: @autoclosure () -> String, _ declaration: (inout FieldReader) -> Value
  ) -> Value? {
    describe(key, doc(), required: false, defaultValue: nil) {
      .record(.of(name: key, summary: doc()) { _ = declaration(&$0) })
    }
    guard let node = node(key) else { return nil }
    return part(node, key, declaration)
  }

  /// A nested record whose absence means "all defaults".
  public mutating func defaultedRecord<Value>(
    _ key: String, doc: @autoclosure () -> String, _ declaration: (inout FieldReader) -> Value
  ) -> Value {
    optionalRecord(key, doc: doc(), declaration)
      ?? part(JSONNode(.object([]), at: position), key, declaration)
  }

  /// One member of `registry`, as `{"kind": "ring", ...}` or just `"ring"`; must be given unless
  /// there is a default name.
  public mutating func variant<Value>(
    _ key: String, _ registry: Registry<Value>, default defaultName: String? = nil,
    doc: @autoclosure () -> String
  ) -> Value {
    describe(
      key, doc(), required: defaultName == nil, defaultValue: defaultName.map(JSONNode.quoted)
    ) { registry.shape }
    let given = node(key)
    if given == nil, defaultName == nil {
      missing(
        key, expected: "a \(registry.noun)",
        example: JSONNode.quoted(registry.names.first ?? "name"))
      return Self.placeholder(registry.entries[0].make)
    }
    let node = given ?? JSONNode(.string(defaultName ?? registry.names[0]), at: position)
    return part(
      node, key,
      reading: {
        Self.member(of: registry, node, path: path.appending(key), issues: $0)
      })
  }

  /// As ``variant(_:_:default:doc:)``, nil when absent.
  public mutating func optionalVariant<Value>(
    _ key: String, _ registry: Registry<Value>, doc: @autoclosure () -> String
  ) -> Value? {
    describe(key, doc(), required: false, defaultValue: nil) { registry.shape }
    guard let node = node(key) else { return nil }
    return Self.member(of: registry, node, path: path.appending(key), issues: issues)
  }

  /// A list of members of `registry`; a string is first turned into a list by `expand`.
  public mutating func variants<Value>(
    _ key: String, _ registry: Registry<Value>, doc: @autoclosure () -> String,
    expand: ((String) -> Result<JSONNode, Issue.Problem.Found>)? = nil
  ) -> [Value] {
    describe(key, doc(), required: false, defaultValue: "[]") { .list(registry.shape) }
    guard let node = node(key) else { return [] }
    return Self.members(
      of: registry, node, path: path.appending(key), issues: issues, expand: expand)
  }

  /// A list of records.
  public mutating func records<Value>(
    _ key: String, doc: @autoclosure () -> String, _ declaration: (inout FieldReader) -> Value
  ) -> [Value] {
    describe(key, doc(), required: false, defaultValue: "[]") {
      .list(.record(.of(name: key, summary: doc()) { _ = declaration(&$0) }))
    }
    guard let node = node(key) else { return [] }
    guard let elements = node.elements else {
      report(key, node, .wrongType(found: node.kindName, expected: "a list", example: "[ ]"))
      return []
    }
    return elements.enumerated().map { index, element in
      part(
        element, key + "." + String(index),
        reading: {
          Self.read(
            element, path: path.appending(key).appending(String(index)), issues: $0, declaration)
        })
    }
  }

  /// An object with free keys, in the order written.
  public mutating func map<Value>(
    _ key: String, doc: @autoclosure () -> String, _ declaration: (inout FieldReader) -> Value
  ) -> [(name: String, value: Value)] {
    describe(key, doc(), required: false, defaultValue: "{}") {
      .map(.record(.of(name: key, summary: doc()) { _ = declaration(&$0) }))
    }
    guard let node = node(key) else { return [] }
    guard let members = node.members else {
      report(key, node, .wrongType(found: node.kindName, expected: "an object", example: "{ }"))
      return []
    }
    return members.map { member in
      (
        member.key,
        Self.read(
          member.node, path: path.appending(key).appending(member.key), issues: issues, declaration)
      )
    }
  }

  /// Reads `node` as a member of `registry`.
  public static func member<Value>(
    of registry: Registry<Value>, _ node: JSONNode, path: FieldPath, issues: IssueCollector
  ) -> Value {
    var named = node
    if let name = node.string {
      named = JSONNode(
        .object([JSONMember(registry.discriminator, JSONNode(.string(name), at: node.position))]),
        at: node.position)
    }
    let fallback = { FieldReader.placeholder(registry.entries[0].make) }
    guard named.members != nil else {
      issues.report(
        Issue(
          path: path, position: node.position,
          problem: .wrongType(
            found: node.kindName, expected: "a \(registry.noun)",
            example: JSONNode.quoted(registry.names[0]))))
      return fallback()
    }
    guard let tag = named[registry.discriminator] else {
      issues.report(
        Issue(
          path: path.appending(registry.discriminator), position: node.position,
          problem: .missingKey(
            expected: "a \(registry.noun) (\(registry.names.joined(separator: ", ")))",
            example: JSONNode.quoted(registry.names[0]))))
      return fallback()
    }
    guard let name = tag.string else {
      issues.report(
        Issue(
          path: path.appending(registry.discriminator), position: tag.position,
          problem: .wrongType(
            found: tag.kindName, expected: "the name of a \(registry.noun)",
            example: JSONNode.quoted(registry.names[0]))))
      return fallback()
    }
    guard let entry = registry[name] else {
      issues.report(
        Issue(
          path: path, position: tag.position,
          problem: .unknownName(
            noun: registry.noun, found: name,
            suggestion: Spelling.suggestion(for: name, among: registry.names),
            known: registry.names)))
      return fallback()
    }
    return read(named, path: path, issues: issues, allowing: [registry.discriminator], entry.make)
  }

  /// Reads `node` as a list of members of `registry`; a single member stands for a list of one.
  public static func members<Value>(
    of registry: Registry<Value>, _ node: JSONNode, path: FieldPath, issues: IssueCollector,
    expand: ((String) -> Result<JSONNode, Issue.Problem.Found>)? = nil
  ) -> [Value] {
    var list = node
    if let text = node.string, let expand {
      switch expand(text) {
      case .success(let expanded): list = expanded.placed(at: node.position)
      case .failure(let found):
        issues.report(Issue(path: path, position: node.position, problem: found.problem))
        return []
      }
    }
    guard let elements = list.elements else {
      return [member(of: registry, list, path: path, issues: issues)]
    }
    return elements.enumerated().map { index, element in
      member(of: registry, element, path: path.appending(String(index)), issues: issues)
    }
  }

  /// What `declaration` makes of nothing at all, with its issues dropped.
  static func placeholder<Value>(_ declaration: (inout FieldReader) -> Value) -> Value {
    var reader = describing()
    return declaration(&reader)
  }

  /// The member of a registry with every field at its placeholder, to ask it about itself.
  public static func placeholder<Value>(of entry: Registry<Value>.Entry) -> Value {
    placeholder(entry.make)
  }

  // MARK: - Checks across fields

  /// Reports `problem` at `key` (or at the record itself), unless only describing.
  public func report(
    _ key: String?, _ problem: Issue.Problem, severity: Issue.Severity = .error
  ) {
    if isDescribing { return }
    let node = key.flatMap { name in peek(name) }
    issues.report(
      Issue(
        path: key.map { path.appending($0) } ?? path, position: node?.position ?? position,
        severity: severity, problem: problem))
  }

  /// Whether `key` was written; null counts as absent.
  public func has(_ key: String) -> Bool { peek(key) != nil }

  /// The value written for `key`, not counted as read; null counts as absent.
  public func peek(_ key: String) -> JSONNode? {
    guard case .decoding(let members) = mode,
      let node = members.first(where: { $0.key == key })?.node
    else { return nil }
    if case .null = node.value { return nil }
    return node
  }

  // MARK: - Internals

  /// The record `node` under `key`.
  private func part<Value>(
    _ node: JSONNode, _ key: String, _ declaration: (inout FieldReader) -> Value
  ) -> Value {
    part(
      node, key,
      reading: { Self.read(node, path: path.appending(key), issues: $0, declaration) })
  }

  /// What `read` makes of `node` at `place`, from memory if it is there.
  private func part<Value>(
    _ node: JSONNode, _ place: String, reading read: (IssueCollector) -> Value
  ) -> Value {
    guard let memo else { return read(issues) }
    return memo.value(node, place: place, issues: issues, read: read)
  }

  private mutating func node(_ key: String) -> JSONNode? {
    requested.append(key)
    return peek(key)
  }

  private func value<Value>(of node: JSONNode, _ key: String, _ kind: FieldKind<Value>) -> Value? {
    switch kind.read(node) {
    case .success(let value): return value
    case .failure(let found):
      var place = path.appending(key)
      for part in found.deeper { place = place.appending(part) }
      issues.report(
        Issue(path: place, position: found.position ?? node.position, problem: found.problem))
      return nil
    }
  }

  private func missing(_ key: String, expected: String, example: String) {
    if isDescribing { return }
    issues.report(
      Issue(
        path: path.appending(key), position: position,
        problem: .missingKey(expected: expected, example: example)))
  }

  private func report(_ key: String, _ node: JSONNode, _ problem: Issue.Problem) {
    issues.report(Issue(path: path.appending(key), position: node.position, problem: problem))
  }

  private mutating func describe(
    _ key: String, _ doc: @autoclosure () -> String, required: Bool,
    defaultValue: @autoclosure () -> String?,
    shape: @autoclosure () -> FieldShape
  ) {
    guard isDescribing else { return }
    described.append(
      FieldDescription(
        key: key, doc: doc(), required: required, defaultValue: defaultValue(), shape: shape()))
  }
  private mutating func describe(
    _ key: String, _ doc: @autoclosure () -> String, required: Bool,
    defaultValue: @autoclosure () -> String?,
    shape: () -> FieldShape
  ) {
    describe(key, doc(), required: required, defaultValue: defaultValue(), shape: shape())
  }
}

extension FieldKind {
  /// The kind as a shape.
  var shape: FieldShape { .value(expectation: expectation, example: example, schema: schema) }
}

extension Registry {
  /// The registry as a shape.
  var shape: FieldShape {
    .variant(noun: noun, discriminator: discriminator, members: descriptions)
  }
}
