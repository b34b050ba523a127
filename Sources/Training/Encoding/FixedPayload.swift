import Compression
import SimKernel

/// The payload of codecs whose size is decided by the number of elements alone.
///
/// A sample of a tensor selects too many elements where every scope keeps at least one, and rounds
/// differently elsewhere; such sizes need no measurement. Payloads of scopes add up, so the bound of a
/// single scope is evaluated for each; where the sum is not what an encoded sample took, the codec is
/// not of this kind.
enum FixedPayload {
  /// The bits that `group` takes, scope by scope; nil if the size depends on the gradient.
  static func bits(of group: CompressionPlan.Group) -> Int64? {
    if group.pipeline.declaration.isVariableSize { return nil }
    func bound(_ elements: Int) -> Int64 {
      group.pipeline.worstCasePayloadBits(elementCount: elements, scope: .model)
    }
    switch group.scope {
    case .model: return bound(group.elementCount)
    case .layer:
      return group.tensors.reduce(0) { $0 + ($1.count > 0 ? bound($1.count) : 0) }
    case .bucket(let size):
      let (full, rest) = group.elementCount.quotientAndRemainder(dividingBy: size)
      return (full > 0 ? Int64(full) * bound(size) : 0) + (rest > 0 ? bound(rest) : 0)
    }
  }
}
