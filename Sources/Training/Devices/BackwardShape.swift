import SimKernel

/// Lays a backward time over the tensors of a model in proportion to work.
///
/// The gradients of a layer are ready together when its part is done; layers without
/// multiply-accumulates take no time, so they are ready with the layer that follows them in the
/// forward pass, and input embeddings come last. Work of tied layers lies before all others.
/// Attention scores are spread over the layers in proportion to their own work.
///
/// Memory-bound layers (normalisation, activation, softmax, embedding) take time in truth: early
/// convolutional layers come out too short and wide late ones too long.
enum BackwardShape {
  /// The ready offset of each tensor, in forward order.
  ///
  /// Without any multiply-accumulates the elements stand in for them.
  static func readyOffsets(_ model: ModelTable, backward: SimDuration) -> [SimDuration] {
    let own = model.tensors.reduce(0) { $0 + $1.forwardMACs }
    let hasWork = own > 0
    let work = hasWork ? Double(own) : Double(model.parameters)
    let spread = hasWork ? 1 + Double(model.attentionScoreMACs) / work : 1
    let before = hasWork ? model.tied.reduce(0.0) { $0 + Double($1.forwardMACs) } : 0
    let total = before + work * spread

    var offsets = [SimDuration](repeating: .zero, count: model.tensors.count)
    var done = 0.0
    var end = model.tensors.count
    while end > 0 {
      let layer = model.tensors[end - 1].layerIndex
      var start = end
      while start > 0, model.tensors[start - 1].layerIndex == layer {
        start -= 1
        let tensor = model.tensors[start]
        // Exact: the counts add up to less than 2^53.
        done += Double(hasWork ? tensor.forwardMACs : tensor.elements)
      }
      let share = min(1, (before + done * spread) / total)
      let ready = done == work ? backward : min(backward, backward.scaled(by: share))
      for index in start..<end { offsets[index] = ready }
      end = start
    }
    return offsets
  }
}
