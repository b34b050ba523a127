/// Where the gradients that codecs encode come from: recorded files, a synthetic source, a learner.
///
/// A source answers `gradient(worker, iteration, parameterVersion)` and is told the update that the
/// workers agreed on. Files and synthetic sources ignore the update and the version; a learner does
/// not. Values are flat, in forward order: the elements of ``layout``, tensor after tensor.
public protocol GradientSource: Sendable {
  /// The parameter tensors in forward order, whole, whatever part of them is sampled.
  var tensors: [GradientTensor] { get }
  /// Which elements of ``tensors`` ``gradient(worker:iteration:parameterVersion:into:)`` fills.
  var layout: SampledLayout { get }
  /// What the values rest on, for reports: measured, fitted on what, or assumed.
  var provenance: String { get }

  /// Fills `values` with the gradient that `worker` computes in `iteration`.
  ///
  /// `values` holds exactly `layout.elementCount` elements. A source answers the same request with
  /// the same bits, in any order of requests, until ``apply(_:parameterVersion:)`` is called.
  func gradient(
    worker: Int, iteration: Int, parameterVersion: Int,
    into values: UnsafeMutableBufferPointer<Float>)

  /// Takes the update that leads from `parameterVersion` to the next version.
  mutating func apply(_ update: UnsafeBufferPointer<Float>, parameterVersion: Int)
}

extension GradientSource {
  /// Ignores the update.
  public mutating func apply(_ update: UnsafeBufferPointer<Float>, parameterVersion: Int) {}

  /// The gradient as an array of `layout.elementCount` elements.
  public func gradient(worker: Int, iteration: Int, parameterVersion: Int = 0) -> [Float] {
    [Float](unsafeUninitializedCapacity: layout.elementCount) { buffer, count in
      // The buffer has at least the capacity asked for; the source fills exactly that much.
      let values = UnsafeMutableBufferPointer(rebasing: buffer[0..<layout.elementCount])
      gradient(
        worker: worker, iteration: iteration, parameterVersion: parameterVersion, into: values)
      count = layout.elementCount
    }
  }
}

/// Recorded gradients that do not fit together.
public enum GradientSourceError: Error, Hashable {
  /// No iteration, or an iteration without a worker.
  case empty
  /// A flat gradient has another length than its tensors.
  case length(worker: Int, iteration: Int, found: Int, expected: Int)
}
