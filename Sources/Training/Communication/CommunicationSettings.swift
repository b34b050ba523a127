import Collectives
import Compression
import SimKernel

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
  /// How much slower compute and side stream run while both are busy; nil as the device has it.
  public var overlapSlowdown: Double?

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
      doc: "how much slower compute and side stream run while both are busy; without it as the "
        + "device's profile measured, or 1 (no effect is assumed)")
  }
}

/// How gradients are communicated: the `communication` record.
public struct CommunicationSettings: Sendable {
  public var strategy: CommunicationStrategy
  /// Whether only what travels between hosts is compressed.
  public var interNode: Bool
  public var algorithm: CollectiveAlgorithm
  public var schedule: any CommunicationSchedule
  public var compression: CompressionSettings
  public var streams: StreamSettings
  public var progress: any ProgressRule
  /// Whether a layer's forward waits only for its own parameters; nil as the schedule has it.
  public var overlapsForward: Bool?
  public var sending: SendingSettings

  public init(_ fields: inout FieldReader) {
    let kind: StrategyKind = fields.optional(
      "strategy", .choice("strategy"), default: .allReduce,
      doc: "all_reduce sums payloads on the way; all_gather collects and decodes them all; "
        + "parameter_server pushes to servers and pulls the sum; sparse_all_reduce unites the "
        + "supports of selected elements on the way; gtop_k keeps only the largest k of every sum "
        + "up a tree; reencoding_ring decodes, adds and encodes again at every hop")
    let servers = fields.optionalRecord(
      "servers", doc: "the servers of parameter_server", ServerSettings.init)
    strategy = kind.strategy(servers: servers ?? ServerSettings())
    interNode = fields.optional(
      "inter_node", .bool, default: false,
      doc: "compress only between hosts: accelerators of a host first sum their gradients plainly "
        + "over the inner fabric, each then exchanges its share with its peers on other hosts, and "
        + "the shares are gathered inside the host again")
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
    overlapsForward = fields.optional(
      "overlap_forward", .bool,
      doc: "whether a layer's forward in the next iteration waits only for its own parameters, "
        + "instead of for the whole update; by default as the schedule has it")
    sending = fields.defaultedRecord(
      "sending", doc: "how messages are handed to the network", SendingSettings.init)
    if servers != nil, kind != .parameterServer {
      fields.report(
        "servers",
        .conflict("there are servers only under strategy parameter_server; remove one of the two"))
    }
    check(fields)
  }

  /// Refuses payloads that the strategy cannot move.
  private func check(_ fields: FieldReader) {
    if overlapsForward == true, let rule = progress as? BulkSynchronous, rule.barrier {
      fields.report(
        "overlap_forward",
        .conflict(
          "a barrier ends an iteration when all updates are over, so that forward cannot begin "
            + "before; remove \"barrier\" or \"overlap_forward\""))
    }
    let refusals = compression.pipelines.compactMap { strategy.refusal(of: $0) }
    if let reason = refusals.first {
      fields.report("compression", .conflict(reason))
    } else if strategy.needsSelection,
      compression.pipelines.allSatisfy({ $0.form.coverage == .dense })
    {
      fields.report(
        "compression",
        .conflict(
          "\(strategy.selector) moves selected elements, but nothing here selects any; "
            + "add a codec such as {\"codec\": \"top_k\", \"ratio\": 0.01}"))
    }
    if interNode {
      if case .parameterServer = strategy {
        fields.report(
          "inter_node",
          .conflict(
            "parameter_server has no exchange between hosts alone; use another strategy or "
              + "\"inter_node\": false"))
      }
      for pipeline in compression.pipelines where pipeline.form.content == .factors {
        fields.report(
          "inter_node",
          .conflict(
            "\(pipeline.label) needs whole matrices, but a worker only exchanges its share of the "
              + "gradient between hosts"))
        break
      }
    }
    for name in strategy.fixedAlgorithm where algorithm.kind != .auto && algorithm.kind != name {
      fields.report(
        "algorithm",
        .conflict(
          "\(strategy.name) always takes the algorithm \"\(name.rawValue)\"; leave out "
            + "\"algorithm\""))
    }
  }
}
