import SimKernel
import Testing
import Validation

/// Ten thousand seeded trials: a 95 % interval holds the true mean in 94 to 96 % of them.
@Suite struct CoverageTests {
  private static let trials = 10_000

  private static func coverage(
    _ count: Int, mean: Double, draw: (inout RandomStream) -> Double,
    interval: (PairedDifferences, RandomStream) -> ClosedRange<Double>?
  ) throws -> Double {
    let root = RandomStream(seed: 95, purpose: RandomPurpose("coverage"), entity: count)
    let zeros = [Double](repeating: 0, count: count)
    var held = 0
    for trial in 0..<trials {
      var stream = root.split(trial)
      let sample = try PairedDifferences(
        baseline: zeros, candidate: (0..<count).map { _ in draw(&stream) })
      let interval = try #require(interval(sample, stream.split(1)))
      if interval.contains(mean) { held += 1 }
    }
    return Double(held) / Double(trials)
  }

  @Test(arguments: [2, 3, 5, 10, 30])
  func `Student's interval covers normal differences at any number of pairs`(count: Int) throws {
    let coverage = try Self.coverage(count, mean: 2) {
      $0.normal() * 3 + 2
    } interval: { sample, _ in
      sample.studentInterval()
    }
    #expect(coverage > 0.94 && coverage < 0.96, "\(coverage)")
  }

  @Test(arguments: Bootstrap.Method.allCases, [30, 60])
  func `the bootstrap covers normal differences from 30 pairs`(
    method: Bootstrap.Method, count: Int
  ) throws {
    let bootstrap = Bootstrap(method, resamples: 799)
    let coverage = try Self.coverage(count, mean: 0) {
      $0.normal()
    } interval: { sample, stream in
      bootstrap.interval(of: sample, stream: stream)
    }
    #expect(coverage > 0.94 && coverage < 0.96, "\(coverage)")
  }

  @Test func `without expansion the bootstrap covers too rarely at ten pairs`() throws {
    let bootstrap = Bootstrap(.percentile, resamples: 199, isExpanded: false)
    let coverage = try Self.coverage(10, mean: 0) {
      $0.normal()
    } interval: { sample, stream in
      bootstrap.interval(of: sample, stream: stream)
    }
    #expect(coverage > 0.88 && coverage < 0.92, "\(coverage)")
  }
}

@Suite struct BootstrapTests {
  private static let stream = RandomStream(seed: 1, purpose: RandomPurpose("resample"))

  private static func skewed(_ count: Int) throws -> PairedDifferences {
    var random = RandomStream(seed: 8, purpose: RandomPurpose("skewed"))
    return try PairedDifferences(
      baseline: [Double](repeating: 0, count: count),
      candidate: (0..<count).map { _ in random.exponential() })
  }

  @Test(arguments: Bootstrap.Method.allCases)
  func `a stream gives one interval, within the values`(method: Bootstrap.Method) throws {
    let bootstrap = Bootstrap(method, resamples: 499)
    for count in [2, 3, 4, 5, 31] {
      let sample = try Self.skewed(count)
      let interval = try #require(bootstrap.interval(of: sample, stream: Self.stream))
      #expect(bootstrap.interval(of: sample, stream: Self.stream) == interval)
      // Rounding of a mean of equal values may leave the range by a unit in the last place.
      #expect(interval.lowerBound >= sample.values.min()! * (1 - 1e-15))
      #expect(interval.upperBound <= sample.values.max()! * (1 + 1e-15))
      // Of few values the outermost resamples are the same in any stream.
      let other = bootstrap.interval(of: sample, stream: Self.stream.split(1))
      #expect(other != interval || count < 31)
    }
  }

  @Test func `nothing and one pair have no interval, equal pairs a point`() throws {
    let bootstrap = Bootstrap()
    for values in [[], [1.0]] {
      let sample = try PairedDifferences(baseline: values, candidate: values)
      #expect(bootstrap.interval(of: sample, stream: Self.stream) == nil)
    }
    let same = try PairedDifferences(baseline: [1, 2, 3], candidate: [3, 4, 5])
    #expect(bootstrap.interval(of: same, stream: Self.stream) == 2...2)
  }

  @Test func `a higher confidence gives a wider interval`() throws {
    let sample = try Self.skewed(40)
    for method in Bootstrap.Method.allCases {
      var last = 0.0
      for confidence in [0.5, 0.8, 0.9, 0.95, 0.99] {
        let interval = try #require(
          Bootstrap(method).interval(of: sample, confidence: confidence, stream: Self.stream))
        let width = interval.upperBound - interval.lowerBound
        #expect(width > last)
        last = width
      }
    }
  }

  /// An exponential distribution leans to the right, and so does the corrected interval.
  @Test func `the corrected interval follows the skewness`() throws {
    let sample = try Self.skewed(60)
    let plain = try #require(Bootstrap(.percentile).interval(of: sample, stream: Self.stream))
    let corrected = try #require(
      Bootstrap(.biasCorrected).interval(of: sample, stream: Self.stream))
    #expect(corrected.lowerBound > plain.lowerBound)
    #expect(corrected.upperBound > plain.upperBound)
  }

  /// Large samples of any distribution have a normal mean.
  @Test func `at many pairs all intervals agree`() throws {
    let sample = try Self.skewed(4_000)
    let student = try #require(sample.studentInterval())
    let half = (student.upperBound - student.lowerBound) / 2
    for method in Bootstrap.Method.allCases {
      let interval = try #require(
        Bootstrap(method, resamples: 3_999).interval(of: sample, stream: Self.stream))
      #expect((interval.lowerBound - student.lowerBound).magnitude < 0.15 * half)
      #expect((interval.upperBound - student.upperBound).magnitude < 0.15 * half)
    }
  }
}
