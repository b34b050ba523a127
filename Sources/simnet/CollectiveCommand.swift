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
      Example: simnet collective all_to_all --algorithm bruck --ranks 16 --max '1 MB'
      Example: simnet collective all_reduce --algorithm '{"kind": "hierarchical", "factors": [4, 4]}' \
      --ranks 16

      The size is that of a rank's whole buffer; of a gather or scatter, the root's; of an all-to-all, \
      all blocks of a rank; of an all-to-all-v, those of the rank that has most. A barrier has none. The \
      bus bandwidth is the algorithm bandwidth size/time times the share of the data that a link must \
      carry: 2(n-1)/n for all_reduce; (n-1)/n for reduce_scatter, all_gather, all_to_all, \
      all_to_all_v, gather and scatter; 1 for broadcast and reduce.
      """)

  @Argument(
    help: """
      all_reduce, reduce_scatter, all_gather, broadcast, reduce, all_to_all, all_to_all_v, scatter, \
      gather or barrier.
      """)
  var operation: String

  @Option(help: "A name of simnet list collectives, or JSON with its settings.")
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
  @Option(help: "alpha_beta, loggp, flow or packet.")
  var network: String = "flow"
  @Option(help: "ideal, tcp or rdma.")
  var transport: String = "ideal"
  @Option(help: "How fast a rank sums payloads, such as '200 GB/s'; by default it costs nothing.")
  var reductionRate: String?
  @Option(
    help: """
      What every rank has for every other, for all_to_all_v: a JSON list of a list of numbers for each \
      rank, or a file that holds it. They are scaled to the sizes that are timed.
      """, completion: .file(extensions: ["json"]))
  var blocks: String?
  @Option(help: "What standard output gets.")
  var format: OutputFormat = .table

  func validate() throws {
    if ranks < 1 { throw ValidationError("--ranks must be at least 1") }
    if !(factor > 1) { throw ValidationError("--factor must be more than 1") }
  }

  func run() throws {
    guard let kind = CollectiveOperation(rawValue: operation), kind != .pushPull else {
      let names = CollectiveOperation.allCases.filter { $0 != .pushPull }.map(\.rawValue)
      let issue = Issue(
        path: FieldPath(["operation"]),
        problem: .unknownName(
          noun: "operation", found: operation,
          suggestion: Spelling.suggestion(for: operation, among: names), known: names))
      throw ValidationError(issue.description)
    }
    let issues = IssueCollector()
    let chosen = FieldReader.member(
      of: CollectiveAlgorithm.registry, try algorithmNode(), path: FieldPath(["--algorithm"]),
      issues: issues)
    let settings = FieldReader.read(
      JSONNode(
        .object([
          JSONMember("model", JSONNode(.string(network))),
          JSONMember("transport", JSONNode(.string(transport))),
        ])), path: FieldPath(["--"]), issues: issues, NetworkSettings.init)
    try Self.throwIfInvalid(issues)
    let rate = try reductionRate.map {
      try QuantityText.parse($0, as: .bandwidth, option: "--reduction-rate")
    }
    let shares = try blocks.map(readShares)
    let specification = try topologySpecification()
    guard specification.acceleratorCount >= ranks else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--ranks"]),
          problem: .conflict(
            "\(ranks) ranks need as many accelerators; \(specification.makeTopology().name) has "
              + "\(specification.acceleratorCount)"))
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
    // A star of a million hosts takes longer to build than a ring around it takes by symmetry.
    lazy var timing = CollectiveTiming(
      topology: specification.makeTopology(), network: settings, operation: kind,
      algorithm: chosen, reductionRate: rate, shares: shares)
    var symmetric = (specification as? StarTopology).map {
      SymmetricTiming(
        link: $0.link, network: settings, operation: kind, algorithm: chosen, reductionRate: rate)
    }
    if shares != nil { symmetric = nil }
    var results: [CollectiveTiming.Result] = []
    var size = smallest
    while size <= largest {
      if let result = try symmetric?.time(size: size, ranks: ranks) {
        results.append(result)
      } else {
        if ranks > Self.manyRanks {
          Terminal.say(
            "note: \(chosen.kind.rawValue) with \(size.shortText) under \(settings.model.rawValue) has "
              + "no time by symmetry, which needs a star, alpha_beta or flow, and ranks that do the "
              + "same; the messages of \(ranks) ranks are followed one by one")
        }
        results.append(try timing.time(size: size, ranks: ranks))
      }
      // A barrier has no sizes to go through.
      if kind == .barrier { break }
      // Beyond the largest size nothing is timed, and nothing is multiplied that may not fit.
      if Double(size.bytes) * factor > Double(largest.bytes) { break }
      size = max(size.scaled(by: factor), size + .bytes(1))
    }
    Terminal.print(render(results))
  }

  /// From here on it takes long to follow every message.
  private static let manyRanks = 1 << 16

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
