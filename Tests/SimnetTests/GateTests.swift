import Testing

/// `simnet gate`: plans, verdicts and their exit codes.
@Suite struct GateTests {
  private static func results(_ values: [Double], shift: Double = 0) -> String {
    "point,replicate,job,score\n"
      + values.enumerated().map { "0,\($0),main,\($1 + shift)\n" }.joined()
  }

  @Test func `a plan is printed and nothing is needed but the condition`() throws {
    let run = try Simnet.run([
      "gate", "--condition", "n - o > 0 +/- 0.1", "--reliability", "0.99", "--bound", "hoeffding",
      "--plan",
    ])
    #expect(run.status == 0 && run.errors == "")
    #expect(
      run.output == """
        5496 replicates for n - o > 0.0 +/- 0.1
        reliability 0.99, fp-free, adaptivity full, 32 steps
          n - o > 0.0 +/- 0.1: 5496 replicates, Hoeffding, error probability 1.16e-12 an estimate
            n within 0.05 of a range 1.0 wide: 5496
            o within 0.05 of a range 1.0 wide: 5496

        """)
  }

  @Test func `a malformed condition gets a caret and exits with 65`() throws {
    let run = try Simnet.run(["gate", "--condition", "n - x > 0 +/- 0.1", "--plan"])
    #expect(run.status == 65 && run.output == "")
    #expect(
      run.errors == """
        n - x > 0 +/- 0.1
            ^ unknown variable "x"; n is the new build's metric, o the old one's, \
        d the fraction of outcomes that differ

        """)
  }

  @Test func `a better build passes, a worse one exits with 3`() throws {
    let scratch = try Scratch()
    let values = (0..<400).map { $0 % 2 == 0 ? 0.25 : 0.5 }
    try scratch.write("old.csv", Self.results(values))
    try scratch.write("better.csv", Self.results(values, shift: 0.5))
    try scratch.write("worse.csv", Self.results(values, shift: -0.25))
    func gate(_ candidate: String, _ more: [String] = ["--range", "0:1"]) throws -> Finished {
      try Simnet.run(
        [
          "gate", "--condition", "n - o > 0 +/- 0.25", "--reliability", "0.95", "--steps", "1",
          "--metric", "score", "--baseline", "old.csv", "--candidate", candidate,
        ] + more, in: scratch.folder)
    }
    let better = try gate("better.csv")
    #expect(better.status == 0 && better.errors == "")
    #expect(better.output == "n - o > 0.0 +/- 0.25: true, within 0.25...0.75\npass\n")
    let worse = try gate("worse.csv")
    #expect(worse.status == 3 && worse.errors == "")
    #expect(worse.output == "n - o > 0.0 +/- 0.25: false, within -0.5...0.0\nfail\n")
    let undeclared = try gate("better.csv", [])
    #expect(undeclared.status == 65 && undeclared.errors.contains("range of score is not declared"))
    let narrow = try gate("better.csv", ["--range", "0:0.75"])
    #expect(narrow.status == 65 && narrow.errors.contains("outside its declared range"))
    let retired = try gate("better.csv", ["--range", "0:1", "--step", "2"])
    #expect(retired.status == 64 && retired.errors.contains("none of the 1 steps"))
    let withheld = try gate("better.csv", ["--range", "0:1", "--adaptivity", "none"])
    #expect(withheld.status == 0 && withheld.output == "withheld\n")
    #expect(withheld.errors.contains("--reveal"))
    let missing = try gate("none.csv")
    #expect(missing.status == 74 && missing.output == "")
  }

  @Test func `files that do not pair are refused`() throws {
    let scratch = try Scratch()
    try scratch.write("old.csv", Self.results([0, 1, 0]))
    try scratch.write("short.csv", Self.results([0, 1]))
    try scratch.write("twice.csv", Self.results([0, 1, 0]) + "0,1,main,1\n")
    for (baseline, candidate, reason) in [
      ("old.csv", "short.csv", "point 0, replicate 2, job main is missing"),
      ("short.csv", "old.csv", "3 rows"), ("old.csv", "twice.csv", "is there twice"),
      ("twice.csv", "old.csv", "is there twice"),
    ] {
      let run = try Simnet.run(
        [
          "gate", "--condition", "n > 0 +/- 1", "--metric", "score", "--range", "0:1",
          "--baseline", baseline, "--candidate", candidate,
        ], in: scratch.folder)
      #expect(run.status == 65 && run.errors.contains(reason), "\(run.errors)")
    }
  }

  @Test func `the help has an example and other uses exit with 64`() throws {
    let help = try Simnet.run(["gate", "--help"])
    #expect(help.status == 0 && help.output.contains("Example: simnet gate --condition"))
    #expect(try Simnet.run(["gate", "--condition", "n > 0 +/- 1"]).status == 64)
    #expect(try Simnet.run(["gate", "--plan"]).status == 64)
  }

  // MARK: - Steps in a file

  /// A folder with results that fail, pass and are close, and a gate over them.
  private struct Steps {
    let scratch: Scratch
    init() throws {
      scratch = try Scratch()
      let values = (0..<2_000).map { $0 % 2 == 0 ? 0.25 : 0.5 }
      try scratch.write("old.csv", GateTests.results(values))
      try scratch.write("better.csv", GateTests.results(values, shift: 0.5))
      try scratch.write("worse.csv", GateTests.results(values, shift: -0.25))
      try scratch.write("close.csv", GateTests.results(values, shift: 0.125))
    }
    func gate(
      _ candidate: String, _ adaptivity: String = "full", condition: String = "n - o > 0 +/- 0.25",
      _ more: [String] = []
    ) throws -> Finished {
      try Simnet.run(
        [
          "gate", "--condition", condition, "--reliability", "0.95", "--steps", "2", "--metric",
          "score", "--range", "0:1", "--adaptivity", adaptivity, "--state", "gate.jsonl",
          "--baseline", "old.csv", "--candidate", candidate,
        ] + more, in: scratch.folder)
    }
  }

  @Test func `steps are counted, the same files take none, and after the last none is left`() throws
  {
    let steps = try Steps()
    let first = try steps.gate("worse.csv")
    #expect(first.status == 3 && first.errors == "step 1 of 2\n")
    #expect(first.output == "n - o > 0.0 +/- 0.25: false, within -0.5...0.0\nfail\n")
    let recorded = try steps.scratch.read("gate.jsonl")
    #expect(recorded.split(separator: "\n").count == 1)
    let again = try steps.gate("worse.csv")
    #expect(again.status == 3 && again.output == first.output)
    #expect(again.errors == "judged before, at step 1; no step is used\n")
    #expect(try steps.scratch.read("gate.jsonl") == recorded)
    let second = try steps.gate("better.csv")
    #expect(second.status == 0)
    #expect(second.errors == "step 2 of 2\nthese replicates are now retired; draw new seeds\n")
    // The record only grows.
    #expect(try steps.scratch.read("gate.jsonl").hasPrefix(recorded))
    let third = try steps.gate("close.csv")
    #expect(third.status == 65 && third.output == "")
    #expect(
      third.errors == "these replicates are retired: all 2 steps are used; draw new seeds\n")
    #expect(try steps.gate("better.csv").output == second.output)
    #expect(try steps.scratch.read("gate.jsonl").split(separator: "\n").count == 2)
  }

  @Test func `unknown fails or passes by the mode`() throws {
    let steps = try Steps()
    let strict = try steps.gate("close.csv")
    #expect(strict.status == 3)
    #expect(strict.output == "n - o > 0.0 +/- 0.25: unknown, within -0.125...0.375\nfail\n")
    let lenient = try Steps().gate("close.csv", "full", ["--mode", "fn-free"])
    #expect(lenient.status == 0 && lenient.output.hasSuffix("\npass\n"))
  }

  @Test func `a changed gate is refused by the part that changed`() throws {
    let steps = try Steps()
    _ = try steps.gate("worse.csv")
    let other = try steps.gate("better.csv", "full", condition: "n - o > 0.1 +/- 0.25")
    #expect(other.status == 65 && other.output == "")
    #expect(
      other.errors == #"""
        condition is "n - o > 0.1 +/- 0.25", but the steps recorded are those of \#
        "n - o > 0.0 +/- 0.25"; the guarantee covers one gate: go on with it, or draw new seeds \#
        and begin a new record

        """#)
    let same = try steps.gate("better.csv", "full", condition: "n-o>0+/-.25")
    #expect(same.status == 0)
    let adaptivity = try steps.gate("better.csv", "none")
    #expect(adaptivity.status == 65 && adaptivity.errors.hasPrefix(#"adaptivity is "none""#))
  }

  @Test func `the first pass retires the replicates at firstChange`() throws {
    let steps = try Steps()
    let pass = try steps.gate("better.csv", "firstChange")
    #expect(pass.status == 0)
    #expect(pass.errors == "step 1 of 2\nthese replicates are now retired; draw new seeds\n")
    let next = try steps.gate("worse.csv", "firstChange")
    #expect(next.status == 65)
    #expect(
      next.errors
        == "these replicates are retired: a commit passed at step 1; draw new seeds\n")
  }

  @Test func `without adaptivity the verdict is withheld from all but the owner`() throws {
    let steps = try Steps()
    // Exit code and output are those of a pass and of a fail alike.
    for candidate in ["worse.csv", "better.csv"] {
      let run = try steps.gate(candidate, "none")
      #expect(run.status == 0 && run.output == "withheld\n")
    }
    let owner = try steps.gate("worse.csv", "none", ["--reveal"])
    #expect(owner.status == 3 && owner.output.hasSuffix("\nfail\n"))
    #expect(owner.errors.hasPrefix("judged before, at step 1; no step is used\n"))
    #expect(try steps.gate("better.csv", "none", ["--reveal"]).status == 0)
  }

  @Test func `a damaged record is refused and left as it is`() throws {
    let steps = try Steps()
    _ = try steps.gate("worse.csv")
    let torn = String(try steps.scratch.read("gate.jsonl").dropLast(10))
    try steps.scratch.write("gate.jsonl", torn)
    let run = try steps.gate("better.csv")
    #expect(run.status == 65 && run.output == "" && run.errors.hasPrefix("gate.jsonl, line 1:1:"))
    #expect(try steps.scratch.read("gate.jsonl") == torn)
    #expect(try steps.gate("better.csv", "full", ["--step", "1"]).status == 64)
  }

  @Test func `gates at the same time take different steps`() throws {
    let steps = try Steps()
    let run = try Simnet.shell(
      #"""
      for i in 1 2 3 4 5 6; do
        sed "s/0,0,main,0.25/0,0,main,0.2$i/" old.csv > "new$i.csv"
        "$SIMNET" gate --condition 'n - o > 0 +/- 0.25' --reliability 0.95 --steps 6           --metric score --range 0:1 --adaptivity none --state all.jsonl           --baseline old.csv --candidate "new$i.csv" &
      done
      wait
      """#, in: steps.scratch.folder)
    #expect(run.output == String(repeating: "withheld\n", count: 6), "\(run.errors)")
    #expect(try steps.scratch.read("all.jsonl").split(separator: "\n").count == 6)
  }

  @Test func `a plan says which bound counted`() throws {
    for (bound, count) in [("hoeffding", 267_385), ("bennett", 29_047), ("smaller", 29_047)] {
      let run = try Simnet.run([
        "gate", "--condition", #"n - o > 0 +/- 0.01 /\ d < 0.1 +/- 0.1"#, "--reliability", "0.9999",
        "--adaptivity", "none", "--bound", bound, "--plan",
      ])
      #expect(run.status == 0 && run.errors == "")
      let line = run.output.split(separator: "\n").first { $0.hasPrefix("  n - o") } ?? ""
      let found = line.split(separator: " ").compactMap { Int($0) }.last ?? 0
      // Two clauses share the error: ln 2 more than one alone.
      #expect(found >= count, "\(line)")
      #expect(line.contains(bound == "hoeffding" ? "Hoeffding" : "Bennett"), "\(line)")
    }
  }
}
