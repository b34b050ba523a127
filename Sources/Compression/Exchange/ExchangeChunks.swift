/// Contiguous parts of a flat gradient, as shards of servers and chunks of rings are.
enum ExchangeChunks {
  /// `parts` ranges over `count` elements, of ceil(count / parts) each; the last may be shorter, or
  /// empty.
  static func ranges(of count: Int, parts: Int) -> [Range<Int>] {
    let size = (count + parts - 1) / max(1, parts)
    return (0..<parts).map { min(count, $0 * size)..<min(count, ($0 + 1) * size) }
  }

  /// The parts of `tensors` within `range`, placed from its start; one that is cut has no shape.
  static func tensors(_ tensors: [TensorRange], in range: Range<Int>) -> [TensorRange] {
    var result: [TensorRange] = []
    for tensor in tensors {
      let own = (tensor.offset..<tensor.offset + tensor.count).clamped(to: range)
      if own.isEmpty { continue }
      var part = tensor
      part.offset = own.lowerBound - range.lowerBound
      part.count = own.count
      if own.count < tensor.count { part.shape = [] }
      result.append(part)
    }
    return result
  }
}
