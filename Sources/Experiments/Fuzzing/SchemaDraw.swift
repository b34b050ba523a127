import SimKernel

/// Draws values that a JSON Schema allows: every key, every member of every family, bounds included.
///
/// It knows the keywords that `simnet schema` writes: type, properties, required,
/// additionalProperties, anyOf, enum, const, items, minItems, minimum, maximum and their exclusive
/// forms, pattern, examples and default. Sizes stay small: counts are near their lower bound, more
/// rarely at an upper one of up to 64, so that what is drawn runs in milliseconds.
public struct SchemaDraw: Sendable {
  /// The schema of the whole document.
  public let schema: JSONNode
  /// Texts for fields that take any: names that may refer to one another, and files that exist.
  public var words: [String]
  /// The probability that a key which may be absent is there.
  public var optional = 0.5

  /// Draws from `schema`.
  public init(_ schema: JSONNode, words: [String]) {
    self.schema = schema
    self.words = words
  }

  /// A whole document.
  public func document(_ random: inout RandomStream) -> JSONNode {
    value(of: schema, depth: 0, &random)
  }

  /// A value of `schema`.
  ///
  /// - Complexity: linear in what it draws, which is finite: schemas here do not recur.
  public func value(of schema: JSONNode, depth: Int = 0, _ random: inout RandomStream) -> JSONNode {
    if let constant = schema["const"] { return plain(constant) }
    if let choices = schema["enum"]?.elements, !choices.isEmpty {
      return plain(choices[random.index(below: choices.count)])
    }
    if let branches = schema["anyOf"]?.elements, !branches.isEmpty {
      return value(of: branches[branch(branches, &random)], depth: depth, &random)
    }
    switch schema["type"]?.string {
    case "object": return object(schema, depth, &random)
    case "array": return array(schema, depth, &random)
    case "boolean": return JSONNode(.bool(random.index(below: 2) == 0))
    case "integer": return JSONNode(integerLiteral: integer(schema, &random))
    case "number": return number(schema, &random)
    case "string": return JSONNode(.string(text(schema, &random)))
    default: return JSONNode(.object([]))
    }
  }

  /// Any branch; the names of an enumeration stand for all its members with their defaults, and so
  /// weigh as much as the members spelled out.
  private func branch(_ branches: [JSONNode], _ random: inout RandomStream) -> Int {
    let named = branches.firstIndex { $0["enum"] != nil }
    if let named, random.index(below: 3) == 0 { return named }
    return random.index(below: branches.count)
  }

  private func object(
    _ schema: JSONNode, _ depth: Int, _ random: inout RandomStream
  ) -> JSONNode {
    let required = schema["required"]?.elements?.compactMap(\.string) ?? []
    var members: [JSONMember] = []
    for property in schema["properties"]?.members ?? [] {
      let isDrawn = required.contains(property.key) || random.uniform() < optional
      // The branch of a registry names its member by a key that every spelling has.
      guard isDrawn || property.node["const"] != nil else { continue }
      members.append(
        JSONMember(property.key, value(of: property.node, depth: depth + 1, &random)))
    }
    if let free = schema["additionalProperties"], free.members != nil {
      for _ in 0..<random.index(below: 3) {
        let key = word(&random)
        if members.contains(where: { $0.key == key }) { continue }
        members.append(JSONMember(key, value(of: free, depth: depth + 1, &random)))
      }
    }
    return JSONNode(.object(members))
  }

  private func array(_ schema: JSONNode, _ depth: Int, _ random: inout RandomStream) -> JSONNode {
    let least = schema["minItems"]?.number.map { Int($0) } ?? 0
    // Mostly one more than there must be: of longer lists few are valid.
    let count = least + [0, 1, 1, 1, 1, 2, 2, 3][random.index(below: 8)]
    let items = schema["items"] ?? JSONNode(.object([]))
    return JSONNode(.array((0..<count).map { _ in value(of: items, depth: depth + 1, &random) }))
  }

  // MARK: - Plain values

  /// Near the lower bound, each step half as likely; now and then the upper bound, if it is small.
  private func integer(_ schema: JSONNode, _ random: inout RandomStream) -> Int {
    let low = Self.integer(schema["minimum"]) ?? 0
    let high = Self.integer(schema["maximum"]) ?? Int.max
    if high <= low { return low }
    if high - low <= 64, random.index(below: 8) == 0 { return high }
    if low < 0 { return low + random.index(below: min(64, high - low) + 1) }
    var value = low
    while value - low < 8, value < high, random.index(below: 3) > 0 { value += 1 }
    return value
  }

  private static func integer(_ node: JSONNode?) -> Int? {
    guard case .number(let number)? = node?.value else { return nil }
    return number.integer.map { Int($0) }
  }

  /// An end of the range, its smallest inside where the end is excluded, or something between.
  private func number(_ schema: JSONNode, _ random: inout RandomStream) -> JSONNode {
    let least = schema["minimum"]?.number
    let above = schema["exclusiveMinimum"]?.number
    let most = schema["maximum"]?.number
    let below = schema["exclusiveMaximum"]?.number
    let low = least ?? above ?? 0
    let high = most ?? below ?? low + 4
    let value: Double
    switch random.index(below: 6) {
    case 0: value = least ?? above.map { max($0.nextUp, $0 + 1e-6) } ?? low
    case 1: value = most ?? below?.nextDown ?? low + 1_000
    default: value = low + (high - low) * random.openUniform()
    }
    // Short numbers read better in a report; a thousandth is fine enough unless it leaves the range.
    let short = (value * 1_000).rounded() / 1_000
    let isInside = short >= low && short <= high && short != above && short != below
    return JSONNode(.number(JSONNumber(isInside ? short : value)))
  }

  private func text(_ schema: JSONNode, _ random: inout RandomStream) -> String {
    if let pattern = schema["pattern"]?.string {
      let text = PatternDraw.text(pattern, &random)
      // Without an anchor the pattern is the end of a name; a file of such a name may exist.
      if pattern.hasPrefix("^") { return text }
      return words.first { $0.hasSuffix(text) } ?? "missing" + text
    }
    if let examples = schema["examples"]?.elements, random.index(below: 2) == 0,
      let example = examples[random.index(below: examples.count)].string
    {
      return example
    }
    return word(&random)
  }

  private func word(_ random: inout RandomStream) -> String {
    words.isEmpty ? "a" : words[random.index(below: words.count)]
  }

  /// The value without where its schema was written.
  private func plain(_ node: JSONNode) -> JSONNode { node.placed(at: nil) }

  // MARK: - Where a value came from

  /// The schema of what stands at `path` of `document`; nil if the schema does not lead there.
  public func schema(at path: some Collection<String>, of document: JSONNode) -> JSONNode? {
    var current = schema
    var value: JSONNode? = document
    for part in path {
      guard let next = step(current, part, value) else { return nil }
      current = next
      value = value?.get([part])
    }
    return current
  }

  /// The path of everything that a record inside `document` has or might have, and its schema.
  public func places(in document: JSONNode) -> [(path: [String], schema: JSONNode)] {
    var places: [(path: [String], schema: JSONNode)] = []
    collect(schema, document, [], &places)
    return places
  }

  /// How much there is to choose from right at a place: the members of a family, the names of an
  /// enumeration, the keys of a record.
  public static func choices(of schema: JSONNode) -> Int {
    if let names = schema["enum"]?.elements { return max(1, names.count) }
    if let branches = schema["anyOf"]?.elements {
      return branches.reduce(0) { $0 + ($1["type"]?.string == "array" ? choices(of: $1) : 1) }
    }
    if let items = schema["items"] { return choices(of: items) }
    return max(1, schema["properties"]?.members?.count ?? 1)
  }

  private func collect(
    _ schema: JSONNode, _ value: JSONNode, _ path: [String],
    _ places: inout [(path: [String], schema: JSONNode)]
  ) {
    if let branches = schema["anyOf"]?.elements {
      guard let branch = branches.first(where: { matches($0, value) }) else { return }
      return collect(branch, value, path, &places)
    }
    for property in schema["properties"]?.members ?? [] where property.node["const"] == nil {
      places.append((path + [property.key], property.node))
      if let own = value[property.key] {
        collect(property.node, own, path + [property.key], &places)
      }
    }
    if let items = schema["items"] {
      for (index, element) in (value.elements ?? []).enumerated() {
        collect(items, element, path + [String(index)], &places)
      }
    }
  }

  private func step(_ schema: JSONNode, _ part: String, _ value: JSONNode?) -> JSONNode? {
    if let branches = schema["anyOf"]?.elements {
      return branches.filter { matches($0, value) }.lazy.compactMap { step($0, part, value) }.first
    }
    if let property = schema["properties"]?[part] { return property }
    if let items = schema["items"], Int(part) != nil { return items }
    if let free = schema["additionalProperties"], free.members != nil { return free }
    return nil
  }

  /// Whether `value` may be of a branch, as far as its type and its fixed members tell.
  private func matches(_ schema: JSONNode, _ value: JSONNode?) -> Bool {
    guard let value else { return true }
    switch schema["type"]?.string {
    case "object":
      guard let members = value.members else { return false }
      return (schema["properties"]?.members ?? []).allSatisfy { property in
        guard let fixed = property.node["const"]?.string else { return true }
        return members.first { $0.key == property.key }?.node.string == fixed
      }
    case "array": return value.elements != nil
    case "string": return value.string != nil
    default: return schema["anyOf"] != nil || value.members == nil
    }
  }
}
