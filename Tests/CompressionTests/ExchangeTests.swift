import Compression
import SimKernel
import Testing

/// Whole exchanges: collectives, servers, rings and trees of several workers.
struct ExchangeTests {
  static let counts = [1, 2, 3, 5, 8]
  static let elements = 1003
  static let tensors = Support.tensors(shaped: [
    ("a.weight", [20, 30]), ("a.bias", [30]), ("b.weight", [12, 31]), ("b.bias", [1]),
  ])

  static func gradients(_ workers: Int, iteration: Int = 0) -> [[Float]] {
    let common = Support.synthetic(elements, seed: 1000 + iteration)
    return (0..<workers).map { rank in
      zip(common, Support.synthetic(elements, seed: 100 * iteration + rank)).map {
        0.7 * $0 + 0.3 * $1
      }
    }
  }
  static func plan(
    _ chain: String, feedback: Bool = false, scope: CodecScope = .model
  ) throws -> CompressionPlan {
    CompressionPlan(
      settings: CompressionSettings(
        pipeline: try Support.pipeline(chain),
        errorFeedback: feedback ? ErrorFeedbackSettings() : nil, scope: scope),
      tensors: tensors)
  }
  static func schemes(_ workers: Int) -> [ExchangeScheme] {
    [
      .collective, .servers(shards: 1, reply: .dense, feedback: nil),
      .servers(shards: 3, reply: .encoded, feedback: nil),
      .servers(shards: workers, reply: .encoded, feedback: ErrorFeedbackSettings()),
      .ring, .topKTree,
    ]
  }
  private func run(
    _ plan: CompressionPlan, _ scheme: ExchangeScheme, _ workers: Int, iteration: Int = 0
  ) throws -> AggregatedGradient {
    var scratch = CodecScratch()
    var exchange = CompressedExchange(plan: plan, scheme: scheme, workers: workers)
    return try exchange.aggregate(
      Self.gradients(workers), iteration: iteration, random: Support.random(), scratch: &scratch)
  }

  @Test("what loses nothing gives the exact mean in every scheme", arguments: counts)
  func lossless(workers: Int) throws {
    for chain in ["none", "zstd", "omnireduce:block=16"] {
      let plan = try Self.plan(chain, feedback: true)
      for scheme in Self.schemes(workers)
      where CompressedExchange.refusal(of: plan.settings, scheme: scheme) == nil {
        let result = try run(plan, scheme, workers)
        #expect(result.error.relativeL2 < 1e-6, "\(chain), \(scheme)")
      }
    }
  }

  @Test("the collective is the plan's own aggregation", arguments: Chains.all)
  func collective(chain: String) throws {
    let plan = try Self.plan(chain, scope: .layer)
    let result = try run(plan, .collective, 3)
    var scratch = CodecScratch()
    let own = try plan.aggregate(
      Self.gradients(3), random: Support.random().split(0), scratch: &scratch)
    #expect(result.mean == own.mean && result.error == own.error)
    #expect(result.exchanges.map(\.bits) == own.exchanges.map(\.bits))
  }

  /// Chains that feedback can keep up with: contractions, and unbiased ones of small error.
  static let steady = [
    "top_k:ratio=0.1", "top_k:ratio=0.1|fp16", "top_k:ratio=0.2|int8", "ef_sign", "onebit", "int8",
    "fp16", "3lc", "dgc:ratio=0.1", "wangni:ratio=0.9", "natural", "qsgd:s=64,norm=max",
    "int8:shared_range=true", "rht_usq:bits=8,shared_range=true", "random_k:ratio=0.3,scaled=false",
    "scalecom:ratio=0.1", "scalecom:ratio=0.1|fp16", "powersgd:rank=2", "count_sketch:ratio=0.1",
    "drive:scale=min_mse", "stc:ratio=0.1",
  ]

  @Test("with feedback nothing is lost, only late", arguments: steady)
  func bookkeeping(chain: String) throws {
    let plan = try Self.plan(chain, feedback: true)
    var scratch = CodecScratch()
    // Sums that travel in sixteen bits are rounded by nobody in particular.
    let tolerance = chain.contains("fp16") ? 2e-3 : 2e-5
    var checked = 0
    for workers in Self.counts {
      for scheme in Self.schemes(workers)
      where CompressedExchange.refusal(of: plan.settings, scheme: scheme) == nil {
        var exchange = CompressedExchange(plan: plan, scheme: scheme, workers: workers)
        var sent = [Double](repeating: 0, count: Self.elements)
        var exact = sent
        for iteration in 0..<6 {
          let result = try exchange.aggregate(
            Self.gradients(workers, iteration: iteration), iteration: iteration,
            random: Support.random(), scratch: &scratch)
          for index in sent.indices {
            sent[index] += Double(result.mean[index])
            exact[index] += Double(result.exactMean[index])
          }
        }
        for (index, value) in exchange.serverResidual.enumerated() { sent[index] += Double(value) }
        for residual in exchange.residuals {
          for index in sent.indices { sent[index] += Double(residual[index]) / Double(workers) }
        }
        let difference = zip(sent, exact).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let norm = exact.reduce(0) { $0 + $1 * $1 }
        let error = (difference / norm).squareRoot()
        if scheme == .servers(shards: 3, reply: .encoded, feedback: nil) {
          // What this reply loses nobody keeps: the very reason for two-sided feedback. What one
          // worker has selected or rounded, a server may encode without any loss.
          #expect(workers == 1 || error > 1e-7, "\(chain), \(scheme), \(workers) workers: \(error)")
        } else {
          #expect(error < tolerance, "\(chain), \(scheme), \(workers) workers: \(error)")
        }
        checked += 1
      }
    }
    #expect(checked >= Self.counts.count)
  }

  @Test("two-sided feedback of signs: the accumulated update comes close (1-bit Adam)")
  func twoSided() throws {
    let gradients = (0..<4).map { Support.normal(Self.elements, seed: $0) }
    func error(_ feedback: ErrorFeedbackSettings?, steps: Int) throws -> Double {
      var scratch = CodecScratch()
      let study = try CompressionStudy(
        plan: try Self.plan("ef_sign", feedback: feedback != nil),
        scheme: .servers(shards: 4, reply: .encoded, feedback: feedback), workers: 4,
        steps: steps, seeds: 1, random: Support.random(), scratch: &scratch
      ) { worker, _ in gradients[worker] }
      return study.updateError
    }
    let (few, many) = (
      try error(ErrorFeedbackSettings(), steps: 80), try error(ErrorFeedbackSettings(), steps: 640)
    )
    #expect(many < few / 3, "\(few) after 80, \(many) after 640")
    let without = try error(nil, steps: 80)
    #expect(without > 5 * many, "\(without) without feedback")
  }

  @Test("a ring that encodes again loses more with every hop")
  func hops() throws {
    for chain in ["fp16", "int8", "ef_sign"] {
      var errors: [Double] = []
      for workers in [2, 4, 8, 16] {
        errors.append(try run(try Self.plan(chain), .ring, workers).error.relativeL2)
      }
      for (fewer, more) in zip(errors, errors.dropFirst()) {
        #expect(more > fewer, "\(chain): \(errors)")
      }
    }
    // A server encodes once more, however many workers there are.
    let server = ExchangeScheme.servers(shards: 1, reply: .encoded, feedback: nil)
    let served = try run(try Self.plan("int8"), server, 16).error.relativeL2
    #expect(try run(try Self.plan("int8"), .ring, 16).error.relativeL2 > served)
  }

  @Test("a ring sends P - 1 hops and a gather, servers pushes and replies")
  func traffic() throws {
    let plan = try Self.plan("int8")
    let ring = try run(plan, .ring, 4)
    #expect(ring.exchanges.map(\.kind) == [.sum, .sum, .sum, .gather])
    // Chunks of 251, 251, 251 and 250 elements with a scale each.
    let all = ring.exchanges.map { $0.bits.reduce(0, +) }
    #expect(all == [Int64](repeating: 8 * 1003 + 4 * 32, count: 4))
    let served = try run(plan, .servers(shards: 3, reply: .encoded, feedback: nil), 4)
    #expect(served.exchanges.map(\.kind) == [.gather, .broadcast])
    #expect(served.exchanges[0].bits == [Int64](repeating: 8 * 1003 + 3 * 32, count: 4))
    let replies: [Int64] = [8 * 335 + 32, 8 * 335 + 32, 8 * 333 + 32]
    #expect(served.exchanges[1].bits == replies)
    let dense = try run(plan, .servers(shards: 2, reply: .dense, feedback: nil), 4)
    let plain: [Int64] = [32 * 502, 32 * 501]
    #expect(dense.exchanges[1].bits == plain)
  }

  @Test("one server that replies with plain numbers is a gather")
  func gather() throws {
    for chain in ["top_k:ratio=0.05", "ef_sign", "int8"] {
      let plan = try Self.plan(chain)
      let served = try run(plan, .servers(shards: 1, reply: .dense, feedback: nil), 5)
      let gathered = try run(plan, .collective, 5)
      let error = GradientError.compare(original: gathered.mean, decoded: served.mean)
      #expect(error.relativeL2 < 1e-6, "\(chain)")
    }
  }

  @Test("more servers or workers than elements leave some without any")
  func tiny() throws {
    let tensors = TensorRange.whole(3)
    let settings = CompressionSettings(pipeline: try Support.pipeline("int8"))
    var scratch = CodecScratch()
    for scheme in [ExchangeScheme.ring, .servers(shards: 7, reply: .encoded, feedback: nil)] {
      for count in 0...3 {
        var exchange = CompressedExchange(
          plan: CompressionPlan(
            settings: settings, tensors: count == 3 ? tensors : TensorRange.whole(count)),
          scheme: scheme, workers: 5)
        let gradient = [Float]([1, -0.5, 0.25].prefix(count))
        let result = try exchange.aggregate(
          [[Float]](repeating: gradient, count: 5), iteration: 0, random: Support.random(),
          scratch: &scratch)
        #expect(result.mean.count == count && result.error.relativeL2 < 0.05)
      }
    }
  }

  // MARK: - Top-k tree

  private func tree(_ gradients: [[Float]], _ chain: String) throws -> AggregatedGradient {
    var scratch = CodecScratch()
    let settings = CompressionSettings(pipeline: try Support.pipeline(chain))
    var exchange = CompressedExchange(
      plan: CompressionPlan(
        settings: settings, tensors: TensorRange.whole(gradients[0].count)),
      scheme: .topKTree, workers: gradients.count)
    return try exchange.aggregate(
      gradients, iteration: 0, random: Support.random(), scratch: &scratch)
  }

  @Test("every merge of the tree keeps the k largest of a sum")
  func merges() throws {
    // k = 1. Ranks 0 and 1 merge to position 1 (3), 2 and 3 to position 2 (4 + 2); 6 is larger.
    let gradients: [[Float]] = [[2, 0, 1, 0], [0, 3, 0, 0], [0, 1, 4, 0], [1, 0, 2, 0]]
    let result = try tree(gradients, "top_k:ratio=0.25")
    #expect(result.mean == [0, 0, 1.5, 0])
    #expect(result.exchanges.map(\.kind) == [.sum, .sum, .broadcast])
    let bits: [[Int64]] = [[0, 64, 0, 64], [0, 0, 64, 0], [64, 0, 0, 0]]
    #expect(result.exchanges.map(\.bits) == bits)
    // Three workers: the third goes up alone.
    let three = try tree(Array(gradients[0..<3]), "top_k:ratio=0.25")
    #expect(three.exchanges.map(\.bits) == [[0, 64, 0], [0, 0, 64], [64, 0, 0]])
    #expect(three.mean == [0, 0, 4 / 3, 0])
  }

  @Test("equal gradients go through the tree as one, and k never grows")
  func equals() throws {
    let one = Support.synthetic(2000)
    let top = try Support.roundTrip("top_k:ratio=0.05", one).decoded
    #expect(try tree([[Float]](repeating: one, count: 4), "top_k:ratio=0.05").mean == top)
    for workers in [2, 3, 7, 16] {
      let own = (0..<workers).map { Support.synthetic(2000, seed: $0) }
      let mean = try tree(own, "top_k:ratio=0.05").mean
      #expect(mean.filter { $0 != 0 }.count <= 100)
    }
  }

  @Test("what the tree does not carry stays with the workers, as gTop-k has it")
  func returns() throws {
    let gradients: [[Float]] = [[2, 0, 1, 0], [0, 3, 0, 0], [0, 1, 4, 0], [1, 0, 2, 0]]
    let settings = CompressionSettings(
      pipeline: try Support.pipeline("top_k:ratio=0.25"), errorFeedback: .init())
    var exchange = CompressedExchange(
      plan: CompressionPlan(settings: settings, tensors: TensorRange.whole(4)),
      scheme: .topKTree, workers: 4)
    var scratch = CodecScratch()
    _ = try exchange.aggregate(
      gradients, iteration: 0, random: Support.random(), scratch: &scratch)
    // Selected: 2 at 0, 3 at 1, 4 at 2, 2 at 2; only position 2 comes through.
    #expect(exchange.residuals == [[2, 0, 1, 0], [0, 3, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]])
  }

  // MARK: - What makes no sense

  @Test("schemes refuse pipelines with a reason")
  func refusals() throws {
    func reason(_ chain: String, _ scheme: ExchangeScheme) throws -> String {
      CompressedExchange.refusal(of: try Self.plan(chain).settings, scheme: scheme) ?? ""
    }
    let servers = ExchangeScheme.servers(shards: 4, reply: .encoded, feedback: nil)
    let one = ExchangeScheme.servers(shards: 1, reply: .encoded, feedback: nil)
    for chain in Chains.all { #expect(try reason(chain, .collective).isEmpty, "\(chain)") }
    #expect(try reason("powersgd", servers).contains("cut the matrices"))
    #expect(try reason("powersgd|zstd", .ring).contains("cut the matrices"))
    #expect(try reason("powersgd", one).isEmpty)
    #expect(try reason("scalecom:ratio=0.1", one).contains("the leader's positions"))
    #expect(try reason("int8:shared_range=true", .ring).contains("range of a scope"))
    #expect(try reason("random_k:ratio=0.1", servers).contains("draw again"))
    let dense = ExchangeScheme.servers(shards: 4, reply: .dense, feedback: nil)
    #expect(try reason("random_k:ratio=0.1", dense).isEmpty)
    #expect(try reason("signsgd", .ring).contains("no magnitudes"))
    #expect(try reason("signum|zstd", .ring).contains("no magnitudes"))
    #expect(try reason("signsgd", servers).isEmpty)
    for chain in [
      "int8", "top_k:ratio=0.1|fp16", "stc:ratio=0.1", "random_k:ratio=0.1", "omnireduce",
    ] {
      #expect(try reason(chain, .topKTree).contains("selected float32 values"), "\(chain)")
    }
    for chain in ["none", "top_k:ratio=0.1,index=rice", "dgc:ratio=0.1", "wangni:ratio=0.1"] {
      #expect(try reason(chain, .topKTree).isEmpty, "\(chain)")
    }
    #expect(
      try reason("int8", .servers(shards: 2, reply: .dense, feedback: .init())).contains(
        "leave its feedback out"))
    #expect(
      try reason("int8", .servers(shards: 0, reply: .dense, feedback: nil)).contains("at least one")
    )
  }

  @Test("what a scheme takes, it exchanges", arguments: Chains.all)
  func accepted(chain: String) throws {
    for scope in [CodecScope.model, .bucket(100)] {
      let plan = try Self.plan(chain, feedback: true, scope: scope)
      for scheme in Self.schemes(3)
      where CompressedExchange.refusal(of: plan.settings, scheme: scheme) == nil {
        let result = try run(plan, scheme, 3)
        #expect(result.mean.allSatisfy { $0.isFinite }, "\(chain), \(scheme)")
        #expect(result.exchanges.allSatisfy { $0.bits.allSatisfy { $0 >= 0 } })
      }
    }
  }

  // MARK: - State

  @Test("the same exchange twice gives the same bits, and a copy goes its own way")
  func copies() throws {
    for (chain, scheme) in [
      ("powersgd:rank=2", ExchangeScheme.collective), ("signum", .collective),
      ("qsgd:s=4,norm=max", .ring),
      ("ef_sign", .servers(shards: 2, reply: .encoded, feedback: .init())),
    ] {
      var scratch = CodecScratch()
      var one = CompressedExchange(
        plan: try Self.plan(chain, feedback: true), scheme: scheme, workers: 3)
      var means: [[Float]] = []
      var copy = one
      for iteration in 0..<4 {
        if iteration == 2 { copy = one }
        means.append(
          try one.aggregate(
            Self.gradients(3, iteration: iteration), iteration: iteration,
            random: Support.random(), scratch: &scratch
          ).mean)
      }
      for iteration in 2..<4 {
        let mean = try copy.aggregate(
          Self.gradients(3, iteration: iteration), iteration: iteration,
          random: Support.random(), scratch: &scratch
        ).mean
        #expect(mean == means[iteration], "\(chain), iteration \(iteration)")
      }
    }
  }

  @Test("a warm-up is exact while it is dense, and residuals outlive it")
  func warmUp() throws {
    let settings = CompressionSettings(
      pipeline: try Support.pipeline("top_k:ratio=0.01"), errorFeedback: .init(),
      layers: [.init(pattern: NamePattern("a.bias"), pipeline: .identity)],
      warmUp: WarmUpSettings(iterations: 4, ratios: [0.5, 0.1]), startIteration: 2)
    var exchange = CompressedExchange(
      plan: CompressionPlan(settings: settings, tensors: Self.tensors), scheme: .collective,
      workers: 3)
    var scratch = CodecScratch()
    var bits: [Int64] = []
    var norms: [Double] = []
    for iteration in 0..<8 {
      let result = try exchange.aggregate(
        Self.gradients(3, iteration: iteration), iteration: iteration, random: Support.random(),
        scratch: &scratch)
      #expect((result.error.relativeL2 < 1e-6) == (iteration < 2))
      bits.append(exchange.sentBits[0])
      norms.append(exchange.residualNorms[1])
    }
    // 30 elements are never compressed; half, a tenth and a hundredth of 973 are.
    let expected: [Int64] = [
      32 * 1003, 32 * 1003, 64 * 486 + 960, 64 * 486 + 960, 64 * 97 + 960, 64 * 97 + 960,
      64 * 9 + 960, 64 * 9 + 960,
    ]
    #expect(bits == expected)
    #expect(norms[1] == 0 && norms[2] > 0 && norms[7] > norms[2])
    #expect(exchange.keptFloats(ofWorker: 0) == Self.elements)
  }

  @Test("momentum correction sends momenta in the end, and needs them dense to be exact")
  func momentum() throws {
    for (chain, masking) in [("none", true), ("fp16", true), ("top_k:ratio=0.2", false)] {
      let settings = CompressionSettings(
        pipeline: try Support.pipeline(chain),
        momentumCorrection: .init(factor: 0.5, masking: masking))
      var exchange = CompressedExchange(
        plan: CompressionPlan(settings: settings, tensors: Self.tensors), scheme: .collective,
        workers: 2)
      var scratch = CodecScratch()
      var moment = [Double](repeating: 0, count: Self.elements)
      var total = moment
      var sent = moment
      for iteration in 0..<10 {
        let result = try exchange.aggregate(
          Self.gradients(2, iteration: iteration), iteration: iteration, random: Support.random(),
          scratch: &scratch)
        for index in moment.indices {
          moment[index] = 0.5 * moment[index] + Double(result.exactMean[index])
          total[index] += moment[index]
          sent[index] += Double(result.mean[index])
        }
      }
      for residual in exchange.residuals {
        for index in sent.indices { sent[index] += Double(residual[index]) / 2 }
      }
      let difference = zip(sent, total).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      let norm = total.reduce(0) { $0 + $1 * $1 }
      #expect((difference / norm).squareRoot() < 1e-3, "\(chain)")
      #expect(exchange.keptFloats(ofWorker: 1) == 2 * Self.elements)
    }
  }
}
