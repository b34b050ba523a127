/// What a parameter tensor belongs to; gradients of one kind of layer resemble one another.
public enum GradientKind: String, Sendable, CaseIterable {
  /// A convolution's kernel: output channels first.
  case conv
  /// A matrix product's weight: outputs first.
  case linear
  /// A lookup table: one row an entry, most rows untouched by a mini-batch.
  case embedding
  /// Scale or shift of a normalisation.
  case norm
  /// A bias outside normalisations.
  case bias
  /// Anything else, treated as linear with two or more dimensions and as a bias with one.
  case other
}

/// A parameter tensor whose gradient a source fills.
public struct GradientTensor: Sendable, Hashable {
  /// The name in the framework, such as `layer1.0.conv1.weight`.
  public let name: String
  /// The kind of layer it belongs to.
  public let kind: GradientKind
  /// Dimensions, the output first; GPT-2's transposed weights are taken as they are stored.
  public let shape: [Int]

  /// A tensor of positive dimensions; an empty shape is a scalar.
  public init(name: String, kind: GradientKind, shape: [Int]) {
    precondition(shape.allSatisfy { $0 > 0 }, "every dimension of a gradient is positive")
    self.name = name
    self.kind = kind
    self.shape = shape
  }

  /// The number of elements.
  public var elements: Int { shape.reduce(1, *) }
  /// The first dimension: output channels, units, or entries of a table.
  public var rows: Int { shape.first ?? 1 }
  /// Elements of a row; a vector has one.
  public var columns: Int { shape.dropFirst().reduce(1, *) }
}
