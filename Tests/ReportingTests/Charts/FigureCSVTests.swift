import Reporting
import Testing

/// The numbers of figures as tables without quotes.
@Suite struct FigureCSVTests {
  private func curves(_ panels: [XYChart.Panel], unit: ChartUnit = .number) -> String {
    let chart = XYChart(
      x: ChartAxis(
        "bandwidth", unit: unit,
        marks: unit == .number ? nil : [.init(1e9, "1"), .init(1e10, "10")]),
      y: ChartAxis("time", unit: .seconds), panels: panels)
    return Figure("f", title: "t", caption: "c", content: .curves(chart)).csv
  }

  @Test func aColumnACurveAndARowAPlace() {
    let text = curves(
      [
        .init(
          "resnet50",
          series: [
            .init(
              "top_k 1%", style: 0,
              points: [.init(x: 1e10, y: 0.5, interval: 0.25...0.75), .init(x: 1e9, y: 2)]),
            .init("fp32", style: 1, points: [.init(x: 1e9, y: 0.1)]),
          ])
      ], unit: .named("Gbps"))
    #expect(
      text == """
        bandwidth_Gbps,top_k_1,top_k_1_low,top_k_1_high,fp32
        1,2,NaN,NaN,0.1
        10,0.5,0.25,0.75,NaN

        """)
  }

  @Test func panelsAndEqualNamesStayApart() {
    let series = [
      XYChart.Series("a,b", style: 0, points: [.init(x: 1, y: 1)]),
      XYChart.Series("a b", style: 1, points: [.init(x: 1, y: 2)]),
      XYChart.Series("\"%\"", style: 2, points: [.init(x: 1, y: 3)]),
    ]
    let text = curves([.init("p", series: series), .init("", series: [])])
    #expect(text == "bandwidth,p_a_b,p_a_b_2,p\n1,1,2,3\n")
    #expect(curves([]) == "bandwidth\n")
  }

  @Test func pointsOfACloudThatShareAPlaceAreAllThere() {
    let points = [3.0, 1, 2].map { XYChart.Point(x: 7, y: $0) } + [.init(x: 5, y: 9)]
    #expect(
      curves([.init("", series: [.init("s", style: 0, points: points)])])
        == "bandwidth,s,s_2,s_3\n5,9,NaN,NaN\n7,3,1,2\n")
  }

  @Test func barsAndFieldsNameTheirRows() {
    let bars = BarChart(
      "time", unit: .seconds, parts: ["compute", "wait for stragglers"],
      panels: [
        .init("vgg16, 1 Gbps", bars: [.init("top_k 1%", values: [0.5, 1e-7], interval: 0...1)])
      ])
    #expect(
      Figure("f", title: "", caption: "", content: .bars(bars)).csv == """
        panel,bar,compute,wait_for_stragglers,low,high
        vgg16 1 Gbps,top k 1 percent,0.5,1e-07,0,1

        """)
    let fields = HeatMap(
      "share", columnTitle: "link", columns: ["a->b", "b->a"],
      rows: [.init("fp32", cells: []), .init("", cells: [.init(0.25, note: ""), nil])])
    #expect(
      Figure("f", title: "", caption: "", content: .heatMap(fields)).csv
        == "panel,row,a_b,b_a\nfp32,-,0.25,NaN\n")
  }
}
