import SimKernel

/// How error feedback is configured.
public struct ErrorFeedbackSettings: Sendable, Equatable {
  /// What is left of the residual from one iteration to the next, in (0, 1].
  public var decay: Double
  public init(decay: Double = 1) { self.decay = decay }
}

/// Error feedback: what a worker's codec lost is added to its next gradient (Seide et al., Interspeech
/// 2014; Karimireddy et al., ICML 2019, arXiv:1901.09847).
///
/// One value holds the residual of one worker over its whole flat gradient, so of all its tensors.
///
///     feedback.apply(to: &gradient)          // gradient + decay * residual
///     encode and decode the result
///     feedback.update(corrected: gradient, decoded: decoded)
///
/// The sum of what was decoded plus the residual equals the sum of the gradients, up to rounding,
/// when nothing decays.
public struct ErrorFeedback: Sendable {
  public let settings: ErrorFeedbackSettings
  /// What has not been sent yet.
  public private(set) var residual: [Float]

  /// No residual yet, for a gradient of `elementCount` elements.
  public init(elementCount: Int, settings: ErrorFeedbackSettings = ErrorFeedbackSettings()) {
    self.settings = settings
    residual = [Float](repeating: 0, count: elementCount)
  }

  /// Adds the residual to `gradient` before it is encoded.
  ///
  /// - Precondition: it has the residual's length.
  public func apply(to gradient: UnsafeMutableBufferPointer<Float>) {
    precondition(gradient.count == residual.count, "a gradient of the residual's length")
    let decay = Float(settings.decay)
    residual.withUnsafeBufferPointer { residual in
      for index in 0..<gradient.count { gradient[index] += decay * residual[index] }
    }
  }
  /// As above, of an array.
  public func apply(to gradient: inout [Float]) {
    gradient.withUnsafeMutableBufferPointer { apply(to: $0) }
  }

  /// Keeps what `decoded` lacks of `corrected`.
  public mutating func update(
    corrected: UnsafeBufferPointer<Float>, decoded: UnsafeBufferPointer<Float>
  ) {
    precondition(
      corrected.count == residual.count && decoded.count == residual.count,
      "gradients of the residual's length")
    residual.withUnsafeMutableBufferPointer { residual in
      for index in 0..<residual.count { residual[index] = corrected[index] - decoded[index] }
    }
  }
  /// As above, of arrays.
  public mutating func update(corrected: [Float], decoded: [Float]) {
    corrected.withUnsafeBufferPointer { x in
      decoded.withUnsafeBufferPointer { y in update(corrected: x, decoded: y) }
    }
  }
}
