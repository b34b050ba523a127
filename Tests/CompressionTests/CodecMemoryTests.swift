import Compression
import SimKernel
import Testing

/// Codecs that remember: PowerSGD's warm start, signum's momentum.
struct CodecMemoryTests {
  private func error(_ original: [Float], _ decoded: [Float]) -> Double {
    GradientError.compare(original: original, decoded: decoded).relativeL2
  }

  /// Encodes `gradients` one after another and gives what each decodes to.
  private func decode(
    _ chain: String, _ gradients: [[Float]], tensors: [TensorRange], memory: CodecMemory?
  ) throws -> [[Float]] {
    let pipeline = try Support.pipeline(chain)
    var scratch = CodecScratch()
    return try gradients.enumerated().map { iteration, gradient in
      let encoded = try pipeline.encode(
        gradient, tensors: tensors, scope: .layer, random: Support.random(), memory: memory,
        iteration: iteration, scratch: &scratch)
      return try pipeline.decode(encoded, count: gradient.count, scratch: &scratch)
    }
  }

  // MARK: - PowerSGD

  @Test("a warm start on a constant gradient is as many power steps", arguments: [1, 2, 3, 7])
  func constant(iterations: Int) throws {
    let gradients = [[Float]](repeating: Support.digits, count: iterations)
    let warm = try decode(
      "powersgd:rank=2", gradients, tensors: Support.digitTensors, memory: CodecMemory())
    let steps = try decode(
      "powersgd:rank=2,power_steps=\(iterations)", [Support.digits],
      tensors: Support.digitTensors, memory: nil)
    #expect(warm.last == steps.last)
  }

  @Test("a warm start converges to the best factors of its rank")
  func optimal() throws {
    // The optimal errors are those of a singular value decomposition.
    for (rank, optimal) in [(1, 0.702337), (2, 0.473423), (4, 0.110662), (8, 0.0153736)] {
      let gradients = [[Float]](repeating: Support.digits, count: 24)
      let chain = "powersgd:rank=\(rank),minimum_rate=0"
      let warm = try decode(
        chain, gradients, tensors: Support.digitTensors, memory: CodecMemory()
      ).map { error(Support.digits, $0) }
      for (before, after) in zip(warm, warm.dropFirst()) { #expect(after <= before * 1.0001) }
      #expect(warm[23] >= optimal * 0.9999 && warm[23] < optimal * 1.002, "\(rank): \(warm[23])")
      // Neither without a memory nor with a switch does anything change from step to step.
      for (chain, memory) in [(chain, nil), (chain + ",warm_start=false", CodecMemory())] {
        let cold = try decode(
          chain, Array(gradients[0..<3]), tensors: Support.digitTensors, memory: memory)
        #expect(cold[2] == cold[0])
        #expect(error(Support.digits, cold[2]) == warm[0])
      }
    }
  }

  @Test("a warm start follows a gradient that changes slowly")
  func slowChange() throws {
    let tensors = Support.tensors(shaped: [("w", [60, 50])])
    let gradients = (0..<12).map { step -> [Float] in
      let (a, b) = (Support.synthetic(3000, seed: 1), Support.synthetic(3000, seed: 2))
      let turn = Float(step) / 100
      return zip(a, b).map { $0 * (1 - turn) + $1 * turn }
    }
    let warm = try decode("powersgd:rank=3", gradients, tensors: tensors, memory: CodecMemory())
    let cold = try decode("powersgd:rank=3", gradients, tensors: tensors, memory: nil)
    let errors = (error(gradients[11], warm[11]), error(gradients[11], cold[11]))
    #expect(errors.0 < 0.97 * errors.1, "warm \(errors.0), cold \(errors.1)")
  }

  @Test("a warm start helps on recorded training steps")
  func recorded() throws {
    guard let file = try SharedGradients.File("mlp-tiny.sequence") else { return }
    let tensors = try file.tensors("s00.w0.")
    func step(_ index: Int) -> String { "s" + (index < 10 ? "0" : "") + "\(index).w0." }
    let gradients = try (0..<16).map { try file.flat(step($0)) }
    let warm = try decode("powersgd:rank=2", gradients, tensors: tensors, memory: CodecMemory())
    let cold = try decode("powersgd:rank=2", gradients, tensors: tensors, memory: nil)
    var sums = (warm: 0.0, cold: 0.0)
    for index in 4..<16 {
      sums.warm += error(gradients[index], warm[index])
      sums.cold += error(gradients[index], cold[index])
    }
    #expect(sums.warm < 0.9 * sums.cold, "warm \(sums.warm / 12), cold \(sums.cold / 12)")
  }

  @Test("factors lost to a gradient of zeros, or of a lower rank, come back")
  func recovery() throws {
    let tensors = Support.tensors(shaped: [("w", [40, 30])])
    let one = (0..<1200).map { Float($0 / 30 % 7) * Float($0 % 30 % 5) }
    let full = Support.synthetic(1200)
    for lost in [[Float](repeating: 0, count: 1200), one] {
      let gradients = [full, lost] + [[Float]](repeating: full, count: 20)
      let warm = try decode("powersgd:rank=3", gradients, tensors: tensors, memory: CodecMemory())
      let cold = try decode(
        "powersgd:rank=3,power_steps=32", [full], tensors: tensors, memory: nil)
      #expect(error(full, warm[21]) < 1.01 * error(full, cold[0]))
    }
  }

  @Test("workers remember the same factors, those of their mean")
  func workers() throws {
    let tensors = Support.tensors(shaped: [("a", [24, 50]), ("bias", [50]), ("b", [50, 35])])
    let gradients = (0..<3).map { Support.synthetic(3000, seed: $0) }
    let pipeline = try Support.pipeline("powersgd:rank=2")
    var scratch = CodecScratch()
    let memories = (0..<3).map { _ in CodecMemory() }
    var errors: [Double] = []
    for iteration in 0..<5 {
      errors.append(
        try pipeline.aggregate(
          gradients, tensors: tensors, scope: .layer, random: Support.random(),
          memories: memories, iteration: iteration, scratch: &scratch
        ).error.relativeL2)
      for memory in memories {
        #expect(memory[0] == memories[0][0])
        #expect(memory.floatCount == 2 * (50 + 35))
      }
    }
    #expect(errors[4] < errors[0])
    // One worker's conversation remembers what its frames do.
    let (alone, framed) = (CodecMemory(), CodecMemory())
    for iteration in 0..<3 {
      let mean = try pipeline.aggregate(
        [gradients[0]], tensors: tensors, scope: .layer, random: Support.random(),
        memories: [alone], iteration: iteration, scratch: &scratch
      ).mean
      let encoded = try pipeline.encode(
        gradients[0], tensors: tensors, scope: .layer, random: Support.random(), memory: framed,
        iteration: iteration, scratch: &scratch)
      #expect(try pipeline.decode(encoded, count: 3000, scratch: &scratch) == mean)
      #expect(alone[0] == framed[0])
    }
  }

  @Test("a memory of another gradient is no memory")
  func otherShape() throws {
    let memory = CodecMemory()
    let small = Support.tensors(shaped: [("w", [20, 30])])
    _ = try decode("powersgd:rank=2", [Support.synthetic(600)], tensors: small, memory: memory)
    let large = Support.tensors(shaped: [("w", [30, 40])])
    let gradient = Support.synthetic(1200)
    let after = try decode("powersgd:rank=2", [gradient], tensors: large, memory: memory)
    #expect(after == (try decode("powersgd:rank=2", [gradient], tensors: large, memory: nil)))
    #expect(memory.floatCount == 80)
  }

  // MARK: - Signum

  private func signs(_ chain: String, _ gradients: [[Float]], memory: CodecMemory?) throws
    -> [[Float]]
  {
    try decode(
      chain, gradients, tensors: TensorRange.whole(gradients[0].count), memory: memory)
  }

  @Test("signum without a memory is signsgd, and so is its first step")
  func cold() throws {
    let plain = try Support.roundTrip("signsgd", Support.digits).decoded
    #expect(try signs("signum", [Support.digits], memory: nil)[0] == plain)
    #expect(try signs("signum", [Support.digits], memory: CodecMemory())[0] == plain)
  }

  @Test("signum sends the sign of m = 0.9 m + 0.1 g")
  func momentum() throws {
    // m: 0.1; 0.09 - 0.05; 0.036 - 0.05.
    let gradients: [[Float]] = [[1], [-0.5], [-0.5]]
    #expect(try signs("signum", gradients, memory: CodecMemory()) == [[1], [1], [-1]])
    #expect(try signs("signum:momentum=0", gradients, memory: CodecMemory()) == [[1], [-1], [-1]])
    let memory = CodecMemory()
    _ = try signs("signum:momentum=0.5", [[2, 0], [4, -8]], memory: memory)
    #expect(memory[0] == [2.5, -4])
  }

  @Test("a gradient that is refused leaves the momentum alone")
  func refused() throws {
    let memory = CodecMemory()
    _ = try signs("signum", [[1, 2, 3]], memory: memory)
    let before = memory[0]
    for bad in [Float.nan, .infinity] {
      #expect(throws: CodecError.self) {
        _ = try self.signs("signum", [[1, bad, 3]], memory: memory)
      }
      #expect(memory[0] == before)
    }
  }

  @Test("workers vote with the signs of their momenta")
  func votes() throws {
    let pipeline = try Support.pipeline("signum:momentum=0.5")
    var scratch = CodecScratch()
    let memories = (0..<3).map { _ in CodecMemory() }
    var result: [[Float]] = []
    // Two momenta stay above zero after the second iteration: 2 - 1, 2 - 1, -2 - 1.
    for gradients: [[Float]] in [[[4], [4], [-4]], [[-2], [-2], [-2]]] {
      result.append(
        try pipeline.aggregate(
          gradients, random: Support.random(), memories: memories, scratch: &scratch
        ).mean)
    }
    #expect(result == [[1], [1]])
  }

  @Test("a copy of a memory goes its own way")
  func copies() throws {
    let memory = CodecMemory()
    _ = try signs("signum", [[1, 2]], memory: memory)
    let other = memory.copy()
    _ = try signs("signum", [[1, 2]], memory: memory)
    #expect(other[0] != memory[0] && other.floatCount == 2)
    #expect(other[3].isEmpty)
  }
}
