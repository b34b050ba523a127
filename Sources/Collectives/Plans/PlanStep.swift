import SimKernel

/// What the destination does with the chunks that arrive.
public enum StepAction: UInt8, Hashable, Sendable, BitwiseCopyable {
  /// Combines them with its own; a chunk it does not hold yet is taken as it is.
  case reduce
  /// Keeps them in place of its own: forwarding, gathering, concatenating.
  case store
}

/// One message of a collective: `source` sends some of its chunks to `destination`.
public struct PlanStep: Hashable, Sendable, BitwiseCopyable {
  public var source: RankID
  public var destination: RankID
  var lower: Int32
  var upper: Int32
  public var action: StepAction
  /// One more than the bit that a chunk's number must have set to be sent; 0 sends them all.
  var selector: UInt8 = 0

  public init(
    source: RankID, destination: RankID, chunks: Range<Int32>, action: StepAction
  ) {
    self.source = source
    self.destination = destination
    lower = chunks.lowerBound
    upper = chunks.upperBound
    self.action = action
  }

  /// The chunks sent, in one message.
  ///
  /// A range may run past the last chunk and then goes on at chunk 0, so that the rotated blocks of
  /// Bruck's all-gather are one message; it is never longer than all chunks.
  public var chunks: Range<Int32> { lower..<upper }

  /// The bit that the number of a chunk among ``chunks`` must have set to be sent; nil sends them
  /// all.
  ///
  /// Bruck's all-to-all sends half of all blocks in one message, which are no range.
  public var selectedBit: Int? { selector == 0 ? nil : Int(selector) - 1 }

  /// Whether the chunk at `position` of ``chunks`` is sent.
  @inline(__always) public func carries(_ position: Int) -> Bool {
    selector == 0 || position >> (Int(selector) - 1) & 1 == 1
  }

  init(
    _ source: Int, _ destination: Int, _ lower: Int, _ upper: Int, _ action: StepAction,
    selecting bit: Int? = nil
  ) {
    self.source = RankID(source)
    self.destination = RankID(destination)
    self.lower = Int32(truncatingIfNeeded: lower)
    self.upper = Int32(truncatingIfNeeded: upper)
    self.action = action
    selector = bit.map { UInt8($0 + 1) } ?? 0
  }
}
