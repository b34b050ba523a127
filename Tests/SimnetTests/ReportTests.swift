import Foundation
import SimKernel
import Testing

/// `simnet report`: pages, figures and refusals from the command line.
@Suite struct ReportTests {
  private static let results = Simnet.root.appendingPathComponent("Results/quickstart.csv").path

  @Test func aPageIsWrittenAndTheSameTwice() throws {
    let scratch = try Scratch()
    let scenario = Simnet.root.appendingPathComponent("Scenarios/quickstart.json").path
    for name in ["a.html", "b.html"] {
      let run = try Simnet.run([
        "report", Self.results, "-o", scratch.path(name), "--scenario", scenario, "--title",
        "T < U",
      ])
      #expect(run.status == 0 && run.output == "", "\(run.errors)")
      #expect(run.errors == "wrote \(scratch.path(name))\n")
    }
    let page = try scratch.read("a.html")
    #expect(try page == scratch.read("b.html"))
    #expect(page.contains("<title>T &lt; U</title>") && page.contains("replicates&quot;"))
    let piped = try Simnet.run(["report", Self.results])
    #expect(piped.status == 0 && piped.output.hasPrefix("<!DOCTYPE html>"))
  }

  @Test func figuresHaveTheWidthAskedFor() throws {
    let list = try Simnet.run(["report", Self.results, "--plot", "list"])
    #expect(list.status == 0)
    let names = list.output.split(separator: "\n").dropFirst().compactMap {
      $0.split(separator: " ").first.map(String.init)
    }
    #expect(names.contains("crossovers") && names.count >= 7)
    for name in names {
      let svg = try Simnet.run([
        "report", Self.results, "--format", "svg", "--plot", name, "--width", "3.5 in",
      ])
      #expect(svg.status == 0 && svg.output.contains("width=\"252pt\""), "\(name): \(svg.errors)")
    }
    let vega = try Simnet.run([
      "report", Self.results, "--format", "vega-lite", "--plot", "parts",
    ])
    #expect(try JSONNode.parse(vega.output, origin: "vega")["data"]?["values"] != nil)
    let scratch = try Scratch()
    let named = try Simnet.run([
      "report", Self.results, "--y", "wire_bytes", "-o", scratch.path("w.svg"),
    ])
    #expect(named.status == 0, "\(named.errors)")
    #expect(try scratch.read("w.svg").contains("<title>Wire size by bandwidth</title>"))
    let markdown = try Simnet.run(["report", Self.results, "--format", "md"])
    #expect(markdown.output.hasPrefix("# ResNet-50 and VGG-16"))
  }

  @Test func theScenarioBesideTheResultsIsShown() throws {
    let scratch = try Scratch()
    try scratch.write("r.csv", String(contentsOfFile: Self.results, encoding: .utf8))
    try scratch.write(
      "r.csv.meta.json",
      "{\"host\": \"somewhere\", \"scenario_file\": \"/home/me/s.json\", \"scenario\": {\"simnet\": 1}}"
    )
    let run = try Simnet.run(["report", scratch.path("r.csv")])
    #expect(run.output.contains("<p class=\"faint\">s.json</p>"))
    #expect(!run.output.contains("somewhere") && !run.output.contains("/home/me"))
  }

  @Test func refusals() throws {
    let scratch = try Scratch()
    try scratch.write("paper.csv", "paper,figure\na,b\n")
    let cases: [(arguments: [String], status: Int32, text: String)] = [
      ([scratch.path("paper.csv")], 65, "has the columns paper, figure, where results have"),
      ([scratch.path("none.csv")], 74, "no such file"),
      ([Self.results, "-o", Self.results], 64, "-o names an input"),
      ([Self.results, "-o", scratch.folder], 74, "is not a regular file"),
      ([Self.results, "--format", "svg"], 64, "name it with --plot"),
      ([Self.results, "--format", "svg", "--plot", "pars"], 64, "did you mean"),
      ([Self.results, "--format", "svg", "--plot", "links"], 64, "have nothing for links"),
      ([Self.results, "--format", "html", "--plot", "parts"], 64, "a page has all figures"),
      ([Self.results, "--width", "85"], 64, "has a unit"),
      ([Self.results, "--width", "2 mm"], 64, "between 40 mm and 600 mm"),
      ([Self.results, "--x", "bandwith"], 64, "--x"),
    ]
    for entry in cases {
      let run = try Simnet.run(["report"] + entry.arguments)
      #expect(run.status == entry.status, "\(entry.arguments): \(run.errors)")
      #expect(run.errors.contains(entry.text), "\(entry.arguments): \(run.errors)")
    }
  }
}
