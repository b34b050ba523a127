import Foundation
import Testing

/// The documentation is true: what it tells people to type works, and DocC builds it.
@Suite struct DocumentationTests {
  private static let catalog = Simnet.root.appendingPathComponent("docs/simnet.docc")
  private static func article(_ name: String) throws -> String {
    try String(contentsOf: catalog.appendingPathComponent(name + ".md"), encoding: .utf8)
  }

  /// The fenced blocks of `language`, in order.
  private static func blocks(_ text: String, _ language: String) -> [String] {
    var blocks: [String] = []
    var open: String?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if let block = open {
        if line == "```" {
          blocks.append(block)
          open = nil
        } else {
          open = block + line + "\n"
        }
      } else if line == "```" + language {
        open = ""
      }
    }
    return blocks
  }

  /// Runs the commands of an article as one script in an empty folder.
  ///
  /// What would bring and build this very checkout is stood in for by the checkout: `git clone` lays
  /// its files out, `make` puts the program under test where a build leaves it. What draws by the
  /// examples is tested with them.
  private static func play(_ name: String, in scratch: Scratch) throws -> Finished {
    let text = try article(name)
    var script = """
      set -eu -o pipefail
      git() { mkdir simnet; for f in Scenarios examples Tests; do ln -s "$ROOT/$f" simnet/$f; done
        mkdir simnet/Results; cp "$ROOT"/Results/*.csv simnet/Results; }
      make() { mkdir -p .build/release; ln -s "$SIMNET" .build/release/simnet; }
      python3() { test -f "$1" -a -f "$2"; }
      gnuplot() { test "$1" = -e -a -f "$3"; }
      ROOT='\(Simnet.root.path)' REPOSITORY=here

      """
    var commands = blocks(text, "sh")
    if !text.contains("git clone") {
      commands.insert(
        "git clone here; cd simnet; make; PATH=\"$PWD/.build/release:$PATH\"\n", at: 0)
    }
    // The scenario that readers write follows the first block.
    for (index, scenario) in blocks(text, "json").enumerated() {
      #expect(index == 0)
      commands.insert("cat > fabric.json <<'END'\n\(scenario)END\n", at: 1)
    }
    script += commands.joined(separator: "\n")
    try scratch.write("script.sh", script)
    return try Simnet.shell("bash script.sh", in: scratch.folder)
  }

  @Test func theTutorialLeadsFromCloneToFigure() throws {
    let scratch = try Scratch()
    let run = try Self.play("From-clone-to-figure", in: scratch)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("fabric.json: valid; 15 points, 45 runs"))
    #expect(run.output.contains("Pays off against the better of fp32 and fp16"))
    #expect(run.errors.contains("row 7 of Results/fabric.csv came out the same"))
    #expect(try scratch.read("simnet/fabric.html").contains("<title>ResNet-50 on eight workers"))
    #expect(try scratch.read("simnet/figure.svg").contains("width=\"240.94pt\""))
    // The columns that the LaTeX of the tutorial names.
    let header = try scratch.read("simnet/figure.csv").split(separator: "\n")[0]
    let tex = try #require(Self.blocks(Self.article("From-clone-to-figure"), "tex").first)
    for part in tex.split(separator: "[")[2...] {
      for option in part.split(separator: "]")[0].split(separator: ", ") {
        let words = option.split(separator: "=")
        if words[0] == "x" || words[0] == "y" {
          #expect(header.split(separator: ",").contains(words[1]), "\(words[1])")
        }
      }
    }
  }

  @Test(arguments: ["Figures-and-tables", "Timelines"])
  func theCommandsOfAnArticleRun(_ name: String) throws {
    let scratch = try Scratch()
    let run = try Self.play(name, in: scratch)
    #expect(run.status == 0, "\(run.errors)")
  }

  /// The compiler of documentation that comes with the one of code.
  private static let docc: String? = {
    let found = try? Simnet.shell(
      "ls \"$(dirname \"$(readlink -f \"$(command -v swift)\")\")/docc\"", in: "/tmp")
    return found?.status == 0 ? found?.output.trimmingCharacters(in: .newlines) : nil
  }()

  @Test(.enabled(if: docc != nil, "this toolchain has no docc"))
  func docCBuildsItWithoutWarnings() throws {
    let scratch = try Scratch()
    let run = try Simnet.shell(
      "'\(Self.docc!)' convert '\(Self.catalog.path)' --output-path out --warnings-as-errors "
        + "--fallback-display-name simnet --fallback-bundle-identifier simnet", in: scratch.folder)
    #expect(run.status == 0, "\(run.output) \(run.errors)")
    let page = try scratch.read("out/data/documentation/simnet/from-clone-to-figure.json")
    #expect(page.contains("--watch"))
  }

  /// The README and the documentation open with one picture, as the command beside it makes it.
  @Test func thePictureIsWhatReportDraws() throws {
    let path = "docs/simnet.docc/Resources/speedup.svg"
    let picture = try String(
      contentsOf: Simnet.root.appendingPathComponent(path), encoding: .utf8)
    #expect(picture.utf8.count < 60_000)
    let readme = try String(
      contentsOf: Simnet.root.appendingPathComponent("README.md"), encoding: .utf8)
    #expect(readme.contains("](\(path))"))
    let run = try Simnet.run(
      ["report", "Results/quickstart.csv", "--plot", "speedup", "--width", "170 mm"],
      in: Simnet.root.path)
    #expect(run.status == 0 && run.output == picture, "make picture")
  }
}
