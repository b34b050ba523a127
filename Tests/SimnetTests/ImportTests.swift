import Foundation
import Interchange
import SimKernel
import Testing

/// `simnet import` and `simnet calibrate network`.
@Suite struct ImportTests {
  /// `shared/traces` beside the repository or above it; nil if it is not there.
  static let traces: String? = {
    var place = Simnet.root
    for _ in 0..<4 {
      place.deleteLastPathComponent()
      let folder = place.appendingPathComponent("shared/traces").path
      if FileManager.default.fileExists(atPath: folder) { return folder }
    }
    print("skipped: no shared/traces beside the repository")
    return nil
  }()

  /// The cells of column `name` of a table in CSV.
  static func column(_ name: String, of csv: String) -> [String] {
    let lines = csv.split(separator: "\n")
    guard let header = lines.first,
      let place = header.split(separator: ",", omittingEmptySubsequences: false)
        .firstIndex(where: { $0 == name })
    else { return [] }
    return lines.dropFirst().map {
      String($0.split(separator: ",", omittingEmptySubsequences: false)[place])
    }
  }

  /// Whether an iteration takes `seconds`, to a nanosecond.
  static func isAbout(_ seconds: Double, _ csv: String) -> Bool {
    guard let text = column("iteration_time_s", of: csv).first, let time = Double(text) else {
      return false
    }
    return abs(time - seconds) < 2e-8
  }

  // MARK: - calibrate network

  /// What a ring over 4 ranks takes with 10 us a step and 1 GB/s, as nccl-tests prints it.
  private static func ringLog() -> String {
    var text = ""
    for rank in 0..<4 { text += "#   Rank  \(rank) Pid 1\n" }
    for power in 10...28 {
      let size = Double(1 << power)
      let time = 6 * (10 + size / 4 / 1e3)
      let rate = size / time / 1e3
      text += "\(1 << power) \(1 << (power - 2)) float sum -1 \(time) \(rate) \(rate * 1.5) 0\n"
      if power == 17 { text += "launcher: noise in between\n" }
    }
    return text
  }

  @Test func aRingsNumbersComeBackAndItsTopologyTakesAsLong() throws {
    let scratch = try Scratch()
    try scratch.write("log", Self.ringLog())
    let fit = try Simnet.run(
      ["calibrate", "network", "log", "-o", "topology.json"], in: scratch.folder)
    #expect(fit.status == 0, "\(fit.errors)")
    #expect(fit.output.contains("all_reduce over 4 ranks in 6 steps"))
    #expect(fit.output.contains("10.000") && fit.output.contains("1.000 GB/s"))
    let block = try Simnet.run(
      ["calibrate", "network", "log", "--format", "json"], in: scratch.folder)
    #expect(try block.output == scratch.read("topology.json"))
    let run = try Simnet.run(
      [
        "collective", "all_reduce", "--algorithm", "ring", "--ranks", "4", "--topology",
        "topology.json", "--min", "1MiB", "--max", "256MiB", "--factor", "256", "--format", "csv",
      ], in: scratch.folder)
    #expect(run.status == 0, "\(run.errors)")
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 3)
    // 6 (10 us + 256 KiB/s) and 6 (10 us + 64 MiB/s).
    for (line, size) in zip(lines.dropFirst(), [1_048_576.0, 268_435_456.0]) {
      let expected = 6 * (10e-6 + size / 4 / 1e9)
      let numbers = line.split(separator: ",").compactMap { Double($0) }
      #expect(
        numbers.contains { abs($0 / expected - 1) < 1e-3 || abs($0 / expected / 1e6 - 1) < 1e-3 },
        "\(line): \(expected)")
    }
  }

  @Test func residualsAreRowsAndUnknownRangesAreNamed() throws {
    let scratch = try Scratch()
    try scratch.write("log", Self.ringLog())
    let rows = try Simnet.run(
      ["calibrate", "network", "log", "--format", "csv"], in: scratch.folder)
    #expect(rows.output.split(separator: "\n").count == 20)
    for error in Self.column("block_relative_error", of: rows.output) {
      #expect(abs(Double(error) ?? 1) < 1e-3)
    }
    let wrong = try Simnet.run(
      ["calibrate", "network", "log", "--range", "9"], in: scratch.folder)
    #expect(wrong.status == 64 && wrong.errors.contains("range 9"))
    try scratch.write("two", "8 2 float sum -1 50.0 0.0 0.0 0\n16 4 float sum -1 50 0 0 0\n")
    let silent = try Simnet.run(["calibrate", "network", "two"], in: scratch.folder)
    #expect(silent.status == 64 && silent.errors.contains("--operation"), "\(silent.errors)")
  }

  // MARK: - networks

  private func imported(_ files: [String], in scratch: Scratch, _ options: [String] = []) throws {
    let run = try Simnet.run(
      ["import"] + files + ["-o", "s.json"] + options, in: scratch.folder)
    #expect(run.status == 0, "\(run.errors)")
    let valid = try Simnet.run(["validate", "s.json"], in: scratch.folder)
    #expect(valid.status == 0, "\(valid.errors)")
  }

  @Test(arguments: [
    ("[ Ring ]", "[ 8 ]", "\"ring\""), ("[ FullyConnected ]", "[ 8 ]", "\"full_mesh\""),
    ("[ Switch ]", "[ 8 ]", "\"star\""), ("[ Ring, Switch ]", "[ 2, 4 ]", "\"graph\""),
    ("[ FullyConnected, Ring ]", "[ 4, 2 ]", "\"graph\""),
  ]) func analyticalNetworksBecomeTopologies(_ shape: String, _ counts: String, _ kind: String)
    throws
  {
    let scratch = try Scratch()
    let rates = counts.contains(",") ? "[ 50.0, 25.0 ]" : "[ 50.0 ]"
    try scratch.write(
      "n.yml",
      "topology: \(shape)\nnpus_count: \(counts)\nbandwidth: \(rates)  # GB/s\nlatency: "
        + "\(rates)  # ns\n")
    try imported(["n.yml"], in: scratch)
    let text = try scratch.read("s.json")
    #expect(text.contains(kind) && text.contains("400 Gbps") && text.contains("50 ns"))
    let topology = try Simnet.run(["topology", "s.json"], in: scratch.folder)
    #expect(topology.status == 0 && topology.output.contains("8"), "\(topology.output)")
  }

  @Test func aLogBecomesACluster() throws {
    let scratch = try Scratch()
    try scratch.write("log", Self.ringLog())
    try imported(["log"], in: scratch, ["--model", "vgg16"])
    let text = try scratch.read("s.json")
    #expect(text.contains("\"hosts\": 4") && text.contains("\"vgg16\""))
  }

  // MARK: - what workers do

  private static func event(
    _ name: String, _ category: String, _ start: Int, _ duration: Int, tid: Int = 1,
    args: String = ""
  ) -> String {
    "{\"ph\":\"X\",\"cat\":\"\(category)\",\"name\":\"\(name)\",\"pid\":1,\"tid\":\(tid),"
      + "\"ts\":\(start),\"dur\":\(duration),\"args\":{\(args)}}"
  }
  private static let step: String = {
    let floats = "\"Input Dims\":[[10]],\"Input type\":[\"float\"]"
    let events = [
      event("ProfilerStep#1", "user_annotation", 0, 40), event("backward", "cpu_op", 0, 10),
      event("c10d::allreduce_", "cpu_op", 8, 1), event("more", "cpu_op", 12, 8),
      event("gloo:all_reduce", "user_annotation", 11, 19, tid: 2, args: floats),
      event("update", "cpu_op", 33, 4),
    ]
    return "{\"traceEvents\":[" + events.joined(separator: ",") + "]}"
  }()

  /// 10 us, 2 between, 8, then 3, 4 and 3 once the collective is over, which takes 0.32 us here.
  @Test(arguments: [[], ["--merge"]]) func aRecordedStepRuns(_ options: [String]) throws {
    let scratch = try Scratch()
    try scratch.write("trace.json", Self.step)
    try imported(
      ["trace.json"], in: scratch, options + ["--bandwidth", "1 Gbps", "--latency", "0 us"])
    let run = try Simnet.run(["run", "s.json", "--format", "csv"], in: scratch.folder)
    #expect(run.status == 0, "\(run.errors)")
    #expect(Self.isAbout(30e-6, run.output), "\(run.output)")
    // A slow network is waited for: 200 us from 10 us on.
    let slow = try Simnet.run(
      [
        "run", "s.json", "--format", "csv", "--set",
        "cluster.topology.link.bandwidth=1600 Kbps",
      ], in: scratch.folder)
    #expect(Self.isAbout(220e-6, slow.output), "\(slow.output)")
    let graph = try Simnet.run(
      ["graph", "s.graph.json", "--schedule", "fifo", "--format", "csv"], in: scratch.folder)
    #expect(Self.column("makespan_s", of: graph.output).first.flatMap { Double($0) } == 0.00003)
  }

  @Test func stepsAreChosenByTheirNumber() throws {
    let scratch = try Scratch()
    try scratch.write("trace.json", Self.step)
    let wrong = try Simnet.run(
      ["import", "trace.json", "-o", "s.json", "--step", "7"], in: scratch.folder)
    #expect(wrong.status == 64 && wrong.errors.contains("1..1"), "\(wrong.errors)")
    #expect(scratch.names == ["trace.json"])
    try imported(["trace.json"], in: scratch, ["--steps", "1..1"])
  }

  private func writeChakra(_ scratch: Scratch, cycle: Bool) throws {
    let nodes = [
      ChakraTrace.Node(
        id: 1, name: "gemm", kind: .compute, dataParents: cycle ? [2] : [],
        durationMicroseconds: 100),
      ChakraTrace.Node(
        id: 2, name: "sum", kind: .collective, dataParents: [1],
        attributes: [.init("comm_type", .integer(0)), .init("comm_size", .integer(1_000_000))]),
      ChakraTrace.Node(
        id: 3, name: "gather", kind: .collective, dataParents: [2],
        attributes: [.init("comm_type", .integer(2)), .init("comm_size", .integer(1_000_000))]),
    ]
    try ChakraFile.write(
      ChakraTrace(version: "0.0.4", nodes: nodes, origin: "t"), path: scratch.path("t.0.et"))
  }

  /// Over two workers a ring of 1 MB sends 1 MB, and an all-gather of 1 MB shards, too.
  @Test func otherCollectivesSendAsManyBytes() throws {
    let scratch = try Scratch()
    try writeChakra(scratch, cycle: false)
    try imported(["t.0.et"], in: scratch, ["--bandwidth", "8 Gbps", "--latency", "0 us"])
    let run = try Simnet.run(["run", "s.json", "--format", "csv"], in: scratch.folder)
    // 100 us and twice 1 MB at 1 GB/s.
    #expect(Self.isAbout(2.1e-3, run.output), "\(run.output)")
  }

  @Test func cyclesAreRefusedOrCutAndNamed() throws {
    let scratch = try Scratch()
    try writeChakra(scratch, cycle: true)
    let refused = try Simnet.run(["import", "t.0.et", "-o", "s.json"], in: scratch.folder)
    #expect(refused.status == 65)
    #expect(refused.errors.contains("node 1 waits for 2 waits for 1"), "\(refused.errors)")
    let cut = try Simnet.run(
      ["import", "t.0.et", "-o", "s.json", "--drop-cycles"], in: scratch.folder)
    #expect(cut.status == 0 && cut.errors.contains("1 were dropped: node 1 on 2"), "\(cut.errors)")
  }

  /// Two ranks, one message: 1000 bytes take L + 2o + 999 G.
  @Test func messagesBecomeASchedule() throws {
    let scratch = try Scratch()
    for rank in 0..<2 {
      let node = ChakraTrace.Node(
        id: 1, name: "m", kind: rank == 0 ? .send : .receive,
        attributes: [
          .init("comm_size", .integer(1000)), .init("comm_tag", .integer(3)),
          .init(rank == 0 ? "comm_dst" : "comm_src", .integer(Int64(1 - rank))),
        ])
      try ChakraFile.write(
        ChakraTrace(version: "0.0.4", nodes: [node], origin: "m"),
        path: scratch.path("m.\(rank).et"))
    }
    let alone = try Simnet.run(["import", "m.0.et", "-o", "s.json"], in: scratch.folder)
    #expect(alone.status == 65 && alone.errors.contains("-o NAME.goal"), "\(alone.errors)")
    let made = try Simnet.run(
      ["import", "m.0.et", "m.1.et", "-o", "m.goal"], in: scratch.folder)
    #expect(made.status == 0, "\(made.errors)")
    let run = try Simnet.run(
      ["goal", "m.goal", "--loggp", "L=1000,o=10,g=0,G=2,S=none", "--format", "csv"],
      in: scratch.folder)
    #expect(run.output.contains("m.goal,1,3018"), "\(run.output)")
  }

  @Test func profilesAndGradientsBecomeModels() throws {
    let scratch = try Scratch()
    let sizes = "activation_size=8.0, parameter_size="
    try scratch.write(
      "graph.txt",
      "node1 -- Linear(a, b) -- forward_compute_time=1.0, backward_compute_time=2.0, \(sizes)4000.0\n"
        + "node2 -- ReLU -- forward_compute_time=0.5, backward_compute_time=0.5, \(sizes)0.0\n"
        + "\tnode1 -- node2\n")
    try imported(["graph.txt"], in: scratch)
    #expect(try scratch.read("s.model.csv").contains(",1000,1500,2500\n"))
    let gradient = Simnet.fixtures.appendingPathComponent("Gradients/wordemb.middle.w0.npy").path
    try imported([gradient], in: scratch)
    #expect(try scratch.read("s.json").contains("wordemb.middle.w0.npy"))
  }

  @Test func whatGoesElsewhereIsSaid() throws {
    let scratch = try Scratch()
    let goal = Simnet.fixtures.appendingPathComponent("GOAL/ring-4.goal").path
    for (arguments, status, words) in [
      ([goal, "-o", "s.json"], 65, "simnet goal"),
      (
        [Simnet.scenarios.appendingPathComponent("small.json").path, "-o", "s.json"], 65,
        "simnet run"
      ),
      (["missing", "-o", "s.json"], 74, "missing"),
      ([goal, "-o", goal], 64, "input"),
      ([goal, "-o", "s.json", "--bandwidth", "5"], 64, "no unit"),
    ] as [([String], Int32, String)] {
      let run = try Simnet.run(["import"] + arguments, in: scratch.folder)
      #expect(run.status == status && run.errors.contains(words), "\(arguments): \(run.errors)")
    }
    #expect(scratch.names.isEmpty)
  }

  // MARK: - real files

  @Test func theRecordedStepTakesItsTimeAgain() throws {
    guard let traces = Self.traces else { return }
    let scratch = try Scratch()
    let files = (0..<2).map {
      "\(traces)/recorded-ddp/kineto_gloo2_resnet18_rank\($0).json.gz"
    }
    try imported(files, in: scratch)
    let run = try Simnet.run(["run", "s.json", "--format", "csv"], in: scratch.folder)
    let time = Double(Self.column("iteration_time_s", of: run.output).first ?? "") ?? 0
    #expect(abs(time / 2.420446 - 1) < 0.05, "\(time) s")
    // 552 ms of communication, of which 21.5 ms were waited for.
    let exposed = Self.column("exposed_communication_s", of: run.output).first ?? ""
    #expect((Double(exposed) ?? 1) < 0.05, "\(exposed)")
  }

  /// Files that no scenario is made of, by the ends of their names.
  private static let elsewhere = [
    ".goal", ".cm", "deepbench/allreduce.csv", "cuda_vec_add.log", "ibnetdiscover.txt",
    "loggopsim-results.csv", "simgrid-fluid/cases.json", "1D.json", "2D.json",
    "no_memory_expansion.json", "simai/SimAI.conf", "simai/busbw.yaml", "_ratio.csv",
    "Ring_4chunks.json", "HGX-H100-validated.json", "custom_collective.json",
    "custom_allreduce.0.et", "chakra/chakra.0.et",
  ]

  @Test func everySharedFileIsImportedOrRefused() throws {
    guard let traces = Self.traces else { return }
    let all = (FileManager.default.enumerator(atPath: traces)?.compactMap { $0 as? String } ?? [])
      .sorted()
    var seen = 0
    for name in all {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: traces + "/" + name, isDirectory: &isFolder)
      let file = name.split(separator: "/").last ?? ""
      if isFolder.boolValue || file.hasPrefix("LICENSE") || file.hasPrefix("README") { continue }
      // One rank of many and one schedule of many stand for all.
      if file.hasSuffix(".et"), !file.hasSuffix(".0.et") { continue }
      if file.hasSuffix(".goal"), !file.hasSuffix("n4-d8.goal") { continue }
      let scratch = try Scratch()
      let run = try Simnet.run(
        ["import", traces + "/" + name, "-o", "s.json"], in: scratch.folder)
      let isElsewhere = Self.elsewhere.contains { name.hasSuffix($0) }
      #expect(run.status == (isElsewhere ? 65 : 0), "\(name): \(run.errors.prefix(300))")
      if !isElsewhere { #expect(run.errors.contains("wrote"), "\(name)") }
      seen += 1
    }
    #expect(seen > 60)
  }
}
