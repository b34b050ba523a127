extension GradientKind {
  /// The kind of a tensor from what its framework calls the layer, its own name and its shape.
  public init(layerKind: String, tensor: String, shape: [Int]) {
    let kind = layerKind.lowercased()
    if kind.contains("norm") {
      self = .norm
    } else if shape.count <= 1 {
      self = tensor.hasSuffix("bias") ? .bias : .other
    } else if kind.contains("embedding") {
      self = .embedding
    } else if kind.hasPrefix("conv"), shape.count > 2 {
      self = .conv
    } else if kind.contains("linear") || kind == "conv1d" || kind.contains("attention") {
      // GPT-2 calls its matrix products one-dimensional convolutions.
      self = .linear
    } else if kind.isEmpty {
      self = shape.count > 2 ? .conv : tensor.contains("emb") ? .embedding : .linear
    } else {
      self = .other
    }
  }
}
