import Collectives
import Compression
import SimKernel
import Testing
import Training

@Suite struct EncodingTests {
  static func measure(_ scene: Scene, seed: UInt64 = 1) throws -> EncodingResult {
    try scene.request(seed: seed).measure(stop: NoStopSignal())
  }
  static func gathered(_ compression: String, more: String = "") -> String {
    #""strategy": "all_gather", "compression": "\#(compression)""# + more
  }

  @Test("1 % top_k of VGG-16 takes 64 k bits a bucket, though only a sample is encoded")
  func sampledTopK() throws {
    var scene = Scene()
    scene.workload = ""
    scene.model = ModelCatalog.table(named: "vgg16")!
    scene.communication = Self.gathered("top_k:ratio=0.01")
    scene.gradients = #""source": "synthetic", "sample": 65536, "workers": 2"#
    let result = try Self.measure(scene)
    let units = try scene.blueprint().schedule.units
    #expect(result.units.count == units.count)
    for (unit, groups) in zip(units, result.units) {
      let k = Int64(Double(unit.elements) * 0.01)
      #expect(groups.map(\.payloadBits) == [[64 * k, 64 * k]])
    }
    #expect(result.relativeL2 > 0 && result.relativeL2 < 1)
    #expect(result.sample.hasSuffix("of 138357544"))
  }

  @Test(
    "codecs of fixed size take the same bytes sampled or not",
    arguments: ["fp16", "bf16", "int8", "ef_sign", "top_k:ratio=0.01", "random_k:ratio=0.05"],
    ["model", "layer", "bucket:512"])
  func sampledOrNot(codec: String, scope: String) throws {
    var scene = Scene()
    scene.model = Scene.table([40_000, 70, 3000, 17_001])
    scene.communication = Self.gathered(
      codec, more: #", "scope": "\#(scope)", "schedule": "one_shot""#)
    scene.gradients = #""source": "synthetic", "sample": 4096, "workers": 2"#
    let sampled = try Self.measure(scene)
    scene.gradients = #""source": "synthetic", "workers": 2"#
    let whole = try Self.measure(scene)
    #expect(whole.sample == "60071 of 60071")
    // Random positions of several scopes share one seed, which no sum over scopes gives exactly.
    let slack: Int64 = codec.hasPrefix("random_k") && scope != "model" ? 64 * 120 : 0
    for (a, b) in zip(sampled.units[0][0].payloadBits, whole.units[0][0].payloadBits) {
      #expect(abs(a - b) <= slack, "\(a) and \(b)")
    }
  }

  @Test("layer overrides and small tensors form groups of their own")
  func groups() throws {
    var scene = Scene()
    scene.model = Scene.table([4000, 10, 2000, 1000])
    scene.communication = Self.gathered(
      "top_k:ratio=0.1",
      more:
        #", "minimum_tensor": 100, "layers": {"w2": "none", "w3": "fp16"}, "schedule": "one_shot""#)
    let result = try Self.measure(scene)
    // In ready order: w3 in half precision, w2 and w1 as they are, a tenth of w0.
    let bits: [Int64] = [16 * 1000, 32 * 2010, 64 * 400]
    #expect(result.units[0].map { $0.payloadBits[0] } == bits)
    #expect(result.units[0].allSatisfy { $0.payloadBits.count == 4 })
  }

  @Test(
    "a 16-bit gradient halves the raw bytes and has an error of its own",
    arguments: ["fp16", "bf16"])
  func gradientType(type: String) throws {
    var scene = Scene()
    let full = try scene.blueprint().rawBytes
    scene.workload += #", "gradient_type": "\#(type)""#
    #expect(try scene.blueprint().rawBytes * 2 == full)
    let request = try scene.request()
    #expect(request.isNeeded)
    let result = try request.measure(stop: NoStopSignal())
    let bound = type == "fp16" ? 1.0 / 1024 : 1.0 / 128
    #expect(result.relativeL2 > bound / 1000 && result.relativeL2 < bound)
    #expect(result.cosine > 0.9999)
    let plan = try scene.plan().plan
    #expect(plan.exchanges[0].sizes == Array(repeating: ByteCount(2 * 40_000), count: 4))
  }

  @Test("what changes no bit has no error, exactly")
  func lossless() throws {
    var scene = Scene()
    scene.communication = Self.gathered("zstd:level=1")
    let result = try Self.measure(scene)
    #expect(result.relativeL2 == 0 && result.cosine == 1)
    scene.communication = ""
    #expect(try !scene.request().isNeeded)
    scene.communication = Self.gathered("top_k:ratio=0.5", more: #", "minimum_tensor": 1000000"#)
    #expect(try !scene.request().isNeeded)
  }

  static func recorded(_ workers: [[Float]], shapes: [Int]) throws -> RecordedGradients {
    try RecordedGradients(
      tensors: shapes.enumerated().map {
        GradientTensor(name: "r\($0)", kind: .linear, shape: [$1])
      }, workers: workers)
  }
  static func noise(_ count: Int, worker: Int) -> [Float] {
    var stream = RandomStream(seed: 4, purpose: RandomPurpose("gradient"), entity: worker)
    return (0..<count).map { _ in Float(stream.normal()) }
  }
  static let files = #""source": "files", "files": ["a", "b"]"#

  @Test("the error is that of the mean of decoded gradients against the exact mean")
  func errorOfMean() throws {
    let gradients = [Self.noise(1000, worker: 0), Self.noise(1000, worker: 1)]
    var scene = Scene()
    scene.model = Scene.table([1000])
    scene.gradients = Self.files
    scene.recorded = try Self.recorded(gradients, shapes: [1000])
    scene.communication = Self.gathered("top_k:ratio=0.1")
    let result = try Self.measure(scene)
    // The hundred largest of each worker, by sorting; then the two means in double precision.
    var (difference, norm, decodedNorm, product) = (0.0, 0.0, 0.0, 0.0)
    let kept = gradients.map { gradient in
      Set(gradient.indices.sorted { (abs(gradient[$0]), $1) > (abs(gradient[$1]), $0) }.prefix(100))
    }
    for index in 0..<1000 {
      let exact = (Double(gradients[0][index]) + Double(gradients[1][index])) / 2
      var decoded = 0.0
      for worker in 0..<2 where kept[worker].contains(index) {
        decoded += Double(gradients[worker][index]) / 2
      }
      difference += (exact - decoded) * (exact - decoded)
      norm += exact * exact
      decodedNorm += decoded * decoded
      product += exact * decoded
    }
    #expect(abs(result.relativeL2 - (difference / norm).squareRoot()) < 1e-6)
    #expect(abs(result.cosine - product / (norm * decodedNorm).squareRoot()) < 1e-6)
    #expect(result.units[0][0].payloadBits == [6400, 6400])
  }

  @Test("the error of a wire type is that of rounding each worker's gradient")
  func errorOfType() throws {
    let gradients = [Self.noise(500, worker: 0), Self.noise(500, worker: 1)]
    var scene = Scene()
    scene.model = Scene.table([500])
    scene.gradients = Self.files
    scene.recorded = try Self.recorded(gradients, shapes: [500])
    scene.workload += #", "gradient_type": "fp16""#
    let result = try Self.measure(scene)
    var (difference, norm) = (0.0, 0.0)
    for index in 0..<500 {
      let (a, b) = (gradients[0][index], gradients[1][index])
      let exact = (Double(a) + Double(b)) / 2
      let rounded: Double = (Double(Float16(a)) + Double(Float16(b))) / 2
      difference += (exact - rounded) * (exact - rounded)
      norm += exact * exact
    }
    let expected = (difference / norm).squareRoot()
    #expect(abs(result.relativeL2 - expected) < 1e-3 * expected)
  }

  @Test("gradients of another model stand in by elements; fixed sizes keep their formula")
  func standIn() throws {
    var scene = Scene()
    scene.model = Scene.table([3000, 500])
    scene.gradients = Self.files
    scene.recorded = try Self.recorded(
      [Self.noise(1000, worker: 0), Self.noise(1000, worker: 1)], shapes: [600, 400])
    scene.communication = Self.gathered("top_k:ratio=0.01", more: #", "schedule": "per_tensor""#)
    let fixed = try Self.measure(scene)
    let bits: [[Int64]] = [[320, 320], [1920, 1920]]
    #expect(fixed.units.map { $0[0].payloadBits } == bits)
    #expect(fixed.source.contains("standing in"))
    scene.communication = Self.gathered("zstd:level=1", more: #", "schedule": "per_tensor""#)
    let variable = try Self.measure(scene)
    #expect(variable.relativeL2 == 0 && variable.cosine == 1)
    for (small, large) in zip(variable.units[0][0].payloadBits, variable.units[1][0].payloadBits) {
      #expect(abs(small * 6 - large) <= 6)
    }
  }

  @Test("a gather pays for an exchange of sizes where sizes vary, and only there")
  func sizeExchange() throws {
    var scene = Scene()
    scene.communication = Self.gathered("zstd:level=1")
    let variable = try scene.plan().plan
    #expect(variable.exchanges.count == 2)
    #expect(variable.exchanges[0].sizes == Array(repeating: ByteCount(8), count: 4))
    #expect(variable.graph.operations.count { $0.kind == .exchange } == 2)
    for codec in ["top_k:ratio=0.01", "fp16", "ef_sign", "none"] {
      scene.communication = Self.gathered(codec)
      #expect(try scene.plan().plan.exchanges.count == 1, "\(codec)")
    }
  }

  @Test("int8 agrees on a range before it sums, unless every payload keeps its own")
  func sharedRange() throws {
    var scene = Scene()
    scene.communication = #""compression": "int8:shared_range=true""#
    let summed = try scene.plan().plan
    #expect(summed.exchanges.count == 2)
    #expect(summed.exchanges[0].sizes[0] == ByteCount(4))
    // Four workers' codes of eight bits add up in ten.
    #expect(summed.exchanges[1].sizes[0] == ByteCount(40_000 * 10 / 8))
    scene.communication = Self.gathered("int8")
    #expect(try scene.plan().plan.exchanges.count == 1)
  }

  @Test("keys are equal exactly when the encoded bytes must be")
  func keys() throws {
    var scene = Scene()
    scene.communication = Self.gathered("top_k:ratio=0.01")
    let key = try scene.request().key
    #expect(try scene.request().key == key)
    func changed(_ change: (inout Scene) -> Void) throws -> String {
      var other = scene
      change(&other)
      return try other.request().key
    }
    // What only times depend on.
    #expect(try changed { $0.workload += #", "iterations": 3, "accumulation_steps": 2"# } == key)
    #expect(try changed { $0.topology = Lab.star(6, .gigabitsPerSecond(1)) } == key)
    #expect(try changed { $0.stragglers = #""distribution": "constant", "factor": 2"# } == key)
    #expect(
      try changed { $0.communication += #", "algorithm": "ring", "streams": {"encode": "cpu"}"# }
        == key)
    // What bytes depend on.
    let others = [
      try changed { $0.communication = Self.gathered("top_k:ratio=0.02") },
      try changed { $0.communication += #", "scope": "layer""# },
      try changed { $0.communication += #", "minimum_tensor": 7"# },
      try changed { $0.communication += #", "layers": {"w0": "fp16"}"# },
      try changed { $0.workload += #", "gradient_type": "fp16""# },
      try changed { $0.gradients = #""source": "synthetic", "sample": 2048"# },
      try changed { $0.gradients = #""source": "synthetic", "stage": "late""# },
      try changed { $0.model = Scene.table([40_001]) },
      try changed { $0.model = Scene.table([40_000], name: "other") },
      try changed { $0.topology = Lab.star(2) },
      try scene.request(seed: 2).key, try scene.request(replicate: 1).key,
    ]
    #expect(!others.contains(key))
    #expect(Set(others).count == others.count)
    // Nothing but sizes can be learnt from a lossless codec: replicates share it.
    scene.communication = Self.gathered("zstd:level=1")
    #expect(try scene.request(replicate: 1).key == scene.request(replicate: 0).key)
    scene.communication = Self.gathered("top_k:ratio=0.01")
    scene.model = Scene.table([20_000, 20_000])
    let merged = try changed { $0.communication += #", "schedule": "one_shot""# }
    let split = try changed { $0.communication += #", "schedule": "per_tensor""# }
    #expect(merged != split)
  }

  struct Raised: StopSignal { var isRaised: Bool { true } }

  @Test("a raised stop signal ends a measurement")
  func stop() throws {
    var scene = Scene()
    scene.communication = Self.gathered("top_k:ratio=0.01")
    let request = try scene.request()
    #expect(throws: SimulationError.self) { try request.measure(stop: Raised()) }
  }
}
