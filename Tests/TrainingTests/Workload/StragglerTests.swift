import SimKernel
import Testing
import Training

@Suite struct StragglerTests {
  static func model(_ text: String) throws -> any StragglerModel {
    try record("{\"s\": \(text)}") {
      $0.variant("s", StragglerCatalog.registry, default: "none", doc: "")
    }
  }

  static func factors(_ text: String, count: Int = 20_000) throws -> [Double] {
    let model = try Self.model(text)
    return (0..<count).map {
      model.factor(
        worker: RankID($0 % 16), iteration: $0 / 16,
        random: RandomStream(seed: 5, purpose: RandomPurpose("test"), entity: $0))
    }
  }

  @Test("distributions have the centre they promise")
  func centres() throws {
    let lognormal = try Self.factors(#"{"distribution": "lognormal", "sigma": 0.5}"#).sorted()
    #expect(abs(lognormal[10_000] - 1) < 0.02)
    #expect(lognormal[0] > 0)
    let exponential = try Self.factors(#"{"distribution": "exponential"}"#)
    #expect(abs(exponential.reduce(0, +) / 20_000 - 1) < 0.03)
    let half = try Self.factors(#"{"distribution": "exponential", "share": 0.5}"#)
    #expect(abs(half.reduce(0, +) / 20_000 - 1) < 0.02)
    #expect(half.allSatisfy { $0 >= 0.5 })
    let normal = try Self.factors(#"{"distribution": "normal", "sigma": 0.2}"#)
    let mean = normal.reduce(0, +) / 20_000
    #expect(abs(mean - 1) < 0.01)
    let variance = normal.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
    #expect(abs(variance.squareRoot() - 0.2) < 0.01)
    let wild = try Self.factors(#"{"distribution": "normal", "sigma": 5}"#)
    #expect(wild.allSatisfy { $0 >= 0 } && wild.contains(0))
  }

  @Test("workers take the distributions of a list in turn")
  func perWorker() throws {
    let factors = try Self.factors(
      #"{"distribution": "per_worker", "workers": [{"distribution": "constant", "factor": 2}, "#
        + #"{"distribution": "lognormal", "sigma": 0.1}, "none"]}"#, count: 48)
    for (place, factor) in factors.enumerated() {
      switch place % 16 % 3 {
      case 0: #expect(factor == 2)
      case 1: #expect(factor != 1 && abs(factor - 1) < 0.5)
      default: #expect(factor == 1)
      }
    }
    #expect(try Self.model(#"{"distribution": "per_worker", "workers": ["none"]}"#).isConstant)
    #expect(
      try !Self.model(
        #"{"distribution": "per_worker", "workers": ["none", {"distribution": "constant", "factor": 2}]}"#
      ).isConstant)
  }

  @Test("no spread is no change, for every distribution with a spread")
  func noSpread() throws {
    for text in [
      #"{"distribution": "none"}"#, #"{"distribution": "normal", "sigma": 0}"#,
      #"{"distribution": "lognormal", "sigma": 0}"#,
      #"{"distribution": "constant", "factor": 1}"#,
    ] {
      #expect(try Self.factors(text, count: 100).allSatisfy { $0 == 1 })
    }
  }

  @Test("a constant factor scales compute exactly and nothing else")
  func constant() throws {
    var scene = Scene()
    let plain = try scene.run().job.mean
    scene.stragglers = #""distribution": "constant", "factor": 2.5"#
    let slow = try scene.run().job.mean
    #expect(slow.compute == us(750))
    #expect(slow.communication == plain.communication)
    #expect(slow.optimizer == plain.optimizer)
    #expect(slow.stragglers == .zero)
  }

  @Test("one slow worker delays the others by the difference", arguments: [1.5, 3])
  func oneSlow(factor: Double) throws {
    var scene = Scene()
    scene.communication = #""schedule": "one_shot", "algorithm": "ring""#
    scene.workload += #", "iterations": 3, "warmup": 0"#
    let plain = try scene.run().job.mean
    scene.stragglers = #""distribution": "one_slow", "worker": 2, "factor": \#(factor)"#
    let job = try scene.run().job
    let late = us(300).scaled(by: factor - 1)
    // The first sums do not wait for the slow worker, which saves some workers one of them.
    let sum = Scene.reduction(40_000).picoseconds + 40
    for sample in job.samples {
      #expect(isClose(sample, plain.total + late, within: sum))
    }
    // Three of four wait; their wait is charged to the straggler, not to the network.
    #expect(isClose(job.mean.stragglers, late.scaled(by: 0.75), within: sum))
    #expect(isClose(job.mean.communication, plain.communication, within: sum))
    #expect(isClose(job.mean.compute, us(300) + late.scaled(by: 0.25), within: 4))
  }

  @Test("all configurations of a replicate meet the same stragglers; replicates do not")
  func commonRandomNumbers() throws {
    func compute(
      _ communication: String, seed: UInt64 = 1, replicate: Int = 0, gbps: Double = 10
    ) throws -> SimDuration {
      var scene = Scene()
      scene.topology = Lab.star(4, .gigabitsPerSecond(gbps))
      scene.communication = communication
      scene.stragglers = #""distribution": "lognormal", "sigma": 0.3"#
      return try scene.run(seed: seed, replicate: replicate).job.mean.compute
    }
    // One backward operation each, so that nothing is rounded twice.
    let reference = try compute(#""schedule": "one_shot""#)
    for other in [
      #""schedule": "one_shot", "compression": "fp16""#,
      #""schedule": "one_shot", "strategy": "parameter_server""#,
      #""schedule": "one_shot", "strategy": "all_gather", "compression": "top_k:ratio=0.1""#,
    ] {
      // The mean's parts are rounded together, so one of them may differ by a picosecond.
      #expect(isClose(try compute(other), reference, within: 1))
      #expect(isClose(try compute(other, gbps: 1), reference, within: 1))
    }
    #expect(try compute(#""schedule": "one_shot""#, replicate: 1) - reference != .zero)
    #expect(try compute(#""schedule": "one_shot""#, seed: 2) != reference)
  }

  @Test("factors that no run could use are refused")
  func refusals() {
    for text in [
      #"{"distribution": "constant", "factor": 0}"#,
      #"{"distribution": "lognormal", "sigma": -1}"#,
      #"{"distribution": "one_slow", "factor": -2}"#, #"{"distribution": "weibull"}"#,
      #"{"distribution": "constant"}"#,
    ] {
      #expect(
        !problems("{\"s\": \(text)}") {
          $0.variant("s", StragglerCatalog.registry, default: "none", doc: "")
        }.isEmpty)
    }
  }
}
