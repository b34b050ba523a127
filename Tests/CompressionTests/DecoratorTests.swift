import Compression
import SimKernel
import Testing

/// Momentum correction, warm-up and start iteration: how they are read, and what they come to.
struct DecoratorTests {
  private func read(_ json: String) throws -> CompressionSettings {
    let issues = IssueCollector()
    let node = try JSONNode.parse(json, origin: "test")
    let settings = FieldReader.read(node, issues: issues) { CompressionSettings(&$0) }
    try issues.throwIfInvalid()
    return settings
  }
  private func problems(_ json: String) throws -> [String] {
    let issues = IssueCollector()
    let node = try JSONNode.parse(json, origin: "test")
    _ = FieldReader.read(node, issues: issues) { CompressionSettings(&$0) }
    return issues.errors.map(\.description)
  }

  // MARK: - Reading

  @Test("momentum correction is a switch or a record")
  func momentum() throws {
    #expect(try read("{}").momentumCorrection == nil)
    #expect(try read(#"{"momentum_correction":false}"#).momentumCorrection == nil)
    let plain = try #require(try read(#"{"momentum_correction":true}"#).momentumCorrection)
    #expect(plain == MomentumCorrectionSettings(factor: 0.9, masking: true))
    let own = try read(
      #"{"momentum_correction":{"factor":0.5,"masking":false,"nesterov":true,"clipping":2}}"#
    ).momentumCorrection
    #expect(
      own
        == MomentumCorrectionSettings(factor: 0.5, masking: false, nesterov: true, clipping: 2))
    #expect(
      try problems(#"{"momentum_correction":{"factor":1}}"#)[0].contains(
        "momentum_correction.factor"))
    #expect(try problems(#"{"momentum_correction":{"maskin":true}}"#)[0].contains("did you mean"))
    #expect(try problems(#"{"momentum_correction":"yes"}"#)[0].contains("found a string"))
  }

  @Test("contradictions are refused with what to do")
  func conflicts() throws {
    let both = try problems(#"{"momentum_correction":true,"error_feedback":true}"#)
    #expect(both.count == 1 && both[0].contains("remove error_feedback"))
    let ratio = try problems(
      #"{"compression":"fp16","warm_up":{"iterations":4,"ratios":[0.5]}}"#)
    #expect(ratio.count == 1 && ratio[0].contains("fp16 has none"))
    #expect(try problems(#"{"compression":"fp16","warm_up":{"iterations":4}}"#).isEmpty)
    #expect(try problems(#"{"warm_up":{"ratios":[0.5]}}"#)[0].contains("iterations"))
    #expect(
      try problems(#"{"compression":"top_k:ratio=0.1","warm_up":{"iterations":4,"ratios":[2]}}"#)[
        0
      ].contains("warm_up.ratios"))
    #expect(try problems(#"{"start_iteration":-1}"#)[0].contains("start_iteration"))
  }

  @Test("every key takes part in the identity")
  func identity() throws {
    let variants = [
      "", #""scope":"layer""#, #""minimum_tensor":5"#, #""error_feedback":true"#,
      #""error_feedback":{"decay":0.5}"#, #""layers":{"fc*":"none"}"#,
      #""momentum_correction":true"#, #""momentum_correction":{"factor":0.8}"#,
      #""momentum_correction":{"masking":false}"#, #""momentum_correction":{"nesterov":true}"#,
      #""momentum_correction":{"clipping":1}"#, #""warm_up":{"iterations":8}"#,
      #""warm_up":{"iterations":8,"ratios":[0.5]}"#,
      #""warm_up":{"iterations":8,"ratios":[0.5,0.25]}"#, #""start_iteration":3"#,
    ]
    let identities = try variants.map {
      try read(#"{"compression":"top_k:ratio=0.1""# + ($0.isEmpty ? "" : ",") + $0 + "}").identity
    }
    for (index, own) in identities.enumerated() {
      #expect(!identities[..<index].contains(own), "\(variants[index])")
    }
  }

  // MARK: - Phases

  @Test("deep gradient compression ramps from 75 % to 99.9 %")
  func ramp() throws {
    let settings = try read(
      #"""
      {"compression":"dgc:ratio=0.001|fp16","momentum_correction":true,
       "warm_up":{"iterations":8,"ratios":[0.25,0.0625,0.015625,0.004]},
       "layers":{"bn*":"none","big*":"top_k:ratio=0.05"}}
      """#)
    let phases = settings.phases
    #expect(phases.map(\.first) == [0, 2, 4, 6, 8])
    #expect(
      phases.map(\.settings.pipeline.label) == [
        "dgc:ratio=0.25|fp16", "dgc:ratio=0.0625|fp16", "dgc:ratio=0.015625|fp16",
        "dgc:ratio=0.004|fp16", "dgc:ratio=0.001|fp16",
      ])
    for phase in phases {
      #expect(phase.settings.warmUp == nil && phase.settings.startIteration == 0)
      #expect(phase.settings.momentumCorrection != nil)
      #expect(phase.settings.phases.count == 1)
      #expect(phase.settings.layers[0].pipeline.isIdentity)
    }
    // An override never keeps less than it will for good.
    let overrides: [Double] = [0.25, 0.0625, 0.05, 0.05, 0.05]
    #expect(phases.map { $0.settings.layers[1].pipeline.ratio } == overrides)
    for iteration in 0..<20 {
      let own = settings.settings(at: iteration)
      #expect(own.pipeline.label == phases[min(4, iteration / 2)].settings.pipeline.label)
    }
  }

  @Test("stages of a length that does not divide differ by one")
  func uneven() throws {
    let settings = try read(
      #"{"compression":"top_k:ratio=0.1","warm_up":{"iterations":5,"ratios":[0.9,0.8,0.7]}}"#)
    #expect(settings.phases.map(\.first) == [0, 1, 3, 5])
    // More ratios than iterations: those without an iteration are left out.
    let short = try read(
      #"{"compression":"top_k:ratio=0.1","warm_up":{"iterations":2,"ratios":[0.9,0.8,0.7]}}"#)
    #expect(short.phases.map(\.first) == [0, 1, 2])
    #expect(short.phases.map { $0.settings.pipeline.ratio } == [0.8, 0.7, 0.1])
  }

  @Test("a start iteration is dense before it, and a warm-up begins there")
  func start() throws {
    func labels(_ keys: String) throws -> [String] {
      try read(#"{"compression":"top_k:ratio=0.1","layers":{"a":"fp16"}"# + keys + "}").phases.map {
        "\($0.first) \($0.settings.pipeline.label) \($0.settings.layers.count)"
      }
    }
    let own = "top_k:ratio=0.1 1"
    #expect(try labels("") == ["0 " + own])
    #expect(try labels(#","start_iteration":3"#) == ["0 none 0", "3 " + own])
    #expect(try labels(#","warm_up":{"iterations":4}"#) == ["0 none 0", "4 " + own])
    #expect(
      try labels(#","start_iteration":3,"warm_up":{"iterations":4}"#) == ["0 none 0", "7 " + own])
    #expect(
      try labels(#","start_iteration":3,"warm_up":{"iterations":4,"ratios":[0.5,0.25]}"#) == [
        "0 none 0", "3 top_k:ratio=0.5 1", "5 top_k:ratio=0.25 1", "7 " + own,
      ])
  }

  @Test("every codec with a ratio takes another", arguments: Chains.all)
  func ratios(chain: String) throws {
    let pipeline = try Support.pipeline(chain)
    let other = pipeline.keeping(0.5)
    #expect((other == nil) == (pipeline.ratio == nil))
    #expect((pipeline.ratio != nil) == chain.contains("ratio="))
    guard let other else { return }
    #expect(other.ratio == 0.5 && other.stages.count == pipeline.stages.count)
    #expect(other.keeping(try #require(pipeline.ratio))?.label == pipeline.label)
  }

  // MARK: - Momentum correction

  @Test("an element that waits arrives with the momentum it would have had")
  func waiting() {
    var correction = MomentumCorrection(elementCount: 2, settings: .init(factor: 0.5))
    var first: [Float] = [4, 1]
    correction.apply(to: &first, workers: 1)
    #expect(first == [4, 1])
    correction.update(sent: [4, 0], masks: [0..<2])
    // u = (0.5 * 0 + 2, 0.5 * 1 + 1), v = (2, 1 + 1.5).
    var second: [Float] = [2, 1]
    correction.apply(to: &second, workers: 1)
    #expect(second == [2, 2.5])
    correction.update(sent: [0, 2.5], masks: [0..<2])
    #expect(correction.momentum == [2, 0] && correction.residual == [2, 0])
  }

  @Test("without masking, the sum of what was sent and what is left is that of the momenta")
  func momenta() {
    for nesterov in [false, true] {
      var correction = MomentumCorrection(
        elementCount: 50, settings: .init(factor: 0.75, masking: false, nesterov: nesterov))
      var moment = [Double](repeating: 0, count: 50)
      var total = moment
      var sent = moment
      for step in 0..<20 {
        var gradient = Support.synthetic(50, seed: step)
        for index in 0..<50 {
          let g = Double(gradient[index])
          moment[index] = nesterov ? 0.75 * (moment[index] + g) : 0.75 * moment[index] + g
          total[index] += nesterov ? moment[index] + g : moment[index]
        }
        correction.apply(to: &gradient, workers: 3)
        let share = gradient.enumerated().map { $0.offset % 5 == step % 5 ? $0.element : 0 }
        correction.update(sent: share, masks: [0..<50])
        for index in 0..<50 { sent[index] += Double(share[index]) }
      }
      for index in 0..<50 {
        let whole = sent[index] + Double(correction.residual[index])
        #expect((whole - total[index]).magnitude < 1e-6)
      }
    }
  }

  @Test("a gradient is clipped to its worker's part of the norm")
  func clipping() {
    for (workers, expected) in [(1, 2.0), (4, 1.0), (16, 0.5)] {
      var correction = MomentumCorrection(elementCount: 3, settings: .init(clipping: 2))
      var gradient: [Float] = [6, 8, 0]
      correction.apply(to: &gradient, workers: workers)
      #expect((GradientError.norm(gradient) - expected).magnitude < 1e-6)
      var small: [Float] = [0.25, 0, 0]
      var fresh = MomentumCorrection(elementCount: 3, settings: .init(clipping: 2))
      fresh.apply(to: &small, workers: workers)
      #expect(small == [0.25, 0, 0])
    }
  }
}
