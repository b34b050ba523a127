import SimKernel
import Validation

/// Who is better at one place of an axis.
public enum PairWinner: String, Sendable {
  case a
  case b
  case tie

  init(_ difference: Double, _ direction: MetricDirection) {
    if difference == 0 {
      self = .tie
    } else {
      self = (difference < 0) == (direction == .lowerIsBetter) ? .b : .a
    }
  }

  /// Of two values, which tie if they are no further apart than `threshold` times the smaller one.
  init(_ a: Double, _ b: Double, _ direction: MetricDirection, threshold: Double) {
    let isTie = (b - a).magnitude <= threshold * min(a.magnitude, b.magnitude)
    self = isTie ? .tie : PairWinner(b - a, direction)
  }
}

/// Where on one axis of a scenario two of its variants tie.
public struct CrossoverQuestion: Sendable {
  /// The path of the axis.
  public var axis: String
  /// Its ends, as a scenario writes them; nil is a tenth and ten times what the scenario has.
  public var from: String?
  public var to: String?
  /// Two variants, as ``VariantPair`` reads them.
  public var between: [String]
  public var metric: String
  public var direction: MetricDirection
  /// How many intervals of equal width - of equal ratio, where the ends are more than a factor of ten
  /// apart - are looked at for crossings; two within one interval are not seen.
  public var intervals: Int
  /// The width to which a crossing is narrowed: relative to it on a scale of ratios, else to the axis.
  public var tolerance: Double
  public var confidence: Double

  public init(
    axis: String, from: String? = nil, to: String? = nil, between: [String],
    metric: String = "iteration_time_s", direction: MetricDirection = .lowerIsBetter,
    intervals: Int = 16, tolerance: Double = 1e-4, confidence: Double = 0.95
  ) {
    precondition(intervals >= 1 && tolerance > 0, "a search has intervals and an end")
    self.axis = axis
    self.from = from
    self.to = to
    self.between = between
    self.metric = metric
    self.direction = direction
    self.intervals = intervals
    self.tolerance = tolerance
    self.confidence = confidence
  }
}

/// One place where two variants tie.
public struct Crossing: Sendable, Equatable {
  /// Where the mean difference is zero, in base units of the axis.
  public var value: Double
  /// Where the search left it.
  public var bracket: ClosedRange<Double>
  /// Where each replicate ties; nil for one that does so nowhere near.
  public var replicates: [Double?]
  /// The interval of the crossing over replicates; nil of one replicate and where one has none.
  public var interval: ClosedRange<Double>?
  /// Who is better right below and above it.
  public var below: PairWinner
  public var above: PairWinner
  /// Whether the difference jumps over zero instead of passing through it.
  public var isJump: Bool
  /// Mean gradient errors next to it; nil where unknown.
  public var errorOfA: Double?
  public var errorOfB: Double?
}

/// What was found for one combination of the other axes and one job.
public struct CrossoverResult: Sendable {
  /// The values of the other axes.
  public var labels: [String]
  public var job: String
  /// From the low end of the axis to the high one.
  public var crossings: [Crossing]
  /// Who is better at the ends.
  public var atFrom: PairWinner
  public var atTo: PairWinner
  /// The relative differences B / A - 1 at the ends.
  public var gainAtFrom: Double
  public var gainAtTo: Double
  public var errorOfA: Double?
  public var errorOfB: Double?
  /// Simulated runs, of all jobs together.
  public var runs: Int
}

/// The answer to a ``CrossoverQuestion``.
public struct CrossoverAnswer: Sendable {
  public var question: CrossoverQuestion
  public var pair: VariantPair
  /// The names of the other axes.
  public var columns: [String]
  public var scale: AxisScale
  /// The ends of the axis in base units, and whether its scale is one of ratios.
  public var range: ClosedRange<Double>
  public var isLogarithmic: Bool
  public var replicates: Int
  public var results: [CrossoverResult]
  /// Doubts about the scenario.
  public var warnings: [Issue]
}

extension CrossoverQuestion {
  /// Runs `file` until every crossing is as narrow as was asked for.
  ///
  /// Replicates of both variants meet the same random numbers at every place of the axis. With several
  /// the crossing is that of the mean difference, and its interval comes from the places where each
  /// replicate ties by itself: Student's interval, from 30 on the bootstrap's, on the scale of the
  /// axis. Without variation the bracket of the search is all there is.
  ///
  /// - Throws: `InvalidInput` for axes and variants that will not do, and what a run threw.
  /// - Complexity: for every combination of the other axes `intervals` + 1 runs of either variant, and
  ///   up to log2(interval / tolerance) + 1 a crossing, replicate by replicate.
  public func answer(
    _ file: ScenarioFile, options: AnswerOptions = AnswerOptions()
  ) throws -> CrossoverAnswer {
    let path = FieldPath(parsing: axis).parts
    try refuseSwept(path, in: file)
    let variants = try VariantContexts(file, between: between)
    let line = try AxisLine(self, path, variants)
    var results: [CrossoverResult] = []
    let encodings = EncodingCache()
    for context in variants.contexts {
      var search = CrossoverSearch(
        question: self, line: line, jobs: variants.jobs,
        evaluator: PairEvaluator(
          a: context.a, b: context.b, metric: metric, options: options,
          encodings: encodings))
      results += try search.results(labels: context.labels)
    }
    return CrossoverAnswer(
      question: self, pair: variants.pair, columns: variants.columns, scale: line.scale,
      range: line.range, isLogarithmic: line.isLogarithmic, replicates: variants.replicates,
      results: results, warnings: variants.warnings)
  }

  private func refuseSwept(_ path: [String], in file: ScenarioFile) throws(InvalidInput) {
    let sweep = try Sweep(of: file.root)
    for column in sweep.columns where FieldPath(parsing: column).parts == path {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--axis"]),
          problem: .conflict(
            "\(axis) is swept in the scenario, and crossover moves it by itself; fix it first with "
              + "--set '\(axis)=...'"))
      ])
    }
  }
}

/// The axis of a search: its ends, its scale, and what values mean.
struct AxisLine {
  let path: [String]
  let scale: AxisScale
  let range: ClosedRange<Double>
  let isLogarithmic: Bool
  /// Whether the scenario takes whole numbers only here.
  let isWhole: Bool

  init(
    _ question: CrossoverQuestion, _ path: [String], _ variants: VariantContexts
  ) throws {
    self.path = path
    let context = variants.contexts[0]
    let node = context.a.root.get(path) ?? context.b.root.get(path)
    func issue(_ option: String, _ problem: Issue.Problem) -> InvalidInput {
      InvalidInput([Issue(path: FieldPath([option]), problem: problem)])
    }
    let present = node.flatMap { AxisScale.read($0) }
    if let node, present == nil {
      throw issue(
        "--axis",
        .invalid(
          found:
            "\(question.axis) is \(node.string.map(JSONNode.quoted) ?? node.kindName), no number",
          expected: "name a number, such as a bandwidth, a batch or a ratio"))
    }
    func end(_ option: String, _ text: String?, _ factor: Double) throws
      -> (value: Double, scale: AxisScale)
    {
      guard let text else {
        guard let present, present.value > 0 else {
          throw issue(
            option,
            .invalid(
              found: "the scenario does not say where \(question.axis) stands",
              expected: "give --from and --to"))
        }
        return (present.value * factor, present.scale)
      }
      guard let read = AxisScale.read(text) else {
        throw issue(
          option,
          .invalid(
            found: "\"\(text)\" is no number with a unit that simnet knows",
            expected: "write for example \(present.map { _ in "1, \"1 Gbps\" or \"5 us\"" } ?? "1")"
          ))
      }
      if let present, !read.scale.measuresLike(present.scale) {
        throw issue(
          option,
          .conflict("\"\(text)\" does not measure what \(question.axis) does in the scenario"))
      }
      return read
    }
    let low = try end("--from", question.from, 0.1)
    let high = try end("--to", question.to, 10)
    guard low.scale.measuresLike(high.scale), low.value < high.value else {
      throw issue(
        "--from",
        .conflict(
          low.scale.measuresLike(high.scale)
            ? "the axis must begin below where it ends" : "--from and --to measure different things"
        ))
    }
    // The scenario's unit is the one its readers think in.
    scale = present?.scale ?? high.scale
    range = low.value...high.value
    isLogarithmic = low.value > 0 && high.value > 10 * low.value
    let broken = low.value + 0.5
    isWhole =
      scale.unit.isEmpty && low.value == low.value.rounded() && broken < high.value
      && Self.problem(with: broken, path, scale, context) != nil
      && Self.problem(with: low.value, path, scale, context) == nil
    // Ends that are refused say why.
    for (option, value) in [("--from", low.value), ("--to", high.value)] {
      guard let problem = Self.problem(with: value, path, scale, context) else { continue }
      throw InvalidInput(
        problem.issues.map { found in
          Issue(
            path: FieldPath([option]), severity: found.severity,
            problem: .conflict("\(found.path): \(found.message)"))
        })
    }
  }

  /// Why the scenario does not take `value` on the axis; nil if it does.
  private static func problem(
    with value: Double, _ path: [String], _ scale: AxisScale, _ context: VariantContexts.Context
  ) -> InvalidInput? {
    let sides = [context.a, context.b]
    // An axis that only one variant has is set there alone.
    let owners = sides.filter { $0.root.get(path) != nil }
    for var file in owners.isEmpty ? sides : owners {
      guard file.root.set(path, to: scale.node(value)) else {
        return InvalidInput([
          Issue(
            path: FieldPath(path),
            problem: .conflict("it leads through a plain value or past the end of a list"))
        ])
      }
      do throws(InvalidInput) { _ = try SweepRunner(file, comparing: false) } catch {
        return error
      }
    }
    return nil
  }

  /// Where `value` lies on the scale.
  func coordinate(_ value: Double) -> Double {
    isLogarithmic ? DeterministicMath.log(value) : value
  }
  /// The value at a coordinate; the ends are exact.
  func value(_ coordinate: Double) -> Double {
    let value = isLogarithmic ? DeterministicMath.exp(coordinate) : coordinate
    return min(max(isWhole ? value.rounded() : value, range.lowerBound), range.upperBound)
  }
}
