import Interchange
import SimKernel

/// The files of one run - a recording of each rank, or one that stands for all - as what one worker
/// does.
struct TraceImport {
  /// The rank that all workers do as.
  let graph: TraceGraph
  /// Which nodes the host ran beside its accelerator; empty for none.
  let onHost: [Bool]
  /// As many as the files name, or as there are files; nil if they do not say it.
  let workers: Int?
  /// What was read, one sentence.
  let made: String
  let notes: [String]

  /// Formats that hold what workers do.
  static let formats: [FileFormat] = [
    .kineto, .pyTorchTrace, .chakra, .chakraJSON, .layerWorkload,
  ]

  /// - Throws: `InterchangeError` for what the files hold, `InvalidInput` for steps that they lack.
  init(_ files: [(path: String, format: FileFormat)], _ options: ImportOptions) throws {
    let kineto = files.filter { $0.format == .kineto }.map(\.path)
    let pyTorch = files.filter { $0.format == .pyTorchTrace }.map(\.path)
    let others = files.filter { ![.kineto, .pyTorchTrace].contains($0.format) }
    let kinds = [!kineto.isEmpty || !pyTorch.isEmpty, !others.isEmpty]
    if kinds.count(where: { $0 }) > 1 || Set(others.map(\.format)).count > 1 {
      throw InterchangeError(
        path: files[1].path, found: "a second description of what workers do",
        expected: "the files of one run; import them one by one")
    }
    if !kineto.isEmpty {
      self = try Self.kineto(kineto, pyTorch, options)
    } else if !pyTorch.isEmpty {
      self = try Self.pyTorch(pyTorch)
    } else {
      self = try Self.graphs(others, options)
    }
  }

  private init(
    graph: TraceGraph, onHost: [Bool] = [], workers: Int?, made: String, notes: [String]
  ) {
    self.graph = graph
    self.onHost = onHost
    self.workers = workers
    self.made = made
    self.notes = notes
  }

  // MARK: - Recordings of PyTorch's profiler

  private static func kineto(
    _ paths: [String], _ pyTorch: [String], _ options: ImportOptions
  ) throws -> TraceImport {
    var traces: [(path: String, rank: Int, trace: KinetoTrace)] = []
    for (index, path) in paths.enumerated() {
      let trace = try KinetoTrace(path: path)
      traces.append((path, trace.header.rank ?? index, trace))
    }
    traces.sort { ($0.rank, $0.path) < ($1.rank, $1.path) }
    let first = traces[0]
    var notes: [String] = []
    let (steps, chosen) = try chooseSteps(first.trace, first.path, options, &notes)
    let sizes = try pyTorch.isEmpty ? [] : collectiveSizes(pyTorch, rank: first.rank, &notes)
    let replay = try first.trace.replay(
      steps: chosen, rank: first.rank, origin: first.path, bytes: sizes,
      merging: options.isMerging)
    for other in traces.dropFirst() {
      // What ranks do differently is a matter of stragglers, which the scenario has for itself.
      let own = other.trace.steps
      let place = chosen.flatMap { range in
        own.firstIndex { $0.number == steps[range.lowerBound].number }
      }
      let range = place.map { $0..<min($0 + (chosen?.count ?? 1), own.count) }
      let theirs = try other.trace.replay(steps: range, rank: other.rank, origin: other.path)
      notes.append(
        "what rank \(other.rank) did, in \(milliseconds(theirs.length)): all workers do what rank "
          + "\(first.rank) did")
    }
    if replay.overlapped > 0 {
      notes.append(
        "\(replay.overlapped) operations that ran beside others: one with those, so that one runs "
          + "after the other")
    }
    let what = chosen.map { range in
      range.count == 1
        ? "step \(steps[range.lowerBound].number)"
        : "steps \(steps[range.lowerBound].number)..\(steps[range.upperBound - 1].number)"
    }
    let made =
      "rank \(first.rank), \(what ?? "all of the recording"): \(milliseconds(replay.length)), of it "
      + "\(milliseconds(replay.busy)) computing and \(milliseconds(replay.host)) between operations; "
      + "\(milliseconds(replay.communication)) of communication, of which "
      + "\(milliseconds(replay.exposed)) were waited for"
    let world = first.trace.header.worldSize ?? (traces.count > 1 ? traces.count : nil)
    // What the lanes of collectives do between them is the work of threads beside the accelerator.
    let onHost = replay.graph.nodes.map { $0.work == .compute && $0.lane > 0 }
    return TraceImport(
      graph: replay.graph, onHost: onHost.contains(true) ? onHost : [], workers: world, made: made,
      notes: notes)
  }

  private static func milliseconds(_ duration: SimDuration) -> String {
    let tenths = (duration.picoseconds + 50_000_000) / 100_000_000
    return "\(tenths / 10).\(tenths % 10) ms"
  }

  /// The steps of a trace, and those that are taken; nil if it marks none.
  private static func chooseSteps(
    _ trace: KinetoTrace, _ path: String, _ options: ImportOptions, _ notes: inout [String]
  ) throws(InvalidInput) -> (steps: [KinetoTrace.Step], chosen: Range<Int>?) {
    let steps = trace.steps
    func refuse(_ found: String, _ expected: String) -> InvalidInput {
      InvalidInput([
        Issue(
          path: FieldPath(["--step"]), problem: .outOfRange(found: found, expected: expected))
      ])
    }
    guard let first = steps.first, let last = steps.last else {
      if let wanted = options.steps {
        throw refuse(
          "step \(wanted.text)",
          "no --step: \(path) has no annotation ProfilerStep#N or Optimizer.step")
      }
      return (steps, nil)
    }
    if let wanted = options.steps {
      let places = steps.indices.filter { wanted.contains(steps[$0].number) }
      guard let from = places.first, let to = places.last, to - from + 1 == places.count else {
        let gap = places.isEmpty ? "" : ", which do not follow one another"
        throw refuse("\(wanted.text)\(gap)", "\(first.number)..\(last.number), as \(path) has them")
      }
      return (steps, from..<to + 1)
    }
    // The median, the longer of two in the middle: neither warm-up nor a hiccup.
    let order = steps.indices.sorted { (steps[$0].duration, $0) < (steps[$1].duration, $1) }
    let place = order[order.count / 2]
    if steps.count > 1 {
      notes.append(
        "steps other than \(steps[place].number), which is of median length among "
          + "\(first.number)..\(last.number) (--step)")
    }
    return (steps, place..<place + 1)
  }

  /// Bytes of the collectives of an execution trace, by kind.
  private static func collectiveSizes(
    _ paths: [String], rank: Int, _ notes: inout [String]
  ) throws(InterchangeError) -> [(kind: CollectiveKind, sizes: [ByteCount])] {
    var sizes: [(kind: CollectiveKind, sizes: [ByteCount])] = []
    for (index, path) in paths.enumerated() {
      let trace = try PyTorchTrace(path: path)
      if paths.count > 1, trace.rank ?? index != rank { continue }
      let graph = try trace.graph()
      for node in graph.nodes {
        guard case .collective(let own) = node.work, let bytes = own.bytes else { continue }
        if let place = sizes.firstIndex(where: { $0.kind == own.kind }) {
          sizes[place].sizes.append(bytes)
        } else {
          sizes.append((own.kind, [bytes]))
        }
      }
      notes.append("what \(path) says besides the bytes of collectives")
    }
    return sizes
  }

  // MARK: - Graphs

  private static func pyTorch(_ paths: [String]) throws(InterchangeError) -> TraceImport {
    var best: (rank: Int, trace: PyTorchTrace)?
    for (index, path) in paths.enumerated() {
      let trace = try PyTorchTrace(path: path)
      let rank = trace.rank ?? index
      if best == nil || rank < best!.rank { best = (rank, trace) }
    }
    let (rank, trace) = best!
    let graph = try trace.graph()
    var notes = [
      "times: execution traces have none; the Kineto trace of the run beside it has them"
    ]
    if paths.count > 1 { notes.append("other ranks: all workers do what rank \(rank) did") }
    let size = graph.groups.map(\.size).max() ?? 0
    return TraceImport(
      graph: graph, workers: size > 1 ? size : paths.count > 1 ? paths.count : nil,
      made: "rank \(rank): \(trace.nodes.count) nodes", notes: notes)
  }

  private static func graphs(
    _ files: [(path: String, format: FileFormat)], _ options: ImportOptions
  ) throws(InterchangeError) -> TraceImport {
    if files[0].format == .layerWorkload {
      guard files.count == 1 else {
        throw InterchangeError(
          path: files[1].path, found: "a second workload", expected: "one for all ranks")
      }
      let workload = try LayerWorkload(path: files[0].path)
      let graph = try workload.graph(origin: files[0].path)
      return TraceImport(
        graph: graph, workers: graph.rankCount > 1 ? graph.rankCount : nil,
        made: "\(workload.layers.count) layers of \(workload.parallelism)", notes: [])
    }
    var best: (rank: Int, trace: ChakraTrace)?
    for (index, file) in files.enumerated() {
      let trace = try ChakraFiles.read(file.path, file.format)
      let rank = trace.rank ?? index
      if best == nil || rank < best!.rank { best = (rank, trace) }
    }
    let (rank, trace) = best!
    let graph = try trace.graph(
      rank: 0, droppingMissingParents: true, droppingCycles: options.dropsCycles)
    var notes: [String] = []
    if files.count > 1 { notes.append("other ranks: all workers do what rank \(rank) does") }
    let tensors = trace.nodes.count { $0.inputs != nil || $0.outputs != nil }
    if tensors > 0 { notes.append("the tensors of \(tensors) nodes") }
    return TraceImport(
      graph: graph, onHost: ChakraFiles.hostOperations(trace),
      workers: files.count > 1 ? files.count : nil,
      made: "rank \(rank): \(trace.nodes.count) nodes", notes: notes)
  }

  /// The bandwidth of the link at which the fastest collective of at least a megabyte ran, as around a
  /// ring; nil if none has both bytes and a time.
  func recordedBandwidth(workers: Int) -> Bandwidth? {
    guard workers > 1 else { return nil }
    var best: Bandwidth?
    for node in graph.nodes {
      guard case .collective(let own) = node.work, let bytes = own.bytes,
        let time = node.duration, time > .zero, bytes >= .bytes(1_000_000)
      else { continue }
      let equal = CollectiveEquivalent.allReduce(
        of: own.kind, bytes: bytes, group: workers, workers: workers)
      let sent = Double(equal.bytes) * 2 * Double(workers - 1) / Double(workers)
      let rate = sent * 8e12 / Double(time.picoseconds)
      guard rate >= 1, rate < 9e18 else { continue }
      best = max(best ?? .bitsPerSecond(1), .bitsPerSecond(Int64(rate.rounded())))
    }
    return best
  }
}

/// Chakra traces in either form.
enum ChakraFiles {
  static func read(
    _ path: String, _ format: FileFormat
  ) throws(InterchangeError) -> ChakraTrace {
    format == .chakra ? try ChakraFile.read(path: path) : try ChakraJSON.read(path: path)
  }

  /// Which nodes are the host's where an accelerator computes, too; empty if only one of both does.
  static func hostOperations(_ trace: ChakraTrace) -> [Bool] {
    let isHost = trace.nodes.map { node in
      node.kind == .compute && node["is_cpu_op"] == .bool(true)
    }
    let computes = trace.nodes.count { $0.kind == .compute }
    let host = isHost.count { $0 }
    return host > 0 && host < computes ? isHost : []
  }
}
