import Foundation
import Testing

/// `examples/`: other people's tools read simnet's tables.
@Suite struct ExampleTests {
  private static let results = Simnet.root.appendingPathComponent("Results/quickstart.csv").path
  private static func example(_ name: String) -> String {
    Simnet.root.appendingPathComponent("examples").appendingPathComponent(name).path
  }

  /// A Python with pandas and matplotlib: the one of the viewers' tests, or the system's.
  static let python: String? = {
    let own = Simnet.root.appendingPathComponent(".build-viewers/venv/bin/python").path
    return [own, "python3"].first { python in
      let look =
        "import importlib.util as u, sys; "
        + "sys.exit(not (u.find_spec('pandas') and u.find_spec('matplotlib')))"
      return (try? Simnet.shell("'\(python)' -c \"\(look)\"", in: "/tmp"))?.status == 0
    }
  }()
  static let hasGnuplot = (try? Simnet.shell("gnuplot --version", in: "/tmp"))?.status == 0

  @Test(.enabled(if: python != nil, "no Python with pandas and matplotlib: make test-viewers"))
  func pandasDrawsAFigure() throws {
    let scratch = try Scratch()
    let run = try Simnet.shell(
      "'\(Self.python!)' '\(Self.example("plot.py"))' '\(Self.results)' figure.png",
      in: scratch.folder)
    #expect(run.status == 0, "\(run.errors)")
    let image = try Data(contentsOf: URL(fileURLWithPath: scratch.path("figure.png")))
    #expect(image.starts(with: [0x89, 0x50, 0x4E, 0x47]) && image.count > 10_000)
    // Two models, six ways to communicate, four bandwidths; plain fp32 is as fast as itself.
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 1 + 2 * 6 * 4)
    #expect(lines.count { $0.contains("fp32") && $0.hasSuffix(" 1.000") } == 8)
  }

  @Test(.enabled(if: hasGnuplot, "no gnuplot: make test-viewers"))
  func gnuplotDrawsAFigure() throws {
    let scratch = try Scratch()
    let run = try Simnet.shell(
      "gnuplot -e \"results='\(Self.results)'; figure='figure.svg'\" '\(Self.example("plot.gp"))'",
      in: scratch.folder)
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    let figure = try scratch.read("figure.svg")
    for name in ["resnet50", "vgg16", "top_k 1%", "zstd"] {
      #expect(figure.contains(name), "\(name)")
    }
    // A curve of four bandwidths has three strokes.
    #expect(figure.count > 20_000)
  }

  @Test func examplesAreShort() throws {
    for name in ["plot.py", "plot.gp"] {
      let text = try String(contentsOfFile: Self.example(name), encoding: .utf8)
      #expect(text.split(separator: "\n").count <= 24, "\(name)")
    }
  }
}
