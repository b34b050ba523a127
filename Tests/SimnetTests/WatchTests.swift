import Foundation
import Testing

/// What people see at a terminal: `run --watch`, colours, widths.
@Suite struct WatchTests {
  private static let scenario = Simnet.scenarios.appendingPathComponent("small.json").path
  private static let arguments = ["run", scenario, "--set", "replicates=1"]

  @Test func aPipeGetsALineAPointAndTheSameTable() throws {
    let watched = try Simnet.run(Self.arguments + ["--watch"])
    #expect(watched.status == 0, "\(watched.errors)")
    let plain = try Simnet.run(Self.arguments)
    #expect(watched.output == plain.output)
    let lines = watched.errors.split(separator: "\n").filter { $0.hasPrefix("point ") }
    let csv = try Simnet.run(Self.arguments + ["--format", "csv"]).output
    let points = csv.split(separator: "\n").count - 1
    #expect(points == 6 && lines.count == points)
    #expect(Set(lines.map { $0.split(separator: ",")[0] }).count == points)
    #expect(lines.allSatisfy { $0.contains("gradient error") })
    #expect(!watched.errors.contains("\u{1B}"))
  }

  @Test func aWatchedSweepGoesOnAndLeavesNothingBehind() throws {
    let scratch = try Scratch()
    let output = scratch.path("r.csv")
    let first = try Simnet.run(Self.arguments + ["--watch", "-o", output])
    #expect(first.status == 0, "\(first.errors)")
    #expect(scratch.names == ["r.csv", "r.csv.meta.json"])
    let unwatched = try Simnet.run(Self.arguments + ["-o", scratch.path("s.csv")])
    #expect(unwatched.status == 0)
    #expect(try scratch.read("r.csv") == scratch.read("s.csv"))
  }

  @Test func anInterruptEndsItCleanly() throws {
    let scratch = try Scratch()
    let running = try Running(
      [
        "run", Simnet.root.appendingPathComponent("Scenarios/bucket-size.json").path, "--set",
        "replicates=1000", "--watch", "-o", scratch.path("r.csv"),
      ])
    let begin = ContinuousClock.now
    while !scratch.names.contains("r.csv.journal"), ContinuousClock.now - begin < .seconds(60) {
      usleep(10_000)
    }
    running.send(SIGINT)
    let done = try running.wait(120)
    #expect(done.status == 130, "\(done.errors)")
    #expect(done.errors.contains("interrupted: "))
  }

  @Test(arguments: [["-q"], ["--row", "x.csv:1"]])
  func refusals(_ with: [String]) throws {
    let arguments = with[0] == "--row" ? ["run"] : Self.arguments
    let run = try Simnet.run(arguments + with + ["--watch"])
    #expect(run.status == 64 && run.errors.contains("--watch"), "\(run.errors)")
  }

  // MARK: - On a terminal

  private static let hasTerminal =
    (try? Simnet.shell("script -qec true /dev/null", in: "/tmp"))?.status == 0

  /// What a terminal of 80 columns and 20 rows is sent.
  private func typed(_ line: String, _ settings: String) throws -> String {
    let scratch = try Scratch()
    let done = try Simnet.shell(
      "script -qec \"stty cols 80 rows 20; \(settings) '$SIMNET' \(line)\" /dev/null < /dev/null",
      in: scratch.folder)
    #expect(done.status == 0, "\(done.output)")
    return done.output
  }

  /// Without colours and movements of the cursor.
  private func letters(_ text: Substring) -> String {
    var result = ""
    var isControl = false
    for character in text.unicodeScalars where character != "\r" {
      if character == "\u{1B}" {
        isControl = true
      } else if !isControl {
        result.unicodeScalars.append(character)
      } else if character.properties.isAlphabetic {
        isControl = false
      }
    }
    return result
  }

  @Test(.enabled(if: hasTerminal, "no script(1) to make a terminal"))
  func coloursAreForTerminalsThatWantThem() throws {
    let scenario = "run '\(Self.scenario)' --set replicates=1"
    let coloured = try typed(scenario, "TERM=xterm NO_COLOR= LC_ALL=C.UTF-8")
    #expect(coloured.contains("\u{1B}[1m") && coloured.contains("\u{1B}[32m"))
    for settings in ["TERM=xterm NO_COLOR=1", "TERM=dumb NO_COLOR="] {
      let plain = try typed(scenario, settings)
      #expect(plain.contains("iteration") && !plain.contains("[1m") && !plain.contains("[32m"))
    }
    for line in coloured.split(whereSeparator: \.isNewline) {
      #expect(letters(line).count <= 80, "\(letters(line))")
    }
  }

  @Test(.enabled(if: hasTerminal, "no script(1) to make a terminal"))
  func aTerminalGetsATableThatGrowsInPlace() throws {
    let watched = try typed(
      "run '\(Self.scenario)' --watch", "TERM=xterm LC_ALL=C")
    // The drawn lines never wrap, or moving back up would miss them.
    for line in watched.split(whereSeparator: \.isNewline) {
      #expect(letters(line).count <= 80, "\(letters(line))")
    }
    // The final table stands below, once.
    let last = watched.split(separator: "\u{1B}[J").last ?? ""
    #expect(last.contains("times in ms along the critical path"))
    #expect(!watched.contains("\u{2588}"))
  }
}
