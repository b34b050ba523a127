import SimKernel

/// A network of ASTRA-sim's analytical backend: one simple topology a dimension, the innermost first.
///
/// The format has no units in its values; they are those of the backend: bandwidth in 10^9 bytes a
/// second for each link, latency in nanoseconds. Where a comment beside a value says another unit, the
/// file is refused. YAML and JSON are read.
public struct AnalyticalNetwork: Sendable, Equatable {
  public enum Shape: String, Sendable, CaseIterable {
    case ring = "Ring"
    case fullyConnected = "FullyConnected"
    case `switch` = "Switch"
  }
  public struct Dimension: Sendable, Equatable {
    public var shape: Shape
    public var count: Int
    /// Of a link, one way.
    public var bandwidth: Bandwidth
    /// Of a link.
    public var latency: SimDuration
  }
  public var dimensions: [Dimension]
  /// All NPUs: the product of the counts.
  public var npus: Int

  public init(path: String) throws(InterchangeError) {
    var stream = try ByteStream(path: path)
    try self.init(bytes: try stream.readAll(limit: 1 << 24), path: path)
  }

  /// Reads a configuration in memory, called `path` in messages.
  public init(bytes: [UInt8], path: String) throws(InterchangeError) {
    let entries = try ConfigurationEntries(bytes: bytes, path: path)
    let known = ["topology", "npus_count", "bandwidth", "latency"]
    for entry in entries.all where !known.contains(entry.key) {
      let hint = Spelling.suggestion(for: entry.key, among: known)
      throw entries.failure(
        entry, "the key \"\(entry.key)\"",
        hint.map { "did you mean \"\($0)\"?" } ?? "expected \(known.joined(separator: ", "))")
    }
    let topology = try entries.list("topology")
    let counts = try entries.list("npus_count")
    let bandwidths = try entries.list("bandwidth", unit: ["GB/s", "GBps", "GB/sec"])
    let latencies = try entries.list("latency", unit: ["ns"])
    let sizes = [
      topology.values.count, counts.values.count, bandwidths.values.count, latencies.values.count,
    ]
    guard let size = sizes.first, size > 0, sizes.allSatisfy({ $0 == size }) else {
      throw entries.failure(
        counts, "\(sizes.map(String.init).joined(separator: ", ")) dimensions",
        "as many in topology, npus_count, bandwidth and latency")
    }
    dimensions = []
    npus = 1
    for index in 0..<size {
      guard let shape = Shape(rawValue: topology.values[index]) else {
        throw entries.failure(
          topology, "the topology \"\(topology.values[index])\"",
          "expected \(Shape.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      guard let count = Int(counts.values[index]), count >= 1, count <= 1 << 30 else {
        throw entries.failure(
          counts, "npus_count is \"\(counts.values[index])\"", "expected a whole number from 1")
      }
      let (product, overflow) = npus.multipliedReportingOverflow(by: count)
      guard !overflow, product <= 1 << 30 else {
        throw entries.failure(counts, "more than 2^30 NPUs", "a smaller network")
      }
      npus = product
      // GB/s to bits a second: times 8 x 10^9; ns to ps: times 10^3.
      let rate = try entries.scaled(bandwidths, index, power: 9)
      guard rate > 0, rate <= Int64.max / 8 else {
        throw entries.failure(
          bandwidths, "bandwidth is \"\(bandwidths.values[index])\"", "expected GB/s above 0")
      }
      dimensions.append(
        Dimension(
          shape: shape, count: count, bandwidth: .bitsPerSecond(rate * 8),
          latency: SimDuration(picoseconds: try entries.scaled(latencies, index, power: 3))))
    }
  }
}

/// A flat configuration, from YAML or from JSON.
struct ConfigurationEntries {
  struct Entry {
    var key: String
    var values: [String]
    var isList: Bool
    var comment: String
    /// `path:line`.
    var place: String
  }
  let path: String
  private(set) var all: [Entry] = []

  init(bytes: [UInt8], path: String) throws(InterchangeError) {
    self.path = path
    let first = bytes.first { $0 > 32 }
    if first == UInt8(ascii: "{") {
      try readJSON(bytes)
    } else {
      let yaml = try FlatYAML(TextLines(bytes: bytes, path: path))
      all = yaml.entries.map {
        Entry(
          key: String($0.key), values: $0.values.map(String.init), isList: $0.isList,
          comment: String($0.comment), place: "\(path):\($0.line)")
      }
    }
    for (index, entry) in all.enumerated()
    where all[..<index].contains(where: { $0.key == entry.key }) {
      throw failure(entry, "the key \"\(entry.key)\" again", "each key once")
    }
  }

  private mutating func readJSON(_ bytes: [UInt8]) throws(InterchangeError) {
    let root = try ConfigurationJSON.parse(bytes, path)
    for member in root.members ?? [] {
      let line = member.node.position?.line ?? 1
      let place = "\(path):\(line)"
      let nodes = member.node.elements ?? [member.node]
      var values: [String] = []
      for node in nodes {
        switch node.value {
        case .string(let text): values.append(text)
        case .number(let number): values.append(number.text)
        case .bool(let flag): values.append(flag ? "true" : "false")
        default:
          throw InterchangeError(
            path: place, found: "\"\(member.key)\" is \(node.kindName)",
            expected: "expected a number, a word, or a list of them")
        }
      }
      all.append(
        Entry(
          key: member.key, values: values, isList: member.node.elements != nil, comment: "",
          place: place))
    }
  }

  func failure(_ entry: Entry, _ found: String, _ expected: String) -> InterchangeError {
    InterchangeError(path: entry.place, found: found, expected: expected)
  }

  func find(_ key: String) -> Entry? { all.first { $0.key == key } }

  /// The entry `key`, which must be there, and whose comment says no other unit.
  func list(_ key: String, unit: [String] = []) throws(InterchangeError) -> Entry {
    guard let entry = find(key) else {
      throw InterchangeError(
        path: "\(path):1", found: "no \"\(key)\"", expected: "expected \(key): [ ... ]")
    }
    let said = entry.comment.split { $0 == " " || $0 == "," || $0 == "(" || $0 == ")" }.first
    if !unit.isEmpty, let said,
      said.contains("/s") || said.hasSuffix("ps") || Self.times.contains(said),
      !unit.contains(String(said))
    {
      throw failure(
        entry, "\(key) in \(said)", "expected \(unit[0]), which is what the backend takes")
    }
    return entry
  }
  private static let times: [Substring] = ["ns", "us", "ms", "s", "ps"]

  /// The value at `index` times `10^power`.
  func scaled(
    _ entry: Entry, _ index: Int, power: Int
  ) throws(InterchangeError) -> Int64 {
    var number = DecimalNumber()
    let bytes = Array(entry.values[index].utf8)
    let length = bytes.withUnsafeBufferPointer { bytes -> Int? in
      guard let start = bytes.baseAddress else { return nil }
      // In bounds: the end is that of the buffer.
      return number.read(start, end: start + bytes.count)
    }
    guard length == bytes.count, !number.isNegative,
      let value = number.scaled(byTenTo: power).flatMap({ Int64(exactly: $0) })
    else {
      throw failure(
        entry, "\(entry.key) is \"\(entry.values[index].prefix(40))\"",
        "expected a number, 0 or more")
    }
    return value
  }
}

/// A small JSON file with lines in its errors.
enum ConfigurationJSON {
  static func parse(_ bytes: [UInt8], _ path: String) throws(InterchangeError) -> JSONNode {
    var result: Result<JSONNode, JSONError>?
    bytes.withUnsafeBytes { bytes in
      var reader = JSONReader(bytes, origin: path)
      do throws(JSONError) {
        let node = try JSONNode(from: &reader)
        try reader.end()
        result = .success(node)
      } catch { result = .failure(error) }
    }
    switch result! {
    case .success(let node):
      guard node.members != nil else {
        throw InterchangeError(
          path: "\(path):1", found: node.kindName, expected: "expected an object")
      }
      return node
    case .failure(let error):
      throw InterchangeError(
        path: "\(path):\(error.position.line):\(error.position.column)",
        found: error.message, expected: "expected JSON")
    }
  }
}
