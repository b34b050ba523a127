import SimKernel
import Testing
import Validation

private typealias Count = ColumnStatistics.ValueCount

private func statistics(_ cells: [String]) -> ColumnStatistics {
  ColumnStatistics(DataColumn("c", cells: cells))
}

@Suite struct DistributionDistanceTests {
  /// The vector of TensorFlow Data Validation's tests, to more digits from the definition: of the
  /// pieces 1..<2, 2..<3, 3..<4 and 4..<6, only the second has a mass on both sides.
  @Test func `the divergence of overlapping histograms is that of their pieces`() {
    let p = Histogram([.init(1, 2, 2), .init(2, 3, 2)])
    let q = Histogram([.init(2, 4, 2), .init(4, 6, 2)])
    let shared =
      (0.5 * DeterministicMath.log2(0.5 / 0.375) + 0.25 * DeterministicMath.log2(0.25 / 0.375)) / 2
    let expected = 0.5 / 2 + shared + 0.25 / 2 + 0.5 / 2
    for divergence in [
      DistributionDistance.jensenShannon(p, q), DistributionDistance.jensenShannon(q, p),
    ] {
      #expect((divergence - expected).magnitude < 1e-12)
      #expect((divergence - 0.65563906222).magnitude < 1e-9)
    }
  }

  @Test func `identical histograms are at 0, disjoint ones at 1, whatever their masses`() {
    let p = Histogram([.init(1, 2, 2), .init(2, 3, 2)])
    #expect(DistributionDistance.jensenShannon(p, p) == 0)
    let scaled = Histogram([.init(1, 2, 20), .init(2, 3, 20)])
    #expect(DistributionDistance.jensenShannon(p, scaled) == 0)
    // The same even mass, cut elsewhere.
    let recut = Histogram([.init(1, 1.5, 1), .init(1.5, 2.5, 2), .init(2.5, 3, 1)])
    #expect(DistributionDistance.jensenShannon(p, recut).magnitude < 1e-15)
    let far = Histogram([.init(7, 8, 1)])
    #expect(DistributionDistance.jensenShannon(p, far) == 1)
    let nothing = Histogram([])
    #expect(DistributionDistance.jensenShannon(p, nothing) == 1)
    #expect(DistributionDistance.jensenShannon(nothing, nothing) == 0)
  }

  @Test func `points match points, and what is not finite matches nothing`() {
    let point = Histogram([.init(2, 2, 5)])
    #expect(DistributionDistance.jensenShannon(point, Histogram([.init(2, 2, 1)])) == 0)
    #expect(DistributionDistance.jensenShannon(point, Histogram([.init(3, 3, 1)])) == 1)
    #expect(DistributionDistance.jensenShannon(point, Histogram([.init(1, 3, 1)])) == 1)
    let invalid = Histogram([.init(2, 2, 3)], notFinite: [1])
    // A quarter of either side has no partner.
    #expect((DistributionDistance.jensenShannon(invalid, invalid) - 0.25).magnitude < 1e-15)
  }

  @Test func `the divergence is symmetric and within 0...1`() {
    var random = RandomStream(seed: 11, purpose: RandomPurpose("histograms"))
    for _ in 0..<300 {
      func draw() -> Histogram {
        var edge = random.uniform()
        return Histogram(
          (0..<(1 + random.index(below: 6))).map { _ in
            let lower = edge
            edge += random.uniform() < 0.2 ? 0 : random.uniform()
            return .init(lower, edge, random.uniform())
          })
      }
      let p = draw()
      let q = draw()
      let divergence = DistributionDistance.jensenShannon(p, q)
      #expect(divergence >= 0 && divergence <= 1)
      #expect((divergence - DistributionDistance.jensenShannon(q, p)).magnitude < 1e-14)
      #expect(DistributionDistance.jensenShannon(p, p).magnitude < 1e-15)
    }
  }

  @Test func `L-infinity is the largest difference of fractions`() {
    // 1/2 against 1/4 of a, 1/2 against 3/4 of b: a tie, of which the later value counts.
    let tie = DistributionDistance.lInfinity(
      [Count("a", 1), Count("b", 1)], [Count("a", 1), Count("b", 3)])
    #expect(tie.distance == 0.25 && tie.value == "b")
    let disjoint = DistributionDistance.lInfinity([Count("a", 2)], [Count("b", 1), Count("c", 1)])
    #expect(disjoint.distance == 1 && disjoint.value == "a")
    let nothing = DistributionDistance.lInfinity([], [])
    #expect(nothing.distance == 0 && nothing.value == nil)
    #expect(DistributionDistance.lInfinity([Count("a", 3)], []).distance == 1)
    let scaled = DistributionDistance.lInfinity([Count("a", 1)], [Count("a", 9)])
    #expect(scaled.distance == 0)
  }

  @Test func `the normalized difference notices a larger set`() {
    let grown = DistributionDistance.normalizedAbsoluteDifference(
      [Count("a", 1), Count("b", 1)], [Count("a", 2), Count("b", 6)])
    #expect((grown.distance - 0.5).magnitude < 1e-15 && grown.value == "b")
    let same = DistributionDistance.normalizedAbsoluteDifference([Count("a", 4)], [Count("a", 4)])
    #expect(same.distance == 0)
  }

  @Test func `the divergence of texts is that of their fractions`() {
    let p = [Count("a", 1), Count("b", 1)]
    let q = [Count("b", 1), Count("c", 1)]
    #expect(DistributionDistance.jensenShannon(p, q) == 0.5)
    #expect(DistributionDistance.jensenShannon(p, p) == 0)
    #expect(DistributionDistance.jensenShannon(p, [Count("c", 1)]) == 1)
    #expect(DistributionDistance.jensenShannon(p, []) == 1)
  }
}

@Suite struct ColumnStatisticsTests {
  @Test(arguments: [
    (["1", "-2", "007"], DataType.integer), (["1", "2.5"], .float), (["1e3", "nan"], .float),
    (["inf", "-inf"], .float), (["1", "x"], .text), (["0x10", "1"], .text),
    (["99999999999999999999"], .float), ([" 1"], .text),
  ])
  func `the type is the narrowest that all values have`(cells: [String], type: DataType) {
    #expect(statistics(cells).type == type)
  }

  @Test func `nothing, missing values and several values a row`() {
    let nothing = statistics([])
    #expect(nothing.type == nil && nothing.valency == nil && nothing.presentFraction == 0)
    let missing = statistics(["", "3", "", "5"])
    #expect(missing.rows == 4 && missing.present == 2 && missing.presentFraction == 0.5)
    #expect(missing.extent == 3...5 && missing.valency == 1...1)
    let lists = ColumnStatistics(
      DataColumn("c", cells: ["a;b", "", "b;c;a"], separator: ";"))
    #expect(lists.valency == 2...3)
    #expect(lists.counts == [Count("a", 2), Count("b", 2), Count("c", 1)])
  }

  @Test func `what is not finite is counted apart`() {
    let column = statistics(["1", "nan", "-inf", "inf", "inf", "-4"])
    #expect(column.notANumber == 1 && column.negativeInfinite == 1 && column.positiveInfinite == 2)
    #expect(column.numbers == [1, -4] && column.extent == -4...1)
    let histogram = Histogram(column)
    #expect(histogram.mass == 6 && histogram.notFinite == [1, 1, 2])
  }

  @Test func `a histogram keeps every number, at any scale`() {
    var random = RandomStream(seed: 12, purpose: RandomPurpose("buckets"))
    for scale in [0x1p-1060, 1e-300, 1, 1e300, 0x1.FFFFFFFFFFFFFp+1023] {
      for count in [1, 2, 3, 50] {
        let cells = (0..<count).map { _ in "\((random.uniform() * 2 - 1) * scale)" }
        let histogram = Histogram(statistics(cells))
        #expect(histogram.mass == Double(count))
        for (bucket, next) in zip(histogram.buckets, histogram.buckets.dropFirst()) {
          #expect(bucket.upper == next.lower)
        }
        #expect(DistributionDistance.jensenShannon(histogram, histogram).magnitude < 1e-15)
      }
    }
    #expect(Histogram(statistics(["5", "5"])).buckets == [.init(5, 5, 2)])
    #expect(Histogram(statistics([])).buckets.isEmpty)
  }

  @Test func `tables need columns of one length and different names`() throws {
    let two = DataColumn("a", cells: ["1", "2"])
    #expect(throws: DataTable.Malformation.unequalLength(column: "b", found: 1, expected: 2)) {
      try DataTable([two, DataColumn("b", cells: ["1"])])
    }
    #expect(throws: DataTable.Malformation.duplicateColumn("a")) { try DataTable([two, two]) }
    #expect(try DataTable([]).rowCount == 0)
    #expect(try DataTable([two])["a"] == two)
    #expect(try DataTable([two])["b"] == nil)
  }
}
