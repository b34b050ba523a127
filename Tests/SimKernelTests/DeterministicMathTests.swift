import Glibc
import SimKernel
import Testing

@Suite struct DeterministicMathTests {
  /// The distance of two finite doubles in units in the last place of the second.
  private func ulps(_ value: Double, _ exact: Double) -> Double {
    value == exact ? 0 : (value - exact).magnitude / exact.ulp
  }

  @Test func `special values are those of IEEE 754`() {
    #expect(DeterministicMath.log(0) == -.infinity)
    #expect(DeterministicMath.log(-0.0) == -.infinity)
    #expect(DeterministicMath.log(-1).isNaN)
    #expect(DeterministicMath.log(.nan).isNaN)
    #expect(DeterministicMath.log(.infinity) == .infinity)
    #expect(DeterministicMath.log(1) == 0)
    #expect(DeterministicMath.exp(0) == 1)
    #expect(DeterministicMath.exp(.infinity) == .infinity)
    #expect(DeterministicMath.exp(-.infinity) == 0)
    #expect(DeterministicMath.exp(.nan).isNaN)
    #expect(DeterministicMath.exp(710) == .infinity)
    #expect(DeterministicMath.exp(-746) == 0)
    #expect(DeterministicMath.log2(0) == -.infinity)
    #expect(DeterministicMath.log2(-1).isNaN)
    #expect(DeterministicMath.log2(.infinity) == .infinity)
    #expect(DeterministicMath.normalQuantile(0) == -.infinity)
    #expect(DeterministicMath.normalQuantile(1) == .infinity)
    #expect(DeterministicMath.normalQuantile(0.5) == 0)
  }

  @Test func `the logarithm is within one unit in the last place`() {
    var random = RandomStream(seed: 31, purpose: RandomPurpose("log"))
    var worst = 0.0
    for _ in 0..<300_000 {
      let x = Double(bitPattern: random.next() >> 1)
      if !x.isFinite || x == 0 { continue }
      worst = max(worst, ulps(DeterministicMath.log(x), Glibc.log(x)))
    }
    for step in -50_000...50_000 {
      let x = 1 + Double(step) * 1e-5 * 0.9
      worst = max(worst, ulps(DeterministicMath.log(x), Glibc.log(x)))
      let near = 1 + Double(step) * 0x1p-52
      worst = max(worst, ulps(DeterministicMath.log(near), Glibc.log(near)))
    }
    let borders: [Double] = [
      .leastNonzeroMagnitude, .leastNormalMagnitude / 3, .leastNormalMagnitude,
      .greatestFiniteMagnitude, 2.0.squareRoot(),
      2.0.squareRoot().nextUp, 0.5.squareRoot(),
    ]
    for x in borders { worst = max(worst, ulps(DeterministicMath.log(x), Glibc.log(x))) }
    #expect(worst <= 1)
  }

  @Test func `the exponential is within one unit in the last place`() {
    var random = RandomStream(seed: 32, purpose: RandomPurpose("exp"))
    var worst = 0.0
    for _ in 0..<300_000 {
      let x = (random.uniform() * 2 - 1) * 708
      worst = max(worst, ulps(DeterministicMath.exp(x), Glibc.exp(x)))
      let small = (random.uniform() * 2 - 1) * DeterministicMath.exp(-40 * random.uniform())
      worst = max(worst, ulps(DeterministicMath.exp(small), Glibc.exp(small)))
    }
    for step in 0..<37_000 {
      // Subnormal results.
      let x = -708 - Double(step) * 1e-3
      worst = max(worst, ulps(DeterministicMath.exp(x), Glibc.exp(x)))
    }
    for x in [709.782712893384, 709.782712893383, -745.13, -745.1332191019411] {
      worst = max(worst, ulps(DeterministicMath.exp(x), Glibc.exp(x)))
    }
    #expect(worst <= 1)
  }

  @Test func `the binary logarithm of every power of two is exact`() {
    for exponent in -1074...1023 {
      let x = Double(sign: .plus, exponent: exponent, significand: 1)
      #expect(DeterministicMath.log2(x) == Double(exponent))
    }
    for x in [3.0, 10, 1e-300, 0.1, 1.0001] {
      #expect(ulps(DeterministicMath.log2(x), Glibc.log2(x)) <= 2)
    }
  }

  @Test func `powers agree with the logarithm of the result`() {
    var random = RandomStream(seed: 33, purpose: RandomPurpose("pow"))
    for _ in 0..<50_000 {
      let base = DeterministicMath.exp((random.uniform() * 2 - 1) * 20)
      let exponent = (random.uniform() * 2 - 1) * 20
      let exact = Glibc.pow(base, exponent)
      let allowed = 4 + 2 * (exponent * Glibc.log(base)).magnitude
      #expect(ulps(DeterministicMath.pow(base, exponent), exact) <= allowed)
    }
    #expect(DeterministicMath.pow(2, 0) == 1)
  }

  /// P(X <= x) = erfc(-x / sqrt 2) / 2, whose relative slope is x near the tails.
  @Test func `the normal quantile inverts the error function`() {
    var random = RandomStream(seed: 34, purpose: RandomPurpose("quantile"))
    for _ in 0..<50_000 {
      let p = DeterministicMath.exp(-700 * random.uniform() * random.uniform()) * 0.5
      let x = DeterministicMath.normalQuantile(p)
      let back = 0.5 * Glibc.erfc(-x / 2.0.squareRoot())
      #expect((back - p).magnitude <= p * (x * x + 1) * 2e-15)
    }
    for k in 1..<1000 {
      let p = Double(k) / 1000
      let sum = DeterministicMath.normalQuantile(p) + DeterministicMath.normalQuantile(1 - p)
      #expect(sum.magnitude < 1e-13)
    }
  }

  @Test(arguments: [
    (0.975, 1.9599639845400538), (0.95, 1.6448536269514722), (0.995, 2.5758293035489004),
    (0.9, 1.2815515655446006), (1e-9, -5.9978070150076865), (1e-100, -21.273453560965326),
  ])
  func `the normal quantile gives textbook values`(p: Double, x: Double) {
    #expect((DeterministicMath.normalQuantile(p) - x).magnitude < 2e-15 * x.magnitude)
  }

  /// The bits of one draw each: a change of these functions changes every result.
  @Test func `the bits of some values are pinned`() {
    #expect(DeterministicMath.log(2) == 0.6931471805599453)
    #expect(DeterministicMath.log(10) == 2.302585092994046)
    #expect(DeterministicMath.exp(1) == 2.7182818284590455)
    #expect(DeterministicMath.exp(-1) == 0.36787944117144233)
    #expect(DeterministicMath.normalQuantile(0.975) == 1.9599639845400536)
  }
}
