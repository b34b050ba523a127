/// What the hosts of a ``LogGPMachine`` do: stored operations, or operations computed from indices.
///
/// An operation is named by a number that is unique at its host; a message has the number of its
/// send, which together with the destination says where it came from.
protocol LogGPProgram: ~Copyable {
  var hostCount: Int { get }
  /// CPUs and NICs of every host.
  var cpuCount: Int { get }
  var nicCount: Int { get }

  /// Appends what `host` can begin with, in posting order.
  mutating func begin(_ host: Int, _ ready: inout FlatBuffer<ReadyOperation>)
  func send(_ operation: UInt32, at host: Int) -> SendFacts
  func calculation(_ operation: UInt32, at host: Int) -> CalculationFacts
  /// The CPU whose time a receive is posted in.
  func receiveCPU(_ operation: UInt32, at host: Int) -> Int
  /// The message that `host` gets from the send `operation`.
  func message(_ operation: UInt32, at host: Int) -> MessageFacts

  /// Appends what could begin because `operation` has.
  mutating func started(
    _ operation: UInt32, at host: Int, time: Int64, _ ready: inout FlatBuffer<ReadyOperation>)
  /// Appends what can begin because `operation` is over at `time`.
  mutating func finished(
    _ operation: UInt32, at host: Int, time: Int64, _ ready: inout FlatBuffer<ReadyOperation>)
  /// The receive that was posted first for a message whose reception ends at `time`, or nil: the
  /// message is then unexpected and waits.
  mutating func arrive(_ message: UInt32, at host: Int, time: Int64) -> UInt32?
  /// The first unexpected message that fits the receive, and the end of its reception; nil if there
  /// is none: the receive is then posted.
  mutating func post(_ receive: UInt32, at host: Int) -> (message: UInt32, time: Int64)?

  /// Whether everything has been done and received.
  var isComplete: Bool { get }
  /// Who waits for whom, once nothing happens any more.
  func waitingReport() -> [String]
}

/// The kinds of operations, in the order in which those released together are posted.
enum OperationKind: UInt8, BitwiseCopyable {
  case send = 0
  case receive = 1
  case calculation = 2
}

/// An operation whose dependencies are satisfied.
struct ReadyOperation: BitwiseCopyable {
  var operation: UInt32
  var kind: OperationKind
  /// When the last dependency was satisfied; not before the present.
  var time: Int64
}

struct SendFacts: BitwiseCopyable {
  var destination: Int
  var size: Int64
  var cpu = 0
  var nic = 0
}

struct MessageFacts: BitwiseCopyable {
  var source: Int
  var size: Int64
  var cpu = 0
  var nic = 0
}

struct CalculationFacts: BitwiseCopyable {
  var duration: Int64
  var cpu = 0
}
