import SimKernel

/// How a process hands messages to the network: the `sending` record.
///
/// What may leave at once, in which order the rest follows, and what a message costs the sender beside
/// its bytes.
public struct SendingSettings: Sendable, Equatable {
  /// What one message at a time leaves through.
  public enum Scope: String, Sendable, CaseIterable {
    /// Each pair of nodes has a connection of its own, as in NCCL and gRPC.
    case connection
    /// A worker or server has one sending thread for all its peers, as in P3.
    case process
  }
  /// What goes first of the messages that wait.
  public enum Order: String, Sendable, CaseIterable {
    case fifo
    /// Those of the most urgent unit; what a server has received is summed in that order, too.
    case priority
  }

  public var scope: Scope
  public var order: Order
  /// Messages handed over and not yet gone: none of them can be overtaken.
  public var depth: Int
  /// What the sender spends on a message before its first byte leaves.
  public var overhead: SimDuration
  /// The rate at which a worker copies a tensor between buffers before it is sent and after it came,
  /// one after the other; nil costs nothing.
  public var copyRate: Bandwidth?
  /// The probability that a message is lost, each time it is sent.
  public var loss: Double
  /// From when a lost message would have arrived until it is sent again.
  public var resendAfter: SimDuration

  public init(
    scope: Scope = .connection, order: Order = .fifo, depth: Int = 1,
    overhead: SimDuration = .zero, copyRate: Bandwidth? = nil, loss: Double = 0,
    resendAfter: SimDuration = .picoseconds(200_000_000_000)
  ) {
    self.scope = scope
    self.order = order
    self.depth = depth
    self.overhead = overhead
    self.copyRate = copyRate
    self.loss = loss
    self.resendAfter = resendAfter
  }

  /// Reads the record.
  public init(_ fields: inout FieldReader) {
    scope = fields.optional(
      "scope", .choice("scope"), default: .connection,
      doc:
        "connection: messages between two nodes leave one after the other; process: all messages "
        + "of a worker or server do")
    order = fields.optional(
      "order", .choice("order"), default: .fifo,
      doc: "what leaves first of the messages that wait; with priority, servers also sum the most "
        + "urgent first")
    depth = fields.optional(
      "depth", .count(), default: 1,
      doc: "messages handed to the network at once, which none can overtake")
    overhead = fields.optional(
      "overhead", .duration, default: .zero, doc: "time of the sender for each message")
    copyRate = fields.optional(
      "copy_rate", .bandwidth,
      doc: "rate at which a worker copies a tensor before it is sent and after it came")
    loss = fields.optional(
      "loss", .number(in: 0...0.9), default: 0,
      doc: "probability that a message is lost each time it is sent, whatever the network model; "
        + "its receiver waits until it is sent again (column lost_messages)")
    resendAfter = fields.optional(
      "resend_after", .duration, default: .picoseconds(200_000_000_000),
      doc:
        "with loss: from when a lost message would have arrived until it is sent again; the least "
        + "time-out of TCP on Linux by default")
  }
}
