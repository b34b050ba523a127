import Interchange
import Networks
import SimKernel

/// Reads LogGOPS parameters as `--loggp` and `--host` spell them: `L=2500,o=1.5us,G=10Gbps`.
enum LogGPText {
  /// `base` with the parameters that `text` gives.
  static func parse(
    _ text: String, from base: LogGPParameters, option: String
  ) throws -> LogGPParameters {
    var parameters = base
    var given: Set<String> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let pieces = part.split(separator: "=", maxSplits: 1).map { trimmed($0) }
      guard pieces.count == 2 else {
        throw invalid(
          option, "\"\(part)\" is not a parameter", "write for example L=2500,o=1.5us,S=64KiB")
      }
      let value = pieces[1]
      if !given.insert(pieces[0]).inserted {
        throw invalid(option, "\(pieces[0]) is given twice in \"\(text)\"", "say it once")
      }
      switch pieces[0] {
      case "L": parameters.latency = try duration(value, option)
      case "o": parameters.overhead = try duration(value, option)
      case "g": parameters.gap = try duration(value, option)
      case "G": parameters.gapPerByte = try perByte(value, option)
      case "O": parameters.overheadPerByte = try perByte(value, option)
      case "S": parameters.rendezvousAbove = try size(value, option)
      default:
        throw InvalidInput([
          Issue(
            path: FieldPath([option]),
            problem: .unknownName(
              noun: "LogGOPS parameter", found: pieces[0], suggestion: nil,
              known: ["L", "o", "g", "G", "O", "S"]))
        ])
      }
    }
    return parameters
  }

  /// The hosts that `--host 3:o=5us` or `--host 4-7:G=1` name, and what it says about them.
  static func parseHosts(
    _ text: String, count: Int
  ) throws -> (hosts: ClosedRange<Int>, parameters: String) {
    let pieces = text.split(separator: ":", maxSplits: 1)
    let ends = (pieces.first ?? "").split(separator: "-", maxSplits: 1).map { Int($0) }
    guard pieces.count == 2, let first = ends.first, let first, let last = ends.last, let last,
      first >= 0, first <= last
    else {
      throw invalid("--host", "\"\(text)\" names no hosts", "write 3:o=5us or 4-7:o=5us,G=1")
    }
    guard last < count else {
      throw invalid("--host", "host \(last) of \(count)", "hosts are numbered from 0")
    }
    return (first...last, String(pieces[1]))
  }

  private static func duration(_ text: String, _ option: String) throws -> SimDuration {
    let value: SimDuration
    if let bare = Double(text) {
      guard bare >= 0, bare < 1e15 else {
        throw invalid(option, "\(text) ns", "write 0 to 2.5e14 ns, which are 3 days")
      }
      value = .nanoseconds(bare)
    } else {
      value = try QuantityText.parse(text, as: .duration, option: option)
    }
    guard value <= .picoseconds(1 << 58) else {
      throw invalid(option, text, "a parameter lasts at most 3 days")
    }
    return value
  }

  private static func perByte(_ text: String, _ option: String) throws -> TimePerByte {
    if let bare = Double(text) {
      guard bare >= 0, bare < 1e9 else {
        throw invalid(option, "\(text) ns a byte", "write 0 to 10^9 ns a byte")
      }
      return .nanoseconds(bare)
    }
    if case .success(let rate) = FieldKind<Bandwidth>.bandwidth.read(JSONNode(.string(text))) {
      return .nanoseconds(8e9 / Double(rate.bitsPerSecond))
    }
    return .nanoseconds(
      Double(try QuantityText.parse(text, as: .duration, option: option).picoseconds) / 1e3)
  }

  private static func size(_ text: String, _ option: String) throws -> ByteCount? {
    if text == "none" { return nil }
    if let bare = Double(text) {
      guard let bytes = Int64(text), bytes >= 0 else {
        throw invalid(
          option, "S=\(text)",
          bare < 0
            ? "write a size of at least 0 B, or S=none so that every message is eager"
            : "write a whole number of bytes below 2^63, or S=none")
      }
      return .bytes(bytes)
    }
    return try QuantityText.parse(text, as: .size, option: option)
  }

  private static func trimmed(_ text: Substring) -> String {
    var rest = text.drop { $0 == " " }
    while rest.last == " " { rest.removeLast() }
    return String(rest)
  }

  private static func invalid(_ option: String, _ found: String, _ expected: String) -> InvalidInput
  {
    InvalidInput([
      Issue(
        path: FieldPath([option]), problem: .invalid(found: found, expected: expected))
    ])
  }
}

/// Collects a schedule as it is read.
struct ScheduleSink: GOALSink {
  private(set) var builder = LogGPScheduleBuilder(hosts: 1)

  mutating func begin(ranks: Int) { builder = LogGPScheduleBuilder(hosts: ranks) }
  mutating func begin(rank: Int) { builder.begin(host: rank) }
  mutating func calculate(nanoseconds: Int, cpu: UInt8, line: Int) -> Int {
    builder.calculate(.picoseconds(Int64(nanoseconds) * 1000), cpu: cpu, line: line)
  }
  mutating func send(
    bytes: Int, to destination: Int, tag: Int32, cpu: UInt8, nic: UInt8, line: Int
  ) -> Int {
    builder.send(
      .bytes(Int64(bytes)), to: destination, tag: tag, cpu: cpu, nic: nic, line: line)
  }
  mutating func receive(
    bytes: Int, from source: Int?, tag: Int32?, cpu: UInt8, nic: UInt8, line: Int
  ) -> Int {
    builder.receive(
      .bytes(Int64(bytes)), from: source, tag: tag, cpu: cpu, nic: nic, line: line)
  }
  mutating func require(_ later: Int, after earlier: Int, onStart: Bool) {
    builder.require(later, after: earlier, onStart: onStart)
  }
}
