import SimKernel

/// One message from accelerator to accelerator.
public struct Transfer: Sendable, BitwiseCopyable, Equatable {
  /// Its name, which also orders notices of one instant.
  public var id: TransferID
  /// What it is cancelled with.
  public var group: GroupID
  public var source: NodeID
  public var destination: NodeID
  public var size: ByteCount
  /// What a receive must match, for models that match messages.
  public var tag: Int32

  public init(
    id: TransferID, group: GroupID = GroupID(0), source: NodeID, destination: NodeID,
    size: ByteCount, tag: Int32 = 0
  ) {
    self.id = id
    self.group = group
    self.source = source
    self.destination = destination
    self.size = size
    self.tag = tag
  }
}

/// Something a network tells the job that sent a transfer.
public struct Notice: Sendable, BitwiseCopyable, Equatable {
  /// What happened.
  public enum Kind: Sendable, BitwiseCopyable, Equatable {
    /// The last byte has left; the sender may reuse its buffer.
    case senderFree
    /// The network stack occupies the CPU of ``Notice/node`` from now for so long (LogGP's o).
    case hostBusy(SimDuration)
    /// The last byte has arrived.
    case delivered
    /// It goes on over another path.
    case rerouted
    /// It will never arrive.
    case lost
    /// It stands still because of this link; nil if there is no way at all.
    case blocked(on: LinkID?)

    /// The order of notices of one transfer at one instant.
    var rank: Int {
      switch self {
      case .senderFree: 0
      case .hostBusy: 1
      case .rerouted: 2
      case .blocked: 3
      case .lost: 4
      case .delivered: 5
      }
    }
  }
  public var kind: Kind
  public var transfer: TransferID
  public var group: GroupID
  /// The tag it was sent with, by which the sender knows it again.
  public var tag: Int32
  /// Whom it concerns: the source, or the destination of a delivery.
  public var node: NodeID
  /// The other end of the transfer.
  public var peer: NodeID

  public init(
    _ kind: Kind, _ transfer: TransferID, group: GroupID, tag: Int32 = 0, node: NodeID,
    peer: NodeID
  ) {
    self.kind = kind
    self.transfer = transfer
    self.group = group
    self.tag = tag
    self.node = node
    self.peer = peer
  }

  /// The order in which notices of one instant are drained: by transfer, then by kind.
  static func precedes(_ a: Notice, _ b: Notice) -> Bool {
    if a.transfer.sequence != b.transfer.sequence {
      return a.transfer.sequence < b.transfer.sequence
    }
    return a.kind.rank < b.kind.rank
  }
}

/// What a link has carried so far.
public struct LinkUsage: Sendable, Equatable {
  /// Payload bytes.
  public var carried: ByteCount
  /// Time with at least one active transfer.
  public var busy: SimDuration
  public init(carried: ByteCount, busy: SimDuration) {
    self.carried = carried
    self.busy = busy
  }
}

/// A transfer that can never finish as things stand.
public struct WaitingTransfer: Sendable, Equatable {
  /// What it waits for.
  public enum Cause: Sendable, Equatable {
    /// There is no way to its destination.
    case noRoute
    /// A link on its way is down.
    case linkDown(LinkID)
    /// A link on its way carries nothing.
    case zeroBandwidth(LinkID)
    /// It would end after the end of simulated time (106 days).
    case tooSlow
    /// No matching receive has been posted.
    case noReceive
    /// It was given up after so many time-outs in a row without an acknowledgement.
    case unanswered(timeouts: Int)
    /// Its first link is paused by flow control, and nothing will resume it.
    case paused(LinkID)
    /// It has more packets than the packet model counts (2^29).
    case tooManyPackets
  }
  public var transfer: Transfer
  public var cause: Cause
  public init(_ transfer: Transfer, _ cause: Cause) {
    self.transfer = transfer
    self.cause = cause
  }

  /// One sentence with the names of `topology`.
  public func description(in topology: Topology) -> String {
    let from = topology.nodeNames[transfer.source.index]
    let to = topology.nodeNames[transfer.destination.index]
    let head = "transfer \(transfer.id.sequence) of \(transfer.size) from \(from) to \(to) "
    switch cause {
    case .noRoute: return head + "has no route"
    case .linkDown(let link): return head + "waits for link \(topology.links[link.index].name)"
    case .zeroBandwidth(let link):
      return head + "waits for bandwidth on link \(topology.links[link.index].name)"
    case .tooSlow: return head + "would take longer than simulated time lasts"
    case .noReceive: return head + "waits for a receive with tag \(transfer.tag)"
    case .unanswered(let timeouts):
      return head + "was given up: \(timeouts) time-outs without an acknowledgement"
    case .paused(let link):
      return head + "waits behind link \(topology.links[link.index].name), paused for good by flow "
        + "control"
    case .tooManyPackets: return head + "has more than 2^29 packets; use a larger mtu, or flow"
    }
  }
}
