import SimKernel
import Testing
import Training

/// launch + elements x slope is found again in times made from it.
@Suite struct CodecCostFitTests {
  static let sizes = [4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216]

  @Test(
    "exact times give back launch and rate, and R^2 of 1",
    arguments: [(1e-6, 1e-9), (0, 2.5e-10), (2e-5, 0), (1e-3, 1e-12), (5e-9, 3e-8)])
  func exact(launch: Double, slope: Double) {
    let fit = CodecCostFit(
      sizes: Self.sizes, times: Self.sizes.map { launch + slope * Double($0) })
    #expect((fit.launch - launch).magnitude <= 1e-9 * launch + 1e-16)
    #expect((fit.slope - slope).magnitude <= 1e-9 * slope + 1e-21)
    #expect(fit.rSquared > 1 - 1e-9)
  }

  @Test("errors of up to 5 % of each time move neither term by more than 10 %")
  func noisy() {
    var random = RandomStream(seed: 4, purpose: RandomPurpose("calibration noise"))
    for _ in 0..<50 {
      let times = Self.sizes.map {
        (1e-5 + 1e-9 * Double($0)) * (0.95 + 0.1 * random.uniform())
      }
      let fit = CodecCostFit(sizes: Self.sizes, times: times)
      #expect((fit.launch / 1e-5 - 1).magnitude < 0.1)
      #expect((fit.slope / 1e-9 - 1).magnitude < 0.1)
      #expect(fit.rSquared > 0.98 && fit.rSquared < 1)
    }
  }

  @Test("no term is negative, and what is no line says so")
  func bounds() {
    // Times that grow faster than the size: the line through them meets zero above no elements.
    let steep = CodecCostFit(sizes: [1000, 2000, 4000], times: [1e-6, 4e-6, 16e-6])
    #expect(steep.launch == 0 && steep.slope > 0)
    let falling = CodecCostFit(sizes: [1000, 2000, 4000], times: [4e-6, 2e-6, 1e-6])
    #expect(falling.slope == 0 && falling.launch > 0)
    #expect(falling.rSquared < 0.1)
    #expect(falling.cost.bandwidth == nil && falling.cost.rSquared == 0)
    let wild = CodecCostFit(sizes: [1000, 2000, 4000, 8000], times: [1e-6, 9e-6, 2e-6, 9e-6])
    #expect(wild.rSquared < CodecCalibration.doubtfulFit)
  }

  @Test("one size is a line through zero, or a launch; the time itself comes back")
  func oneSize() {
    let fit = CodecCostFit(sizes: [1000], times: [2e-6])
    #expect((fit.launch + 1000 * fit.slope - 2e-6).magnitude < 1e-15)
  }

  @Test("a cost has the times of its fit, rounded up to a picosecond")
  func cost() {
    let fit = CodecCostFit(sizes: Self.sizes, times: Self.sizes.map { 3e-6 + 1e-9 * Double($0) })
    let cost = fit.cost
    #expect(cost.launch == .microseconds(3))
    // 4 bytes a nanosecond.
    #expect(cost.bandwidth == .gigabytesPerSecond(4))
    #expect(isClose(cost.time(bytes: 4e6, elements: 1e6), .microseconds(1003), within: 2))
    #expect(cost.time(bytes: 0, elements: 0) == .zero)
    let both = CodecCost(
      launch: .microseconds(1), bandwidth: .gigabytesPerSecond(4), nanosecondsPerElement: 0.5)
    #expect(both.time(bytes: 4000, elements: 1000) == .nanoseconds(1000 + 1000 + 500))
  }
}
