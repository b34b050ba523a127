import SimKernel

/// A message that an exchange wants to send.
struct PlannedSend: BitwiseCopyable {
  var job: Int
  var slot: Int
  var step: Int
  /// The rank slot of the job that sends: a worker or a server.
  var sender: Int32
  /// The urgency of its unit; smaller goes first where that counts.
  var priority: Int32
  var source: NodeID
  var destination: NodeID
  var size: ByteCount
}
