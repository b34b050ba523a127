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
    // A slow network is waited for: 200 us from 11 us on, when the collective was taken up.
    let slow = try Simnet.run(
      [
        "run", "s.json", "--format", "csv", "--set",
        "cluster.topology.link.bandwidth=1600 Kbps",
      ], in: scratch.folder)
    #expect(Self.isAbout(221e-6, slow.output), "\(slow.output)")
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

  /// What overlaps of one exchange: when it began and ended, and how much of it the accelerator computed.
  private struct Overlap {
    var start: Double
    var end: Double
    var hidden: Double
    var hiddenShare: Double { hidden / (end - start) }
  }

  /// The exchanges of worker 0 called `name` in a Chrome trace, by their starts, in microseconds.
  private static func overlaps(_ trace: JSONNode, _ name: String) -> [Overlap] {
    func spans(_ category: String) -> [(name: String, start: Double, end: Double)] {
      (trace["traceEvents"]?.elements ?? []).compactMap { event in
        guard event["ph"]?.string == "X", event["cat"]?.string == category,
          event["pid"]?.number == 1, let start = event["ts"]?.number,
          let duration = event["dur"]?.number
        else { return nil }
        return (event["name"]?.string ?? "", start, start + duration)
      }
    }
    let computing = spans("compute")
    return spans("exchange").filter { $0.name.hasPrefix(name) }.map { own in
      Overlap(
        start: own.start, end: own.end,
        hidden: computing.reduce(0) {
          $0 + max(0, min($1.end, own.end) - max($1.start, own.start))
        })
    }.sorted { $0.start < $1.start }
  }

  /// A step of 2420.4 ms; of two all-reduces the first runs beside backward, and of the second, 35.76 ms
  /// long, the last 14.28 are waited for.
  @Test func theRecordedStepTakesItsTimeAgainAndOverlapsAsMuch() throws {
    guard let traces = Self.traces else { return }
    let scratch = try Scratch()
    let files = (0..<2).map {
      "\(traces)/recorded-ddp/kineto_gloo2_resnet18_rank\($0).json.gz"
    }
    try imported(files, in: scratch)
    let run = try Simnet.run(["run", "s.json", "--format", "csv"], in: scratch.folder)
    let time = Double(Self.column("iteration_time_s", of: run.output).first ?? "") ?? 0
    #expect(abs(time / 2.420446 - 1) < 0.01, "\(time) s")
    let traced = try Simnet.run(["trace", "s.json", "-o", "t.json"], in: scratch.folder)
    #expect(traced.status == 0, "\(traced.errors)")
    let found = Self.overlaps(
      try JSONNode.parse(scratch.read("t.json"), origin: "t.json"), "gloo:all_reduce")
    try #require(found.count == 2)
    #expect(abs(found[0].start / 1_326_853 - 1) < 0.01, "\(found[0].start)")
    #expect(abs(found[1].start / 2_182_724 - 1) < 0.01, "\(found[1].start)")
    #expect(found[0].hiddenShare > 0.999, "\(found[0])")
    #expect(abs(found[1].hiddenShare - (1 - 14.28 / 35.76)) < 0.02, "\(found[1])")
  }

  /// Files that no scenario is made of, by the ends of their names, and what is said of them.
  private static let elsewhere = [
    (".goal", "simnet goal"), (".cm", "simnet flows --topology"),
    ("deepbench/allreduce.csv", "203 times of 29 machines and sizes of jobs; --series"),
    ("cuda_vec_add.log", "network.transport.reduction_rate"),
    ("ibnetdiscover.txt", "ibnetdiscover listing of an InfiniBand fabric"),
    ("loggopsim-results.csv", "finish times by LogGOPSim"),
    ("simgrid-fluid/cases.json", "finish times by SimGrid"),
    ("1D.json", "dimensions and no links"), ("2D.json", "dimensions and no links"),
    ("no_memory_expansion.json", "no remote memory"),
    ("simai/SimAI.conf", "network.packet of a scenario"),
    ("simai/busbw.yaml", "--bandwidth"), ("_ratio.csv", "network.transport.goodput"),
    ("Ring_4chunks.json", "neither a network nor a workload"),
    ("HGX-H100-validated.json", "neither a network nor a workload"),
    ("custom_collective.json", "neither a network nor a workload"),
    ("custom_allreduce.0.et", "-o NAME.goal"), ("chakra/chakra.0.et", "--drop-cycles"),
  ]

  @Test func everySharedFileIsImportedOrRefused() throws {
    guard let traces = Self.traces else { return }
    let all = (FileManager.default.enumerator(atPath: traces)?.compactMap { $0 as? String } ?? [])
      .sorted()
    var seen = 0
    let scratch = try Scratch()
    for name in all {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: traces + "/" + name, isDirectory: &isFolder)
      let file = name.split(separator: "/").last ?? ""
      if isFolder.boolValue || file.hasPrefix("LICENSE") || file.hasPrefix("README") { continue }
      // One rank of many and one schedule of many stand for all.
      if file.hasSuffix(".et"), !file.hasSuffix(".0.et") { continue }
      if file.hasSuffix(".goal"), !file.hasSuffix("n4-d8.goal") { continue }
      let run = try Simnet.run(
        ["import", traces + "/" + name, "-o", "s.json"], in: scratch.folder)
      let reason = Self.elsewhere.first { name.hasSuffix($0.0) }?.1
      #expect(run.status == (reason == nil ? 0 : 65), "\(name): \(run.errors.prefix(300))")
      #expect(run.errors.contains(reason ?? "wrote"), "\(name): \(run.errors.prefix(300))")
      seen += 1
    }
    #expect(seen > 60)
  }

  /// Files that belong together, each `%` a rank, and what they become.
  @Test(arguments: [
    ("astra-sim/workload/microbenchmarks/all_reduce/8npus_1MB/all_reduce.%.et", 8, "s.json"),
    ("astra-sim/workload/microbenchmarks/all_to_all/4npus_1MB/all_to_all.%.et", 4, "s.json"),
    (
      "astra-sim/system/custom_collectives/custom_ring_allreduce_8npus_1MB/custom_allreduce.%.et",
      8,
      "s.goal"
    ),
    ("pytorch-et-param/dlrm8/dlrm_eg_%.json.gz", 8, "s.json"),
    ("recorded-ddp/pytorch_et_gloo2_resnet18_rank%.json.gz", 2, "s.json"),
    ("kineto-hta/sampled_rank-%.json.gz", 2, "s.json"),
  ]) func wholeSetsOfRanksAreOneRun(_ pattern: String, _ ranks: Int, _ output: String) throws {
    guard let traces = Self.traces else { return }
    let scratch = try Scratch()
    let files = (0..<ranks).map { traces + "/" + pattern.replacing("%", with: "\($0)") }
    let made = try Simnet.run(["import"] + files + ["-o", output], in: scratch.folder)
    #expect(made.status == 0, "\(made.errors)")
    let run = try Simnet.run(
      output.hasSuffix(".goal")
        ? ["goal", output, "--summary", "--loggp", "L=1us,o=0,g=0,G=10Gbps,S=none"]
        : ["run", output],
      in: scratch.folder)
    #expect(run.status == 0, "\(run.errors)")
  }

  @Test func anASTRASimNetworkItsSystemAndItsWorkloadAreOneScenario() throws {
    guard let traces = Self.traces else { return }
    let scratch = try Scratch()
    let folder = "\(traces)/astra-sim/"
    let ranks = (0..<8).map {
      folder + "workload/microbenchmarks/all_reduce/8npus_1MB/all_reduce.\($0).et"
    }
    try imported(
      [
        folder + "network/analytical/HGX-H100-validated.yml",
        folder + "system/native_collectives/HGX-H100-validated.json",
      ] + ranks, in: scratch)
    let text = try scratch.read("s.json")
    #expect(text.contains("\"star\"") && text.contains("\"hosts\": 8"))
    let run = try Simnet.run(["run", "s.json"], in: scratch.folder)
    #expect(run.status == 0, "\(run.errors)")
  }

  // MARK: - DeepBench

  /// A ring over 4 accelerators with 10 us a step and 1 GB/s, and another machine's single size.
  private static let deepBench: String = {
    var text =
      "source_file,sheet,num_floats,num_accelerators,num_nodes,mean_time_ms,reported_gbyte_per_s,"
      + "algorithm\nDeepBench_Other,s,100000,2,,1,0.8,MPI\n"
    for floats in [100_000, 3_097_600, 4_194_304, 16_777_216] {
      let time = 6 * (10e-3 + Double(floats) / 1e6)
      text += "DeepBench_Own,s,\(floats),4,1,\(time),\(Double(floats) * 16 / time / 1e6),NCCL\n"
    }
    return text
  }()

  @Test func tablesOfDeepBenchAreFittedMachineByMachine() throws {
    let scratch = try Scratch()
    try scratch.write("t.csv", Self.deepBench)
    let list = try Simnet.run(
      ["calibrate", "network", "t.csv", "--format", "csv"], in: scratch.folder)
    #expect(list.status == 0, "\(list.errors)")
    #expect(Self.column("machine", of: list.output) == ["Other", "Own"])
    #expect(Self.column("bandwidth_bit_per_s", of: list.output)[0] == "")
    let latency = Double(Self.column("latency_s", of: list.output)[1]) ?? 0
    let rate = Double(Self.column("bandwidth_bit_per_s", of: list.output)[1]) ?? 0
    #expect(abs(latency / 10e-6 - 1) < 1e-3 && abs(rate / 8e9 - 1) < 1e-3, "\(list.output)")
    let one = try Simnet.run(
      ["calibrate", "network", "t.csv", "--series", "1", "-o", "b.json"], in: scratch.folder)
    #expect(one.status == 0 && one.output.contains("Own, 4 accelerators, by NCCL"))
    #expect(try scratch.read("b.json").contains("\"hosts\": 4"))
    try imported(["t.csv"], in: scratch, ["--series", "1"])
    for (arguments, status, words) in [
      (["import", "t.csv", "-o", "x.json"], 65, "--series"),
      (["import", "t.csv", "-o", "x.json", "--series", "7"], 64, "0..1"),
      (["calibrate", "network", "t.csv", "--series", "0"], 64, "1 sizes"),
      (["calibrate", "network", "t.csv", "--format", "json"], 64, "--series"),
      (["calibrate", "network", "t.csv", "--ranks", "4"], 64, "for logs"),
    ] as [([String], Int32, String)] {
      let run = try Simnet.run(arguments, in: scratch.folder)
      #expect(run.status == status && run.errors.contains(words), "\(arguments): \(run.errors)")
    }
  }

  @Test func manyWorkersDoNotStandAroundARing() throws {
    let scratch = try Scratch()
    for (count, algorithm) in [(256, "ring"), (257, "halving_doubling")] {
      try scratch.write(
        "n.yml",
        "topology: [ Switch ]\nnpus_count: [ \(count) ]\nbandwidth: [ 50 ]\nlatency: [ 500 ]\n")
      try imported(["n.yml"], in: scratch)
      #expect(try scratch.read("s.json").contains("\"algorithm\": \"\(algorithm)\""))
    }
  }
}
