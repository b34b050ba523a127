import SimKernel

/// One parameter tensor of a model.
public struct ModelTensor: Sendable, Equatable {
  /// Its full name, such as `layer1.0.conv1.weight`; unique within the model.
  public var name: String
  /// The layer it belongs to.
  public var layer: String
  /// The layer's kind as its framework calls it, such as `Conv2d`; empty if unknown.
  public var kind: String
  /// The extents; empty for a scalar.
  public var shape: [Int]
  /// The number of elements.
  public var elements: Int
  /// The multiply-accumulates of the layer's forward pass over one sample; on a layer's first
  /// tensor, 0 on the others.
  public var forwardMACs: Int
  /// The layer's position among the layers, in forward order.
  public var layerIndex: Int
  /// The elements the layer puts out for one sample; on a layer's first tensor, 0 on the others.
  public var activationElements: Int
  /// Whether the forward pass uses it; a tensor that is not used gets no gradient.
  public var isExecuted: Bool
  /// What the user's own table says about its layer's times.
  public var times: TensorTimes?

  public init(
    name: String, layer: String, kind: String = "", shape: [Int], elements: Int,
    forwardMACs: Int = 0, layerIndex: Int, activationElements: Int = 0, isExecuted: Bool = true,
    times: TensorTimes? = nil
  ) {
    self.name = name
    self.layer = layer
    self.kind = kind
    self.shape = shape
    self.elements = elements
    self.forwardMACs = forwardMACs
    self.layerIndex = layerIndex
    self.activationElements = activationElements
    self.isExecuted = isExecuted
    self.times = times
  }
}

/// Times a user measured for one tensor, at the batch of its ``ModelTable``.
public struct TensorTimes: Sendable, Equatable {
  /// The forward pass through the tensor's share of its layer.
  public var forward: SimDuration?
  /// The backward pass through the same.
  public var backward: SimDuration?
  /// When the gradient is ready, from the start of backward.
  public var ready: SimDuration?

  public init(forward: SimDuration?, backward: SimDuration?, ready: SimDuration?) {
    self.forward = forward
    self.backward = backward
    self.ready = ready
  }
}

/// Work of a layer that owns no tensor because its weight is an earlier one, as an output head that
/// shares the input embedding.
public struct TiedLayer: Sendable, Equatable {
  public var layer: String
  /// Multiply-accumulates of its forward pass over one sample; it runs after all other layers.
  public var forwardMACs: Int
  public init(layer: String, forwardMACs: Int) {
    self.layer = layer
    self.forwardMACs = forwardMACs
  }
}

/// The parameter tensors of a model in the order a forward pass uses them.
///
/// Gradients become ready in the reverse order.
public struct ModelTable: Sendable, Equatable {
  public var name: String
  /// What one sample is, such as `3x224x224 image`.
  public var sample: String
  /// Where the table comes from.
  public var source: String
  /// In forward order; never empty.
  public let tensors: [ModelTensor]
  /// The same as gradients, in the same order.
  public let gradientTensors: [GradientTensor]
  /// Names what of the gradient tensors can change their values: names, kinds and shapes.
  let gradientIdentity: UInt64
  /// Layers without a tensor of their own.
  public var tied: [TiedLayer]
  /// Multiply-accumulates of the products of queries with keys and of scores with values, over one
  /// sample.
  ///
  /// They are not part of any tensor's ``ModelTensor/forwardMACs``.
  public var attentionScoreMACs: Int
  /// The batch a user's own times were measured at.
  public var measuredBatch: Int?
  /// The graph that workers execute instead of a forward and a backward pass.
  public internal(set) var graph: GraphModel?

  public init(
    name: String, sample: String, source: String, tensors: [ModelTensor], tied: [TiedLayer] = [],
    attentionScoreMACs: Int = 0, measuredBatch: Int? = nil
  ) {
    precondition(!tensors.isEmpty, "a model has tensors")
    self.name = name
    self.sample = sample
    self.source = source
    self.tensors = tensors
    gradientTensors = tensors.map {
      GradientTensor(
        name: $0.name, kind: GradientKind(layerKind: $0.kind, tensor: $0.name, shape: $0.shape),
        shape: $0.shape.reduce(1, *) == $0.elements ? $0.shape : [$0.elements])
    }
    var hash = StableHash()
    for tensor in gradientTensors {
      hash.combine(tensor.name)
      // A user's table may call the same tensors something else, which changes synthetic values.
      hash.combine(tensor.kind.rawValue)
      hash.combine(UInt64(tensor.shape.count))
      for extent in tensor.shape { hash.combine(UInt64(extent)) }
    }
    gradientIdentity = hash.words.0
    self.tied = tied
    self.attentionScoreMACs = attentionScoreMACs
    self.measuredBatch = measuredBatch
  }

  /// The number of elements of all tensors.
  public var parameters: Int { tensors.reduce(0) { $0 + $1.elements } }
  /// The gradient in bytes when every element takes `bytesPerElement`.
  public func gradientSize(bytesPerElement: Int = 4) -> ByteCount {
    ByteCount(Int64(parameters) * Int64(bytesPerElement))
  }
  /// The multiply-accumulates of weight matrices in one sample's forward pass, tied layers included.
  public var forwardMACsPerSample: Int {
    tensors.reduce(0) { $0 + $1.forwardMACs } + tied.reduce(0) { $0 + $1.forwardMACs }
  }
  /// The same with the attention scores: what a forward pass costs.
  public var totalMACsPerSample: Int { forwardMACsPerSample + attentionScoreMACs }
  /// The number of layers that own tensors.
  public var layers: Int { tensors[tensors.count - 1].layerIndex + 1 }

  /// Which published and measured models this one resembles.
  public var modelClass: ModelClass {
    var hasConvolution = false
    for tensor in tensors {
      if tensor.kind.hasPrefix("BatchNorm") { return .batchNormConvolution }
      if tensor.kind.hasPrefix("Conv"), tensor.shape.count == 4 { hasConvolution = true }
    }
    return hasConvolution ? .convolution : .attention
  }
}

/// Models that reach a similar share of a device's peak, because the same kernels bound them.
public enum ModelClass: String, Sendable, CaseIterable {
  /// Convolutions between batch normalisations, which are bound by memory: ResNet, Inception.
  case batchNormConvolution = "batch_norm_convolution"
  /// Convolutions and wide linear layers, without normalisation: VGG, AlexNet.
  case convolution
  /// Matrix products: transformers, and everything else.
  case attention
}
