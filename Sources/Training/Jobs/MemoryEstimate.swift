import Compression
import SimKernel

/// What a worker's accelerator must keep, as far as it is known: activations are not.
public struct MemoryEstimate: Sendable, Equatable {
  /// Parameters, gradients and optimizer state.
  public var model = ByteCount.zero
  /// What encoding and exchanging takes beside them: residuals, momenta and codec state of the whole
  /// gradient, and for the largest unit the encoded payload, what is received, and the decoded sum.
  public var compression: ByteCount { state + buffers }
  /// What is kept from one iteration to the next.
  var state = ByteCount.zero
  /// What the largest unit needs while it is exchanged.
  var buffers = ByteCount.zero

  public var total: ByteCount { model + compression }

  /// Takes the larger of each part.
  mutating func widen(to other: MemoryEstimate) {
    state = max(state, other.state)
    buffers = max(buffers, other.buffers)
  }

  /// Parameters, gradients and optimizer state in fp32; fp16 and bf16 training keeps half-precision
  /// copies of parameters and gradients beside the fp32 masters (Micikevicius et al., ICLR 2018,
  /// arXiv:1710.03740).
  static func modelState(_ blueprint: JobBlueprint) -> ByteCount {
    let n = Int64(blueprint.elements)
    let vectors = Int64(blueprint.workload.optimizer.residentVectors)
    let copies: Int64 =
      switch blueprint.workload.precision {
      case .fp16, .bf16: 4
      case .fp32, .tf32, .amp: 0
      }
    return ByteCount(4 * vectors * n + copies * n)
  }
}

extension JobBlueprint {
  /// How the job survives crashes: a checkpoint holds parameters and the optimizer's state, in fp32.
  var recovery: RecoveryPlan {
    let settings = workload.recovery
    var plan = RecoveryPlan()
    plan.every = settings.every
    let vectors = Int64(workload.optimizer.residentVectors - 1)
    plan.writing = settings.writeTime(of: ByteCount(4 * vectors * Int64(elements)))
    plan.detection = settings.detection
    plan.restart = settings.restart
    return plan
  }
}
