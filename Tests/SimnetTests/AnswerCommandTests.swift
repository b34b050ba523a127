import Foundation
import SimKernel
import Testing

/// `compare`, `pareto`, `crossover` and `whatif` as users meet them: exit codes and both streams.
@Suite struct AnswerCommandTests {
  private static let closedForm = Simnet.scenarios.appendingPathComponent("closed-form.json").path
  private static let bandwidth = "cluster.topology.link.bandwidth"

  private static let old = """
    point,replicate,seed,bandwidth,communication,job,iteration_time_s,gradient_rel_l2
    0,0,1,1 Gbps,fp32,main,8,0
    0,1,1,1 Gbps,fp32,main,10,0
    1,0,1,1 Gbps,top_k,main,2,0.8
    1,1,1,1 Gbps,top_k,main,3,0.8
    2,0,1,10 Gbps,fp32,main,2,0
    2,1,1,10 Gbps,fp32,main,2,0
    3,0,1,10 Gbps,top_k,main,2.01,0.9
    3,1,1,10 Gbps,top_k,main,2.01,0.9

    """

  private func run(_ arguments: [String], _ files: [String: String] = ["old.csv": old]) throws
    -> Finished
  {
    let scratch = try Scratch()
    for (name, text) in files { try scratch.write(name, text) }
    return try Simnet.run(arguments, in: scratch.folder, environment: ["COLUMNS": "110"])
  }

  // MARK: - compare

  /// -6 and -7: mean -6.5, deviation 1/sqrt 2, half width 12.706 / 2.
  @Test func `compare shows every point and who wins where`() throws {
    let done = try run(["compare", "old.csv", "--between", "communication=fp32", "top_k"])
    #expect(done.status == 0 && done.errors == "")
    #expect(
      done.output == """
        A: fp32
        B: top_k
        compared: iteration_time_s (lower is better)

        bandwidth  pairs      A      B    B - A        95 % by t    B / A  adjusted p  better  error A  error B
        1 Gbps         2  9.000  2.500   -6.500  [-12.85, -0.15]  0.2739x       0.049  B             0    0.800
        10 Gbps        2  2.000  2.010  0.01000            exact   1.005x              tie           0    0.900

        where               A wins  ties  B wins  error A  error B
        bandwidth  1 Gbps        0     0       1        0    0.800
        bandwidth  10 Gbps       0     1       0        0    0.900

        iteration_time_s: of 2 comparisons A, fp32 (gradient error 0) wins 0, B, top_k (gradient error 0.800-0.900)
          wins 1; 1 is a tie
        a tie is a difference within 1 % or one that the paired t test at 95 % confidence cannot tell from none;
          probabilities of the 1 test adjusted by Holm's method; ratios are geometric means of pairs; g is Hedges' g
          of the differences
        exact: all pairs have the same difference, so that there is nothing to estimate
        left out at this width: 95 % by bootstrap, 95 % of B / A; --format csv has everything

        """)
  }

  @Test func `compare takes two files and writes what scripts and papers read`() throws {
    let files = ["old.csv": Self.old, "new.csv": Self.old.replacing("main,8,0", with: "main,4,0")]
    let csv = try run(
      ["compare", "old.csv", "new.csv", "--by", "bandwidth", "--format", "csv"], files)
    #expect(csv.status == 0 && csv.errors == "")
    let lines = csv.output.split(separator: "\n").map(String.init)
    #expect(
      lines[0]
        == "a,b,bandwidth,communication,job,metric,better_is,pairs,a_mean,b_mean,difference,confidence,"
        + "t_low,t_high,bootstrap_low,bootstrap_high,ratio,ratio_low,ratio_high,cohens_dz,hedges_g,p,"
        + "p_adjusted,better,basis,a_gradient_rel_l2,b_gradient_rel_l2")
    #expect(lines.count == 5)
    #expect(
      lines[2]
        == "old.csv,new.csv,1 Gbps,top_k,main,iteration_time_s,lower,2,2.5,2.5,0,0.95,,,,,1,,,,,,,tie,"
        + "exact,0.8,0.8")
    let markdown = try run(["compare", "old.csv", "new.csv", "--format", "md"], files)
    #expect(markdown.output.contains("| 1 Gbps | fp32 | 2 | 9.000 | 7.000 | -2.000 |"))
    let json = try run(["compare", "old.csv", "new.csv", "--format", "json"], files)
    let root = try JSONNode.parse(json.output, origin: "json")
    #expect(root["comparisons"]?.elements?[0]["difference"]?.number == -2)
    #expect(root["comparisons"]?.elements?[0]["p"]?.number == 0.5)
    #expect(root["who_wins_where"]?.elements?.count == 4)
    let lines4 = try run(["compare", "old.csv", "new.csv", "--format", "jsonl"], files).output
      .split(separator: "\n").map { try JSONNode.parse(String($0), origin: "jsonl") }
    #expect(lines4.map { $0["difference"]?.number } == [-2, 0, 0, 0])
  }

  @Test func `compare refuses what it cannot pair`() throws {
    for (arguments, status, part) in [
      (["old.csv"], 64, "give a second file, or --between"),
      (["old.csv", "old.csv", "old.csv"], 64, "one file or two"),
      (["old.csv", "--between", "fp32"], 64, "--between takes two variants"),
      (["old.csv", "--between", "fp32", "fp23"], 64, "did you mean \"fp32\"?"),
      (
        ["old.csv", "--between", "fp32", "top_k", "--by", "bandwith"], 64,
        "did you mean \"bandwidth\""
      ),
      (["old.csv", "--between", "fp32", "top_k", "--metric", "job"], 64, "write job:lower"),
      (["old.csv", "--between", "fp32", "top_k", "--metric", "x:lower"], 65, "no column x"),
      (["old.csv", "none.csv"], 74, "none.csv: no such file"),
      (["old.csv", "cut.csv"], 65, "cut.csv: the quote that opens in line 1 is never closed"),
    ] as [([String], Int32, String)] {
      let done = try run(
        ["compare"] + arguments, ["old.csv": Self.old, "cut.csv": "a,\"b\n1,2\n"])
      #expect(done.status == status && done.output == "", "\(arguments)")
      #expect(done.errors.contains(part), "\(arguments): \(done.errors)")
    }
    let other = Self.old.replacing(",1,1", with: ",1,2").replacing(",0,1", with: ",0,2")
    let seeds = try run(["compare", "old.csv", "b.csv"], ["old.csv": Self.old, "b.csv": other])
    #expect(seeds.status == 65 && seeds.errors.contains("seed is 1 there and 2 here"))
  }

  @Test func `compare says that a metric has no numbers`() throws {
    let lines = Self.old.split(separator: "\n", omittingEmptySubsequences: false)
    let empty = lines.enumerated().map { index, line in
      index == 0 || line.isEmpty ? line + "" : line[...line.lastIndex(of: ",")!]
    }.joined(separator: "\n")
    let nothing = try run(
      ["compare", "e.csv", "e.csv", "--metric", "gradient_rel_l2"], ["e.csv": empty])
    #expect(nothing.status == 64 && nothing.output == "", "\(nothing.output)")
    #expect(nothing.errors.contains("no pair has numbers"), "\(nothing.errors)")
    let some = try run(
      ["compare", "e.csv", "e.csv", "--metric", "gradient_rel_l2,iteration_time_s"],
      ["e.csv": empty])
    #expect(some.status == 0 && some.output.contains("iteration_time_s"))
    #expect(some.errors.hasPrefix("gradient_rel_l2: no pair has numbers"), "\(some.errors)")
  }

  // MARK: - pareto

  @Test func `pareto shows the front of every group`() throws {
    let done = try run(["pareto", "old.csv", "--all"])
    #expect(done.status == 0 && done.errors == "")
    #expect(
      done.output == """
        Pareto-optimal in low iteration_time_s and low gradient_rel_l2

        bandwidth  communication  iteration_time_s    sd  gradient_rel_l2  sd  optimal  dominated by
        1 Gbps     top_k                     2.500  0.71           0.8000   0  yes
        1 Gbps     fp32                      9.000   1.4                0   0  yes
        10 Gbps    fp32                      2.000     0                0   0  yes
        10 Gbps    top_k                     2.010     0           0.9000   0  no       fp32

        3 of 4 points in 2 groups are optimal: no other is at least as good in every objective and better in one;
          means over replicates, sd is their standard deviation

        """)
    let twice = try run(["pareto", "old.csv", "--y", "iteration_time_s"])
    #expect(twice.status == 64 && twice.errors.contains("objective twice"))
    let unknown = try run(["pareto", "old.csv", "--y", "wire_bytes"])
    #expect(unknown.status == 65 && unknown.errors.contains("no column wire_bytes"))
  }

  // MARK: - crossover

  private func crossover(_ more: [String]) throws -> Finished {
    try run(["crossover", Self.closedForm, "--between", "fp32", "fp16"] + more)
  }

  /// The crossing is where 6 chunks of the bytes that fp16 saves take as long as its two passes.
  @Test func `crossover says where a variant stops paying off`() throws {
    let done = try crossover(["--axis", Self.bandwidth, "--from", "1 Gbps", "--to", "10 Tbps"])
    #expect(done.status == 0 && done.errors == "")
    #expect(
      done.output == """
        A: fp32
        B: fp16
        cluster.topology.link.bandwidth from 1.000 Gbps to 10000 Gbps, iteration_time_s (lower is better)

          ties at             search bracket  95 % interval  better below  better above  error A   error B  runs
        1809 Gbps  [1808.626, 1808.664] Gbps  one replicate  fp16          fp32                0  0.000438    44

        fp16 (gradient error 0.000438) stops paying off at 1809 Gbps; above it fp32 (gradient error 0) is better
        one replicate: the bracket is where the search stopped; set "replicates" for an interval
        44 runs; crossings were looked for in 16 intervals of equal ratio

        """)
    let csv = try crossover([
      "--axis", Self.bandwidth, "--from", "1 Gbps", "--to", "10 Tbps", "--format", "csv", "-j", "1",
    ])
    #expect(csv.output.contains("main,fp32,fp16,cluster.topology.link.bandwidth,Gbps,1808.625"))
  }

  @Test func `crossover says who is better where nothing crosses`() throws {
    let done = try crossover(["--axis", Self.bandwidth, "--from", "1 Gbps", "--to", "5 Gbps"])
    #expect(done.status == 0)
    #expect(
      done.output.contains(
        "fp16 (gradient error 0.000438) is better than fp32 (gradient error 0) over the whole range; "
          + "B / A goes from\n  0.5413 to 0.6553\n"))
  }

  @Test func `crossover refuses axes that will not do`() throws {
    for (arguments, status, part) in [
      (["--axis", "workload.model"], 64, "--axis: workload.model is \"resnet18\", no number"),
      (["--axis", Self.bandwidth, "--from", "1 us"], 64, "does not measure"),
      (["--axis", Self.bandwidth, "--set", "\(Self.bandwidth)=1Gbps,2Gbps"], 64, "is swept"),
      (["--axis", Self.bandwidth, "--metric", "iteration_time"], 64, "--metric: nobody knows"),
      (["--axis", Self.bandwidth, "--tolerance", "0"], 64, "--tolerance"),
      ([], 64, "--axis"),
    ] as [([String], Int32, String)] {
      let done = try crossover(arguments)
      #expect(done.status == status && done.output == "", "\(arguments)")
      #expect(done.errors.contains(part), "\(arguments): \(done.errors)")
    }
  }

  // MARK: - whatif

  @Test func `whatif sorts assumptions by what they change`() throws {
    let done = try run(["whatif", Self.closedForm, "--between", "fp32", "fp16"])
    #expect(done.status == 0 && done.errors == "")
    #expect(
      done.output.contains(
        """
        assumption          B / A  at -30 %  at +30 %      swing  effect  flips below  flips above  error A   error B
        link_bandwidth    0.9894x   0.9838x   0.9925x     0.0087  ties              -       4.522x        0  0.000438
        compute_time      0.9894x   0.9850x   0.9918x     0.0067  ties              -            -        0  0.000438
        goodput           0.9894x   0.9838x   0.9894x     0.0056  no                -            -        0  0.000438
        codec_cost        0.9894x   0.9884x   0.9904x     0.0020  ties              -       4.129x        0  0.000438
        latency           0.9894x   0.9894x   0.9894x  0.0000074  no                -            -        0  0.000438
        straggler_spread  0.9894x   0.9894x   0.9894x          0  no                -            -        0  0.000438

        """))
    #expect(
      done.output.contains(
        "fp16 (gradient error 0.000438) is better by a factor of 1.011 than fp32 (gradient error 0); "
      ))
    let percent = try run([
      "whatif", Self.closedForm, "--between", "fp32", "fp16", "--change", "0.3", "--format", "csv",
    ])
    #expect(percent.output.contains("\nmain,fp32,fp16,link_bandwidth,0.3,0.98939"))
    let wrong = try run([
      "whatif", Self.closedForm, "--between", "fp32", "fp16", "--change", "200%",
    ])
    #expect(wrong.status == 64 && wrong.errors.contains("--change lies between"))
  }

  // MARK: - help

  /// The commands that `simnet --help` lists, and those below them.
  @Test func `the help of every command has an example`() throws {
    func commands(_ path: [String]) throws -> [[String]] {
      let help = try Simnet.run(path + ["--help"], environment: ["COLUMNS": "200"]).output
      guard let list = help.components(separatedBy: "SUBCOMMANDS:\n").dropFirst().first else {
        return [path]
      }
      return try list.split(separator: "\n", omittingEmptySubsequences: false)
        .prefix { !$0.isEmpty }
        .compactMap { $0.split(separator: " ").first.map(String.init) }
        .flatMap { try commands(path + [$0]) }
    }
    let all = try commands([])
    #expect(all.count >= 13)
    for path in all {
      let done = try Simnet.run(path + ["--help"], environment: ["COLUMNS": "200"])
      #expect(done.status == 0 && done.errors == "")
      #expect(
        done.output.contains("Example: simnet " + path.joined(separator: " ")), "\(path)")
    }
  }
}
