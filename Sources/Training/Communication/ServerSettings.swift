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

/// The servers of a parameter-server job: the `servers` record.
public struct ServerSettings: Sendable {
  /// How many; nil is one a worker when co-located, one otherwise.
  public var count: Int?
  public var placement: ParameterServers.Placement
  public var sharding: ServerSharding
  public var reply: ServerReply
  /// The residual of a server that encodes again; nil without.
  public var errorFeedback: ErrorFeedbackSettings?

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
    if errorFeedback != nil, reply != .encoded {
      fields.report(
        "error_feedback",
        .conflict(
          "a server that replies \"\(reply.rawValue)\" loses nothing; remove one of the two"))
      errorFeedback = nil
    }
  }
}
