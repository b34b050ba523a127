import SimKernel

/// What compression does to the mean gradient beyond the error of one iteration, which alone does not
/// predict convergence.
public struct CompressionStudy: Sendable, Equatable {
  /// Seeds that bias and variance rest on: 1 if no random number takes part.
  public var seeds: Int
  /// |E[decoded mean] - exact mean| / |exact mean| over the seeds, of iteration 0 without decorators.
  ///
  /// Of an unbiased pipeline it is about sqrt(``variance`` / ``seeds``), the noise of its estimate.
  public var bias: Double
  /// E |decoded mean - E[decoded mean]|^2 / |exact mean|^2, corrected for the finite number of seeds;
  /// 0 for one.
  public var variance: Double
  /// E |C(x) - x|^2 / |x|^2 of one worker's payload, over workers and seeds.
  ///
  /// 1 - delta of a delta-contraction. At least 1 is no contraction, and error feedback may
  /// diverge.
  public var contraction: Double
  /// Iterations that the following rest on.
  public var steps: Int
  /// The mean, over the workers and the second half of the iterations, of a worker's residual over
  /// its gradient, in the l2 norm; nil without error feedback or momentum correction.
  public var residual: Double?
  /// |sum of decoded means - sum of exact ones| / |sum of exact ones| over all iterations, with
  /// decorators and everything that is kept between iterations.
  ///
  /// With momentum correction the exact ones are what uncompressed workers with the same momentum and
  /// clipping would send.
  public var updateError: Double
  /// The cosine of the angle between the two sums.
  public var updateCosine: Double
  /// The mean over the iterations of |decoded mean - exact mean| / |exact mean|; iterations whose
  /// exact mean is zero are left out.
  public var meanError: Double

  /// The largest steady |residual| / |gradient| that error feedback of a delta-contraction can have,
  /// where 1 - delta is `contraction`: 2 sqrt(1 - delta) / delta (Karimireddy, Rebjock, Stich and
  /// Jaggi, ICML 2019, arXiv:1901.09847, lemma 3); infinite from 1 on.
  public static func residualBound(contraction: Double) -> Double {
    contraction < 1 ? 2 * max(0, contraction).squareRoot() / (1 - contraction) : .infinity
  }

  /// Studies the exchange of `workers` workers' gradients, `gradient(worker, iteration)`, which answers
  /// the same request alike.
  ///
  /// - Precondition: `seeds` and `steps` are at least 1.
  /// - Throws: `CodecError` for a gradient that cannot be encoded.
  /// - Complexity: `seeds` + `steps` exchanges, and `seeds` encodes a worker.
  public init(
    plan: CompressionPlan, scheme: ExchangeScheme, workers: Int, steps: Int, seeds: Int,
    random: RandomStream, scratch: inout CodecScratch,
    gradient: (_ worker: Int, _ iteration: Int) -> [Float]
  ) throws(CodecError) {
    precondition(steps >= 1 && seeds >= 1, "a study needs an iteration and a seed")
    let bare = CompressionPlan(settings: plan.settings.undecorated, tensors: plan.tensors)
    let isRandomised = bare.groups.contains { $0.pipeline.declaration.isRandomised }
    let first = (0..<workers).map { gradient($0, 0) }
    let draws = try Draws(
      bare, scheme, first, seeds: isRandomised ? seeds : 1, random: random.split(0),
      scratch: &scratch)
    self.seeds = draws.seeds
    bias = draws.bias
    variance = draws.variance
    contraction = draws.contraction
    let course = try Course(
      plan, scheme, workers: workers, steps: steps, random: random.split(1), scratch: &scratch,
      gradient: gradient)
    self.steps = steps
    residual = course.residual
    updateError = course.update.relativeL2
    updateCosine = course.update.cosine
    meanError = course.meanError
  }
}

/// The same exchange under several seeds.
private struct Draws {
  var seeds: Int
  var bias: Double
  var variance: Double
  var contraction: Double

  init(
    _ plan: CompressionPlan, _ scheme: ExchangeScheme, _ gradients: [[Float]], seeds: Int,
    random: RandomStream, scratch: inout CodecScratch
  ) throws(CodecError) {
    let count = plan.elementCount
    var sum = [Double](repeating: 0, count: count)
    var squares = [Double](repeating: 0, count: count)
    var exact: [Float] = []
    var lost = 0.0
    var terms = 0
    var decoded = [Float](repeating: 0, count: count)
    for seed in 0..<seeds {
      var exchange = CompressedExchange(plan: plan, scheme: scheme, workers: gradients.count)
      let stream = random.split(seed)
      let result = try exchange.aggregate(
        gradients, iteration: 0, random: stream, scratch: &scratch)
      exact = result.exactMean
      for index in 0..<count {
        // Deviations from the exact mean: sums of their squares do not cancel.
        let deviation = Double(result.mean[index]) - Double(exact[index])
        sum[index] += deviation
        squares[index] += deviation * deviation
      }
      for (rank, gradient) in gradients.enumerated() {
        let whole = GradientError.norm(gradient)
        if whole == 0 { continue }
        try Self.recode(gradient, plan, stream.split(0), rank, into: &decoded, scratch: &scratch)
        let error = GradientError.compare(original: gradient, decoded: decoded).relativeL2
        lost += error * error
        terms += 1
      }
    }
    self.seeds = seeds
    contraction = terms == 0 ? 0 : lost / Double(terms)
    let norm = GradientError.norm(exact)
    var offset = 0.0
    var spread = 0.0
    let number = Double(seeds)
    for index in 0..<count {
      let mean = sum[index] / number
      offset += mean * mean
      spread += max(0, squares[index] - number * mean * mean)
    }
    bias = norm == 0 ? 0 : offset.squareRoot() / norm
    variance = norm == 0 || seeds == 1 ? 0 : spread / (number - 1) / (norm * norm)
  }

  /// What one worker's payload alone decodes to.
  private static func recode(
    _ gradient: [Float], _ plan: CompressionPlan, _ random: RandomStream, _ worker: Int,
    into decoded: inout [Float], scratch: inout CodecScratch
  ) throws(CodecError) {
    let failure = gradient.withUnsafeBufferPointer { source in
      decoded.withUnsafeMutableBufferPointer { target -> CodecError? in
        do throws(CodecError) {
          let frames = try plan.encode(source, random: random, worker: worker, scratch: &scratch)
          try plan.decode(frames, into: target, scratch: &scratch)
          return nil
        } catch { return error }
      }
    }
    if let failure { throw failure }
  }
}

/// Iterations one after another, with everything that is kept between them.
private struct Course {
  var residual: Double?
  var update: GradientError
  var meanError: Double

  init(
    _ plan: CompressionPlan, _ scheme: ExchangeScheme, workers: Int, steps: Int,
    random: RandomStream, scratch: inout CodecScratch,
    gradient: (_ worker: Int, _ iteration: Int) -> [Float]
  ) throws(CodecError) {
    let count = plan.elementCount
    var exchange = CompressedExchange(plan: plan, scheme: scheme, workers: workers)
    var reference = plan.settings.momentumCorrection.map { settings in
      CompressedExchange(
        plan: CompressionPlan(
          settings: CompressionSettings(momentumCorrection: settings), tensors: plan.tensors),
        scheme: .collective, workers: workers)
    }
    var sent = [Double](repeating: 0, count: count)
    var wanted = sent
    var ratios = 0.0
    var ratioCount = 0
    var errors = 0.0
    var errorCount = 0
    for step in 0..<steps {
      let gradients = (0..<workers).map { gradient($0, step) }
      let result = try exchange.aggregate(
        gradients, iteration: step, random: random, scratch: &scratch)
      let exact =
        try reference?.aggregate(gradients, iteration: step, random: random, scratch: &scratch)
        .mean ?? result.exactMean
      for index in 0..<count {
        sent[index] += Double(result.mean[index])
        wanted[index] += Double(exact[index])
      }
      let error = GradientError.compare(original: exact, decoded: result.mean)
      if error.relativeL2.isFinite {
        errors += error.relativeL2
        errorCount += 1
      }
      guard step >= steps / 2 else { continue }
      for (own, norm) in zip(gradients, exchange.residualNorms) {
        let whole = GradientError.norm(own)
        if whole == 0 { continue }
        ratios += norm / whole
        ratioCount += 1
      }
    }
    residual = exchange.residuals.isEmpty ? nil : ratios / Double(max(1, ratioCount))
    update = GradientError.compare(original: wanted, decoded: sent)
    meanError = errors / Double(max(1, errorCount))
  }
}

extension CompressionSettings {
  /// The pipelines alone: no decorator, no schedule.
  var undecorated: CompressionSettings {
    CompressionSettings(
      pipeline: pipeline, minimumTensor: minimumTensor, scope: scope, layers: layers)
  }
}
