import SimKernel
import Validation

/// Looks for the crossings of one combination of the other axes.
struct CrossoverSearch {
  let question: CrossoverQuestion
  let line: AxisLine
  let jobs: [String]
  var evaluator: PairEvaluator
  /// One look: what every replicate's difference was there; nil for replicates that were not run.
  private struct Look {
    var x: Double
    /// By job, then by replicate.
    var differences: [[Double?]]
    var isWhole: Bool
    var errors: [(a: Double?, b: Double?)]
    var means: [(a: Double, b: Double)]

    /// The mean over replicates of one job; nil unless all were run.
    func mean(_ job: Int) -> Double? {
      isWhole ? means[job].b - means[job].a : nil
    }
  }
  /// In the order of the axis.
  private var looks: [Look] = []

  init(
    question: CrossoverQuestion, line: AxisLine, jobs: [String], evaluator: PairEvaluator
  ) {
    self.question = question
    self.line = line
    self.jobs = jobs
    self.evaluator = evaluator
  }

  /// The results of every job.
  mutating func results(labels: [String]) throws -> [CrossoverResult] {
    try look(at: grid())
    var found: [CrossoverResult] = []
    for job in jobs.indices {
      let crossings = try crossings(of: job)
      guard let first = looks.first, let last = looks.last else { continue }
      found.append(
        CrossoverResult(
          labels: labels, job: jobs[job], crossings: crossings,
          atFrom: PairWinner(first.mean(job) ?? 0, question.direction),
          atTo: PairWinner(last.mean(job) ?? 0, question.direction),
          gainAtFrom: first.means[job].b / first.means[job].a - 1,
          gainAtTo: last.means[job].b / last.means[job].a - 1,
          errorOfA: first.errors[job].a, errorOfB: first.errors[job].b, runs: 0))
    }
    for index in found.indices { found[index].runs = evaluator.runs }
    return found
  }

  // MARK: - Looking

  /// Evenly spaced coordinates, those of whole numbers where only they count.
  private func grid() -> [Double] {
    let low = line.coordinate(line.range.lowerBound)
    let high = line.coordinate(line.range.upperBound)
    var grid: [Double] = []
    for step in 0...question.intervals {
      let x =
        step == question.intervals
        ? high : low + (high - low) * Double(step) / Double(question.intervals)
      let place = line.isWhole ? line.coordinate(line.value(x)) : x
      if grid.last.map({ $0 < place }) ?? true { grid.append(place) }
    }
    return grid
  }

  /// Runs both variants at `places` and keeps what came of it.
  private mutating func look(at places: [Double], replicate: Int? = nil) throws {
    let settings = places.map { [Setting(path: line.path, node: line.scale.node(line.value($0)))] }
    let samples = try evaluator.samples(at: settings, replicates: replicate.map { [$0] })
    for (x, sample) in zip(places, samples) {
      let differences = jobs.indices.map { job -> [Double?] in
        let own = sample.differences(job)
        guard let replicate else { return own }
        return Array(repeating: nil, count: replicate) + own
      }
      let look = Look(
        x: x, differences: differences, isWhole: replicate == nil,
        errors: jobs.indices.map { (sample.a[$0].error, sample.b[$0].error) },
        means: jobs.indices.map { (sample.a[$0].mean, sample.b[$0].mean) })
      looks.insert(look, at: looks.firstIndex { $0.x > x } ?? looks.count)
    }
  }

  /// What is known of the mean difference, or of one replicate's, along the axis.
  private func curve(_ job: Int, replicate: Int?) -> [(x: Double, value: Double)] {
    looks.compactMap { look in
      let value: Double? =
        if let replicate {
          look.differences[job].indices.contains(replicate)
            ? look.differences[job][replicate] : nil
        } else {
          look.mean(job)
        }
      return value.map { (look.x, $0) }
    }
  }

  // MARK: - Narrowing

  /// The width of the narrowest bracket around `x`.
  private func tolerance() -> Double {
    if line.isLogarithmic { return question.tolerance }
    return question.tolerance * (line.range.upperBound - line.range.lowerBound)
  }

  /// Narrows one sign change of the mean difference, or of one replicate's.
  private mutating func narrow(
    _ low: (x: Double, value: Double), _ high: (x: Double, value: Double), job: Int,
    replicate: Int?
  ) throws -> SignChange {
    var change = SignChange(low, high, tolerance: tolerance())
    while !change.isDone {
      var x = change.next
      if line.isWhole {
        let (below, above) = (line.value(change.low.x), line.value(change.high.x))
        if above - below <= 1 { break }
        x = line.coordinate(min(max(line.value(x), below + 1), above - 1))
        if x <= change.low.x || x >= change.high.x { break }
      }
      try look(at: [x], replicate: replicate)
      guard let value = curve(job, replicate: replicate).first(where: { $0.x == x })?.value else {
        preconditionFailure("a look leaves a value")
      }
      change.take(x, value)
    }
    return change
  }

  /// Every crossing of the mean difference, with those of the replicates.
  private mutating func crossings(of job: Int) throws -> [Crossing] {
    let scanned = curve(job, replicate: nil)
    var changes: [SignChange] = []
    for (low, high) in zip(scanned, scanned.dropFirst())
    where SignChange.sign(low.value) != SignChange.sign(high.value) {
      changes.append(try narrow(low, high, job: job, replicate: nil))
    }
    // A tie right at a look is met from both sides.
    var merged: [(change: SignChange, upper: SignChange)] = []
    for change in changes {
      if let last = merged.last, last.upper.high.value == 0, change.low.value == 0,
        change.high.x - last.change.low.x <= 4 * tolerance()
      {
        merged[merged.count - 1].upper = change
      } else {
        merged.append((change, change))
      }
    }
    var crossings: [Crossing] = []
    for (lower, upper) in merged {
      crossings.append(try crossing(job, lower, upper))
    }
    return crossings
  }

  private mutating func crossing(
    _ job: Int, _ lower: SignChange, _ upper: SignChange
  ) throws -> Crossing {
    let isOne = lower.low.x == upper.low.x && lower.high.x == upper.high.x
    let x = isOne ? lower.estimate : (lower.high.x + upper.low.x) / 2
    let nearest = looks.filter(\.isWhole).min { a, b in
      (a.x - x).magnitude < (b.x - x).magnitude
    }
    let count = looks.first?.differences[job].count ?? 0
    var places: [Double?] = []
    if count > 1 {
      for replicate in 0..<count {
        places.append(
          try place(
            of: replicate, job, near: x, rising: upper.above > lower.below))
      }
    }
    // A difference that passes through zero is small next to it: no larger than its slope over the
    // neighbouring looks tells.
    let gap = (upper.high.value - lower.low.value).magnitude
    let outer = curve(job, replicate: nil)
    let before = outer.last { $0.x < lower.low.x - 2 * tolerance() }
    let after = outer.first { $0.x > upper.high.x + 2 * tolerance() }
    let slope =
      [
        before.map { (lower.low.value - $0.value).magnitude / (lower.low.x - $0.x) },
        after.map { ($0.value - upper.high.value).magnitude / ($0.x - upper.high.x) },
      ].compactMap { $0 }.max() ?? 0
    let width = upper.high.x - lower.low.x
    let scale = nearest.map { max($0.means[job].a.magnitude, $0.means[job].b.magnitude) } ?? 0
    return Crossing(
      value: line.value(x),
      bracket: line.value(lower.low.x)...line.value(upper.high.x),
      replicates: places.map { $0.map(line.value) }, interval: interval(places),
      below: PairWinner(lower.below, question.direction),
      above: PairWinner(upper.above, question.direction),
      isJump: gap > 10 * slope * width && gap > 1e-6 * scale && !line.isWhole,
      errorOfA: nearest?.errors[job].a, errorOfB: nearest?.errors[job].b)
  }

  /// Where one replicate ties: its sign change nearest to `x` that goes the same way.
  private mutating func place(
    of replicate: Int, _ job: Int, near x: Double, rising: Bool
  ) throws -> Double? {
    let known = curve(job, replicate: replicate)
    var best: (low: (x: Double, value: Double), high: (x: Double, value: Double))?
    var distance = Double.infinity
    for (low, high) in zip(known, known.dropFirst())
    where SignChange.sign(low.value) != SignChange.sign(high.value)
      && (high.value > low.value) == rising
    {
      let away = max(0, max(low.x - x, x - high.x))
      if away < distance {
        distance = away
        best = (low, high)
      }
    }
    guard let best else { return nil }
    if best.high.x - best.low.x <= tolerance() {
      return SignChange(best.low, best.high, tolerance: tolerance()).estimate
    }
    return try narrow(best.low, best.high, job: job, replicate: replicate).estimate
  }

  /// The interval of the crossing from those of the replicates, on the scale of the axis.
  private func interval(_ places: [Double?]) -> ClosedRange<Double>? {
    let known = places.compactMap { $0 }
    guard known.count >= 2, known.count == places.count,
      let sample = try? PairedDifferences(
        baseline: Array(repeating: 0, count: known.count), candidate: known)
    else { return nil }
    let interval =
      known.count >= 30
      ? Bootstrap().interval(
        of: sample, confidence: question.confidence,
        stream: RandomStream(seed: 1, purpose: RandomPurpose("crossover")))
      : sample.studentInterval(confidence: question.confidence)
    return interval.map { line.unclamped($0.lowerBound)...line.unclamped($0.upperBound) }
  }
}

extension AxisLine {
  /// The value at a coordinate, beyond the ends as well.
  func unclamped(_ coordinate: Double) -> Double {
    isLogarithmic ? DeterministicMath.exp(coordinate) : coordinate
  }
}
