/// A family of units: what each is worth in the family's base unit.
struct UnitTable: Sendable {
  /// What is measured, such as `a bandwidth`.
  var quantity: String
  /// JSON text of an example.
  var example: String
  /// Spellings, the preferred ones first, with their value.
  var units: [(name: String, scale: Double)]

  /// The value of `text` in base units, or what is wrong with it.
  func parse(_ text: String) -> Result<Double, Issue.Problem.Found> {
    let trimmed = text.drop { $0 == " " }
    let digits = trimmed.prefix { $0.isASCII && ($0.isNumber || ".-+eE".contains($0)) }
    // An exponent's "e" must be followed by digits, else it belongs to the unit.
    var number = digits
    while let last = number.last, "eE+-".contains(last) { number.removeLast() }
    guard let value = Double(number), value.isFinite else {
      return .failure(
        .init(
          .invalid(
            found: "\(JSONNode.quoted(text)) is not a number with a unit",
            expected: "write \(quantity), for example \(example)")))
    }
    let unit = trimmed[number.endIndex...].drop { $0 == " " }
    var name = String(unit)
    while name.last == " " { name.removeLast() }
    if name.isEmpty {
      return .failure(.init(.missingUnit(found: JSONNode.quoted(text), example: example)))
    }
    guard let match = units.first(where: { $0.name == name }) else {
      return .failure(.init(.wrongUnit(found: text, units: units.map(\.name))))
    }
    if value < 0 {
      return .failure(
        .init(.outOfRange(found: JSONNode.quoted(text), expected: "\(quantity) >= 0")))
    }
    return .success(value * match.scale)
  }

  /// A kind that reads such strings and turns base units into `Value`.
  func kind<Value>(
    minimum: Double = 0, maximum: Double, placeholder: Value,
    from make: @escaping @Sendable (Double) -> Value, show: @escaping @Sendable (Value) -> String
  ) -> FieldKind<Value> where Value: Sendable {
    let table = self
    let bounded = minimum > 0 ? "\(quantity) above 0" : quantity
    let names = units.map(\.name).joined(separator: "|")
    return FieldKind(
      expectation: "\(bounded) with its unit",
      example: example,
      schema: #"{"type":"string","pattern":"^\\s*[0-9.+eE-]+\\s*(\#(names))\\s*$"}"#,
      placeholder: { placeholder },
      read: { node in
        guard let text = node.string else {
          if case .number(let number) = node.value {
            return .failure(.init(.missingUnit(found: number.text, example: table.example)))
          }
          return .failure(.wrongType(node, "\(table.quantity) with its unit", table.example))
        }
        return table.parse(text).flatMap { value in
          if value < minimum || value > maximum {
            return .failure(
              .init(
                .outOfRange(
                  found: JSONNode.quoted(text),
                  expected: value > maximum ? "what simnet can represent" : bounded)))
          }
          return .success(make(value))
        }
      },
      show: show)
  }

  static let bandwidth = UnitTable(
    quantity: "a bandwidth", example: #""10 Gbps""#,
    units: [
      ("Gbps", 1e9), ("Mbps", 1e6), ("Kbps", 1e3), ("kbps", 1e3), ("Tbps", 1e12), ("bps", 1),
      ("Gb/s", 1e9), ("Mb/s", 1e6), ("kb/s", 1e3), ("Tb/s", 1e12), ("Gbit/s", 1e9),
      ("Mbit/s", 1e6), ("GB/s", 8e9), ("MB/s", 8e6), ("kB/s", 8e3), ("TB/s", 8e12),
      ("GiB/s", 8_589_934_592), ("MiB/s", 8_388_608),
    ])
  static let duration = UnitTable(
    quantity: "a duration", example: #""5 us""#,
    units: [
      ("us", 1e6), ("ms", 1e9), ("s", 1e12), ("ns", 1e3), ("ps", 1), ("µs", 1e6), ("min", 6e13),
      ("h", 3.6e15),
    ])
  static let bytes = UnitTable(
    quantity: "a size", example: #""25 MiB""#,
    units: [
      ("B", 1), ("kB", 1e3), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("KiB", 1024),
      ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("TiB", 1_099_511_627_776),
    ])
}

extension FieldKind where Value == Bandwidth {
  /// A rate such as `"10 Gbps"` (bits) or `"1.25 GB/s"` (bytes); above 0.
  public static var bandwidth: FieldKind<Bandwidth> {
    UnitTable.bandwidth.kind(
      minimum: 1, maximum: 9e18, placeholder: .gigabitsPerSecond(1),
      from: { Bandwidth(bitsPerSecond: Int64($0.rounded())) },
      show: { JSONNode.quoted($0.description) })
  }
}
extension FieldKind where Value == SimDuration {
  /// A length of time such as `"5 us"`.
  public static var duration: FieldKind<SimDuration> {
    UnitTable.duration.kind(
      maximum: 9e18, placeholder: .microseconds(1), from: { .decimal($0, unit: 1) },
      show: { JSONNode.quoted($0.shortText) })
  }
}
extension FieldKind where Value == ByteCount {
  /// A size such as `"25 MB"` (decimal) or `"25 MiB"` (binary).
  public static var size: FieldKind<ByteCount> {
    UnitTable.bytes.kind(
      maximum: 9e18, placeholder: .mebibytes(1), from: { ByteCount(Int64($0.rounded())) },
      show: { JSONNode.quoted($0.shortText) })
  }
}

extension SimDuration {
  /// The length in the largest unit that keeps it a whole number, such as `5 us`.
  public var shortText: String {
    if picoseconds == 0 { return "0 s" }
    for (scale, unit) in [
      (1_000_000_000_000, "s"), (1_000_000_000, "ms"), (1_000_000, "us"), (1_000, "ns"),
    ] as [(Int64, String)] where picoseconds % scale == 0 {
      return "\(picoseconds / scale) \(unit)"
    }
    return "\(picoseconds) ps"
  }
}

extension ByteCount {
  /// The size in the largest unit that keeps it a whole number, such as `25 MiB`.
  public var shortText: String {
    if bytes == 0 { return "0 B" }
    for (scale, unit) in [
      (1 << 30, "GiB"), (1_000_000_000, "GB"), (1 << 20, "MiB"), (1_000_000, "MB"),
      (1 << 10, "KiB"),
      (1_000, "kB"),
    ] as [(Int64, String)] where bytes % scale == 0 {
      return "\(bytes / scale) \(unit)"
    }
    return "\(bytes) B"
  }
}

/// Reads one quantity from the command line with the rules of a scenario.
public enum QuantityText {
  /// The value of `text` as `kind` reads it.
  ///
  /// - Throws: ``InvalidInput`` naming `option`.
  public static func parse<Value>(
    _ text: String, as kind: FieldKind<Value>, option: String
  ) throws(InvalidInput) -> Value {
    switch kind.read(JSONNode(.string(text))) {
    case .success(let value): return value
    case .failure(let found):
      throw InvalidInput([Issue(path: FieldPath([option]), problem: found.problem)])
    }
  }
}

/// A number with the dimension of its unit, for expressions over quantities of any kind.
public struct Quantity: Sendable, Equatable {
  /// In bits and seconds.
  public var value: Double
  /// The power of bits: 1 for sizes, also for bandwidths.
  public var bits: Int
  /// The power of seconds: 1 for durations, -1 for bandwidths.
  public var seconds: Int

  /// A quantity of a dimension.
  public init(_ value: Double, bits: Int = 0, seconds: Int = 0) {
    self.value = value
    self.bits = bits
    self.seconds = seconds
  }

  /// The bandwidth, duration or size that `text` spells with its unit; nil for anything else.
  public init?(_ text: String) {
    if case .success(let value) = UnitTable.bandwidth.parse(text) {
      self.init(value, bits: 1, seconds: -1)
    } else if case .success(let value) = UnitTable.duration.parse(text) {
      self.init(value / 1e12, seconds: 1)
    } else if case .success(let value) = UnitTable.bytes.parse(text) {
      self.init(value * 8, bits: 1)
    } else {
      return nil
    }
  }

  /// The longest unit that `text` begins with, if it begins with one.
  public static func unit(at text: Substring) -> String? {
    [UnitTable.bandwidth, .duration, .bytes].flatMap(\.units).map(\.name)
      .filter { name in
        // "5 s" is seconds, "5 seed" is not.
        text.hasPrefix(name)
          && !(text.dropFirst(name.count).first.map { $0.isLetter || $0.isNumber } ?? false)
      }
      .max { $0.count < $1.count }
  }

  /// Whether both measure the same.
  public func isLike(_ other: Quantity) -> Bool { bits == other.bits && seconds == other.seconds }
}
