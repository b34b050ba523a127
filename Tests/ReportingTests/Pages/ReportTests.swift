import Experiments
import Foundation
import Reporting
import SimKernel
import Testing

private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

private func file(_ name: String) throws -> ResultsFile {
  let url = root.appendingPathComponent("Results/\(name)")
  return try ResultsFile(String(contentsOf: url, encoding: .utf8), path: "Results/\(name)")
}

/// The committed results; runs of the README may leave other tables beside them.
private let names = [
  "between-hosts", "bucket-size", "does-compression-pay", "four-hosts-of-four", "how-to-exchange",
  "ideal-against-tcp", "parameter-server", "quickstart", "recorded-gradients", "stragglers",
].map { $0 + ".csv" }

/// Results with made-up numbers; cells that are not given are empty.
private func results(
  _ swept: [String], _ rows: [[String: String]], path: String = "made-up.csv"
) throws -> ResultsFile {
  let header = ResultColumns.header(swept: swept)
  var text = CSV.line(header)
  for (index, row) in rows.enumerated() {
    let defaults = [
      "title": "made up", "point": "\(index)", "replicate": "0", "job": "main",
      "iteration_time_s": "0.5", "samples_per_s": "64", "compute_time_s": "0.25",
      "exposed_communication_s": "0.25", "compression_ratio": "2", "gradient_rel_l2": "0.1",
      "error_feedback": "off", "busiest_link": "a->b", "busiest_link_share": "0.5",
      "speedup_over_fp32": "1.5",
    ]
    text += CSV.line(header.map { row[$0] ?? defaults[$0] ?? "" })
  }
  return try ResultsFile(text, path: path)
}

/// Every place of `page` that could load something or lead elsewhere.
private func outside(_ page: String) -> [String] {
  page.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "")
    .components(separatedBy: "://").dropLast().map { String($0.suffix(12)) }
}

@Suite struct ReportTests {
  // MARK: - The committed results

  @Test(arguments: names)
  func `every page is well formed, small, and needs nothing else`(name: String) throws {
    let report = try Report([file(name)])
    let page = report.html
    #expect(page.utf8.count < 1_000_000)
    #expect(outside(page) == [])
    for word in ["src=", "@import", "url(http", "<link", "<iframe"] {
      #expect(!page.contains(word), "\(word)")
    }
    let elements = try MarkupCheck.elements(page)
    let identifiers = elements.compactMap { $0.attributes["id"] }
    #expect(Set(identifiers).count == identifiers.count)
    // Every entry of the contents leads somewhere.
    for link in elements.compactMap({ $0.attributes["href"] }) {
      #expect(identifiers.contains(String(link.dropFirst())), "\(link)")
    }
    #expect(elements.filter { $0.name == "h1" }.count == 1)
    #expect(elements.filter { $0.name == "th" }.allSatisfy { $0.attributes["scope"] != nil })
    #expect(
      elements.filter { $0.name == "svg" && $0.attributes["id"] == nil }
        .allSatisfy { $0.attributes["aria-label"] != nil })
    #expect(report.html == page)
  }

  @Test(arguments: names)
  func `every plot is well formed on paper and as Vega-Lite`(name: String) throws {
    let report = try Report([file(name)])
    #expect(report.plots.contains { $0.name == "iteration-time" })
    #expect(report.plots.contains { $0.name == "parts" })
    for (plot, _) in report.plots {
      let figure = try report.figure(plot)
      for width in [60.0, 85, 170] {
        let svg = figure.svg(.paper(millimetres: width))
        let elements = try MarkupCheck.elements(svg)
        #expect(elements[0].name == "svg" && elements[1].name == "title")
        #expect(
          elements[0].attributes["width"] == SVGWriter.number(width / 25.4 * 72) + "pt")
        // Attributes alone: nothing that only browsers understand.
        #expect(!svg.contains("var(") && !svg.contains("style") && !svg.contains("class="))
        #expect(outside(svg) == [])
        // Nothing begins left of the paper.
        let lefts = elements.compactMap { $0.attributes["x"].flatMap(Double.init) }
        #expect(lefts.allSatisfy { $0 >= -4 && $0 <= width / 25.4 * 72 })
      }
      let node = try JSONNode.parse(figure.vegaLite, origin: plot)
      #expect(node["$schema"]?.string?.hasSuffix("vega-lite/v5.json") == true)
      #expect(node["data"]?["values"]?.elements?.isEmpty == false)
    }
  }

  /// One replicate a point: a mean is the value itself.
  @Test func `marks and cells carry the values of the results`() throws {
    let results = try file("bucket-size.csv")
    let column = try results.required("iteration_time_s")
    let expected = results.rows.compactMap { Double($0[column]) }
    #expect(expected.count == 12)
    let report = try Report([results])
    let page = try MarkupCheck.elements(report.html)
    let cells = page.compactMap { $0.attributes["data-v"].flatMap(Double.init) }
    let marks = page.compactMap { $0.attributes["data-y"].flatMap(Double.init) }
    for value in expected {
      #expect(cells.contains(value) && marks.contains(value), "\(value)")
    }
    let vega = try JSONNode.parse(try report.figure("iteration-time").vegaLite, origin: "vega")
    let values = vega["data"]?["values"]?.elements?.compactMap { $0["y"]?.number } ?? []
    #expect(values.sorted() == expected.sorted())
    // Bandwidths are in the unit that the title names.
    let xs = vega["data"]?["values"]?.elements?.compactMap { $0["x"]?.number } ?? []
    #expect(Set(xs) == [10, 25])
    let layer = vega["layer"]?.elements?.first?["encoding"]?["x"]
    #expect(layer?["title"]?.string == "bandwidth (Gbps)")
  }

  @Test func `the page says what simnet run says`() throws {
    let results = try file("quickstart.csv")
    let markdown = try Report([results]).markdown
    let page = try Report([results]).html
    let sentence =
      "top_k 1% is fastest at 318.0 ms, 5.13x over fp32, 2.67x over fp16; gradient error 0.851"
    #expect(page.contains(sentence))
    #expect(markdown.contains(sentence.replacingOccurrences(of: "_", with: "\\_")))
    #expect(
      page.contains(
        "Of 8 circumstances, top_k 1% is fastest in 3 and ties for it in 4; ef_sign ties for "
          + "fastest in 4"))
    #expect(markdown.contains("| vgg16, 10 Gbps | top_k 1% | 223.6 |"))
    #expect(page.contains("measured: backward, gradient ready times; derived: forward, optimizer"))
  }

  // MARK: - Shapes of results

  @Test func `one point, one axis, two, three and none`() throws {
    let bandwidth = "cluster.topology.link.bandwidth"
    let none = try Report([results([], [[:]])])
    #expect(none.plots.map(\.name) == ["iteration-time", "parts"])
    _ = try MarkupCheck.elements(none.html)

    let line = try Report([
      results([bandwidth], ["1 Gbps", "10 Gbps", "100 Gbps"].map { [bandwidth: $0] })
    ])
    guard case .curves(let curve) = try line.figure("iteration-time").content else {
      Issue.record("no curves")
      return
    }
    #expect(curve.x.isLogarithmic && curve.panels.count == 1)
    #expect(curve.x.marks?.map(\.label) == ["1", "10", "100"])
    #expect(curve.panels[0].series.map(\.points.count) == [3])

    var rows: [[String: String]] = []
    for model in ["a", "b"] {
      for width in ["1 Gbps", "2 Gbps"] {
        for way in ["fp32", "fp16", "top_k"] {
          for workers in ["2", "4", "8"] {
            rows.append([
              "workload.model": model, bandwidth: width, "communication": way,
              "workload.workers": workers,
            ])
          }
        }
      }
    }
    let swept = ["workload.model", bandwidth, "communication", "workload.workers"]
    let four = try Report([results(swept, rows)])
    guard case .curves(let chart) = try four.figure("throughput").content else {
      Issue.record("no curves")
      return
    }
    // The last quantity lies across, what is compared has colours, the rest are panels.
    #expect(chart.x.title == "workers" && chart.x.isLogarithmic)
    #expect(chart.panels.map(\.title) == ["a, 1 Gbps", "a, 2 Gbps", "b, 1 Gbps", "b, 2 Gbps"])
    #expect(chart.panels[0].series.map(\.name) == ["fp32", "fp16", "top_k"])
    let other = try Report(
      [results(swept, rows)],
      Report.Choice(x: bandwidth, series: "workload.model", y: "compute_time_s"))
    guard case .curves(let chosen) = try other.figure("compute_time_s").content else {
      Issue.record("no curves")
      return
    }
    #expect(chosen.x.title == "bandwidth" && chosen.panels.count == 9)
    #expect(chosen.panels[0].series.map(\.name) == ["a", "b"])
  }

  @Test func `a crossing lies where the curves meet`() throws {
    // 1 + 9 at 1, 1 + 0 at 100 against a flat 2: they meet where the first is 2.
    let swept = ["cluster.topology.link.bandwidth", "communication"]
    var rows: [[String: String]] = []
    for (width, first) in [("1 Gbps", "8"), ("4 Gbps", "0.5")] {
      rows.append([swept[0]: width, swept[1]: "falling", "iteration_time_s": first])
      rows.append([swept[0]: width, swept[1]: "flat", "iteration_time_s": "2"])
    }
    let report = try Report([results(swept, rows)])
    guard case .curves(let chart) = try report.figure("crossovers").content else {
      Issue.record("no curves")
      return
    }
    // From 4 times slower to 4 times faster: the middle; of two values the axis is linear.
    #expect(chart.panels[0].crossings.count == 1)
    #expect(abs(chart.panels[0].crossings[0].x - 2.5e9) < 1)
    #expect(chart.panels[0].crossings[0].label == "2.50 Gbps")
    #expect(chart.panels[0].bands.map(\.style) == [1, 0])
    #expect(report.markdown.contains("| flat | falling | 2.50 Gbps | 1.00 Gbps | 4.00 Gbps |"))
  }

  @Test func `empty cells, infinities and failed points`() throws {
    let swept = ["communication"]
    let report = try Report([
      results(
        swept,
        [
          ["communication": "a", "gradient_rel_l2": "", "compression_ratio": "inf"],
          ["communication": "b", "iteration_time_s": "inf"],
          ["communication": "c", "iteration_time_s": "", "busiest_link_share": "nan"],
          ["communication": "d", "point": "7", "speedup_over_fp32": ""],
        ])
    ])
    let page = report.html
    _ = try MarkupCheck.elements(page)
    #expect(page.contains("2 rows have no iteration time"))
    #expect(page.contains("4 points are missing among those numbered"))
    #expect(page.contains("gradient error unknown"))
    for (plot, _) in report.plots {
      _ = try MarkupCheck.elements(report.figure(plot).svg(.paper()))
    }
  }

  @Test func `hostile names stay names`() throws {
    let names = [
      "<b>\"x\" & 'y'</b>", "</script><script>alert(1)</script>", "]]>",
      "\u{91CF}\u{5B50} \u{1F680}",
      String(repeating: "long ", count: 60), "a|b\nc,d",
    ]
    let rows = names.map { ["communication": $0, "title": "<i>&\u{1}"] }
    let report = try Report([results(["communication"], rows)])
    let page = try MarkupCheck.elements(report.html)
    #expect(page.filter { $0.name == "script" }.count == 1)
    #expect(!page.contains { ["b", "i"].contains($0.name) })
    for (plot, _) in report.plots {
      let figure = try report.figure(plot)
      _ = try MarkupCheck.elements(figure.svg(.paper()))
      _ = try JSONNode.parse(figure.vegaLite, origin: plot)
    }
    // A cell never ends its row.
    let table = report.markdown.split(separator: "\n").filter { $0.hasPrefix("| ") }
    #expect(table.contains { $0.contains("a\\|b") })
  }

  @Test func `thousands of points stay below a megabyte, and what is left out is said`() throws {
    let swept = ["cluster.topology.link.bandwidth", "workload.workers", "communication"]
    var rows: [[String: String]] = []
    for index in 0..<2_400 {
      rows.append([
        swept[0]: "\(index % 40 + 1) Gbps", swept[1]: "\(index / 40 % 12 + 1)",
        swept[2]: "variant \(index / 480)", "iteration_time_s": "0.\(index + 1001)",
        "compression_ratio": "\(index + 1)", "gradient_rel_l2": "0.\(index + 100)",
      ])
    }
    let report = try Report([results(swept, rows)])
    let page = report.html
    #expect(page.utf8.count < 1_000_000)
    _ = try MarkupCheck.elements(page)
    #expect(page.contains(" of 2400: the others are in the result files"))
    #expect(page.contains("panels are left out"))
  }

  @Test func `several files are told apart`() throws {
    let a = try results(
      ["communication"], [["communication": "x"], ["communication": "y"]], path: "d/a.csv")
    let b = try results(
      ["communication"], [["communication": "x"], ["communication": "y"]], path: "e/b.csv")
    let page = try Report([a, b]).html
    #expect(page.contains("a.csv, b.csv: 4 points, 4 runs"))
    #expect(page.contains("<strong>a</strong>") && page.contains("<strong>b</strong>"))
    let same = try results([], [[:]], path: "f/a.csv")
    let twins = try Report([try results([], [[:]], path: "d/a.csv"), same]).html
    #expect(twins.contains("f/a.csv"))
  }

  @Test func `links become a map`() throws {
    let runs = try results(["communication"], [["communication": "x"], ["communication": "y"]])
    let links = try ResultsFile(
      "point,replicate,link,bytes,busy_share,utilization\n"
        + "0,0,a->b,100,0.5,0.25\n0,0,b->a,50,0.25,0.75\n1,0,a->b,10,0.05,0.02\n",
      path: "links.csv")
    let report = try Report([runs, links])
    guard case .heatMap(let map) = try report.figure("links").content else {
      Issue.record("no map")
      return
    }
    #expect(map.columns == ["x", "y"])
    #expect(map.rows.map(\.label) == ["b->a", "a->b"])
    #expect(map.rows[0].cells[0]?.share == 0.75 && map.rows[0].cells[1] == nil)
    #expect(map.rows[1].cells.compactMap { $0?.share } == [0.25, 0.02])
    _ = try MarkupCheck.elements(report.html)
  }

  // MARK: - Refusals

  @Test func `what holds no results is refused with what was found`() throws {
    func message(_ files: [ResultsFile], _ choice: Report.Choice = Report.Choice()) -> String {
      do {
        _ = try Report(files, choice)
        return "accepted"
      } catch let error as InputError { return "\(error)" } catch let error as InvalidInput {
        return error.issues.map(\.description).joined(separator: "\n")
      } catch { return "another error" }
    }
    let paper = try ResultsFile("paper,figure\na,b\n", path: "p.csv")
    #expect(
      message([paper])
        == "p.csv: has the columns paper, figure, where results have point, job, iteration_time_s "
        + "and more; give a CSV that simnet run or simnet sweep wrote, or one of run --links")
    let good = try results(["communication"], [["communication": "x"], ["communication": "y"]])
    #expect(message([good, good]).contains("is given twice"))
    #expect(message([try results([], [])]).contains("nothing has finished"))
    #expect(message([try results([], [["point": "a"]])]).contains("row 1 has \"a\" for its point"))
    let links = try ResultsFile("link,bytes,busy_share,utilization\na,1,0,0\n", path: "l.csv")
    #expect(message([links]).contains("no file holds results"))
    let column = message([good], Report.Choice(x: "iteration_time"))
    #expect(column.contains("--x") && column.contains("iteration_time_s"))
    #expect(message([good], Report.Choice(x: "communication")).contains("no two numbers"))
    #expect(message([good], Report.Choice(series: "communicatio")).contains("communication"))
    #expect(message([good], Report.Choice(y: "title")).contains("--y"))
    #expect(throws: InvalidInput.self) { try Report([good]).figure("pars") }
    #expect(throws: InvalidInput.self) { try Report([good]).figure("links") }
  }
}
