import Collectives
import Compression
import SimKernel

/// How the gradients of the workers become one update.
public enum CommunicationStrategy: Sendable {
  /// Payloads are summed on the way: they must add.
  case allReduce
  /// Every worker gets every payload and decodes them all.
  case allGather
  /// Workers push to servers, which sum and reply.
  case parameterServer(ServerSettings)

  public var name: String {
    switch self {
    case .allReduce: "all_reduce"
    case .allGather: "all_gather"
    case .parameterServer: "parameter_server"
    }
  }
}

/// Where encoding and decoding run.
public enum CodecPlacement: String, Sendable, CaseIterable {
  case computeStream = "compute_stream"
  case sideStream = "side_stream"
  case cpu

  var stream: StreamKind {
    switch self {
    case .computeStream: .compute
    case .sideStream: .side
    case .cpu: .cpu
    }
  }
}

/// The streams of a worker: the `streams` record.
public struct StreamSettings: Sendable {
  public var encode: CodecPlacement
  public var decode: CodecPlacement
  public var overlapSlowdown: Double

  public init(_ fields: inout FieldReader) {
    encode = fields.optional(
      "encode", .choice("placement"), default: .computeStream,
      doc: "where gradients are encoded; a DDP hook does it on the backward stream")
    decode = fields.optional(
      "decode", .choice("placement"), default: .sideStream,
      doc: "where payloads are decoded; a DDP hook does it beside the backward stream")
    overlapSlowdown = fields.optional(
      "overlap_slowdown",
      .number("a number >= 1", example: 1.1, schema: #"{"type":"number","minimum":1}"#) { $0 >= 1 },
      default: 1,
      doc:
        "how much slower compute and side stream run while both are busy (1 is assumed: no effect)")
  }
}

/// How gradients are communicated: the `communication` record.
public struct CommunicationSettings: Sendable {
  public var strategy: CommunicationStrategy
  public var algorithm: CollectiveAlgorithm
  public var schedule: any CommunicationSchedule
  public var compression: CompressionSettings
  public var streams: StreamSettings
  public var progress: any ProgressRule

  public init(_ fields: inout FieldReader) {
    let kind: StrategyKind = fields.optional(
      "strategy", .choice("strategy"), default: .allReduce,
      doc: "all_reduce sums payloads on the way, all_gather collects and decodes them all, "
        + "parameter_server pushes to servers and pulls the sum")
    let servers = fields.optionalRecord(
      "servers", doc: "the servers of parameter_server", ServerSettings.init)
    switch kind {
    case .allReduce: strategy = .allReduce
    case .allGather: strategy = .allGather
    case .parameterServer: strategy = .parameterServer(servers ?? ServerSettings())
    }
    algorithm = fields.variant(
      "algorithm", CollectiveAlgorithm.registry, default: "auto",
      doc: "how the collective moves its payloads; auto picks by size and ranks and says so")
    schedule = fields.variant(
      "schedule", ScheduleCatalog.registry, default: "buckets",
      doc: "what is communicated together and when")
    compression = CompressionSettings(&fields)
    streams = fields.defaultedRecord(
      "streams", doc: "where encoding and decoding run", StreamSettings.init)
    progress = fields.variant(
      "synchronization", ProgressCatalog.registry, default: "bulk_synchronous",
      doc: "which workers may go on to the next iteration")
    if servers != nil, kind != .parameterServer {
      fields.report(
        "servers",
        .conflict("there are servers only under strategy parameter_server; remove one of the two"))
    }
    check(fields)
  }

  /// Refuses payloads that the strategy cannot move.
  private func check(_ fields: FieldReader) {
    guard case .allReduce = strategy else { return }
    for pipeline in compression.pipelines where pipeline.aggregation == .gather {
      fields.report(
        "compression",
        .conflict(
          "payloads of \(pipeline.label) do not add, so all_reduce cannot sum them; "
            + "use \"strategy\": \"all_gather\" or \"parameter_server\""))
      return
    }
  }
}

private enum StrategyKind: String, CaseIterable {
  case allReduce = "all_reduce"
  case allGather = "all_gather"
  case parameterServer = "parameter_server"
}

/// What a server sends back.
public enum ServerReply: String, Sendable, CaseIterable {
  /// The sum, encoded again by the server (BytePS).
  case encoded
  /// The sum as plain numbers.
  case dense
}

/// The servers of a parameter-server job: the `servers` record.
public struct ServerSettings: Sendable {
  /// How many; nil is one a worker when co-located, one otherwise.
  public var count: Int?
  public var placement: ParameterServers.Placement
  public var sharding: ServerSharding
  public var reply: ServerReply

  public init(
    count: Int? = nil, placement: ParameterServers.Placement = .colocated,
    sharding: ServerSharding = .split(from: 1_000_000), reply: ServerReply = .encoded
  ) {
    self.count = count
    self.placement = placement
    self.sharding = sharding
    self.reply = reply
  }

  init(_ fields: inout FieldReader) {
    count = fields.optional(
      "count", .count(),
      doc: "number of servers; by default one a worker when co-located, else one")
    placement = fields.optional(
      "placement", .choice("placement"), default: .colocated,
      doc:
        "colocated servers share the workers' nodes; dedicated ones take accelerators of their own")
    sharding = fields.variant(
      "sharding", ServerSharding.registry, default: "split",
      doc: "which server keeps which part of the gradient")
    reply = fields.optional(
      "reply", .choice("reply"), default: .encoded,
      doc: "whether a server encodes the sum again before it replies, or sends plain numbers")
  }
}
