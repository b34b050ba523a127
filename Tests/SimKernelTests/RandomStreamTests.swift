import SimKernel
import Testing

@Suite struct RandomStreamTests {
  private static let purpose = RandomPurpose("stragglers")

  private func stream(_ entity: Int = 0, seed: UInt64 = 7, replicate: Int = 0) -> RandomStream {
    RandomStream(seed: seed, replicate: replicate, purpose: Self.purpose, entity: entity)
  }

  /// Derived by an independent implementation of SplitMix64 with this key schedule: a change of
  /// the generator changes every result and must not go unnoticed.
  @Test func `the first draws are pinned`() {
    var random = RandomStream(seed: 7, replicate: 2, purpose: Self.purpose, entity: 5)
    #expect(random.next() == 0x80EB_C5DC_5DA9_CAEB)
    #expect(random.next() == 0xE668_7CA2_F96A_ABE7)
    #expect(random.next() == 0x612F_4CBE_12F1_9363)
    var child = random.split(3)
    #expect(child.next() == 0x2A89_1CFF_2F5B_169B)
    #expect(child.next() == 0x8938_3043_73C3_B6B5)
    var zero = RandomStream(seed: 0, purpose: Self.purpose)
    #expect(zero.next() == 0xA87D_0980_98D9_3511)
    #expect(zero.next() == 0x8C16_AD5E_875F_9BE2)
  }

  /// The published test values of SplitMix64 for the seed 1234567.
  @Test func `the finaliser is that of SplitMix64`() {
    let golden: UInt64 = 0x9E37_79B9_7F4A_7C15
    #expect(RandomStream.mix(1_234_567 &+ golden) == 6_457_827_717_110_365_317)
    #expect(RandomStream.mix(1_234_567 &+ golden &* 2) == 3_203_168_211_198_807_973)
    #expect(RandomStream.mix(1_234_567 &+ golden &* 3) == 9_817_491_932_198_370_423)
  }

  @Test func `drawing from one stream shifts no other`() {
    var first = stream(0)
    let untouched = (0..<8).map { _ in first.next() }
    var other = stream(1)
    for _ in 0..<1000 { _ = other.normal() }
    var again = stream(0)
    let redrawn = (0..<8).map { _ in again.next() }
    #expect(redrawn == untouched)
  }

  @Test func `streams differ in every part of their key`() {
    var firsts: Set<UInt64> = []
    var count = 0
    for seed in [0, 1, 2, .max] as [UInt64] {
      for replicate in 0..<5 {
        for name in ["a", "b", "ab"] as [StaticString] {
          for entity in -1..<20 {
            var random = RandomStream(
              seed: seed, replicate: replicate, purpose: RandomPurpose(name), entity: entity)
            firsts.insert(random.next())
            count += 1
          }
        }
      }
    }
    #expect(firsts.count == count)
  }

  @Test func `a child does not depend on what was drawn from its parent`() {
    var parent = stream()
    var before = parent.split(4)
    let expected = (0..<4).map { _ in before.next() }
    let next = stream().split(5)
    for _ in 0..<17 { _ = parent.next() }
    var after = parent.split(4)
    let redrawn = (0..<4).map { _ in after.next() }
    #expect(redrawn == expected)
    var sibling = next
    #expect(sibling.next() != expected[0])
    var untouched = stream()
    var split = stream()
    _ = split.split(9)
    #expect(untouched.next() == split.next())
  }

  @Test func `grandchildren differ by their whole line`() {
    var firsts: Set<UInt64> = []
    for a in 0..<30 {
      for b in 0..<30 {
        var grandchild = stream().split(a).split(b)
        firsts.insert(grandchild.next())
      }
    }
    #expect(firsts.count == 900)
  }

  @Test func `uniform numbers stay in their interval and have the moments of it`() {
    var random = stream()
    let count = 200_000
    var sum = 0.0
    var squares = 0.0
    for _ in 0..<count {
      let u = random.uniform()
      #expect(u >= 0 && u < 1)
      sum += u
      squares += u * u
    }
    // Four standard errors: sqrt(1/12/n) and sqrt(4/45/n).
    #expect((sum / Double(count) - 0.5).magnitude < 4 * (1.0 / 12 / Double(count)).squareRoot())
    #expect(
      (squares / Double(count) - 1.0 / 3).magnitude < 4 * (4.0 / 45 / Double(count)).squareRoot())
  }

  @Test func `open uniform numbers never reach 0 or 1`() {
    var random = stream(3)
    for _ in 0..<100_000 {
      let u = random.openUniform()
      #expect(u > 0 && u < 1)
    }
    // The extreme words give 2^-53 and 1 - 2^-53.
    #expect((Double(UInt64.zero >> 12) + 0.5) * 0x1p-52 == 0x1p-53)
    #expect((Double(UInt64.max >> 12) + 0.5) * 0x1p-52 < 1)
  }

  @Test func `normal numbers have the moments of a normal distribution`() {
    var random = stream(4)
    let count = 200_000
    var statistics = RunningStatistics()
    var third = 0.0
    var fourth = 0.0
    for _ in 0..<count {
      let x = random.normal()
      statistics.add(x)
      third += x * x * x
      fourth += x * x * x * x
    }
    let n = Double(count)
    #expect(statistics.mean.magnitude < 4 / n.squareRoot())
    #expect((statistics.variance - 1).magnitude < 4 * (2 / n).squareRoot())
    #expect((third / n).magnitude < 4 * (15 / n).squareRoot())
    #expect((fourth / n - 3).magnitude < 4 * (96 / n).squareRoot())
  }

  @Test func `exponential numbers have mean and deviation one`() {
    var random = stream(5)
    let statistics = RunningStatistics((0..<200_000).map { _ in random.exponential() })
    let error = 1 / 200_000.0.squareRoot()
    #expect((statistics.mean - 1).magnitude < 4 * error)
    #expect((statistics.variance - 1).magnitude < 4 * 8.0.squareRoot() * error)
    #expect(statistics.minimum > 0)
  }

  @Test(arguments: [1, 2, 3, 5, 6, 7, 10, 100])
  func `an index below a bound is unbiased`(bound: Int) {
    var random = stream(bound)
    var counts = [Int](repeating: 0, count: bound)
    let draws = 60_000
    for _ in 0..<draws { counts[random.index(below: bound)] += 1 }
    let expected = Double(draws) / Double(bound)
    let chiSquare = counts.reduce(0.0) {
      $0 + (Double($1) - expected) * (Double($1) - expected) / expected
    }
    // Mean bound - 1, variance 2 (bound - 1): five standard deviations.
    #expect(chiSquare <= Double(bound - 1) + 5 * (2 * Double(max(bound - 1, 1))).squareRoot())
  }

  /// For a bound of 3/4 * 2^63 a plain product would favour every third index visibly.
  @Test func `a huge bound is unbiased as well`() {
    var random = stream(77)
    let bound = 3 << 61
    var thirds = [0, 0, 0]
    for _ in 0..<60_000 {
      let index = random.index(below: bound)
      #expect(index >= 0 && index < bound)
      thirds[index / (1 << 61)] += 1
    }
    for count in thirds { #expect((Double(count) - 20_000).magnitude < 5 * 20_000.0.squareRoot()) }
    #expect(random.index(below: 1) == 0)
  }

  @Test func `each distribution draws a fixed number of words`() {
    var a = stream(8)
    var b = stream(8)
    _ = a.uniform()
    _ = a.openUniform()
    _ = a.normal()
    _ = a.exponential()
    for _ in 0..<4 { _ = b.next() }
    #expect(a.next() == b.next())
  }
}
