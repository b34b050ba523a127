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

  public init(
    scope: Scope = .connection, order: Order = .fifo, depth: Int = 1,
    overhead: SimDuration = .zero, copyRate: Bandwidth? = nil
  ) {
    self.scope = scope
    self.order = order
    self.depth = depth
    self.overhead = overhead
    self.copyRate = copyRate
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
  }
}
