/// The number formats a worker computes in; what its gradients are on the wire is another setting.
public enum Precision: String, Sendable, CaseIterable {
  /// IEEE single precision throughout.
  case fp32
  /// Single precision storage, matrix products on 19-bit inputs (NVIDIA Ampere and later).
  case tf32
  /// Automatic mixed precision: fp16 products, fp32 master weights and gradients.
  case amp
  /// fp16 storage as well; timed as ``amp``, whose products it shares.
  case fp16
  /// bfloat16 products; timed as ``amp`` on devices that have them.
  case bf16

  /// Which of the three measured kinds of arithmetic it is timed as.
  var arithmetic: Precision {
    switch self {
    case .fp32, .tf32: self
    case .amp, .fp16, .bf16: .amp
    }
  }
}
