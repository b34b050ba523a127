import SimKernel
import Testing

@Suite struct SimTimeTests {
  @Test func `named units are whole picoseconds`() {
    #expect(SimDuration.picoseconds(7).picoseconds == 7)
    #expect(SimDuration.nanoseconds(1).picoseconds == 1_000)
    #expect(SimDuration.microseconds(5).picoseconds == 5_000_000)
    #expect(SimDuration.milliseconds(2).picoseconds == 2_000_000_000)
    #expect(SimDuration.seconds(3).picoseconds == 3_000_000_000_000)
    #expect(SimDuration.seconds(3).seconds == 3)
  }

  /// 8.3 * 1e6 is 8,300,000.000000001 in binary: a plain ceiling would add a picosecond.
  @Test func `decimal fractions of a unit cost no extra picosecond`() {
    #expect(SimDuration.microseconds(8.3).picoseconds == 8_300_000)
    #expect(SimDuration.nanoseconds(16.1).picoseconds == 16_100)
    #expect(SimDuration.seconds(0.017).picoseconds == 17_000_000_000)
    for k in Int64(0)..<20_000 {
      #expect(SimDuration.nanoseconds(Double(k) / 1000).picoseconds == k)
      #expect(SimDuration.microseconds(Double(k) / 1000).picoseconds == k * 1_000)
      #expect(SimDuration.milliseconds(Double(k) / 100).picoseconds == k * 10_000_000)
      #expect(SimDuration.seconds(Double(k) / 100).picoseconds == k * 10_000_000_000)
    }
  }

  @Test func `what is below a picosecond is rounded up once`() {
    #expect(SimDuration.nanoseconds(0.0001).picoseconds == 1)
    #expect(SimDuration.nanoseconds(1.0001).picoseconds == 1_001)
    #expect(SimDuration.roundingUp(picoseconds: 0).picoseconds == 0)
    #expect(SimDuration.roundingUp(picoseconds: 1e-300).picoseconds == 1)
    #expect(SimDuration.roundingUp(picoseconds: 2.5).picoseconds == 3)
    #expect(SimDuration.roundingUp(picoseconds: -2.5).picoseconds == -2)
    #expect(SimDuration.roundingUp(picoseconds: 0x1p51 + 0.5).picoseconds == 1 << 51 + 1)
  }

  @Test func `rounding saturates at both ends`() {
    #expect(SimDuration.roundingUp(picoseconds: 9.3e18) == .unbounded)
    #expect(SimDuration.roundingUp(picoseconds: .infinity) == .unbounded)
    #expect(SimDuration.roundingUp(picoseconds: -.infinity).picoseconds == .min)
    #expect(SimDuration.seconds(1e300) == .unbounded)
    #expect(SimDuration.seconds(.infinity) == .unbounded)
    #expect(SimDuration.seconds(9_000_000).picoseconds == 9_000_000_000_000_000_000)
  }

  @Test func `sums and products saturate and never wrap`() {
    let large = SimDuration(picoseconds: .max - 1)
    let small = SimDuration(picoseconds: .min)
    #expect(large + .picoseconds(1) == .unbounded)
    #expect(large + large == .unbounded)
    #expect(small + .picoseconds(-1) == small)
    #expect(small - .picoseconds(1) == small)
    #expect(large - .picoseconds(-5) == .unbounded)
    #expect(large * 2 == .unbounded)
    #expect((large * -2).picoseconds == .min)
    #expect(SimDuration.picoseconds(-5) * Int.max == small)
    #expect(SimDuration.picoseconds(6) * 7 == .picoseconds(42))
    var sum = large
    sum += large
    #expect(sum == .unbounded)
    sum -= large
    #expect(sum == .unbounded)
  }

  @Test func `nothing is taken from an unbounded duration`() {
    #expect(SimDuration.unbounded - .seconds(1) == .unbounded)
    #expect(SimDuration.unbounded + .picoseconds(-1) == .unbounded)
    #expect(SimDuration.picoseconds(-1) + .unbounded == .unbounded)
    #expect(SimDuration.unbounded.scaled(by: 0.5) == .unbounded)
    #expect(SimDuration.unbounded.scaled(by: 3) == .unbounded)
    #expect(SimDuration.unbounded.scaled(by: 0) == .zero)
  }

  @Test func `scaling rounds up once and by one is nothing`() {
    #expect(SimDuration.picoseconds(10).scaled(by: 0.25).picoseconds == 3)
    #expect(SimDuration.picoseconds(10).scaled(by: 1.1).picoseconds == 11)
    let odd = SimDuration(picoseconds: (1 << 53) + 1)
    #expect(odd.scaled(by: 1) == odd)
    #expect(SimDuration.seconds(1e6).scaled(by: 1e6) == .unbounded)
    #expect(SimDuration.zero.scaled(by: 1e300) == .zero)
  }

  @Test func `instants move by durations and differ by durations`() {
    let t = SimTime.zero + .microseconds(3)
    #expect(t.picoseconds == 3_000_000)
    #expect(t - .microseconds(1) == SimTime(picoseconds: 2_000_000))
    #expect(t - SimTime.zero == .microseconds(3))
    #expect(SimTime.zero - t == .microseconds(-3))
    #expect(t < t + .picoseconds(1))
    #expect(t < SimTime.never)
    #expect(t.seconds == 3e-6)
  }

  @Test func `instants saturate at never and stay there`() {
    let late = SimTime(picoseconds: .max - 1)
    #expect(late + .picoseconds(1) == .never)
    #expect(late + .seconds(1) == .never)
    #expect(SimTime.zero + .unbounded == .never)
    #expect(SimTime(picoseconds: -5) + .unbounded == .never)
    #expect(SimTime.never + .picoseconds(-1) == .never)
  }

  @Test(arguments: [
    (0, "0"), (1, "0.000000000001"), (1_250_000, "0.00000125"), (1_000_000_000_000, "1"),
    (1_500_000_000_000, "1.5"), (-1_500_000_000_000, "-1.5"), (-1, "-0.000000000001"),
    (Int64.max - 1, "9223372.036854775806"), (Int64.min, "-9223372.036854775808"),
    (Int64.max, "inf"),
  ])
  func `seconds are written as exact decimals`(picoseconds: Int64, text: String) {
    let duration = SimDuration(picoseconds: picoseconds)
    #expect(duration.exactSeconds == text)
    #expect(duration.description == text + " s")
  }

  @Test(
    arguments: [
      (0, "0 s"), (5_000_000, "5 us"), (1_500, "1500 ps"), (1_000, "1 ns"),
      (60_000_000_000_000, "60 s"),
      (7_000_000_000, "7 ms"), (-3_000, "-3 ns"),
    ] as [(Int64, String)])
  func `the short form is the largest whole unit`(picoseconds: Int64, text: String) {
    #expect(SimDuration(picoseconds: picoseconds).shortText == text)
  }
}
