import Foundation
import Interchange
import SimKernel

/// A scenario made of files that other tools wrote: of a network, of what workers do, of gradients,
/// or of several of these.
public struct ScenarioImport: Sendable {
  /// The scenario; nil if there is nothing to communicate, and the graph beside it is all there is.
  public private(set) var scenario: JSONNode?
  /// Files that go beside it and that it names.
  public private(set) var companions: [(name: String, text: String)] = []
  /// What was read, one sentence each.
  public private(set) var made: [String] = []
  /// What was not kept, or means something else now, one sentence each.
  public private(set) var notes: [String] = []
  /// What no file says and is assumed, with the options that say it, one sentence each.
  public private(set) var assumed: [String] = []

  private struct Input {
    var path: String
    var format: FileFormat
  }

  /// - Parameters:
  ///   - files: each of one of the formats that `simnet inspect` knows.
  ///   - output: where the scenario will be; names what goes beside it.
  /// - Throws: `InterchangeError` for what a file holds, or if it does not go into a scenario, with
  ///   what to do with it; `InvalidInput` for options that do not fit.
  public init(_ files: [String], output: String, options: ImportOptions) throws {
    var inputs: [Input] = []
    for path in files {
      inputs.append(Input(path: path, format: try FileFormat.recognise(path: path)))
    }
    let file = output.split(separator: "/").last.map(String.init) ?? "scenario"
    let stem = file.hasSuffix(".json") && file.count > 5 ? String(file.dropLast(5)) : file
    for input in inputs { try Self.refuse(input) }
    if let first = inputs.first, inputs.allSatisfy({ $0.format == .systemConfiguration }) {
      throw InterchangeError(
        path: first.path, found: "\(first.format.title): neither a network nor a workload",
        expected: "give one beside it")
    }

    var topology = try network(inputs, options)
    let traces = inputs.filter { TraceImport.formats.contains($0.format) }
    let trace =
      try traces.isEmpty ? nil : TraceImport(traces.map { ($0.path, $0.format) }, options)
    if let trace { made.append(trace.made) }

    let workers = try workers(trace, topology, options)
    let algorithm = try algorithm(inputs, workers: workers)
    let bandwidth = linkBandwidth(trace, topology, workers: workers, options)
    if topology == nil {
      topology = ImportedTopology(
        node: ImportedTopology.star(
          hosts: workers, bandwidth: bandwidth, latency: options.latency),
        accelerators: workers, notes: [])
      assumed.append(
        "the network: \(workers) hosts around a switch at \(bandwidth) and "
          + "\(options.latency.shortText) a link (--workers, --bandwidth, --latency)")
    }
    guard let topology else { return }

    var workload: [(String, JSONNode)] = []
    var communication: [(String, JSONNode)] = [
      ("strategy", .text("all_reduce")), ("algorithm", .text(algorithm)),
    ]
    var gradients: JSONNode?
    if let trace {
      let graph = graph(
        trace, name: stem, workers: workers, bandwidth: bandwidth, options)
      if graph.collectives == 0, graph.messages > 0 {
        throw InterchangeError(
          path: traces[0].path,
          found: "\(graph.messages) sends and receives and no collective",
          expected: "a graph has no messages between two workers; give the files of all ranks and "
            + "-o NAME.goal for simnet goal")
      }
      guard !graph.operations.isEmpty else {
        throw InterchangeError(
          path: traces[0].path, found: "nothing that a worker computes or all workers exchange",
          expected: graph.notes.first ?? "operations with times")
      }
      notes += trace.notes + graph.notes
      assumed += graph.assumed
      companions.append((stem + ".graph.json", graph.text))
      if graph.collectives == 0 {
        notes.append(
          "a scenario: nothing is exchanged, so that there is nothing to simulate but the graph")
        return
      }
      // Collectives stay as they were recorded, one by one.
      communication.append(("schedule", .text("per_tensor")))
      workload.append(("model", .object([("graph", .text(stem + ".graph.json"))])))
      workload += [("iterations", .integer(1)), ("warmup", .integer(0))]
    } else if let model = try model(inputs, stem, options) {
      made.append(model.made)
      notes += model.notes
      assumed += model.assumed
      companions.append((stem + ".model.csv", model.text))
      workload.append(("model", .object([("file", .text(stem + ".model.csv"))])))
      workload.append(("batch_per_worker", .integer(options.batch)))
      if !model.compute.isEmpty { workload.append(("compute", .object(model.compute))) }
    } else {
      workload.append(("model", .text(options.model)))
      workload.append(("batch_per_worker", .integer(options.batch)))
      assumed.append(
        "what is trained: \(options.model), \(options.batch) samples a worker "
          + "(--model, --batch)")
    }
    if workers < topology.accelerators { workload.append(("workers", .integer(workers))) }
    let recorded = inputs.filter { Self.gradientFormats.contains($0.format) }
    if !recorded.isEmpty {
      gradients = .object([
        ("source", .text("files")),
        ("files", .list(recorded.map { .text(Self.place(of: $0.path, from: output)) })),
      ])
    }

    var members: [(String, JSONNode)] = [
      ("simnet", .integer(1)), ("title", .text(stem)),
      ("source", .text("imported from \(files.joined(separator: ", "))")),
      (
        "cluster",
        .object([("topology", topology.node), ("device", .text(options.device))])
      ),
      (
        "network",
        .object([
          ("model", .text("flow")),
          (
            "transport",
            // What was recorded holds the sums, and other simulators make them free.
            .object([("preset", .text("ideal")), ("reduction_rate", .text("1000 Tbps"))])
          ),
        ])
      ),
      ("workload", .object(workload)), ("communication", .object(communication)),
    ]
    if let gradients { members.append(("gradients", gradients)) }
    scenario = .object(members)
    notes = topology.notes + notes
    assumed.append(
      "the device, \(options.device) (--device), and an ideal transport: links carry payload at "
        + "their rates, and sums cost nothing")
  }

  // MARK: - Parts

  private static let gradientFormats: [FileFormat] = [.safetensors, .npy, .npyFolder, .rawFloats]

  /// The network that a file describes, or a log measured.
  private mutating func network(
    _ inputs: [Input], _ options: ImportOptions
  ) throws -> ImportedTopology? {
    let found = inputs.filter {
      [.analyticalNetwork, .htsimTopology, .ncclTests, .deepBench].contains($0.format)
    }
    try checkMeasured(found.map(\.format), options)
    guard let first = found.first else { return nil }
    if found.count > 1 {
      throw InterchangeError(
        path: found[1].path, found: "a second network", expected: "one for a scenario")
    }
    switch first.format {
    case .analyticalNetwork:
      let network = try AnalyticalNetwork(path: first.path)
      made.append("\(network.npus) NPUs in \(network.dimensions.count) dimensions")
      return try ImportedTopology(network, origin: first.path)
    case .htsimTopology:
      let network = try ImportedTopology(htsim: first.path)
      made.append("\(network.accelerators) hosts of \(first.path)")
      return network
    case .deepBench:
      let table = try DeepBenchTable(path: first.path)
      let series = DeepBenchSeries.all(of: table)
      guard let number = options.series else {
        throw InterchangeError(
          path: first.path,
          found: "\(table.rows.count) times of \(series.count) machines and sizes of jobs",
          expected: "--series with one; simnet calibrate network \(first.path) lists them")
      }
      let own = try DeepBenchSeries.choose(number, of: series)
      made.append(own.title)
      return measured(try own.calibration(range: options.range), first.path)
    default:
      let log = try NCCLTestsLog(path: first.path)
      return measured(
        try NetworkCalibration(
          log, path: first.path, ranks: options.workers, range: options.range), first.path)
    }
  }

  /// Refuses options that choose what no file measures.
  private func checkMeasured(
    _ formats: [FileFormat], _ options: ImportOptions
  ) throws(InvalidInput) {
    func refuse(_ option: String, _ reason: String) -> InvalidInput {
      InvalidInput([Issue(path: FieldPath([option]), problem: .conflict(reason))])
    }
    if options.range != nil, !formats.contains(.ncclTests), !formats.contains(.deepBench) {
      throw refuse("--range", "a range is one of measured times; there are none")
    }
    if options.series != nil, !formats.contains(.deepBench) {
      throw refuse("--series", "a series is one of a DeepBench table; there is none")
    }
  }

  private mutating func measured(
    _ calibration: NetworkCalibration, _ path: String
  ) -> ImportedTopology {
    made.append(
      "\(calibration.traffic.rawValue) over \(calibration.ranks) ranks, "
        + "\(calibration.residuals.count) sizes")
    let law = calibration.laws[calibration.chosen]
    return ImportedTopology(
      node: calibration.topology, accelerators: calibration.ranks,
      notes: calibration.laws.count < 2
        ? []
        : [
          "laws of other sizes than \(JSONNumber.shortest(law.sizes.lowerBound)).."
            + "\(JSONNumber.shortest(law.sizes.upperBound)) B; simnet calibrate network \(path) shows "
            + "them and how well they fit"
        ])
  }

  /// More workers do not stand around a ring where nothing says so: its messages grow with their
  /// square, and so does the time to simulate them.
  private static let mostAroundRing = 256

  /// The all-reduce that an ASTRA-sim system runs; otherwise the ring, up to ``mostAroundRing``.
  private mutating func algorithm(_ inputs: [Input], workers: Int) throws -> String {
    guard let input = inputs.first(where: { $0.format == .systemConfiguration }) else {
      guard workers > Self.mostAroundRing else { return "ring" }
      assumed.append(
        "halving and doubling for all-reduces, of which \(workers) workers around a ring would make "
          + "\(2 * (workers - 1)) steps (communication.algorithm)")
      return "halving_doubling"
    }
    let system = try SystemConfiguration(path: input.path)
    let known = ["ring": "ring", "halvingDoubling": "halving_doubling", "direct": "direct"]
    var chosen = "ring"
    if let own = system.implementations.first(where: { $0.kind == .allReduce }) {
      let name = own.names.first ?? ""
      if own.isCustom || own.names.count > 1 || known[name] == nil {
        notes.append(
          "the all-reduce \(own.names.joined(separator: ", ")) of \(input.path): a ring instead")
      } else {
        chosen = known[name] ?? chosen
      }
    }
    notes.append(
      "scheduling, chunks and memory of \(input.path): communication.schedule decides here")
    return chosen
  }

  private mutating func workers(
    _ trace: TraceImport?, _ topology: ImportedTopology?, _ options: ImportOptions
  ) throws(InvalidInput) -> Int {
    if let given = options.workers {
      if let topology, given > topology.accelerators {
        throw InvalidInput([
          Issue(
            path: FieldPath(["--workers"]),
            problem: .outOfRange(
              found: "\(given)", expected: "at most \(topology.accelerators), as the network has"))
        ])
      }
      return given
    }
    if let topology, let own = trace?.workers, own > topology.accelerators {
      notes.append("\(own - topology.accelerators) of \(own) workers: the network has no more")
    }
    let own = trace?.workers ?? topology?.accelerators ?? ImportOptions.usualWorkers
    if trace?.workers == nil, topology == nil, trace != nil {
      assumed.append("\(own) workers (--workers)")
    }
    return min(own, topology?.accelerators ?? own)
  }

  private mutating func linkBandwidth(
    _ trace: TraceImport?, _ topology: ImportedTopology?, workers: Int, _ options: ImportOptions
  ) -> Bandwidth {
    if let given = options.bandwidth { return given }
    guard let recorded = trace?.recordedBandwidth(workers: workers) else {
      return ImportOptions.usualBandwidth
    }
    if topology == nil {
      assumed.append(
        "the bandwidth at which the fastest recorded collective of 1 MB or more ran, \(recorded) "
          + "(--bandwidth)")
    }
    return recorded
  }

  private func graph(
    _ trace: TraceImport, name: String, workers: Int, bandwidth: Bandwidth,
    _ options: ImportOptions
  ) -> ImportedGraph {
    let isTimed = trace.graph.nodes.contains {
      $0.work == .compute && ($0.duration ?? .zero) > .zero
    }
    return ImportedGraph(
      trace.graph, name: name,
      settings: .init(
        workers: workers, bandwidth: bandwidth, latency: options.latency,
        operationTime: options.operationTime
          ?? (isTimed ? nil : ImportOptions.usualOperationTime)), onHost: trace.onHost)
  }

  private func model(
    _ inputs: [Input], _ name: String, _ options: ImportOptions
  ) throws -> ImportedModel? {
    let profiles = inputs.filter { [.pipeDream, .netAIBackward].contains($0.format) }
    if profiles.count > 1 {
      throw InterchangeError(
        path: profiles[1].path, found: "a second model", expected: "one for a scenario")
    }
    if let input = profiles.first {
      if input.format == .pipeDream {
        return try ImportedModel(
          try PipeDreamGraph(path: input.path), path: input.path, name: name,
          batch: options.batch)
      }
      return ImportedModel(
        try NetAIBackwardLog(path: input.path), path: input.path, name: name,
        batch: options.batch)
    }
    guard let input = inputs.first(where: { Self.gradientFormats.contains($0.format) }) else {
      return nil
    }
    let gradient = try GradientFile.read(path: input.path)
    try gradient.checkFinite()
    return ImportedModel(gradient, path: input.path, name: name)
  }

  // MARK: - What goes elsewhere

  /// Throws for formats of which no scenario is made, with what reads them.
  private static func refuse(_ input: Input) throws(InterchangeError) {
    switch input.format {
    case .kineto, .pyTorchTrace, .chakra, .chakraJSON, .layerWorkload, .analyticalNetwork,
      .systemConfiguration, .htsimTopology, .ncclTests, .deepBench, .pipeDream, .netAIBackward,
      .safetensors, .npy, .npyFolder, .rawFloats:
      return
    case .goal, .htsimConnections, .scenario, .vectorAdd, .logicalTopology, .remoteMemory,
      .ns3Configuration, .busBandwidths, .efficiencyTable:
      break
    }
    throw InterchangeError(
      path: input.path, found: "\(input.format.title): no scenario is made of it",
      expected: "what takes it: \(input.format.use(of: input.path))")
  }

  /// `path` as a scenario at `output` names it: relative where it lies beside or below.
  private static func place(of path: String, from output: String) -> String {
    let folder = URL(fileURLWithPath: output).deletingLastPathComponent().standardizedFileURL.path
    let target = URL(fileURLWithPath: path).standardizedFileURL.path
    let start = folder.hasSuffix("/") ? folder : folder + "/"
    return target.hasPrefix(start) ? String(target.dropFirst(start.count)) : target
  }
}
