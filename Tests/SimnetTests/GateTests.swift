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
    #expect(retired.status == 65 && retired.errors.contains("retired"))
    let withheld = try gate("better.csv", ["--range", "0:1", "--adaptivity", "none"])
    #expect(withheld.status == 0 && withheld.errors.contains("withhold"))
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
      #expect(run.status == 74 && run.errors.contains(reason), "\(run.errors)")
    }
  }

  @Test func `the help has an example and other uses exit with 64`() throws {
    let help = try Simnet.run(["gate", "--help"])
    #expect(help.status == 0 && help.output.contains("Example: simnet gate --condition"))
    #expect(try Simnet.run(["gate", "--condition", "n > 0 +/- 1"]).status == 64)
    #expect(try Simnet.run(["gate", "--plan"]).status == 64)
  }
}
