import SimKernel

/// The tensors of one gradient sorted by what is done with them.
///
/// Minimum tensor size and per-layer overrides split a gradient into groups; every group is one flat
/// vector with its own pipeline, and becomes one frame.
public struct CompressionPlan: Sendable {
  /// Tensors that share a pipeline.
  public struct Group: Sendable {
    public var pipeline: CompressionPipeline
    public var scope: CodecScope
    /// The tensors where they lie in the whole gradient.
    public var sources: [TensorRange]
    /// The same tensors where they lie in the group's flat vector.
    public var tensors: [TensorRange]
    /// Elements of the group.
    public var elementCount: Int

    /// The group's elements of the whole gradient, as one flat vector.
    public func gather(_ gradient: UnsafeBufferPointer<Float>) -> [Float] {
      var result: [Float] = []
      result.reserveCapacity(elementCount)
      for source in sources { result += gradient[source.offset..<source.offset + source.count] }
      return result
    }

    /// The only group of `elementCount` elements that `settings` leaves as they are, whatever tensors
    /// they belong to, which are not listed; nil if it may change some.
    public init?(untouchedBy settings: CompressionSettings, elementCount: Int) {
      guard settings.isUniform, settings.pipeline.isIdentity else { return nil }
      pipeline = settings.pipeline
      scope = settings.scope
      sources = []
      tensors = []
      self.elementCount = elementCount
    }

    init(
      pipeline: CompressionPipeline, scope: CodecScope, sources: [TensorRange],
      tensors: [TensorRange], elementCount: Int
    ) {
      self.pipeline = pipeline
      self.scope = scope
      self.sources = sources
      self.tensors = tensors
      self.elementCount = elementCount
    }

    /// Whether the group is one stretch of the gradient, which needs no copy.
    var stretch: Range<Int>? {
      guard let first = sources.first else { return 0..<0 }
      for (source, tensor) in zip(sources, tensors)
      where source.offset - first.offset != tensor.offset {
        return nil
      }
      return first.offset..<first.offset + elementCount
    }
  }

  public let settings: CompressionSettings
  /// All tensors of the gradient, in order.
  public let tensors: [TensorRange]
  public let elementCount: Int
  /// In the order in which their first tensors come.
  public let groups: [Group]

  /// Sorts `tensors`, which are consecutive over a gradient, by what `settings` does with them.
  public init(settings: CompressionSettings, tensors: [TensorRange]) {
    self.settings = settings
    self.tensors = tensors
    var elements = 0
    // Plans are made for every unit of every point of a sweep: the usual one, in which all tensors
    // are treated alike, shares its lists instead of copying every name.
    var isConsecutive = true
    for tensor in tensors {
      if tensor.offset != elements { isConsecutive = false }
      elements += tensor.count
    }
    elementCount = elements
    if settings.isUniform, isConsecutive {
      groups =
        tensors.isEmpty
        ? []
        : [
          Group(
            pipeline: settings.pipeline, scope: settings.scope, sources: tensors, tensors: tensors,
            elementCount: elements)
        ]
    } else {
      groups = Self.groups(tensors, settings)
    }
  }

  private static func groups(
    _ tensors: [TensorRange], _ settings: CompressionSettings
  ) -> [Group] {
    var groups: [Group] = []
    for tensor in tensors {
      let (pipeline, scope) = settings.treatment(ofTensor: tensor.name, elements: tensor.count)
      let index =
        groups.firstIndex { $0.pipeline.label == pipeline.label && $0.scope == scope }
        ?? groups.count
      if index == groups.count {
        groups.append(
          Group(pipeline: pipeline, scope: scope, sources: [], tensors: [], elementCount: 0))
      }
      var local = tensor
      local.offset = groups[index].elementCount
      groups[index].sources.append(tensor)
      groups[index].tensors.append(local)
      groups[index].elementCount += tensor.count
    }
    return groups
  }

  /// Encodes every group of `gradient`.
  ///
  /// - Throws: `CodecError` naming the tensor that is not finite.
  public func encode(
    _ gradient: UnsafeBufferPointer<Float>, random: RandomStream, worker: Int = 0,
    scratch: inout CodecScratch
  ) throws(CodecError) -> [EncodedGradient] {
    precondition(gradient.count == elementCount, "a gradient of the plan's length")
    var result: [EncodedGradient] = []
    for (index, group) in groups.enumerated() {
      let stream = random.split(index)
      if let stretch = group.stretch {
        result.append(
          try group.pipeline.encode(
            UnsafeBufferPointer(rebasing: gradient[stretch]), tensors: group.tensors,
            scope: group.scope, random: stream, worker: worker, scratch: &scratch))
      } else {
        result.append(
          try group.pipeline.encode(
            group.gather(gradient), tensors: group.tensors, scope: group.scope,
            random: stream, worker: worker, scratch: &scratch))
      }
    }
    return result
  }

  /// Decodes what ``encode(_:random:worker:scratch:)`` made.
  public func decode(
    _ encoded: [EncodedGradient], into target: UnsafeMutableBufferPointer<Float>,
    scratch: inout CodecScratch
  ) throws(CodecError) {
    precondition(
      target.count == elementCount && encoded.count == groups.count,
      "one encoded gradient a group")
    for (group, bytes) in zip(groups, encoded) {
      if let stretch = group.stretch {
        try group.pipeline.decode(
          bytes, into: UnsafeMutableBufferPointer(rebasing: target[stretch]), scratch: &scratch)
      } else {
        let values = try group.pipeline.decode(bytes, count: group.elementCount, scratch: &scratch)
        Self.scatter(group, values, target)
      }
    }
  }

  /// The mean of the workers' gradients group by group, against the exact mean.
  public func aggregate(
    _ gradients: [[Float]], random: RandomStream, scratch: inout CodecScratch
  ) throws(CodecError) -> AggregatedGradient {
    var mean = [Float](repeating: 0, count: elementCount)
    var exchanges: [(kind: ExchangeKind, bits: [Int64])] = []
    for (index, group) in groups.enumerated() {
      let parts = gradients.map { gradient in
        gradient.withUnsafeBufferPointer { group.gather($0) }
      }
      let part = try group.pipeline.aggregate(
        parts, tensors: group.tensors, scope: group.scope, random: random.split(index),
        scratch: &scratch)
      mean.withUnsafeMutableBufferPointer { Self.scatter(group, part.mean, $0) }
      exchanges += part.exchanges
    }
    let exact = CompressionPipeline.mean(of: gradients)
    return AggregatedGradient(
      mean: mean, exactMean: exact, error: GradientError.compare(original: exact, decoded: mean),
      exchanges: exchanges)
  }

  static func scatter(
    _ group: Group, _ values: [Float], _ target: UnsafeMutableBufferPointer<Float>
  ) {
    for (source, tensor) in zip(group.sources, group.tensors) {
      for index in 0..<source.count {
        target[source.offset + index] = values[tensor.offset + index]
      }
    }
  }
}
