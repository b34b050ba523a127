import ArgumentParser
import Experiments
import Reporting
import SimKernel
import Training

struct GraphCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "graph",
    abstract: "Run a graph of operations under several orders of its transfers.",
    discussion: """
      Example: simnet graph worker.json
      Example: simnet graph worker.json --schedule tic,tac --critical-path
      Example: simnet graph inception_v3.graph.txt --inference --bandwidth '10 Gbps' \
      --schedule random,tic,tac --runs 1000

      A graph is JSON: {"simnet_graph": 1, "resources": [{"name": "gpu"}, {"name": "nic", \
      "bandwidth": "1 Gbps"}], "operations": [{"name": "r1", "kind": "receive", "resource": "nic", \
      "bytes": "1 MB"}, {"name": "op1", "kind": "compute", "resource": "gpu", "duration": "3 ms", \
      "after": ["r1"]}]}. Kinds are \
      \(OperationGraph.Kind.allCases.map(\.rawValue).joined(separator: ", ")). Any other file is a \
      profile of PipeDream (graph.txt), of which a worker's graph is made.

      U is the sum of all operation times, L the load of the busiest resource, E = (U - makespan)/(U - \
      L) how much of the possible overlap was reached, S = (U - L)/L how much there was to gain.

      Schedules:
      \(GraphOrder.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n"))
      """)

  @Argument(
    help: "A graph in JSON or a profile of PipeDream; - reads standard input.",
    completion: .file(extensions: ["json", "txt"]))
  var file: String

  @Option(help: "Orders to run, separated by commas; by default all that fit the graph.")
  var schedule: String?
  @Option(help: "Runs where chance decides: under random orders and ties.")
  var runs = 200
  @Option(help: "Of the random numbers.")
  var seed: UInt64 = 1
  @Option(help: "Of every channel, in place of what the file says.")
  var bandwidth: String?
  @Option(help: "What every transfer costs beside its bytes, with --bandwidth.")
  var latency: String?
  @Option(help: "Channels in each direction of a profile's worker, such as one for each server.")
  var channels: Int?
  @Option(
    help: """
      What a profile's graph holds: \
      \(GraphPass.allCases.map(\.rawValue).joined(separator: ", ")). By default training.
      """)
  var pass: String?
  @Flag(help: "The same as --pass inference.")
  var inference = false
  @Option(
    help: "Execute eagerly, a host thread dispatching each operation for this long: '15 us'.")
  var eager: String?
  @Flag(help: "Say what the last operation waited for, and what that did.")
  var criticalPath = false
  @Option(help: "What standard output gets.")
  var format: OutputFormat = .table

  func validate() throws {
    if runs < 1 { throw ValidationError("--runs must be at least 1") }
    if let channels, channels < 1 || channels > 4096 {
      throw ValidationError("--channels must be in 1...4096")
    }
    if bandwidth == nil, latency != nil || channels != nil {
      throw ValidationError("--latency and --channels need --bandwidth")
    }
    if inference, pass != nil { throw ValidationError("give --inference or --pass, not both") }
  }

  func run() throws {
    let dispatch = try eager.map {
      try QuantityText.parse($0, as: .duration, option: "--eager")
    }
    let mode = dispatch.map { ExecutionMode.eager(dispatch: $0) } ?? .staged(trace: .zero)
    let chosen = try schedule.map(orders)
    let graph = try GraphFile.read(
      file, options: .init(channel: try channel(), pass: try chosenPass()))
    let study = try GraphStudy(
      graph,
      orders: chosen
        ?? GraphOrder.allCases.filter { $0.refusal(of: graph, mode: mode) == nil },
      runs: runs, seed: seed, mode: mode, option: "--schedule")
    let report = GraphReport(study)
    if format == .table {
      Terminal.print(report.text(criticalPaths: criticalPath))
    } else {
      Terminal.print(
        format.render(criticalPath ? report.criticalPathTable : report.table, width: .max))
    }
  }

  private func channel() throws -> GraphChannel? {
    guard let bandwidth else { return nil }
    return GraphChannel(
      bandwidth: try QuantityText.parse(bandwidth, as: .bandwidth, option: "--bandwidth"),
      latency: try latency.map {
        try QuantityText.parse($0, as: .duration, option: "--latency")
      } ?? .zero, count: channels ?? 1)
  }

  private func chosenPass() throws -> GraphPass? {
    if inference { return .inference }
    return try pass.map { try Self.named($0, GraphPass.allCases, "pass", "--pass") }
  }

  private func orders(_ text: String) throws -> [GraphOrder] {
    var orders: [GraphOrder] = []
    for name in text.split(separator: ",", omittingEmptySubsequences: false) {
      let order = try Self.named(
        name.drop { $0 == " " }.split(separator: " ").first.map(String.init) ?? "",
        GraphOrder.allCases, "schedule", "--schedule")
      if !orders.contains(order) { orders.append(order) }
    }
    return orders
  }

  /// The case called `name`, or an error that knows the others.
  private static func named<Value: RawRepresentable<String>>(
    _ name: String, _ cases: [Value], _ noun: String, _ option: String
  ) throws -> Value {
    if let value = Value(rawValue: name) { return value }
    let names = cases.map(\.rawValue)
    throw InvalidInput([
      Issue(
        path: FieldPath([option]),
        problem: .unknownName(
          noun: noun, found: name, suggestion: Spelling.suggestion(for: name, among: names),
          known: names))
    ])
  }
}
