import SimKernel

/// Reads axes whose points are drawn: at random, or as a Latin hypercube.
///
/// Each path is drawn by a stream of its own, keyed by the path and the seed, so that adding one
/// moves no other; the same file gives the same points everywhere. A Latin hypercube of n points
/// has exactly one in each nth of every axis (McKay, Beckman and Conover, Technometrics 21, 1979).
struct SampledAxisReader {
  /// `random` or `latin_hypercube`.
  let key: String
  let isStratified: Bool
  let reader: SweepAxisReader

  /// Written values keep this many digits, so that columns and file names stay readable.
  private static let digits = 6

  /// The settings of one group.
  private struct Settings {
    var points: Int
    var seed: Int
    var axes: JSONNode

    init(_ fields: inout FieldReader) {
      points = fields.required("points", .count(), doc: "how many points to draw")
      seed = fields.optional("seed", .count(0), default: 1, doc: "keys what is drawn")
      axes = fields.required(
        "axes", .any("an object of axes", example: #"{"a.b": {"from": 1, "to": 10}}"#),
        doc: "for each path a list, named variants, or a range {from, to, scale}")
    }
  }

  /// The axis that `node` describes; nil if it has problems, which are reported.
  func axis(_ node: JSONNode) -> SweepAxis? {
    let before = reader.issues.errors.count
    let settings = FieldReader.read(
      node, path: FieldPath(["sweep", key]), issues: reader.issues, Settings.init)
    guard reader.issues.errors.count == before else { return nil }
    let axes = settings.axes
    guard let members = axes.members, !members.isEmpty else {
      report(
        "axes", axes,
        .wrongType(
          found: axes.members == nil ? axes.kindName : "no axes", expected: "an object of axes",
          example: #"{"a.b": {"from": 1, "to": 10}}"#))
      return nil
    }
    if settings.points > SweepCheck.mostPoints {
      report(
        "points", node["points"] ?? node,
        .outOfRange(
          found: String(settings.points), expected: "at most \(SweepCheck.mostPoints) points"))
      return nil
    }
    let columns = members.map { column($0, settings) }
    guard !columns.contains(where: { $0 == nil }) else { return nil }
    return SweepAxis(
      position: node.position, columns: members.map(\.key),
      positions: (0..<settings.points).map { index in
        .init(
          labels: columns.map { $0![index].labels[0] },
          changes: columns.map { $0![index].changes[0] })
      })
  }

  /// The drawn values of one path.
  private func column(_ member: JSONMember, _ settings: Settings) -> [SweepAxis.Position]? {
    var random = RandomStream(
      seed: UInt64(settings.seed), purpose: RandomPurpose("sweep axis"),
      entity: Int(truncatingIfNeeded: Self.key(of: member.key)))
    let fractions = fractions(settings.points, &random)
    let node = member.node
    guard node["from"] != nil || node["to"] != nil else {
      guard let choices = reader.axis(member.key, node)?.positions else { return nil }
      return fractions.map { choices[min(choices.count - 1, Int($0 * Double(choices.count)))] }
    }
    guard let range = AxisRange(node, place: "\(key).axes.\(member.key)", reader: reader) else {
      return nil
    }
    let path = FieldPath(parsing: member.key).parts
    return fractions.map { fraction in
      let value = range.value(at: fraction, digits: Self.digits)
      return .init(
        labels: [SweepAxis.label(value)],
        changes: [.init(path: path, node: value.placed(at: node.position), merges: false)])
    }
  }

  /// Where in its range each point lies, from 0 to below 1.
  private func fractions(_ count: Int, _ random: inout RandomStream) -> [Double] {
    guard isStratified else { return (0..<count).map { _ in random.uniform() } }
    var strata = Array(0..<count)
    for index in stride(from: count - 1, to: 0, by: -1) {
      strata.swapAt(index, random.index(below: index + 1))
    }
    return strata.map { (Double($0) + random.uniform()) / Double(count) }
  }

  private static func key(of path: String) -> UInt64 {
    var hash = StableHash()
    hash.combine(path)
    return hash.words.0 >> 1
  }

  private func report(_ part: String, _ node: JSONNode, _ problem: Issue.Problem) {
    reader.report("\(key).\(part)", node, problem)
  }
}

/// A range that values are drawn from: numbers, or quantities of one unit.
private struct AxisRange {
  private let from: Double
  private let to: Double
  private let unit: String
  private let isLogarithmic: Bool
  private let isInteger: Bool

  init?(_ node: JSONNode, place: String, reader: SweepAxisReader) {
    let before = reader.issues.errors.count
    let ends = FieldReader.read(
      node, path: FieldPath(["sweep", place]), issues: reader.issues
    ) { fields -> (low: JSONNode, high: JSONNode, scale: String) in
      let kind = FieldKind<JSONNode>.any("a number or a quantity", example: #""1 Gbps""#)
      let low = fields.required("from", kind, doc: "the lower end")
      let high = fields.required("to", kind, doc: "the upper end")
      let scale = fields.optional(
        "scale", .text("linear or log", example: "log"), default: "linear",
        doc: "how values are spread: linear or log")
      return (low, high, scale)
    }
    guard reader.issues.errors.count == before else { return nil }
    let (low, high) = (ends.low, ends.high)
    func fail(_ node: JSONNode, _ found: String, _ expected: String) {
      reader.report(place, node, .invalid(found: found, expected: expected))
    }
    guard ["linear", "log"].contains(ends.scale) else {
      fail(node, "scale \"\(ends.scale)\"", "write linear or log")
      return nil
    }
    guard let first = Self.split(low), let second = Self.split(high) else {
      fail(
        node, "\(low.compactText) to \(high.compactText)",
        "give two numbers, or two quantities such as \"1 Gbps\"")
      return nil
    }
    guard first.unit == second.unit else {
      fail(
        node, "from in \"\(first.unit)\", to in \"\(second.unit)\"",
        "write both ends in the same unit")
      return nil
    }
    guard first.value < second.value else {
      fail(node, "\(low.compactText) to \(high.compactText)", "\"to\" must be above \"from\"")
      return nil
    }
    if ends.scale == "log", first.value <= 0 {
      fail(low, "a logarithmic range from \(low.compactText)", "begin above 0")
      return nil
    }
    (from, to, unit) = (first.value, second.value, first.unit)
    isLogarithmic = ends.scale == "log"
    isInteger = first.isInteger && second.isInteger
  }

  /// A number, or the number and the unit of a text.
  private static func split(_ node: JSONNode) -> (value: Double, unit: String, isInteger: Bool)? {
    if case .number(let number) = node.value {
      return (number.double, "", number.integer != nil)
    }
    guard let text = node.string else { return nil }
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "-") }
    let unit = text[digits.endIndex...].drop { $0 == " " }
    guard let value = Double(digits), !unit.isEmpty else { return nil }
    return (value, String(unit), false)
  }

  /// The value at `fraction` of the range; integers between integers, each as likely as another.
  func value(at fraction: Double, digits: Int) -> JSONNode {
    // Integers own the half steps beside them.
    let (low, high) = isInteger ? (from - 0.5, to + 0.5) : (from, to)
    var value: Double
    if isLogarithmic {
      let bottom = DeterministicMath.log(isInteger ? max(low, 0.5) : low)
      value = DeterministicMath.exp(bottom + fraction * (DeterministicMath.log(high) - bottom))
    } else {
      value = low + fraction * (high - low)
    }
    value = isInteger ? value.rounded() : Self.rounded(value, digits: digits)
    value = min(max(value, from), to)
    if isInteger { return JSONNode(.number(JSONNumber(Int(value)))) }
    if unit.isEmpty { return JSONNode(.number(JSONNumber(value))) }
    return JSONNode(.string("\(JSONNumber.shortest(value)) \(unit)"))
  }

  /// `value` to `digits` significant digits.
  private static func rounded(_ value: Double, digits: Int) -> Double {
    guard value != 0, value.isFinite else { return value }
    var scale = 1.0
    var magnitude = value.magnitude
    // Powers of ten are exact as far as quantities reach.
    while magnitude >= 10 { (magnitude, scale) = (magnitude / 10, scale / 10) }
    while magnitude < 1 { (magnitude, scale) = (magnitude * 10, scale * 10) }
    for _ in 1..<digits { scale *= 10 }
    return scale >= 1 ? (value * scale).rounded() / scale : (value * scale).rounded() * (1 / scale)
  }
}
