import Reporting
import SimKernel
import Testing

@Suite struct NumbersTests {
  @Test(arguments: [
    (0.0, 0, "0"), (0, 2, "0.00"), (1.005, 1, "1.0"), (0.05, 1, "0.1"), (-0.05, 1, "-0.1"),
    (-0.04, 1, "0.0"), (9.999, 2, "10.00"), (123.456, 0, "123"), (1e14, 3, "100000000000000.000"),
    (0.007, 3, "0.007"), (2.5, 0, "3"), (.infinity, 2, "inf"),
  ]) func fixedPointRoundsHalfAway(_ value: Double, _ digits: Int, _ text: String) {
    #expect(Numbers.fixed(value, digits) == text)
  }

  @Test(arguments: [
    (0.0, 4, "0"), (1.0, 3, "1.00"), (9.9996, 4, "10.00"), (999.96, 4, "1000"), (0.5, 3, "0.500"),
    (0.09996, 3, "0.100"), (123_456, 3, "123456"), (1.5e-7, 3, "1.50e-7"), (2e9, 2, "2.0e9"),
    (-3.14159, 3, "-3.14"), (.nan, 3, "nan"),
  ]) func significantDigits(_ value: Double, _ digits: Int, _ text: String) {
    #expect(Numbers.significant(value, digits) == text)
  }

  @Test(arguments: [
    (0.0, "0 s"), (2.5, "2.500 s"), (0.0123, "12.30 ms"), (5e-6, "5.000 us"), (3e-9, "3.000 ns"),
  ]) func secondsInTheirUnit(_ value: Double, _ text: String) {
    #expect(Numbers.seconds(value) == text)
  }

  @Test(arguments: [
    (0.0, "0"), (2.302e-5, "0.023"), (0.0045, "4.500"), (0.01234, "12.34"), (0.12345, "123.5"),
    (1.633, "1633"), (64.317, "64317"),
  ]) func millisecondsOfAColumn(_ seconds: Double, _ text: String) {
    #expect(Numbers.milliseconds(seconds) == text)
  }

  @Test func randomNumbersReadBackWithinHalfADigit() {
    var random = RandomStream(seed: 1, purpose: RandomPurpose("numbers"))
    for _ in 0..<10_000 {
      let value = (random.uniform() - 0.5) * 1e6
      for digits in 0...6 {
        var half = 0.5
        for _ in 0..<digits { half /= 10 }
        let read = Double(Numbers.fixed(value, digits)) ?? .nan
        #expect((read - value).magnitude <= half * 1.0001 + 1e-9)
      }
    }
  }
}

@Suite struct TextTableTests {
  private func table() -> TextTable {
    var table = TextTable([
      (title: "name", alignment: .left), (title: "count", alignment: .right),
      (title: "note", alignment: .left),
    ])
    table.add(["a", "1", ""])
    table.addBreak()
    table.add(["a longer name here", "1000000", "x"])
    return table
  }

  @Test func columnsAlign() {
    #expect(
      table().text() == """
        name                  count  note
        a                         1

        a longer name here  1000000  x

        """)
  }

  @Test func textIsShortenedAndNumbersAreNot() {
    let lines = table().text(width: 26).split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 26 })
    #expect(lines.last == "a longer ~  1000000  x" || lines.last?.contains("1000000") == true)
    #expect(lines.last?.contains("~") == true)
  }

  @Test func columnsGoInOrderUntilTheRestFits() {
    let (all, none) = table().fitting(width: 40, expendable: ["note", "count"])
    #expect(none == [] && all.text() == table().text())
    let (two, one) = table().fitting(width: 28, expendable: ["note", "count"])
    #expect(one == ["note"])
    #expect(two.text().hasPrefix("name                  count\n"))
    // The wide one goes last, and the narrow one comes back into its room.
    let (narrow, gone) = table().fitting(width: 25, expendable: ["note", "count"])
    #expect(gone == ["count"])
    #expect(narrow.text().hasPrefix("name                note\n"))
  }

  @Test func columnsWithoutContentGo() {
    var table = TextTable([(title: "a", alignment: .left), (title: "b", alignment: .right)])
    table.add(["x", ""])
    #expect(table.fitting(width: 80, expendable: ["b"]).table.text() == "a\nx\n")
  }

  @Test func wrappedTextKeepsItsWords() {
    let text = "one two three four five six seven"
    for width in 1...40 {
      let lines = WrappedText.lines(text, head: "> ", indent: 2, width: width)
      #expect(
        lines.flatMap { $0.dropFirst(2).split(separator: " ") } == text.split(separator: " "))
      for line in lines { #expect(line.count <= max(width, 7)) }
    }
    #expect(WrappedText.lines(text, width: 16, limit: 1) == ["one two ..."])
  }

  @Test(arguments: [
    (0.95, "95 %"), (0.999, "99.9 %"), (0.01, "1 %"), (0.005, "0.5 %"), (0, "0 %"), (1, "100 %"),
    (0.3, "30 %"),
  ])
  func `percentages have no zeros at their end`(fraction: Double, text: String) {
    #expect(Numbers.percent(fraction) == text)
  }

  /// Two digits of the width, four of the larger end.
  @Test(arguments: [
    (1.0, 1.25, "[1.000, 1.250]"), (-2.88112, -2.88098, "[-2.88112, -2.88098]"),
    (-0.5, 12.0, "[-0.50, 12.00]"), (0, 0, "[0, 0]"), (5, 5, "[5.000, 5.000]"),
    (0.0007723, 0.0007815, "[0.0007723, 0.0007815]"), (12_345.0, 12_400.0, "[12345, 12400]"),
    (1e12, 2e12, "[1.000e12, 2.000e12]"),
  ])
  func `intervals have the digits that tell their ends apart`(
    low: Double, high: Double, text: String
  ) {
    #expect(Numbers.interval(low...high) == text)
  }
}
