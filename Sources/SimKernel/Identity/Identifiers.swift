/// A small dense index that belongs to one kind of thing: a `NodeID` is not a `LinkID`.
///
/// Ids count from 0, so that arrays are indexed by ``index`` and never by a dictionary.
public protocol DenseID: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
  var rawValue: Int32 { get }
  init(rawValue: Int32)
}

extension DenseID {
  /// The id of the thing at `index`.
  @inlinable public init(_ index: Int) { self.init(rawValue: Int32(truncatingIfNeeded: index)) }
  /// The position in the array of its kind.
  @inlinable public var index: Int { Int(rawValue) }
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  public var description: String { "\(Self.self)(\(rawValue))" }
}

/// A place in the network: a host, an accelerator or a switch.
public struct NodeID: DenseID {
  public var rawValue: Int32
  @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }
}
/// A directed link.
public struct LinkID: DenseID {
  public var rawValue: Int32
  @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }
}
/// A job: one training run that shares the network with others.
public struct JobID: DenseID {
  public var rawValue: Int32
  @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }
}
/// A participant of a collective or a worker of a job, counted within it.
public struct RankID: DenseID {
  public var rawValue: Int32
  @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }
}
/// Transfers that are cancelled together, such as one collective of one job.
public struct GroupID: DenseID {
  public var rawValue: Int32
  @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }
}
/// What is sent: a handle into a ``PayloadAlgebra``.
public struct PayloadID: DenseID {
  public var rawValue: Int32
  @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }
}
/// A parameter tensor, in forward order.
public struct TensorID: DenseID {
  public var rawValue: Int32
  @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }
}

/// One message in the network: its job, and a sequence number that orders ties.
public struct TransferID: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// The job that sent it.
  public var job: JobID
  /// Counts the transfers of the run from 0, whatever their job.
  public var sequence: Int64

  @inlinable public init(job: JobID, sequence: Int64) {
    self.job = job
    self.sequence = sequence
  }
  @inlinable public static func < (a: TransferID, b: TransferID) -> Bool {
    a.sequence < b.sequence
  }
}
