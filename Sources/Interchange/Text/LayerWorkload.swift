import SimKernel

/// A training iteration layer by layer, in the text form of ASTRA-sim 1 that SimAI and AICB write.
///
/// The first line says how the model is split, the second how many layers follow; a layer has twelve
/// columns: name, dependency (-1), then time, collective and bytes of the forward pass, of the input
/// gradient and of the weight gradient, and the time of the update. Times are ticks of one nanosecond.
/// A collective's name may end with its group: `_EP`, `_DP`, `_DP_EP`, `_TP`, `_PP`.
public struct LayerWorkload: Sendable, Equatable {
  /// A number of the first line, such as `ep: 16`, without its colon.
  public struct Parameter: Sendable, Equatable {
    public var name: String
    public var value: Int64
  }

  /// One of the three phases of a layer.
  public struct Phase: Sendable, Equatable {
    public var compute: SimDuration
    /// nil for `NONE`.
    public var collective: CollectiveKind?
    /// What follows the collective's name: `EP`, `DP_EP`, ...; empty for the phase's usual group.
    public var group: String
    /// As written; the file may give bytes without a collective.
    public var bytes: ByteCount
  }

  public struct Layer: Sendable, Equatable {
    public var name: String
    /// The layer it waits for; nil for the one before.
    public var dependency: Int?
    public var forward: Phase
    public var inputGradient: Phase
    public var weightGradient: Phase
    public var update: SimDuration
    /// Columns after the twelfth, which custom parallelisms write.
    public var rest: [String]
    /// From 1.
    public var line: Int
  }

  /// Such as `HYBRID_TRANSFORMER_FWD_IN_BCKWD`, `DATA` or `MODEL`.
  public var parallelism: String
  public var parameters: [Parameter]
  public var layers: [Layer]

  /// The parallelisms that ASTRA-sim and SimAI know, which is how a file is recognised.
  public static let parallelisms = [
    "MICRO", "DATA", "MODEL", "HYBRID_DATA_MODEL", "HYBRID_MODEL_DATA", "HYBRID_DLRM",
    "HYBRID_DLRM_ENHANCED", "HYBRID_TRANSFORMER", "HYBRID_TRANSFORMER_FWD_IN_BCKWD",
    "HYBRID_CUSTOMIZED", "DISTRIBUTED_INFERENCE", "DISTRIBUTED_INFERENCE_MICRO",
  ]

  /// The parameter called `name`, such as `all_gpus`.
  public func parameter(_ name: String) -> Int64? {
    parameters.first { $0.name == name }?.value
  }

  /// Reads the workload at `path`.
  ///
  /// - Throws: `InterchangeError` with the line.
  public init(path: String) throws(InterchangeError) { self = try Self.read(TextLines(path: path)) }

  /// Reads a workload in memory, called `path` in messages.
  public init(bytes: [UInt8], path: String) throws(InterchangeError) {
    self = try Self.read(TextLines(bytes: bytes, path: path))
  }

  private init(parallelism: String) {
    self.parallelism = parallelism
    parameters = []
    layers = []
  }

  private static func read(_ text: TextLines) throws(InterchangeError) -> LayerWorkload {
    var lines = text
    guard let head = lines.nextWords(), parallelisms.contains(String(head[0])) else {
      throw lines.failure(
        "a first line without a parallelism",
        "expected one of \(parallelisms.joined(separator: ", "))")
    }
    var workload = LayerWorkload(parallelism: String(head[0]))
    var index = 1
    while index < head.count {
      var name = head[index]
      if name.hasSuffix(":") { name.removeLast() }
      guard index + 1 < head.count, let value = Int64(head[index + 1]) else {
        throw lines.failure("\"\(name)\" without a number", "expected pairs such as 'ep: 16'")
      }
      workload.parameters.append(Parameter(name: String(name), value: value))
      index += 2
    }
    guard let words = lines.nextWords() else {
      throw lines.failure("the end of the file", "expected the number of layers")
    }
    let count = Int(try lines.integer(words[0], 0...10_000_000, "the number of layers"))
    workload.layers.reserveCapacity(min(count, 1 << 16))
    while let words = lines.nextWords() {
      guard workload.layers.count < count else {
        throw lines.failure("a layer beyond the \(count) announced", "the end of the file")
      }
      workload.layers.append(try layer(words, lines, workload.layers.count))
    }
    guard workload.layers.count == count else {
      throw lines.failure("the end after \(workload.layers.count) layers", "\(count) layers")
    }
    return workload
  }

  private static func layer(
    _ words: [Substring], _ lines: TextLines, _ index: Int
  ) throws(InterchangeError) -> Layer {
    guard words.count >= 12 else {
      throw lines.failure("a layer of \(words.count) columns", "expected 12")
    }
    let dependency = try lines.integer(words[1], -1...Int64(max(index - 1, -1)), "the dependency")
    return Layer(
      name: String(words[0]), dependency: dependency < 0 ? nil : Int(dependency),
      forward: try phase(words[2...4], lines, "forward"),
      inputGradient: try phase(words[5...7], lines, "input gradient"),
      weightGradient: try phase(words[8...10], lines, "weight gradient"),
      update: try lines.duration(words[11], timesTenTo: 3, "the update time"),
      rest: words[12...].map(String.init), line: lines.number)
  }

  private static func phase(
    _ words: ArraySlice<Substring>, _ lines: TextLines, _ what: String
  ) throws(InterchangeError) -> Phase {
    let start = words.startIndex
    let compute = try lines.duration(words[start], timesTenTo: 3, "the \(what) time")
    let bytes = try lines.integer(words[start + 2], 0...1 << 60, "the \(what) bytes")
    let word = words[start + 1]
    if word == "NONE" {
      return Phase(compute: compute, collective: nil, group: "", bytes: .bytes(bytes))
    }
    for (name, kind) in collectives where word.hasPrefix(name) {
      let rest = word.dropFirst(name.utf8.count)
      if rest.isEmpty || rest.hasPrefix("_") {
        return Phase(
          compute: compute, collective: kind, group: String(rest.dropFirst()),
          bytes: .bytes(bytes))
      }
    }
    throw lines.failure(
      "the \(what) collective is \"\(word.prefix(40))\"",
      "expected NONE, \(collectives.map(\.0).joined(separator: ", "))")
  }

  private static let collectives: [(String, CollectiveKind)] = [
    ("ALLREDUCE", .allReduce), ("ALLGATHER", .allGather), ("REDUCESCATTER", .reduceScatter),
    ("ALLTOALL", .allToAll), ("BROADCAST", .broadcast),
  ]

  /// The text that ``init(path:)`` reads as the same value.
  public var text: String {
    var text = parallelism
    for parameter in parameters { text += " \(parameter.name): \(parameter.value)" }
    text += "\n\(layers.count)\n"
    for layer in layers {
      var words = [layer.name, layer.dependency.map(String.init) ?? "-1"]
      for phase in [layer.forward, layer.inputGradient, layer.weightGradient] {
        let name = Self.collectives.first { $0.1 == phase.collective }?.0 ?? "NONE"
        words.append("\(phase.compute.picoseconds / 1000)")
        words.append(phase.group.isEmpty ? name : "\(name)_\(phase.group)")
        words.append("\(phase.bytes.bytes)")
      }
      words.append("\(layer.update.picoseconds / 1000)")
      text += (words + layer.rest).joined(separator: "\t") + "\n"
    }
    return text
  }
}
