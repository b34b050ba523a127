import SimKernel

/// One event of a PyTorch profiler trace, its texts as numbers of the reader's ``NameTable``.
public struct KinetoEvent: Sendable, BitwiseCopyable {
  /// What `ph` says.
  public enum Phase: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    /// `X`: has a start and a duration.
    case complete
    /// `i`, `I`, `R`.
    case instant
    /// `M`: names of processes and threads.
    case metadata
    /// `s`, `t`, `f`: an arrow from a launch to its kernel, or from forward to backward.
    case flow
    /// `B` and `E`, which PyTorch does not write.
    case beginOrEnd
    /// `C`.
    case counter
    case other
  }

  public var phase: Phase
  /// On which device, by its number; -1 if it names none.
  public var device: Int16
  public var name: Int32
  /// 0, the empty name, where none is given.
  public var category: Int32
  /// `pid` and `tid` as they are written: numbers mostly, `Spans` and `PyTorch Profiler (0)` too.
  public var process: Int32
  public var thread: Int32
  /// On which stream of the device; -1 if it names none.
  public var stream: Int32
  /// Index into the reader's ``KinetoReader/collectives``; -1 if it is none.
  public var collective: Int32
  /// When it began, after ``KinetoReader/base``; may be before it.
  public var start: SimDuration
  public var duration: SimDuration
  /// What a launch and its kernel share; -1 if there is none.
  public var correlation: Int64
  /// `External id`, which a CPU operation shares with its launches; -1 if there is none.
  public var externalID: Int64
}

/// What the arguments of a communication event tell.
public struct KinetoCollective: Sendable, Equatable {
  /// nil for a send, a receive, or a name that is not known; see ``name``.
  public var kind: CollectiveKind?
  /// As the trace calls it, such as `allreduce` or `gloo:all_reduce`.
  public var name: String
  /// What one rank puts in, from the message's elements or the input tensors; nil if nobody says.
  public var bytes: ByteCount?
  public var groupName: String?
  public var groupSize: Int?
  /// Global ranks of the group, if they are written out in full.
  public var groupRanks: [Int]?
}

/// What the head of a trace says.
public struct KinetoHeader: Sendable, Equatable {
  public var schemaVersion: Int?
  /// From `distributedInfo`; nil in a trace of one process.
  public var rank: Int?
  public var worldSize: Int?
  public var backend: String?
  /// Process groups by name, in the order written.
  public var groups: [Group] = []
  /// Names of the GPUs.
  public var devices: [String] = []
  public var traceName: String?
  /// What timestamps count from, in nanoseconds since 1970; nil if they count from 1970 themselves,
  /// or from the start of the machine.
  public var baseTimeNanoseconds: Int64?
  /// Keys at the top that say nothing simnet keeps.
  public var otherKeys: [String] = []

  public struct Group: Sendable, Equatable {
    public var name: String
    public var description: String
    public var backend: String
    public var size: Int
    public var ranks: [Int]
  }
}
