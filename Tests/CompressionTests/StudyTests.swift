import Compression
import SimKernel
import Testing

/// Bias, variance, contraction, residuals and the accumulated update.
struct StudyTests {
  private func study(
    _ chain: String, scheme: ExchangeScheme = .collective, workers: Int = 2, steps: Int = 1,
    seeds: Int = 1, feedback: Bool = false, momentum: MomentumCorrectionSettings? = nil,
    gradient: (Int, Int) -> [Float] = { ExchangeTests.gradients(2, iteration: $1)[$0] }
  ) throws -> CompressionStudy {
    var scratch = CodecScratch()
    let settings = CompressionSettings(
      pipeline: try Support.pipeline(chain),
      errorFeedback: feedback ? ErrorFeedbackSettings() : nil, momentumCorrection: momentum)
    return try CompressionStudy(
      plan: CompressionPlan(settings: settings, tensors: ExchangeTests.tensors), scheme: scheme,
      workers: workers, steps: steps, seeds: seeds, random: Support.random(), scratch: &scratch,
      gradient: gradient)
  }

  @Test("what loses nothing has neither bias nor variance nor residual")
  func lossless() throws {
    let result = try study("none", steps: 5, seeds: 4, feedback: true)
    #expect(result.seeds == 1 && result.variance == 0 && result.contraction == 0)
    #expect(result.bias < 1e-6 && result.updateError < 1e-6 && result.meanError < 1e-6)
    #expect(result.residual == 0 && result.updateCosine > 1 - 1e-12)
    #expect(try study("none").residual == nil)
  }

  @Test("a deterministic pipeline is biased by its error, and needs one seed")
  func deterministic() throws {
    let result = try study("top_k:ratio=0.1", steps: 1, seeds: 9)
    #expect(result.seeds == 1 && result.variance == 0)
    #expect((result.bias / result.meanError - 1).magnitude < 1e-6)
    // At least a tenth of the square is among the largest tenth.
    #expect(result.contraction > 0 && result.contraction <= 0.9)
  }

  @Test(
    "the bias of an unbiased pipeline is the noise of its estimate",
    arguments: Chains.each.filter {
      let pipeline = try? Support.pipeline($0)
      // A Hadamard rotation is unbiased only nearly.
      return pipeline?.declaration.bias == .unbiased && !$0.hasPrefix("drive")
    })
  func unbiased(chain: String) throws {
    let seeds = 64
    let result = try study(chain, seeds: seeds)
    #expect(result.seeds == seeds && result.variance > 0)
    let noise = (result.variance / Double(seeds)).squareRoot()
    // Where a few elements decide, their few draws do.
    #expect(
      result.bias > 0.4 * noise && result.bias < 1.7 * noise,
      "\(chain): bias \(result.bias), noise \(noise)")
  }

  @Test("the spread of independent rounding falls with the workers")
  func averaging() throws {
    let one = Support.synthetic(ExchangeTests.elements)
    func variance(_ workers: Int) throws -> Double {
      try study("qsgd:s=4,norm=max", workers: workers, seeds: 48) { _, _ in one }.variance
    }
    let ratio = try variance(8) / variance(1)
    #expect(ratio > 0.09 && ratio < 0.17, "an eighth, not \(ratio)")
  }

  @Test("a clipped ternary gradient is biased beyond its noise")
  func biased() throws {
    let result = try study("terngrad:clip=1", seeds: 64)
    #expect(result.bias > 3 * (result.variance / 64).squareRoot())
  }

  @Test(
    "error feedback's residual stays below Karimireddy's bound",
    arguments: ["top_k:ratio=0.05", "top_k:ratio=0.3", "ef_sign", "int8", "drive:scale=min_mse"])
  func bound(chain: String) throws {
    let pipeline = try Support.pipeline(chain)
    var scratch = CodecScratch()
    let count = 2000
    var feedback = ErrorFeedback(elementCount: count)
    var largest = 0.0
    var contraction = 0.0
    for step in 0..<60 {
      var gradient = Support.synthetic(count, seed: step)
      largest = max(largest, GradientError.norm(gradient))
      feedback.apply(to: &gradient)
      let encoded = try pipeline.encode(gradient, random: Support.random(step), scratch: &scratch)
      let decoded = try pipeline.decode(encoded, count: count, scratch: &scratch)
      let error = GradientError.compare(original: gradient, decoded: decoded).relativeL2
      contraction = max(contraction, error * error)
      feedback.update(corrected: gradient, decoded: decoded)
      let bound = CompressionStudy.residualBound(contraction: contraction)
      #expect(GradientError.norm(feedback.residual) <= bound * largest, "\(chain), step \(step)")
    }
    // k of n elements carry at least k / n of the square.
    if chain == "top_k:ratio=0.05" { #expect(contraction <= 0.95) }
    if chain == "top_k:ratio=0.3" { #expect(contraction <= 0.7) }
    #expect(CompressionStudy.residualBound(contraction: 1) == .infinity)
    #expect(CompressionStudy.residualBound(contraction: 0) == 0)
  }

  @Test("with feedback the accumulated update comes close, without it does not")
  func accumulated() throws {
    let constant = (0..<2).map { Support.normal(ExchangeTests.elements, seed: $0) }
    for chain in ["top_k:ratio=0.2", "ef_sign", "scalecom:ratio=0.2"] {
      let few = try study(chain, steps: 80, feedback: true) { worker, _ in constant[worker] }
      let many = try study(chain, steps: 640, feedback: true) { worker, _ in constant[worker] }
      let without = try study(chain, steps: 80) { worker, _ in constant[worker] }
      // A bounded residual is divided by ever more gradients.
      #expect(many.updateError < 0.4 * few.updateError, "\(chain)")
      #expect(without.updateError > 2 * few.updateError, "\(chain)")
      #expect(few.updateCosine > without.updateCosine)
      let residual = try #require(few.residual)
      #expect(residual > 0.1 && without.residual == nil, "\(chain)")
    }
  }

  @Test("momentum correction is held against momenta, not gradients")
  func momentum() throws {
    let dense = try study("none", steps: 12, momentum: .init(factor: 0.9, clipping: 0.5))
    #expect(dense.updateError < 1e-6 && dense.meanError < 1e-6)
    let sparse = try study(
      "top_k:ratio=0.2", steps: 60, momentum: .init(factor: 0.5, masking: false))
    #expect(sparse.updateError < 0.5 && sparse.updateCosine > 0.85)
    #expect(try #require(sparse.residual) > 0)
  }

  @Test("the same study gives the same numbers")
  func repeatable() throws {
    let first = try study("qsgd:s=4,norm=max", scheme: .ring, steps: 4, seeds: 4, feedback: true)
    #expect(
      try study("qsgd:s=4,norm=max", scheme: .ring, steps: 4, seeds: 4, feedback: true) == first)
  }
}
