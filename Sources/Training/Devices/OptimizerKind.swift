import SimKernel

/// The update rule, as far as its running time depends on it.
public enum OptimizerKind: String, Sendable, CaseIterable {
  /// Plain gradient descent: reads gradient and parameter, writes the parameter.
  case sgd
  /// With momentum: reads and writes one more vector.
  case sgdMomentum = "sgd_momentum"
  /// Adam and its kin: reads gradient, two moments and parameter, writes all but the gradient.
  case adam

  /// Reads and writes of an fp32 value for each parameter.
  public var accesses: Int {
    switch self {
    case .sgd: 3
    case .sgdMomentum: 5
    case .adam: 7
    }
  }

  /// fp32 vectors kept in memory: parameter, gradient and state.
  public var residentVectors: Int {
    switch self {
    case .sgd: 2
    case .sgdMomentum: 3
    case .adam: 4
    }
  }

  /// The time of one fused update of `parameters` values: bytes moved over memory bandwidth.
  ///
  /// Launches are not counted; an optimizer that updates tensor by tensor is slower, several times
  /// for models of many small tensors.
  public func time(parameters: Int, memory: Bandwidth) -> SimDuration {
    memory.time(toSend: ByteCount(Int64(parameters) * Int64(accesses) * 4))
  }

  /// What the models of a class are usually trained with, and so what published totals contain.
  static func usual(for modelClass: ModelClass) -> OptimizerKind {
    modelClass == .attention ? .adam : .sgdMomentum
  }
}
