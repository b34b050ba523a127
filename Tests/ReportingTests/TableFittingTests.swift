import Reporting
import Testing

@Suite struct TableFittingTests {
  private func table(_ rows: [[String]], isProse: Bool) -> TextTable {
    var table = TextTable(
      [
        (title: "key", alignment: .left), (title: "n", alignment: .right),
        (title: "meaning", alignment: .left),
      ],
      isProse: isProse)
    for row in rows { table.add(row) }
    return table
  }

  @Test func proseGoesOnUnderItself() {
    let rows = [["alpha", "1", "of links under the flow model"], ["b", "22", "short"]]
    #expect(
      table(rows, isProse: true).text(width: 24) == """
        key     n  meaning
        alpha   1  of links
                   under the
                   flow model
        b      22  short

        """)
    #expect(
      table(rows, isProse: false).text(width: 24) == """
        key     n  meaning
        alpha   1  of links und~
        b      22  short

        """)
  }

  @Test func everyWordOfProseIsThereAtAnyWidth() {
    let text = "a word that is muchlongerthanothers and some more of them"
    for width in 30...90 {
      let shown = table([["k", "1", text]], isProse: true).text(width: width)
      let words = shown.split(whereSeparator: \.isWhitespace)
      for word in text.split(separator: " ") { #expect(words.contains(word), "\(width)") }
      for line in shown.split(separator: "\n") { #expect(line.count <= width) }
    }
  }

  @Test func titlesOverNumbersAreCutButNoNumber() {
    var table = TextTable([
      (title: "model", alignment: .left), (title: "iteration_time_s", alignment: .right),
    ])
    table.add(["resnet50", "123456"])
    #expect(table.lines(width: 18) == ["model     iterati~", "resnet50    123456"])
    #expect(table.lines(width: 2) == ["model     itera~", "resnet50  123456"])
  }

  @Test func sizesNoneOneAndTwo() {
    #expect(table([], isProse: true).text(width: 10) == "key  n  meaning\n")
    var two = table([["", "", ""]], isProse: true)
    two.addBreak()
    two.add(["a", "b", "c"])
    #expect(two.lines() == ["key  n  meaning", "", "", "a    b  c"])
  }

  @Test func stylesChangeNoLetter() {
    let style = TextStyle(hasColors: true, hasBlocks: false)
    var coloured = TextTable([(title: "k", alignment: .left)])
    coloured.add(["best"], .best)
    coloured.add(["plain"])
    #expect(
      coloured.lines(style: style) == ["\u{1B}[1mk\u{1B}[0m", "\u{1B}[32mbest\u{1B}[0m", "plain"])
    #expect(coloured.lines() == ["k", "best", "plain"])
    #expect(style.set("", .strong) == "" && TextStyle.plain.set("a", .strong) == "a")
  }
}

@Suite struct SparklineTests {
  @Test func eighthsOfTheRange() {
    #expect(Sparkline.text([0, 1, 2, 3, 4, 5, 6, 7, 8], in: 0...8) == "▁▂▃▄▅▆▇██")
    #expect(Sparkline.text([], in: 0...1) == "")
  }
  @Test func whatIsOutsideOrMissing() {
    #expect(Sparkline.text([-5, nil, .nan, 50], in: 0...1) == "▁··█")
    #expect(Sparkline.text([3, 3], in: 3...3) == "▅▅")
  }
}
