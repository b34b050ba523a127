import Reporting
import Testing

@Suite struct TicksTests {
  @Test func `linear ticks are multiples of 1, 2 or 5`() {
    #expect(Ticks.linear(0, 10, count: 5) == [0, 2, 4, 6, 8, 10])
    #expect(Ticks.linear(0, 1, count: 5) == [0, 0.2, 0.4, 0.6, 0.8, 1])
    #expect(Ticks.linear(0, 0.3, count: 3) == [0, 0.1, 0.2, 0.3])
    #expect(Ticks.linear(3, 17, count: 3) == [5, 10, 15])
    #expect(Ticks.linear(-1, 1, count: 4) == [-1, -0.5, 0, 0.5, 1])
    #expect(Ticks.linear(5, 5) == [5])
  }

  @Test(arguments: [1, 2, 3, 5, 8], [1e-9, 0.003, 0.7, 1, 12, 4.5e6, 3e12])
  func `linear ticks lie inside, evenly, and are not too many`(count: Int, width: Double) {
    for low in [0, width * 0.37, -width * 1.21] {
      let ticks = Ticks.linear(low, low + width, count: count)
      #expect(ticks.count <= count + 1)
      #expect(ticks.allSatisfy { $0 >= low - width * 1e-6 && $0 <= low + width * (1 + 1e-6) })
      let steps = zip(ticks, ticks.dropFirst()).map { $1 - $0 }
      for step in steps { #expect(abs(step - steps[0]) < steps[0] * 1e-6) }
      // A step is less than 2.5 times the width over the count.
      if count >= 3 { #expect(!ticks.isEmpty) }
    }
  }

  @Test func `logarithmic ticks are powers of ten, finer where there are few`() {
    #expect(Ticks.logarithmic(1, 1000) == [1, 10, 100, 1000])
    #expect(Ticks.logarithmic(1, 10) == [1, 2, 5, 10])
    #expect(Ticks.logarithmic(0.2, 30) == [0.2, 0.5, 1, 2, 5, 10, 20])
    // Nine of them would be too many.
    #expect(Ticks.logarithmic(0.17, 70) == [0.3, 1, 3, 10, 30])
    #expect(Ticks.logarithmic(2.2, 9) == [3, 5, 7])
    #expect(Ticks.logarithmic(1e-3, 1e12, count: 6).count <= 6)
    #expect(Ticks.logarithmic(7, 7) == [7])
  }

  @Test func `a nice range holds its values and ends at ticks`() {
    for (low, high) in [(0.0, 326.9), (0, 1), (12.5, 13.1), (-3, 8), (0, 1e-7)] {
      let range = Ticks.niceRange(low, high)
      #expect(range.lowerBound <= low && range.upperBound >= high * (1 - 1e-9))
      #expect(range.upperBound - range.lowerBound < 2 * (high - low))
      let ticks = Ticks.linear(range.lowerBound, range.upperBound)
      #expect(abs(ticks[0] - range.lowerBound) < (high - low) * 1e-6)
    }
  }
}

@Suite struct ScaleTests {
  @Test func `ends and middles of both kinds`() {
    let linear = Scale(0...10, from: 100, to: 200)
    #expect(linear.position(0) == 100 && linear.position(10) == 200 && linear.position(2.5) == 125)
    let down = Scale(0...10, from: 200, to: 100)
    #expect(down.position(10) == 100)
    let logarithmic = Scale(1...100, from: 0, to: 2, isLogarithmic: true)
    #expect(abs(logarithmic.position(10) - 1) < 1e-12)
    #expect(abs(logarithmic.position(1000) - 3) < 1e-12)
    #expect(!logarithmic.contains(101) && logarithmic.contains(100))
  }

  @Test func `a single value stands in the middle`() {
    for value in [0.0, 3, -2, 1e-12] {
      let scale = Scale(value...value, from: 0, to: 10)
      #expect(abs(scale.position(value) - 5) < 1e-9)
    }
    #expect(abs(Scale(8...8, from: 0, to: 1, isLogarithmic: true).position(8) - 0.5) < 1e-12)
  }

  @Test func `factors get a logarithm, steps do not`() {
    #expect(Scale.suitsLogarithm([1, 10, 25, 100]))
    #expect(Scale.suitsLogarithm([2, 4, 8]))
    #expect(!Scale.suitsLogarithm([1, 2, 3, 4]))
    #expect(!Scale.suitsLogarithm([0, 1, 100]))
    #expect(!Scale.suitsLogarithm([8, 32]))
    #expect(!Scale.suitsLogarithm([]) && !Scale.suitsLogarithm([5]))
    #expect(!Scale.suitsLogarithm([5, 5, .nan]))
  }
}

@Suite struct ChartUnitTests {
  @Test func `values carry prefixes`() {
    #expect(ChartUnit.seconds.text(0.01234) == "12.34 ms")
    #expect(ChartUnit.seconds.text(3e-9) == "3 ns")
    #expect(ChartUnit.bitsPerSecond.text(2.5e9) == "2.5 Gb/s")
    #expect(ChartUnit.bytes.text(1_500_000) == "1.5 MB")
    #expect(ChartUnit.share.text(0.5) == "50 %")
    #expect(ChartUnit.factor.text(2.5, digits: 3) == "2.50\u{00D7}")
    #expect(ChartUnit.number.text(0) == "0")
    #expect(ChartUnit.seconds.text(.infinity) == "inf")
  }
}
