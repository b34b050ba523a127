import Compression
import SimKernel
import Testing

/// Exact top-k, whatever the input.
struct SelectionTests {
  /// The positions of the k largest magnitudes by sorting, ties to the lowest index.
  private func reference(_ values: [Float], _ k: Int) -> [UInt32] {
    let order = values.indices.sorted {
      let (a, b) = (values[$0].magnitude, values[$1].magnitude)
      return a == b ? $0 < $1 : a > b
    }
    return order.prefix(k).sorted().map { UInt32($0) }
  }

  private func selected(_ values: [Float], ratio: Double, index: String = "int32") throws
    -> SparseGradient
  {
    let pipeline = try Support.pipeline("top_k:ratio=\(ratio),index=\(index)")
    var scratch = CodecScratch()
    let encoded = try pipeline.encode(values, random: Support.random(), scratch: &scratch)
    return try #require(
      try pipeline.sparse(encoded, count: values.count, scratch: &scratch))
  }

  /// Inputs that break guesses.
  static let shapes: [(String, @Sendable (Int, Int) -> Float)] = [
    ("all equal", { _, _ in 1 }),
    ("ascending", { index, _ in Float(index) }),
    ("descending", { index, count in Float(count - index) }),
    ("one huge value", { index, count in index == count / 2 ? 1e30 : 1e-3 }),
    ("nine of ten zero", { index, _ in index % 10 == 3 ? Float(index % 97) : 0 }),
    ("few distinct values", { index, _ in Float(index % 3) }),
    ("periodic", { index, _ in index % 16 == 0 ? Float(index) : -0.5 }),
    ("alternating signs", { index, _ in (index % 2 == 0 ? 1 : -1) * Float(index % 1000) }),
    ("large at the end", { index, count in index > count - 600 ? 5 : Float(index % 7) * 0.01 }),
  ]

  @Test("selections equal those of a sort on adversarial inputs", arguments: 0..<9)
  func adversarial(shape: Int) throws {
    let (name, value) = Self.shapes[shape]
    for count in [1, 2, 3, 100, 1000, 40_000, 150_000] {
      let values = (0..<count).map { value($0, count) }
      for ratio in [0.001, 0.01, 0.3, 1] {
        let sparse = try selected(values, ratio: ratio)
        let k = max(1, Int(Double(count) * ratio))
        #expect(
          sparse.positions == reference(values, k), "\(name), \(count) elements, ratio \(ratio)")
        #expect(sparse.values == sparse.positions.map { values[Int($0)] })
      }
    }
  }

  @Test("one NaN of any kind among equal elements is refused, in long vectors too")
  func notFinite() throws {
    let pipeline = try Support.pipeline("top_k:ratio=0.00001")
    var scratch = CodecScratch()
    for bits: UInt32 in [0x7F80_0000, 0x7F80_0001, 0x7FC0_0000, 0x7FFF_FFFF, 0xFF80_0001] {
      for rest: Float in [0, 1, Float(bitPattern: bits)] {
        var values = [Float](repeating: rest, count: 100_000)
        values[70_001] = Float(bitPattern: bits)
        #expect(throws: CodecError.self) {
          try pipeline.encode(values, random: Support.random(), scratch: &scratch)
        }
      }
    }
  }

  @Test("selections equal those of a sort on heavy tails of every length")
  func lengths() throws {
    for count in Array(1..<70) + [255, 256, 257, 8191, 8193, 32_767, 32_769, 65_600] {
      let values = Support.synthetic(count, seed: count)
      let sparse = try selected(values, ratio: 0.02)
      #expect(sparse.positions == reference(values, max(1, Int(Double(count) * 0.02))))
    }
  }

  @Test(
    "every index encoding gives the positions back",
    arguments: ["int32", "packed", "bitmap", "leb128", "elias_gamma", "rice", "auto"])
  func encodings(index: String) throws {
    for count in [1, 2, 3, 64, 65, 1000, 5000] {
      for ratio in [0.001, 0.1, 0.9, 1] {
        let values = Support.synthetic(count, seed: count)
        let plain = try selected(values, ratio: ratio)
        let encoded = try selected(values, ratio: ratio, index: index)
        #expect(encoded.positions == plain.positions)
        #expect(encoded.values == plain.values)
      }
    }
  }

  @Test("auto takes the smallest index encoding")
  func smallest() throws {
    for ratio in ["0.001", "0.01", "0.1", "0.5"] {
      var sizes: [Int64] = []
      for index in ["int32", "packed", "bitmap", "leb128", "elias_gamma", "rice", "auto"] {
        sizes.append(
          try Support.roundTrip("top_k:ratio=\(ratio),index=\(index)", Support.digits).encoded
            .payloadBits)
      }
      #expect(sizes.last == sizes.dropLast().min())
    }
  }

  @Test("random-k keeps exactly k different positions, uniformly")
  func randomSelection() throws {
    let pipeline = try Support.pipeline("random_k:ratio=0.1,scaled=false")
    var scratch = CodecScratch()
    var hits = [Int](repeating: 0, count: 500)
    let values = [Float](repeating: 1, count: 500)
    for seed in 0..<400 {
      let encoded = try pipeline.encode(values, random: Support.random(seed), scratch: &scratch)
      let sparse = try #require(try pipeline.sparse(encoded, count: 500, scratch: &scratch))
      #expect(sparse.positions.count == 50)
      #expect(Set(sparse.positions).count == 50)
      for position in sparse.positions { hits[Int(position)] += 1 }
    }
    // Binomial with mean 40 and standard deviation 6: chi-square of 499 degrees is 499 +- 32.
    let chi = hits.reduce(0.0) { $0 + (Double($1) - 40) * (Double($1) - 40) / 36 }
    #expect(chi > 499 - 5 * 32 && chi < 499 + 5 * 32, "chi-square \(chi)")
    for ratio in [0.001, 0.01, 0.5, 1] {
      let long = [Float](repeating: 1, count: 100_000)
      let chain = "random_k:ratio=\(ratio),scaled=false"
      let decoded = try Support.roundTrip(chain, long).decoded
      #expect(decoded.reduce(0, +) == Float(Int(100_000 * ratio)))
    }
  }

  @Test("sums of sparse gradients unite their supports")
  func union() {
    let a = SparseGradient(elementCount: 10, positions: [1, 4, 7], values: [1, 2, 3])
    let b = SparseGradient(elementCount: 10, positions: [0, 4, 9], values: [5, 6, 7])
    let sum = a.adding(b)
    #expect(sum.positions == [0, 1, 4, 7, 9])
    #expect(sum.values == [5, 1, 8, 3, 7])
    #expect(Support.unionCount([a, b]) == sum.positions.count && sum.positions.count == 5)
    #expect(SupportGrowth.expected(kept: 1, elements: 2, workers: 2) == 1.5)
  }
}
