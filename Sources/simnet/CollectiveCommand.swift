import ArgumentParser
import Collectives
import Experiments
import Networks
import Reporting
import SimKernel
import Training

struct CollectiveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "collective", abstract: "Time one collective over sizes, as nccl-tests does.",
    discussion: """
      Example: simnet collective all_reduce --algorithm ring --ranks 64 --min 8B --max '1 GB' \
      --factor 2 --topology star --bandwidth '10 Gbps' --latency '10 us' --transport ideal
      """)

  @Argument(help: "all_reduce, reduce_scatter, all_gather, broadcast or reduce.")
  var operation: String

  @Option(help: "See simnet list collectives.")
  var algorithm = "auto"
  @Option(help: "Number of ranks; ranks take the first accelerators.")
  var ranks: Int = 8
  @Option(name: .customLong("min"), help: "Smallest size.")
  var minimum = "8B"
  @Option(name: .customLong("max"), help: "Largest size.")
  var maximum = "128 MB"
  @Option(help: "Each size is the one before times this.")
  var factor: Double = 2
  @Option(
    help: "A kind that is given by its size alone (star, ring, full_mesh, ...), or a JSON file.",
    completion: .file(extensions: ["json"]))
  var topology = "star"
  @Option(help: "Of every link, in each direction.")
  var bandwidth = "10 Gbps"
  @Option(help: "Of every link; the path through a star has two.")
  var latency = "0 us"
  @Option(help: "alpha_beta, loggp or flow.")
  var network: String = "flow"
  @Option(help: "ideal, tcp or rdma.")
  var transport: String = "ideal"
  @Option(help: "How fast a rank sums payloads, such as '200 GB/s'; by default it costs nothing.")
  var reductionRate: String?
  @Option(help: "What standard output gets.")
  var format: OutputFormat = .table

  func validate() throws {
    if ranks < 1 { throw ValidationError("--ranks must be at least 1") }
    if !(factor > 1) { throw ValidationError("--factor must be more than 1") }
  }

  func run() throws {
    guard let kind = CollectiveOperation(rawValue: operation), kind != .pushPull else {
      let names = CollectiveOperation.allCases.filter { $0 != .pushPull }.map(\.rawValue)
      throw InvalidInput([
        Issue(
          path: FieldPath(["operation"]),
          problem: .unknownName(
            noun: "operation", found: operation,
            suggestion: Spelling.suggestion(for: operation, among: names), known: names))
      ])
    }
    let issues = IssueCollector()
    let chosen = FieldReader.member(
      of: CollectiveAlgorithm.registry, JSONNode(.string(algorithm)),
      path: FieldPath(["--algorithm"]), issues: issues)
    let settings = FieldReader.read(
      JSONNode(
        .object([
          JSONMember("model", JSONNode(.string(network))),
          JSONMember("transport", JSONNode(.string(transport))),
        ])), path: FieldPath(["--"]), issues: issues, NetworkSettings.init)
    try Self.throwIfInvalid(issues)
    let timing = CollectiveTiming(
      topology: try makeTopology(), network: settings, operation: kind, algorithm: chosen,
      reductionRate: try reductionRate.map {
        try QuantityText.parse($0, as: .bandwidth, option: "--reduction-rate")
      })
    guard timing.topology.accelerators.count >= ranks else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--ranks"]),
          problem: .conflict(
            "\(ranks) ranks need as many accelerators; \(timing.topology.name) has "
              + "\(timing.topology.accelerators.count)"))
      ])
    }
    let smallest = try QuantityText.parse(minimum, as: .size, option: "--min")
    let largest = try QuantityText.parse(maximum, as: .size, option: "--max")
    guard smallest <= largest else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--min"]),
          problem: .conflict("\(smallest.shortText) is more than --max \(largest.shortText)"))
      ])
    }
    var results: [CollectiveTiming.Result] = []
    var size = smallest
    while size <= largest {
      results.append(try timing.time(size: size, ranks: ranks))
      // Beyond the largest size nothing is timed, and nothing is multiplied that may not fit.
      if Double(size.bytes) * factor > Double(largest.bytes) { break }
      size = max(size.scaled(by: factor), size + .bytes(1))
    }
    Terminal.print(render(results))
  }

  /// Names the options instead of the keys they stand for.
  private static func throwIfInvalid(_ issues: IssueCollector) throws {
    let named = issues.errors.map { issue in
      var copy = issue
      switch issue.path.parts {
      case ["--", "model"]: copy.path = FieldPath(["--network"])
      case ["--", "transport"]: copy.path = FieldPath(["--transport"])
      default: break
      }
      return copy
    }
    if !named.isEmpty { throw InvalidInput(named) }
  }

  private func makeTopology() throws -> Topology {
    if topology.hasSuffix(".json") || topology == "-" {
      let file = try ScenarioFile.read(topology)
      let issues = IssueCollector()
      let specification = FieldReader.member(
        of: TopologyCatalog.registry, file.root, path: FieldPath(["topology"]), issues: issues)
      try issues.throwIfInvalid()
      return specification.makeTopology()
    }
    let made = TopologyCatalog.sized(
      kind: topology, ranks: ranks,
      bandwidth: try QuantityText.parse(bandwidth, as: .bandwidth, option: "--bandwidth"),
      latency: try QuantityText.parse(latency, as: .duration, option: "--latency"))
    switch made {
    case .success(let specification): return specification.makeTopology()
    case .failure(let refusal):
      throw InvalidInput([
        Issue(path: FieldPath(["--topology"]), problem: .conflict("\(refusal)"))
      ])
    }
  }

  private func render(_ results: [CollectiveTiming.Result]) -> String {
    let header = [
      "size_bytes", "time_s", "algbw_gigabytes_per_s", "busbw_gigabytes_per_s", "algorithm",
    ]
    switch format {
    case .table:
      var table = TextTable([
        (title: "size (B)", alignment: .right), (title: "time (us)", alignment: .right),
        (title: "algbw (GB/s)", alignment: .right), (title: "busbw (GB/s)", alignment: .right),
        (title: "algorithm", alignment: .left),
      ])
      for result in results {
        table.add([
          String(result.size.bytes), Numbers.fixed(result.time.seconds * 1e6, 2),
          Numbers.fixed(result.algorithmBandwidth / 1e9, 3),
          Numbers.fixed(result.busBandwidth / 1e9, 3), result.algorithm,
        ])
      }
      return table.text()
    case .csv, .json, .jsonl:
      let rows = results.map { result in
        [
          String(result.size.bytes), result.time.exactSeconds,
          JSONNumber.shortest(result.algorithmBandwidth / 1e9),
          JSONNumber.shortest(result.busBandwidth / 1e9), result.algorithm,
        ]
      }
      return format.render(
        ResultTable(header: header, sweptCount: 0, rows: rows), width: .max)
    }
  }
}
