import SimKernel

/// A system layer of ASTRA-sim: how its NPUs schedule collectives and which algorithms they run.
///
/// The format has no units; they are those of ASTRA-sim's system layer: `endpoint-delay` in
/// nanoseconds, `local-mem-bw` in 10^9 bytes a second, `peak-perf` in 10^12 operations a second. Keys
/// that are not known are an error here, where ASTRA-sim passes over them.
public struct SystemConfiguration: Sendable, Equatable {
  /// What a collective runs: an algorithm for each dimension, or files of its own.
  public struct Implementation: Sendable, Equatable {
    public var kind: CollectiveKind
    /// `ring`, `direct`, `halvingDoubling`, `doubleBinaryTree`, ...; or paths of traces.
    public var names: [String]
    /// Whether ``names`` are the paths of Chakra traces, without rank and extension.
    public var isCustom: Bool
  }
  /// `LIFO` or `FIFO`.
  public var schedulingPolicy: String?
  public var endpointDelay: SimDuration?
  public var activeChunksPerDimension: Int?
  /// Chunks that a collective is split into.
  public var preferredDatasetSplits: Int?
  public var implementations: [Implementation]
  public var collectiveOptimization: String?
  /// 10^9 bytes a second.
  public var localMemoryGigabytesPerSecond: Double?
  /// 10^12 operations a second.
  public var peakTeraoperationsPerSecond: Double?
  public var isRooflineEnabled: Bool?
  public var isBoosted: Bool?
  /// Keys that ASTRA-sim reads and simnet has no use for, in the order of the file.
  public var otherKeys: [String]

  private static let ignored = [
    "intra-dimension-scheduling", "inter-dimension-scheduling", "preferred-dataset-splits-per-dim",
    "track-local-mem", "local-mem-trace-filename", "replay-only", "trace-enabled", "L", "o", "g",
    "G", "model-shared-bus", "enable-hbm", "hardware-resource-capacity",
  ]
  private static let own = [
    "scheduling-policy", "endpoint-delay", "active-chunks-per-dimension",
    "preferred-dataset-splits", "collective-optimization", "local-mem-bw", "peak-perf",
    "roofline-enabled", "boost-mode",
  ]
  private static let collectives: [(String, CollectiveKind)] = [
    ("all-reduce", .allReduce), ("all-gather", .allGather), ("reduce-scatter", .reduceScatter),
    ("all-to-all", .allToAll),
  ]

  public init(path: String) throws(InterchangeError) {
    var stream = try ByteStream(path: path)
    try self.init(bytes: try stream.readAll(limit: 1 << 24), path: path)
  }

  /// Reads a configuration in memory, called `path` in messages.
  public init(bytes: [UInt8], path: String) throws(InterchangeError) {
    implementations = []
    otherKeys = []
    let entries = try ConfigurationEntries(bytes: bytes, path: path)
    guard !entries.all.isEmpty else {
      throw InterchangeError(
        path: "\(path):1", found: "an empty object", expected: "keys such as scheduling-policy")
    }
    for entry in entries.all { try read(entry, entries) }
  }

  private mutating func read(
    _ entry: ConfigurationEntries.Entry, _ entries: ConfigurationEntries
  ) throws(InterchangeError) {
    func whole() throws(InterchangeError) -> Int {
      guard let value = entry.values.first.flatMap({ Int($0) }), value >= 0, value <= 1 << 30 else {
        throw entries.failure(
          entry, "\(entry.key) is not a whole number", "expected 0 to 2^30")
      }
      return value
    }
    func positive() throws(InterchangeError) -> Double {
      guard let value = entry.values.first.flatMap({ Double($0) }), value > 0, value.isFinite else {
        throw entries.failure(entry, "\(entry.key) is not above 0", "expected a number")
      }
      return value
    }
    func flag() throws(InterchangeError) -> Bool {
      switch entry.values.first {
      case "0", "false": return false
      case "1", "true": return true
      default: throw entries.failure(entry, "\(entry.key) is neither 0 nor 1", "expected 0 or 1")
      }
    }
    switch entry.key {
    case "scheduling-policy":
      guard let policy = entry.values.first, ["LIFO", "FIFO", "EXPLICIT"].contains(policy) else {
        throw entries.failure(
          entry, "scheduling-policy is \"\(entry.values.first ?? "")\"", "expected LIFO or FIFO")
      }
      schedulingPolicy = policy
    case "endpoint-delay":
      endpointDelay = SimDuration(picoseconds: try entries.scaled(entry, 0, power: 3))
    case "active-chunks-per-dimension": activeChunksPerDimension = try whole()
    case "preferred-dataset-splits": preferredDatasetSplits = try whole()
    case "collective-optimization": collectiveOptimization = entry.values.first
    case "local-mem-bw": localMemoryGigabytesPerSecond = try positive()
    case "peak-perf": peakTeraoperationsPerSecond = try positive()
    case "roofline-enabled": isRooflineEnabled = try flag()
    case "boost-mode": isBoosted = try flag()
    default:
      if let implementation = try Self.implementation(entry, entries) {
        implementations.append(implementation)
      } else if Self.ignored.contains(entry.key) {
        otherKeys.append(entry.key)
      } else {
        let known = Self.own + Self.collectives.map { $0.0 + "-implementation" } + Self.ignored
        let hint = Spelling.suggestion(for: entry.key, among: known)
        throw entries.failure(
          entry, "the key \"\(entry.key)\"",
          hint.map { "did you mean \"\($0)\"?" }
            ?? "expected one of \(known.joined(separator: ", "))")
      }
    }
  }

  private static func implementation(
    _ entry: ConfigurationEntries.Entry, _ entries: ConfigurationEntries
  ) throws(InterchangeError) -> Implementation? {
    for (name, kind) in collectives where entry.key.hasPrefix(name + "-implementation") {
      let rest = entry.key.dropFirst(name.utf8.count + "-implementation".utf8.count)
      guard ["", "-custom", "-chakra"].contains(rest) else { return nil }
      guard !entry.values.isEmpty else {
        throw entries.failure(entry, "no algorithms", "expected one for each dimension")
      }
      return Implementation(kind: kind, names: entry.values, isCustom: !rest.isEmpty)
    }
    return nil
  }
}

/// The logical dimensions of ASTRA-sim's ns-3 backend: `{"logical-dims": ["8", "2"]}`.
public struct LogicalTopology: Sendable, Equatable {
  /// The innermost first.
  public var dimensions: [Int]

  public init(path: String) throws(InterchangeError) {
    var stream = try ByteStream(path: path)
    try self.init(bytes: try stream.readAll(limit: 1 << 24), path: path)
  }
  public init(bytes: [UInt8], path: String) throws(InterchangeError) {
    let entries = try ConfigurationEntries(bytes: bytes, path: path)
    let list = try entries.list("logical-dims")
    if let other = entries.all.first(where: { $0.key != "logical-dims" }) {
      throw entries.failure(other, "the key \"\(other.key)\"", "expected logical-dims only")
    }
    dimensions = []
    var product = 1
    for text in list.values {
      guard let count = Int(text), count >= 1, count <= 1 << 30, product <= 1 << 30 / count else {
        throw entries.failure(list, "the dimension \"\(text.prefix(40))\"", "NPUs, from 1")
      }
      product *= count
      dimensions.append(count)
    }
    guard !dimensions.isEmpty else {
      throw entries.failure(list, "no dimensions", "at least one")
    }
  }
}

/// Memory outside of the NPU in ASTRA-sim's analytical backend.
///
/// Latency in nanoseconds, bandwidth in 10^9 bytes a second, as the backend takes them.
public struct RemoteMemoryConfiguration: Sendable, Equatable {
  /// `NO_MEMORY_EXPANSION`, `PER_NPU_MEMORY_EXPANSION`, `PER_NODE_MEMORY_EXPANSION` or
  /// `MEMORY_POOL`.
  public var memoryType: String
  public var latency: SimDuration?
  public var bandwidth: Bandwidth?
  public var nodes: Int?
  public var npusPerNode: Int?

  static let types = [
    "NO_MEMORY_EXPANSION", "PER_NPU_MEMORY_EXPANSION", "PER_NODE_MEMORY_EXPANSION", "MEMORY_POOL",
  ]

  public init(path: String) throws(InterchangeError) {
    var stream = try ByteStream(path: path)
    try self.init(bytes: try stream.readAll(limit: 1 << 24), path: path)
  }
  public init(bytes: [UInt8], path: String) throws(InterchangeError) {
    let entries = try ConfigurationEntries(bytes: bytes, path: path)
    let type = try entries.list("memory-type")
    guard let name = type.values.first, Self.types.contains(name) else {
      throw entries.failure(
        type, "memory-type is \"\(type.values.first ?? "")\"",
        "expected \(Self.types.joined(separator: ", "))")
    }
    memoryType = name
    for entry in entries.all {
      switch entry.key {
      case "memory-type": break
      case "remote-mem-latency":
        latency = SimDuration(picoseconds: try entries.scaled(entry, 0, power: 3))
      case "remote-mem-bw":
        let rate = try entries.scaled(entry, 0, power: 9)
        guard rate > 0, rate <= Int64.max / 8 else {
          throw entries.failure(entry, "a bandwidth of 0 or too much", "GB/s above 0")
        }
        bandwidth = .bitsPerSecond(rate * 8)
      case "num-nodes": nodes = entry.values.first.flatMap { Int($0) }
      case "num-npus-per-node": npusPerNode = entry.values.first.flatMap { Int($0) }
      default:
        throw entries.failure(
          entry, "the key \"\(entry.key)\"", "expected memory-type and remote-mem-...")
      }
    }
  }
}
