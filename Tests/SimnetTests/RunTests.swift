import Foundation
import SimKernel
import Testing

/// `simnet run` from outside: outputs, exit codes, interruptions.
@Suite struct RunTests {
  private let small = Simnet.scenarios.appendingPathComponent("small.json").path
  private let blocked = Simnet.scenarios.appendingPathComponent("blocked.json").path

  @Test func resultsDoNotDependOnTheNumberOfThreads() throws {
    let one = try Simnet.run(["run", small, "--jobs", "1", "--format", "csv"])
    let two = try Simnet.run(["run", small, "--jobs", "2", "--format", "csv"])
    #expect(one.status == 0 && two.status == 0)
    #expect(one.output == two.output)
    #expect(one.output.split(separator: "\n").count == 1 + 6 * 2)
    #expect(one.errors == "")
  }

  @Test func everyFormatHoldsTheSameRows() throws {
    let csv = try Simnet.run(["run", small, "--format", "csv"]).output
    let header = csv.split(separator: "\n")[0].split(separator: ",").map(String.init)
    #expect(header.contains("cluster.topology.link.bandwidth") && header.contains("communication"))
    let json = try JSONNode.parse(
      try Simnet.run(["run", small, "--format", "json"]).output, origin: "json")
    #expect(json.elements?.count == 12)
    let lines = try Simnet.run(["run", small, "--format", "jsonl"]).output.split(separator: "\n")
    #expect(lines.count == 12)
    for (index, line) in lines.enumerated() {
      let object = try JSONNode.parse(String(line), origin: "jsonl")
      #expect(object.members?.map(\.key) == header)
      #expect(object.canonicalText == json.elements?[index].canonicalText)
      #expect(object["title"]?.string == "small, \"quoted\"")
      #expect((object["iteration_time_s"]?.number ?? 0) > 0)
    }
  }

  @Test(arguments: [80, 120, 200]) func theTableFitsItsWidth(_ width: Int) throws {
    let run = try Simnet.run(["run", small], environment: ["COLUMNS": String(width)])
    #expect(run.status == 0)
    for line in run.output.split(separator: "\n") { #expect(line.count <= width, "\(line)") }
    #expect(!run.output.contains("\u{1B}") && !run.errors.contains("\u{1B}"))
    #expect(run.output.contains("gradient error"))
    #expect(run.output.contains("What the numbers rest on"))
  }

  @Test func standardInputIsAScenario() throws {
    let text = try String(contentsOfFile: small, encoding: .utf8)
    let piped = try Simnet.run(["run", "-", "--format", "csv"], input: text)
    let read = try Simnet.run(["run", small, "--format", "csv"])
    #expect(piped.status == 0)
    #expect(piped.output == read.output)
    let broken = try Simnet.run(["run", "-"], input: "{")
    #expect(broken.status == 65)
    #expect(broken.errors.hasPrefix("<stdin>:1:2: "))
  }

  @Test func aFinishedResultHasItsMetaAndNoJournalAndComesOutTheSameAgain() throws {
    let scratch = try Scratch()
    let first = try Simnet.run(["run", small, "-o", scratch.path("a/r.csv"), "--quiet"])
    #expect(first.status == 0 && first.output == "" && first.errors == "")
    let bytes = try scratch.read("a/r.csv")
    let meta = try JSONNode.parse(try scratch.read("a/r.csv.meta.json"), origin: "meta")
    #expect(meta["points"]?.number == 6 && meta["seed"]?.number == 3)
    if case .bool(let flag)? = meta["finished"]?.value { #expect(flag) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path("a")).count == 2)
    let again = try Simnet.run(["run", small, "-o", scratch.path("a/r.csv")])
    #expect(again.status == 0 && again.errors.contains("wrote "))
    #expect(try scratch.read("a/r.csv") == bytes)
  }

  @Test func theExtensionOfTheOutputDecidesItsFormat() throws {
    let scratch = try Scratch()
    for name in ["r.json", "r.jsonl"] {
      #expect(try Simnet.run(["run", small, "-o", scratch.path(name), "-q"]).status == 0)
    }
    let whole = try JSONNode.parse(try scratch.read("r.json"), origin: "json")
    #expect(whole.elements?.count == 12)
    #expect(try scratch.read("r.jsonl").split(separator: "\n").count == 12)
  }

  @Test func aRowCanBeRunAlone() throws {
    let scratch = try Scratch()
    #expect(try Simnet.run(["run", small, "-o", scratch.path("r.csv"), "-q"]).status == 0)
    let lines = try scratch.read("r.csv").split(separator: "\n")
    for row in [1, 7, 12] {
      let run = try Simnet.run(
        ["run", "--row", "r.csv:\(row)", "--format", "csv"], in: scratch.folder)
      #expect(run.status == 0)
      #expect(run.errors == "row \(row) of r.csv came out the same\n")
      #expect(run.output.split(separator: "\n").last == lines[row])
    }
    let beyond = try Simnet.run(["run", "--row", scratch.path("r.csv") + ":13"])
    #expect(beyond.status == 64 && beyond.errors.contains("no row 13"))
    let edited = try scratch.read("r.csv").replacingOccurrences(
      of: ",resnet18,", with: ",resnet81,")
    try scratch.write("r.csv", edited)
    let changed = try Simnet.run(["run", "--row", scratch.path("r.csv") + ":1"])
    #expect(changed.status == 4 && changed.errors.hasSuffix("differs in model\n"))
    let missing = try Simnet.run(["run", "--row", scratch.path("none.csv") + ":1"])
    #expect(missing.status == 74)
  }

  // MARK: - Interruptions

  private static let long = Simnet.scenarios.appendingPathComponent("long.json").path

  /// Starts the long sweep and waits until its journal has lines, then sends `signal`.
  private func interrupt(_ scratch: Scratch, _ signal: Int32) throws -> Finished {
    let running = try Running(["run", Self.long, "-o", scratch.path("r.csv"), "-j", "1"])
    for _ in 0..<6000 {
      if let journal = try? scratch.read("r.csv.journal"), journal.contains("\n") { break }
      usleep(10_000)
    }
    running.send(signal)
    return try running.wait(60)
  }

  private static let uninterrupted = Result {
    try Simnet.run(["run", long, "--format", "csv"]).output
  }

  @Test(arguments: [SIGINT, SIGTERM]) func anInterruptedSweepKeepsWholeRowsAndGoesOn(
    _ signal: Int32
  ) throws {
    let scratch = try Scratch()
    let run = try interrupt(scratch, signal)
    #expect(run.status == 128 + signal)
    #expect(run.errors.contains("of 40 points are done; the same command goes on from here"))
    let whole = try Self.uninterrupted.get()
    let partial = try scratch.read("r.csv").split(separator: "\n")
    let all = whole.split(separator: "\n")
    #expect(partial.count < all.count && partial.count % 2 == 1)
    #expect(partial == Array(all.prefix(partial.count)))
    #expect(scratch.names.contains("r.csv.journal"))
    let resumed = try Simnet.run(["run", Self.long, "-o", scratch.path("r.csv"), "-q"])
    #expect(resumed.status == 0)
    #expect(try scratch.read("r.csv") == whole)
    #expect(!scratch.names.contains("r.csv.journal"))
    // A later interruption does not touch what is finished.
    let later = try interrupt(scratch, signal)
    #expect(later.status == 128 + signal)
    #expect(try scratch.read("r.csv") == whole)
  }

  @Test func aKilledSweepIsResumed() throws {
    let scratch = try Scratch()
    #expect(try interrupt(scratch, SIGKILL).status == 128 + SIGKILL)
    #expect(scratch.names == ["r.csv.journal"])
    // The last line may be torn anywhere.
    let journal = try scratch.read("r.csv.journal")
    try scratch.write("r.csv.journal", String(journal.dropLast(40)))
    #expect(try Simnet.run(["run", Self.long, "-o", scratch.path("r.csv"), "-q"]).status == 0)
    #expect(try scratch.read("r.csv") == Self.uninterrupted.get())
  }

  // MARK: - Failures

  @Test func aFaultThatNeverRecoversSaysWhoWaitsForWhom() throws {
    let run = try Simnet.run(["run", blocked])
    #expect(run.status == 5)
    #expect(run.errors.contains("the simulation cannot proceed after "))
    #expect(run.errors.contains("rank 0 waits for chunk 0 from rank 2"))
    #expect(run.errors.contains("1 of 1 points failed"))
  }

  @Test func aPointThatFailsLeavesTheOthers() throws {
    let scratch = try Scratch()
    let run = try Simnet.run([
      "run", blocked, "--format", "csv", "-o", scratch.path("r.csv"), "--set",
      #"faults=[{"at":"100 ms","link":"h0->switch","up":false}],[]"#,
    ])
    #expect(run.status == 4)
    #expect(run.output.split(separator: "\n").count == 2)
    #expect(run.errors.contains("point 0, replicate 0: "))
    #expect(run.errors.contains("1 of 2 points failed; finished ones are kept"))
    #expect(scratch.names == ["r.csv", "r.csv.journal", "r.csv.meta.json"])
  }

  @Test func outputsThatCannotBeWrittenAreOneMessage() throws {
    let scratch = try Scratch()
    try scratch.write("file", "")
    for (path, part) in [
      (scratch.folder, "is a folder"), (scratch.path("file/r.csv"), "a file is in the way"),
      ("/dev/null", "is not a regular file"),
    ] {
      let run = try Simnet.run(["run", small, "-o", path])
      #expect(run.status == 74)
      #expect(run.output == "")
      #expect(run.errors.contains(part))
      #expect(run.errors.split(separator: "\n").count == 1)
    }
    #expect(scratch.names == ["file"])
  }

  @Test func scenariosThatCannotBeReadAreOneMessage() throws {
    let scratch = try Scratch()
    for path in [scratch.path("none.json"), scratch.folder] {
      for command in ["run", "validate"] {
        let run = try Simnet.run([command, path])
        #expect(run.status == 74 && run.output == "")
        #expect(run.errors.split(separator: "\n").count == 1)
        #expect(run.errors.hasPrefix(path + ": "))
      }
    }
  }

  @Test(arguments: [
    ["run"], ["run", "a.json", "--row", "r.csv:1"], ["run", "a.json", "--jobs", "0"],
    ["run", "--row", "r.csv"], ["run", "--row", "r.csv:1", "--set", "a=b"], ["frobnicate"],
    ["run", "a.json", "--bogus"], ["run", "a.json", "--format", "xml"], ["list", "nonsense"],
    ["compress", "a.npy"], ["collective", "all_reduce", "--ranks", "0"],
    ["collective", "all_reduce", "--factor", "1"],
  ]) func usageErrorsExitWith64(_ arguments: [String]) throws {
    let run = try Simnet.run(arguments)
    #expect(run.status == 64)
    #expect(run.output == "" && run.errors.hasPrefix("Error: "))
  }

  @Test func aReaderThatLeavesIsNoError() throws {
    let scratch = try Scratch()
    let run = try Simnet.shell(
      "\"$SIMNET\" list codecs | head -1 2>&1; echo ${PIPESTATUS[0]}; "
        + "(sleep 0.2; \"$SIMNET\" schema) | true; echo ${PIPESTATUS[0]}; "
        + "\"$SIMNET\" run nothing.json 2>&1 >/dev/null | true; "
        + "\"$SIMNET\" run nothing.json 2>&-; echo $?",
      in: scratch.folder)
    #expect(run.output.split(separator: "\n").dropFirst() == ["0", "0", "74"])
    #expect(run.errors == "")
  }

  @Test func setReplacesAnAxisOrMakesOne() throws {
    let one = try Simnet.run([
      "run", small, "--format", "csv", "--set", "cluster.topology.link.bandwidth=25 Gbps",
      "--set", "communication={}",
    ])
    #expect(one.status == 0)
    #expect(one.output.split(separator: "\n").count == 1 + 2)
    let check = try Simnet.run([
      "validate", small, "--set", "workload.batch_per_worker=16, 32,64",
      "--set", "replicates=1",
    ])
    #expect(check.output.hasSuffix("small.json: valid; 18 points, 18 runs\n"))
  }
}
