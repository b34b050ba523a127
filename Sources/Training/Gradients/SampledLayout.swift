/// Which elements of a model's gradient are generated and encoded when a sample is enough.
///
/// Every tensor gives its proportional share, at least one element, so that a selection by
/// magnitude over the whole sample sees small and large tensors in the model's own mixture (keeping
/// small tensors whole would let a ResNet's normalisations, 0.2 % of its elements, crowd a 1 %
/// selection). A share is cut in runs of whole rows, or of 512 elements where a row is very long,
/// spread evenly over the tensor, so that rows, buckets and runs of zeros stay intact.
public struct SampledLayout: Sendable, Hashable {
  /// Consecutive elements of one tensor.
  public struct Run: Sendable, Hashable, BitwiseCopyable {
    /// The tensor, in forward order.
    public let tensor: Int
    /// The first element within the tensor, row-major.
    public let start: Int
    /// The number of elements, at least 1.
    public let count: Int
  }

  /// The runs in flat order: by tensor, then by element.
  public let runs: [Run]
  /// Sampled elements of each tensor.
  public let sampledElements: [Int]
  /// All elements of each tensor.
  public let tensorElements: [Int]
  /// Sampled elements of the model: the length of a flat gradient.
  public let elementCount: Int
  /// Elements of the whole model.
  public let modelElements: Int

  /// The default number of elements sampled of a model.
  public static let defaultBudget = 1 << 20

  /// A sample of about `budget` elements; the whole model where that is enough or `budget` is nil.
  ///
  /// The count differs from `budget` by at most one element a tensor.
  public init(_ tensors: [GradientTensor], budget: Int? = SampledLayout.defaultBudget) {
    tensorElements = tensors.map(\.elements)
    modelElements = tensorElements.reduce(0, +)
    let wanted = min(max(budget ?? .max, 0), modelElements)
    var runs: [Run] = []
    var sampled: [Int] = []
    for (index, tensor) in tensors.enumerated() {
      let elements = tensor.elements
      // Nearest share: elements * wanted / modelElements, whose product may pass 2^63.
      let (product, half) = (Int128(elements) * Int128(wanted), Int128(modelElements / 2))
      let share = max(1, Int((product + half) / Int128(modelElements)))
      sampled.append(share)
      Self.cut(tensor, index: index, share: share, into: &runs)
    }
    self.runs = runs
    sampledElements = sampled
    elementCount = sampled.reduce(0, +)
  }

  /// Whether every element is generated.
  public var isWhole: Bool { elementCount == modelElements }

  /// How many elements of `tensor` one sampled element stands for.
  public func scale(ofTensor tensor: Int) -> Double {
    Double(tensorElements[tensor]) / Double(sampledElements[tensor])
  }

  /// Rows longer than this are cut.
  private static let longestRow = 8192

  private static func cut(
    _ tensor: GradientTensor, index: Int, share: Int, into runs: inout [Run]
  ) {
    let elements = tensor.elements
    let unit = tensor.columns <= longestRow ? tensor.columns : 512
    let units = elements / unit
    // Vectors are cut finer: parts of one, such as the key part of a fused bias, differ a lot.
    let least = tensor.columns == 1 ? 16 : 2048
    let length = min((least + unit - 1) / unit, max(units / 2, 1)) * unit
    guard share <= elements / 2, share > length else {
      return runs.append(Run(tensor: index, start: 0, count: share))
    }
    // count * length < share + length <= elements, so consecutive starts are a length apart.
    let count = (share + length - 1) / length
    for k in 0..<count {
      let left = share - k * length
      runs.append(Run(tensor: index, start: units * k / count * unit, count: min(length, left)))
    }
  }
}
