import SimKernel

/// A PyTorch execution trace: the operators of one process and how they nest, without times.
///
/// Schemas 1.0.x (`parent`, tensors as flat lists) and 1.1.x (`ctrl_deps`, `attrs` with types) are one
/// value here. Tensors are kept as their bytes only.
public struct PyTorchTrace: Sendable, Equatable {
  /// One operator, annotation or thread.
  public struct Node: Sendable, Equatable {
    public var id: UInt64
    /// The operator that called it, or the thread it runs on; the root has itself or an id that is
    /// not there.
    public var parent: UInt64
    /// Index into ``PyTorchTrace/names``.
    public var name: Int32
    /// `rf_id`, which Kineto traces call `Record function id`; -1 if there is none.
    public var recordID: Int64
    public var thread: Int32
    /// The forward operator whose gradient this one computes; 0 for none.
    public var forwardParent: UInt64
    /// Bytes of all tensors that go in and come out, shared storage counted each time.
    public var inputBytes: ByteCount
    public var outputBytes: ByteCount
    /// Index into ``PyTorchTrace/messages``; -1 for operators that do not communicate.
    public var message: Int32
    public var byteOffset: Int
  }

  /// What a `record_param_comms` node says, or an operator of a communication library.
  public struct Message: Sendable, Equatable {
    /// As the trace calls it: `allreduce`, `all_to_allv`, `nccl:all_reduce`, `wait`.
    public var name: String
    /// nil for waits, sends, receives and names that are not known.
    public var kind: CollectiveKind?
    /// What one rank puts in; nil if nobody says.
    public var bytes: ByteCount?
    public var groupName: String?
    public var groupSize: Int?
    /// First global rank of the group, and the distance from one to the next.
    public var groupStart: Int?
    public var groupStride: Int?
    /// The id of the first tensor that goes in; -1 if there is none.
    public var tensor: Int64
  }

  /// A process group as the trace's beginning lists it.
  public struct Group: Sendable, Equatable {
    public var name: String
    public var description: String
    public var backend: String
    public var size: Int
    /// Global ranks; empty where the trace leaves them out, which stands for all.
    public var ranks: [Int]
  }

  /// Such as `1.1.1-chakra.0.0.4`.
  public var schema: String
  public var process: Int64?
  /// As written: `2024-04-29 16:23:47`.
  public var time: String?
  /// Microseconds on the process's clock, from `start_ts` and `finish_ts`.
  public var start: Int64?
  public var finish: Int64?
  public var nodes: [Node]
  public var names: NameTable
  public var messages: [Message]
  public var groups: [Group]
  /// What messages call the trace.
  public var origin: String
  /// Keys and attributes that were passed over, each once.
  public var otherKeys: [String]

  /// How long was recorded, from `start_ts` to `finish_ts`.
  public var span: SimDuration? {
    guard let start, let finish, finish >= start, finish - start < 9_000_000_000_000 else {
      return nil
    }
    return SimDuration(picoseconds: (finish - start) * 1_000_000)
  }

  /// The rank in the file's name, such as 3 in `dlrm_eg_3.json.gz` or `..._rank3.json`; nil if it
  /// has none, as the format itself does not say it.
  public var rank: Int? {
    var file = origin.split(separator: "/").last.map(String.init) ?? ""
    for ending in [".gz", ".json"] where file.hasSuffix(ending) {
      file.removeLast(ending.utf8.count)
    }
    let digits = file.reversed().prefix { $0.isASCII && $0.isNumber }
    let before = file.dropLast(digits.count)
    guard !digits.isEmpty,
      before.hasSuffix("_") || before.hasSuffix("rank") || before.hasSuffix("-")
    else { return nil }
    return Int(String(digits.reversed()))
  }
}
