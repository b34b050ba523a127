import Testing
import Validation

/// Laws of launch and bandwidth over ranges of sizes.
@Suite struct SegmentedFitTests {
  private func points(
    _ sizes: [Double], _ time: (Double) -> Double
  ) -> [SegmentedFit.Point] {
    sizes.map { SegmentedFit.Point(size: $0, time: time($0)) }
  }
  private let sizes = (2...30).map { Double(1 << $0) }

  @Test func oneLawIsFoundExactly() {
    let fit = SegmentedFit(points(sizes) { 20e-6 + $0 * 1e-10 })
    #expect(fit.segments.count == 1)
    #expect((fit.segments[0].launch / 20e-6 - 1).magnitude < 1e-9)
    #expect((fit.segments[0].slope / 1e-10 - 1).magnitude < 1e-9)
    #expect((fit.time(of: 12345) / (20e-6 + 12345e-10) - 1).magnitude < 1e-9)
  }

  @Test func threeProtocolsAreToldApart() {
    // Cheap to begin and slow, dearer and faster, dearest and fastest.
    func time(_ size: Double) -> Double {
      min(10e-6 + size * 1e-9, min(30e-6 + size * 1e-10, 200e-6 + size * 5e-12))
    }
    let held = HeldOutFit(points(sizes, time))
    // A range more may bridge a change.
    #expect((3...5).contains(held.fit.segments.count))
    for law in [(10e-6, 1e-9), (30e-6, 1e-10), (200e-6, 5e-12)] {
      #expect(
        held.fit.segments.contains { segment in
          (segment.launch / law.0 - 1).magnitude < 1e-6
            && (segment.slope / law.1 - 1).magnitude < 1e-6
        })
    }
    // Only around the two changes is anything uncertain.
    let wrong = held.predictions.filter { $0.isHeldOut && $0.error.magnitude > 1e-6 }
    #expect(wrong.count <= 2 && wrong.allSatisfy { $0.error.magnitude < 0.4 })
    #expect(held.bands.map(\.count).reduce(0, +) == sizes.count / 2)
  }

  @Test func constantsAreNotNegative() {
    let falling = SegmentedFit(points([1, 2, 3]) { 10 - $0 })
    #expect(falling.segments.count == 1 && falling.segments[0].slope == 0)
    #expect(falling.segments[0].launch > 0)
    let steep = SegmentedFit(points([1, 2, 4, 8]) { $0 * $0 })
    #expect(steep.segments[0].launch == 0 && steep.segments[0].slope > 0)
  }

  @Test func fewPointsAreFitted() {
    #expect(SegmentedFit(points([8]) { _ in 3 }).time(of: 1e9) == 3)
    let two = SegmentedFit(points([8, 16]) { 1 + $0 })
    #expect((two.time(of: 32) - 33).magnitude < 1e-9)
    #expect(HeldOutFit(points([8]) { _ in 3 }).bands.isEmpty)
  }

  @Test func noiseEarnsNoRanges() {
    // Alternating errors of 2 %, which no law explains.
    let noisy = sizes.enumerated().map { index, size in
      SegmentedFit.Point(
        size: size, time: (20e-6 + size * 1e-10) * (index % 2 == 0 ? 1.02 : 0.98))
    }
    let fit = SegmentedFit(noisy)
    for size in sizes {
      #expect((fit.time(of: size) / (20e-6 + size * 1e-10) - 1).magnitude < 0.03)
    }
  }

  @Test func errorsAreThoseOfWhatWasNotSeen() {
    // A law through the even points, and odd points a tenth above it.
    let bent = sizes.enumerated().map { index, size in
      SegmentedFit.Point(size: size, time: (1e-5 + size * 1e-10) * (index % 2 == 0 ? 1 : 1.1))
    }
    for band in HeldOutFit(bent).bands {
      #expect((band.meanError - 0.1 / 1.1).magnitude < 1e-6)
      #expect((band.largestError - 0.1 / 1.1).magnitude < 1e-6)
    }
  }
}
