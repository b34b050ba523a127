import Collectives
import Compression
import SimKernel

/// What a server sends back.
public enum ServerReply: String, Sendable, CaseIterable {
  /// The sum, encoded again by the server (BytePS).
  case encoded
  /// The sum as plain numbers.
  case dense
  /// The united supports of what was pushed, as selected elements (OmniReduce's aggregators).
  case union
}

/// When a server replies.
public enum ReplyTime: String, Sendable, CaseIterable {
  /// As soon as all pushes of a part are summed.
  case summed
  /// Once the pushes of the whole iteration are summed on all servers: parameters are read when the
  /// next iteration begins, as in TensorFlow's synchronous training.
  case allSummed = "all_summed"
}

/// Who updates the parameters.
public enum UpdatePlace: String, Sendable, CaseIterable {
  /// Every worker updates its own copy from the sum (BytePS).
  case worker
  /// Servers update and send parameters back (TensorFlow, MXNet).
  case server
}

/// How a worker gets the sum.
public enum PullKind: String, Sendable, CaseIterable {
  /// Servers send it without being asked (P3).
  case broadcast
  /// Servers notify workers, who ask for a unit once all its parts are announced (MXNet).
  case request
}

/// The servers of a parameter-server job: the `servers` record.
public struct ServerSettings: Sendable {
  /// How many; nil is one a worker when co-located, one otherwise.
  public var count: Int?
  public var placement: ParameterServers.Placement
  public var sharding: ServerSharding
  public var reply: ServerReply
  /// The residual of a server that encodes again; nil without.
  public var errorFeedback: ErrorFeedbackSettings?
  public var replyTime = ReplyTime.summed
  public var pull = PullKind.broadcast
  public var update = UpdatePlace.worker
  /// The rate at which a server sums and updates, counted in bytes of the sum; nil as the device or
  /// transport sums.
  public var aggregationRate: Bandwidth?

  public init(
    count: Int? = nil, placement: ParameterServers.Placement = .colocated,
    sharding: ServerSharding = .split(from: 1_000_000), reply: ServerReply = .encoded,
    errorFeedback: ErrorFeedbackSettings? = nil
  ) {
    self.count = count
    self.placement = placement
    self.sharding = sharding
    self.reply = reply
    self.errorFeedback = errorFeedback
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
      doc: "whether a server encodes the sum again before it replies, sends plain numbers, or the "
        + "union of the selected elements")
    errorFeedback = fields.optional(
      "error_feedback", .errorFeedback, default: nil,
      doc: "adds what a server lost in encoding its sum to its next sum, as 1-bit Adam and 3LC do: "
        + "true, or {\"decay\": 0.9}")
    replyTime = fields.optional(
      "reply_time", .choice("reply time"), default: .summed,
      doc:
        "summed: a server replies as soon as all pushes of a part are in; all_summed: once those "
        + "of the whole iteration are in everywhere, as TensorFlow's synchronous training does")
    pull = fields.optional(
      "pull", .choice("pull"), default: .broadcast,
      doc:
        "broadcast: servers send sums unasked, as P3 does; request: they notify workers, who ask, "
        + "as MXNet does")
    update = fields.optional(
      "update", .choice("update"), default: .worker,
      doc: "who updates the parameters; with server, workers spend no time on it")
    aggregationRate = fields.optional(
      "aggregation_rate", .bandwidth,
      doc: "bytes of pushes that a server sums a second; by default what a rank reduces")
    if replyTime == .allSummed, pull == .request {
      fields.report(
        "pull",
        .conflict(
          "with reply_time \"all_summed\" parameters come when the next iteration begins; leave out "
            + "\"pull\""))
      pull = .broadcast
    }
    if errorFeedback != nil, reply != .encoded {
      fields.report(
        "error_feedback",
        .conflict(
          "a server that replies \"\(reply.rawValue)\" loses nothing; remove one of the two"))
      errorFeedback = nil
    }
  }
}
