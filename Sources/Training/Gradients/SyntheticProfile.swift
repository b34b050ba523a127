import SimKernel

/// How far training has come; gradients grow sparser and less alike as it goes.
public enum TrainingStage: String, Sendable, CaseIterable {
  /// The first steps.
  case early
  /// The loss falls.
  case middle
  /// The training loss is nearly flat.
  case late
}

/// Whose recorded gradients a synthetic source imitates.
public enum GradientFamily: String, Sendable, CaseIterable {
  /// Fully connected layers with ReLU (mlp-digits).
  case mlp
  /// Convolutions with batch normalisation (resnet8-digits).
  case convolutional
  /// Attention blocks with layer normalisation (chargpt).
  case transformer
  /// A wide embedding table with a small head (wordemb).
  case embedding

  /// The family that the kinds of layers of `tensors` suggest.
  public init(resembling tensors: [GradientTensor]) {
    let kinds = Set(tensors.map(\.kind))
    if kinds.contains(.conv) {
      self = .convolutional
    } else if kinds.contains(.embedding) {
      self = kinds.contains(.norm) ? .transformer : .embedding
    } else {
      self = kinds.contains(.norm) ? .transformer : .mlp
    }
  }
}

/// What synthetic gradients resemble: a family of models at a stage of training.
public struct SyntheticProfile: Sendable, Hashable {
  /// The stage of training.
  public var stage: TrainingStage
  /// The family; nil chooses it from the kinds of the tensors.
  public var family: GradientFamily?

  public init(stage: TrainingStage = .middle, family: GradientFamily? = nil) {
    self.stage = stage
    self.family = family
  }
}

// MARK: - The fitted table

/// The quantile function of the live scales along one axis, and how the axis is ranked.
struct AxisProfile: Sendable, Hashable {
  /// Share of rows or columns that are exactly zero.
  var dead: Double
  /// Correlation of the ranking with the index, of either sign: frequency-sorted vocabularies.
  var trend: Double
  /// Part of the ranking's variance that blocks of neighbours share.
  var clustering: Double
  /// Part of the ranking's variance that all workers share, `trend` squared and clustering included.
  var shared: Double
  /// Scales at ``SyntheticTable/probabilities``, RMS about 1.
  var knots: [Double]
}

/// What was fitted on one recorded tensor.
struct TensorProfile: Sendable, Hashable {
  var name: String
  var kind: String
  var rows: Int
  var columns: Int
  /// RMS relative to that of the whole gradient.
  var relativeRMS: Double
  /// Exact zeros among the elements of live rows and columns.
  var zeros: Double
  /// Shape of the draws: see ``ElementDraw``.
  var tail: Double
  /// Part of an element's variance that all workers share.
  var sharedDraw: Double
  var row: AxisProfile
  var column: AxisProfile
}

/// One family at one stage.
struct StageProfile: Sendable, Hashable {
  /// RMS of the whole gradient.
  var rms: Double
  /// Standard deviation of the base-2 logarithm of the workers' RMS.
  var spread: Double
  var tensors: [TensorProfile]

  /// The profile of `family` at `stage`, from the committed table.
  ///
  /// - Complexity: O(table), about 60 KB of text.
  init(family: GradientFamily, stage: TrainingStage) {
    var reader = IntegerTable(SyntheticTable.text)
    let unit = 1e-4
    while let key = reader.word() {
      // Every section is read in full: its length is not stored.
      let owner = reader.requiredWord()
      let rms = Double(reader.integer()) * 1e-9
      let spread = Double(reader.integer()) * unit
      let count = reader.integer()
      var tensors: [TensorProfile] = []
      for _ in 0..<count {
        let name = reader.requiredWord()
        let kind = reader.requiredWord()
        let rows = reader.integer()
        let columns = reader.integer()
        func fraction() -> Double { Double(reader.integer()) * unit }
        func axis(_ size: Int) -> AxisProfile {
          let dead = fraction()
          let trend = fraction()
          let clustering = fraction()
          let shared = fraction()
          let knots =
            size > 1 ? SyntheticTable.probabilities.map { _ in fraction() } : [1.0, 1.0]
          return AxisProfile(
            dead: dead, trend: trend, clustering: clustering, shared: shared, knots: knots)
        }
        let relative = fraction()
        let zeros = fraction()
        let tail = fraction()
        let shared = fraction()
        let row = axis(max(rows, 2))
        let column = axis(columns)
        tensors.append(
          TensorProfile(
            name: name, kind: kind, rows: rows, columns: columns, relativeRMS: relative,
            zeros: zeros, tail: tail, sharedDraw: shared, row: row, column: column))
      }
      if key == family.rawValue && owner == stage.rawValue {
        (self.rms, self.spread, self.tensors) = (rms, spread, tensors)
        return
      }
    }
    preconditionFailure("the table has every family at every stage")
  }

  /// The fitted tensor that each of `targets` imitates: of its kind, near its relative position in
  /// forward order and of similar aspect (rows to columns; a vector's length to the mean of all).
  ///
  /// A kind that the family lacks borrows from the nearest in nature: a bias from norms, any matrix
  /// from linear layers, then from whatever there is. For the fitted models themselves every tensor
  /// finds its own record. For deep models this assumes that gradients depend on the kind of layer,
  /// its role and its relative depth, not on width; nothing here was measured on large models.
  func matches(for targets: [GradientTensor]) -> [TensorProfile] {
    let vectors = targets.filter { $0.columns == 1 }.map { Double($0.rows) }
    let ownVectors = tensors.filter { $0.columns == 1 }.map { Double($0.rows) }
    func mean(_ values: [Double]) -> Double {
      values.isEmpty ? 1 : values.reduce(0, +) / Double(values.count)
    }
    let (targetMean, ownMean) = (mean(vectors), mean(ownVectors))
    func aspect(_ rows: Int, _ columns: Int, _ mean: Double) -> Double {
      DeterministicMath.log2(Double(rows) / (columns == 1 ? mean : Double(columns)))
    }
    return targets.enumerated().map { index, target in
      let position = targets.count > 1 ? Double(index) / Double(targets.count - 1) : 0.5
      let wanted = aspect(target.rows, target.columns, targetMean)
      for accepted in Self.kinds(for: target) {
        var best: (cost: Double, profile: TensorProfile)?
        for (order, candidate) in tensors.enumerated() where accepted.contains(candidate.kind) {
          let own = Double(order) / Double(max(1, tensors.count - 1))
          let cost =
            (position - own).magnitude + 0.25
            * (wanted - aspect(candidate.rows, candidate.columns, ownMean)).magnitude
          if cost < best?.cost ?? .infinity { best = (cost, candidate) }
        }
        if let best { return best.profile }
      }
      preconditionFailure("every family has a tensor of some kind")
    }
  }

  /// Kinds of records in the order in which a target accepts them.
  private static func kinds(for target: GradientTensor) -> [[String]] {
    let vector = [["bias"], ["norm_bias"], ["norm"]]
    let matrix = [["linear"], ["conv"], ["embedding"]]
    let all = vector + matrix
    switch target.kind {
    case .conv: return [["conv"]] + matrix + all
    case .embedding where target.columns > 1: return [["embedding"]] + matrix + all
    case .norm: return [[target.name.hasSuffix("bias") ? "norm_bias" : "norm"]] + vector + all
    case .linear, .bias, .other, .embedding:
      return target.columns == 1 ? vector + all : matrix + all
    }
  }
}

/// Reads words and integers separated by white space; the table is our own, so it traps on others.
private struct IntegerTable {
  private let bytes: StaticString
  private var at = 0

  init(_ text: StaticString) { bytes = text }

  /// The next word, nil at the end.
  mutating func word() -> String? {
    // Reads stay below utf8CodeUnitCount of a static string, which lives for ever.
    let start = bytes.utf8Start
    let end = bytes.utf8CodeUnitCount
    while at < end, start[at] <= 32 { at += 1 }
    if at == end { return nil }
    let first = at
    while at < end, start[at] > 32 { at += 1 }
    return String(
      decoding: UnsafeBufferPointer(start: start + first, count: at - first), as: UTF8.self)
  }
  mutating func requiredWord() -> String {
    guard let word = word() else { preconditionFailure("the table ends early") }
    return word
  }
  mutating func integer() -> Int {
    let start = bytes.utf8Start
    let end = bytes.utf8CodeUnitCount
    while at < end, start[at] <= 32 { at += 1 }
    var negative = false
    if at < end, start[at] == UInt8(ascii: "-") {
      negative = true
      at += 1
    }
    var value = 0
    while at < end, start[at] > 32 {
      value = value * 10 + Int(start[at] - UInt8(ascii: "0"))
      at += 1
    }
    return negative ? -value : value
  }
}
