import SimKernel
import Testing

@Suite struct RunningStatisticsTests {
  @Test func `nothing, one and two samples`() {
    var none = RunningStatistics()
    #expect(none.count == 0)
    #expect(none.mean == 0)
    #expect(none.variance == 0)
    #expect(none.minimum.isNaN && none.maximum.isNaN)
    #expect(none.percentile(0.5).isNaN)
    #expect(none.confidenceHalfWidth() == nil)
    var one = RunningStatistics([5])
    #expect(one.mean == 5 && one.variance == 0 && one.percentile(0.99) == 5)
    #expect(one.confidenceHalfWidth() == nil)
    var two = RunningStatistics([1, 3])
    #expect(two.mean == 2 && two.variance == 2)
    #expect(two.percentile(0.25) == 1.5)
    // t(0.975, 1) * sqrt 2 / sqrt 2.
    #expect((two.confidenceHalfWidth()! - 12.706204736174705).magnitude < 1e-9)
  }

  @Test func `mean and variance agree with two passes, far from zero too`() {
    var random = RandomStream(seed: 41, purpose: RandomPurpose("welford"))
    for offset in [0, 1e6, -1e9] {
      let values = (0..<10_000).map { _ in offset + random.normal() }
      let statistics = RunningStatistics(values)
      let mean = values.reduce(0) { $0 + ($1 - offset) } / 10_000
      let squares = values.reduce(0) { $0 + ($1 - offset - mean) * ($1 - offset - mean) }
      #expect((statistics.mean - offset - mean).magnitude <= 1e-14 * (1 + offset.magnitude))
      // Each step rounds the mean to the precision left at the offset.
      let precision = 1e-12 + 10 * offset.ulp
      #expect((statistics.variance / (squares / 9_999) - 1).magnitude < precision)
      #expect(statistics.standardDeviation == statistics.variance.squareRoot())
      #expect(statistics.minimum == values.min())
      #expect(statistics.maximum == values.max())
    }
  }

  /// numpy.percentile([15, 20, 35, 40, 50], q), whose default is type 7.
  @Test(arguments: [(0, 15), (0.05, 16), (0.3, 23), (0.4, 29), (0.5, 35), (0.99, 49.6), (1, 50)])
  func `percentiles interpolate as type 7`(fraction: Double, expected: Double) {
    var statistics = RunningStatistics([50, 15, 40, 20, 35])
    #expect((statistics.percentile(fraction) - expected).magnitude < 1e-12)
  }

  @Test func `percentiles stay right while samples arrive`() {
    var random = RandomStream(seed: 42, purpose: RandomPurpose("percentile"))
    var statistics = RunningStatistics()
    var values: [Double] = []
    for _ in 0..<300 {
      let value = random.normal()
      statistics.add(value)
      values.append(value)
      let sorted = values.sorted()
      #expect(statistics.percentile(0) == sorted[0])
      #expect(statistics.percentile(1) == sorted[sorted.count - 1])
      if sorted.count % 2 == 1 { #expect(statistics.percentile(0.5) == sorted[sorted.count / 2]) }
    }
  }
}

@Suite struct StudentTTests {
  /// Upper quantiles as the tables print them, to more digits.
  @Test(arguments: [
    (1, 0.975, 12.706204736174705), (2, 0.975, 4.302652729749464), (3, 0.975, 3.182446305283709),
    (4, 0.975, 2.7764451051977934), (5, 0.95, 2.015048373333023), (9, 0.995, 3.2498355415921258),
    (10, 0.9, 1.3721836411102868), (30, 0.975, 2.0422724563012378),
    (100, 0.975, 1.9839715185235518), (1000, 0.975, 1.9623390808264074),
    (1, 0.75, 1), (2, 0.9995, 31.59905457644373),
  ])
  func `quantiles are those of the tables`(n: Int, p: Double, t: Double) {
    #expect((StudentT.quantile(p, degreesOfFreedom: n) / t - 1).magnitude < 1e-10)
    #expect(StudentT.quantile(1 - p, degreesOfFreedom: n) < 0)
  }

  @Test func `the median is zero and the distribution symmetric`() {
    for n in 1...40 {
      #expect(StudentT.quantile(0.5, degreesOfFreedom: n) == 0)
      #expect(StudentT.cumulative(0, degreesOfFreedom: n) == 0.5)
      for t in [0.1, 1, 5, 100] {
        let sum =
          StudentT.cumulative(t, degreesOfFreedom: n) + StudentT.cumulative(-t, degreesOfFreedom: n)
        #expect((sum - 1).magnitude < 1e-15)
      }
    }
  }

  /// One degree of freedom is Cauchy's distribution: P(T <= tan x) = 1/2 + x/pi; two have the closed
  /// form 1/2 + t / (2 sqrt(2 + t^2)).
  @Test func `one and two degrees of freedom have closed forms`() {
    #expect((StudentT.cumulative(1, degreesOfFreedom: 1) - 0.75).magnitude < 1e-15)
    #expect(
      (StudentT.cumulative(3.0.squareRoot(), degreesOfFreedom: 1) - 5.0 / 6).magnitude < 1e-15)
    for t in [0.5, 1, 2, 10] {
      let exact = 0.5 + t / (2 * (2 + t * t).squareRoot())
      #expect((StudentT.cumulative(t, degreesOfFreedom: 2) - exact).magnitude < 1e-15)
    }
  }

  @Test func `the quantile inverts the distribution`() {
    for n in [1, 2, 3, 4, 7, 20, 61] {
      for p in [0.6, 0.9, 0.99, 0.9999] {
        let t = StudentT.quantile(p, degreesOfFreedom: n)
        #expect((StudentT.cumulative(t, degreesOfFreedom: n) - p).magnitude < 1e-14)
      }
    }
  }
}
