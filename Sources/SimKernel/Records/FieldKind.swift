/// What values a field takes: how they are read, described and shown.
///
/// A kind is a value, so that `.fraction`, `.count(1...)` or `.list(of: .bandwidth)` read like types.
/// A sweep makes one for every field of every point, so texts are put together only where they are
/// shown.
public struct FieldKind<Value>: Sendable {
  private var makeExpectation: @Sendable () -> String
  private var makeExample: @Sendable () -> String
  private var makeSchema: @Sendable () -> String
  /// What is expected, as a message and the documentation say it: `a fraction in (0, 1]`.
  public var expectation: String {
    get { makeExpectation() }
    set { makeExpectation = { newValue } }
  }
  /// JSON text of an example.
  public var example: String {
    get { makeExample() }
    set { makeExample = { newValue } }
  }
  /// The JSON Schema of the value, as JSON text without the description.
  public var schema: String {
    get { makeSchema() }
    set { makeSchema = { newValue } }
  }
  /// Stands in for a value that could not be read, so that decoding goes on.
  public var placeholder: @Sendable () -> Value
  /// Reads a value, or says what is wrong with it.
  public var read: @Sendable (JSONNode) -> Result<Value, Issue.Problem.Found>
  /// The value as JSON text, for defaults.
  public var show: @Sendable (Value) -> String

  public init(
    expectation: @autoclosure @escaping @Sendable () -> String,
    example: @autoclosure @escaping @Sendable () -> String,
    schema: @autoclosure @escaping @Sendable () -> String,
    placeholder: @escaping @Sendable () -> Value,
    read: @escaping @Sendable (JSONNode) -> Result<Value, Issue.Problem.Found>,
    show: @escaping @Sendable (Value) -> String
  ) {
    makeExpectation = expectation
    makeExample = example
    makeSchema = schema
    self.placeholder = placeholder
    self.read = read
    self.show = show
  }
}

extension Issue.Problem {
  /// A problem with one value, possibly some steps deeper than the field itself.
  public struct Found: Error, Sendable {
    public var problem: Issue.Problem
    public var deeper: [String]
    public var position: TextPosition?
    public init(_ problem: Issue.Problem, deeper: [String] = [], position: TextPosition? = nil) {
      self.problem = problem
      self.deeper = deeper
      self.position = position
    }
  }
}

// MARK: - Plain values

extension FieldKind where Value == Double {
  /// A number for which `bounds` (with the sentence `expectation`) holds.
  public static func number(
    _ expectation: String, example: Double, schema: String = #"{"type":"number"}"#,
    where bounds: @escaping @Sendable (Double) -> Bool
  ) -> FieldKind<Double> {
    FieldKind(
      expectation: expectation, example: JSONNumber.shortest(example), schema: schema,
      placeholder: { example },
      read: { node in
        guard let value = node.number else {
          return .failure(.wrongType(node, expectation, JSONNumber.shortest(example)))
        }
        guard value.isFinite, bounds(value) else {
          return .failure(
            .init(.outOfRange(found: JSONNumber.shortest(value), expected: expectation)))
        }
        return .success(value)
      },
      show: { JSONNumber.shortest($0) })
  }
  /// A number in (0, 1].
  public static var fraction: FieldKind<Double> {
    number(
      "0 < fraction <= 1", example: 0.01,
      schema: #"{"type":"number","exclusiveMinimum":0,"maximum":1}"#
    ) { $0 > 0 && $0 <= 1 }
  }
  /// A number that is at least 0.
  public static var nonNegative: FieldKind<Double> {
    number("a number >= 0", example: 0.1, schema: #"{"type":"number","minimum":0}"#) { $0 >= 0 }
  }
  /// A number above 0.
  public static var positive: FieldKind<Double> {
    number("a number > 0", example: 1, schema: #"{"type":"number","exclusiveMinimum":0}"#) {
      $0 > 0
    }
  }
  /// A number in `range`.
  public static func number(in range: ClosedRange<Double>) -> FieldKind<Double> {
    let low = JSONNumber.shortest(range.lowerBound)
    let high = JSONNumber.shortest(range.upperBound)
    return number(
      "\(low) <= number <= \(high)", example: range.lowerBound,
      schema: #"{"type":"number","minimum":\#(low),"maximum":\#(high)}"#
    ) { range.contains($0) }
  }
}

extension FieldKind where Value == Int {
  /// A whole number in `range`.
  public static func integer(_ range: ClosedRange<Int>) -> FieldKind<Int> {
    let unbounded = range.upperBound == .max
    let expectation =
      unbounded
      ? "a whole number >= \(range.lowerBound)"
      : "a whole number in \(range.lowerBound)...\(range.upperBound)"
    let example = String(range.lowerBound)
    return FieldKind(
      expectation: expectation, example: example,
      schema: #"{"type":"integer","minimum":\#(range.lowerBound)"#
        + (unbounded ? "}" : #","maximum":\#(range.upperBound)}"#),
      placeholder: { range.lowerBound },
      read: { node in
        guard case .number(let number) = node.value else {
          return .failure(.wrongType(node, expectation, example))
        }
        let exact = number.integer ?? Int64(exactly: number.double)
        guard let value = exact.flatMap({ Int(exactly: $0) }), range.contains(value) else {
          return .failure(.init(.outOfRange(found: number.text, expected: expectation)))
        }
        return .success(value)
      },
      show: { String($0) })
  }
  /// A whole number that is at least `minimum`.
  public static func count(_ minimum: Int = 1) -> FieldKind<Int> { integer(minimum...Int.max) }
}

extension FieldKind where Value == Bool {
  /// `true` or `false`.
  public static var bool: FieldKind<Bool> {
    FieldKind(
      expectation: "true or false", example: "true", schema: #"{"type":"boolean"}"#,
      placeholder: { false },
      read: { node in
        guard case .bool(let flag) = node.value else {
          return .failure(.wrongType(node, "true or false", "true"))
        }
        return .success(flag)
      },
      show: { $0 ? "true" : "false" })
  }
}

extension FieldKind where Value == String {
  /// Any text.
  public static func text(_ expectation: String = "a string", example: String = "name")
    -> FieldKind<String>
  {
    FieldKind(
      expectation: expectation, example: JSONNode.quoted(example), schema: #"{"type":"string"}"#,
      placeholder: { example },
      read: { node in
        guard let text = node.string else {
          return .failure(.wrongType(node, expectation, JSONNode.quoted(example)))
        }
        return .success(text)
      },
      show: { JSONNode.quoted($0) })
  }
}

extension FieldKind where Value == JSONNode {
  /// Any JSON value, kept as it is.
  public static func any(_ expectation: String, example: String) -> FieldKind<JSONNode> {
    FieldKind(
      expectation: expectation, example: example, schema: "{}",
      placeholder: { JSONNode(.null) }, read: { .success($0) }, show: { $0.compactText })
  }
}

extension FieldKind
where Value: RawRepresentable & CaseIterable & Sendable, Value.RawValue == String {
  /// One of the names of an enumeration.
  public static func choice(_ noun: String) -> FieldKind<Value> {
    @Sendable func names() -> [String] { Value.allCases.map(\.rawValue) }
    @Sendable func expectation() -> String { "one of " + names().joined(separator: ", ") }
    return FieldKind(
      expectation: expectation(), example: JSONNode.quoted(names()[0]),
      schema: #"{"enum":[\#(names().map(JSONNode.quoted).joined(separator: ","))]}"#,
      placeholder: { Value.allCases[Value.allCases.startIndex] },
      read: { node in
        guard let text = node.string else {
          return .failure(.wrongType(node, expectation(), JSONNode.quoted(names()[0])))
        }
        guard let value = Value(rawValue: text) else {
          let names = names()
          return .failure(
            .init(
              .unknownName(
                noun: noun, found: text,
                suggestion: Spelling.suggestion(for: text, among: names), known: names)))
        }
        return .success(value)
      },
      show: { JSONNode.quoted($0.rawValue) })
  }
}

// MARK: - Composed values

extension FieldKind {
  /// An array of such values, at least `minimum` of them.
  public static func list<Element>(
    of element: FieldKind<Element>, atLeast minimum: Int = 0
  ) -> FieldKind<[Element]> where Value == [Element] {
    let expectation =
      "a list of \(minimum > 0 ? "at least \(minimum) of: " : "")\(element.expectation)"
    let example = "[\(element.example)]"
    return FieldKind(
      expectation: expectation, example: example,
      schema: #"{"type":"array","minItems":\#(minimum),"items":\#(element.schema)}"#,
      placeholder: { minimum > 0 ? [element.placeholder()] : [] },
      read: { node in
        guard let nodes = node.elements else {
          return .failure(.wrongType(node, expectation, example))
        }
        if nodes.count < minimum {
          return .failure(
            .init(.outOfRange(found: "a list of \(nodes.count)", expected: expectation)))
        }
        var values: [Element] = []
        for (index, child) in nodes.enumerated() {
          switch element.read(child) {
          case .success(let value): values.append(value)
          case .failure(var found):
            found.deeper.insert(String(index), at: 0)
            found.position = found.position ?? child.position
            return .failure(found)
          }
        }
        return .success(values)
      },
      show: { "[" + $0.map(element.show).joined(separator: ",") + "]" })
  }
}

extension Issue.Problem.Found {
  /// A value of another JSON type than expected.
  public static func wrongType(_ node: JSONNode, _ expected: String, _ example: String) -> Self {
    Self(.wrongType(found: node.kindName, expected: expected, example: example))
  }
}
