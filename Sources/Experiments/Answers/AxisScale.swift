import SimKernel

/// The numbers of one axis of a scenario: which unit they have, how they are written.
public struct AxisScale: Sendable, Equatable {
  private enum Kind: Sendable, Equatable { case bandwidth, duration, size, plain }
  private let kind: Kind
  /// The unit as the user wrote it; empty for plain numbers.
  public let unit: String
  /// One ``unit`` in base units: bits a second, picoseconds or bytes.
  private let unitValue: Double

  /// The number and the scale of what is written as `node`, `"10 Gbps"` or `64`; nil if it is no
  /// number.
  public static func read(_ node: JSONNode) -> (value: Double, scale: AxisScale)? {
    if let number = node.number {
      return (number, AxisScale(kind: .plain, unit: "", unitValue: 1))
    }
    guard let text = node.string else { return nil }
    let unit = text.drop { $0 == " " || "0123456789.+-eE".contains($0) }
    // A unit may begin with the letter of an exponent, but none that simnet knows does.
    var name = String(unit)
    while name.last == " " { name.removeLast() }
    if name.isEmpty { return nil }
    for kind in [Kind.bandwidth, .duration, .size] {
      // A bandwidth of zero cannot be written, a single unit of everything can.
      if let value = base(text, kind), let one = base("1 \(name)", kind) {
        return (value, AxisScale(kind: kind, unit: name, unitValue: one))
      }
    }
    return nil
  }

  /// As ``read(_:)``, of what stands on the command line.
  public static func read(_ text: String) -> (value: Double, scale: AxisScale)? {
    if let node = try? JSONNode.parse(text, origin: "") { return read(node) }
    return read(JSONNode(.string(text)))
  }

  private static func base(_ text: String, _ kind: Kind) -> Double? {
    switch kind {
    case .bandwidth:
      (try? QuantityText.parse(text, as: .bandwidth, option: "")).map { Double($0.bitsPerSecond) }
    case .duration:
      (try? QuantityText.parse(text, as: .duration, option: "")).map { Double($0.picoseconds) }
    case .size: (try? QuantityText.parse(text, as: .size, option: "")).map { Double($0.bytes) }
    case .plain: nil
    }
  }

  /// Whether two numbers measure the same thing.
  public func measuresLike(_ other: AxisScale) -> Bool { kind == other.kind }

  /// What a scenario holds for `value` base units; quantities are whole bits a second, picoseconds or
  /// bytes.
  public func node(_ value: Double) -> JSONNode {
    switch kind {
    case .bandwidth: JSONNode(.string("\(Int64(value.rounded())) bps"))
    case .duration: JSONNode(.string("\(Int64(value.rounded())) ps"))
    case .size: JSONNode(.string("\(Int64(value.rounded())) B"))
    case .plain:
      value == value.rounded() && value.magnitude < 1e15
        ? JSONNode(.number(JSONNumber(Int(value)))) : JSONNode(.number(JSONNumber(value)))
    }
  }

  /// `value` base units as a number of ``unit``.
  public func inUnits(_ value: Double) -> Double { value / unitValue }
}
