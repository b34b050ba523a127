import ArgumentParser
import Experiments
import Foundation
import SimKernel

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Make a scenario of traces, networks, profiles, logs and gradients of other tools.",
    discussion: """
      Example: simnet import rank0_kineto.json.gz rank1_kineto.json.gz -o ddp.json --step 3
      Example: simnet import HGX-H100.yml all_reduce.*.et -o collective.json
      Example: simnet import all_reduce_perf.log -o cluster.json
      Example: simnet import custom_ring.*.et -o ring.goal

      Networks (ASTRA-sim's YAML, htsim's .topo, logs of nccl-tests, tables of DeepBench) become cluster.topology. What \
      workers do (Kineto and execution traces of PyTorch, Chakra traces, SimAI's workloads) becomes a \
      graph beside the scenario, NAME.graph.json, which simnet graph reads, too. Profiles of PipeDream \
      become a model beside it, NAME.model.csv; safetensors, npy and folders of npy gradients. Several \
      files make one scenario: a network and what runs on it, or one trace for each rank, of which all \
      workers do what the lowest did. Chakra traces of sends and receives become a GOAL schedule where \
      -o ends in .goal. What could not be kept, and what is assumed instead, is said line by line.
      """)

  @Argument(help: "What other tools wrote.", completion: .file())
  var files: [String]
  @Option(
    name: .shortAndLong,
    help: "The scenario, or the GOAL schedule; - prints it and needs no graph.",
    completion: .file(extensions: ["json", "goal"]))
  var output: String
  @Option(help: "Workers; by default as many as the input has, else 2.")
  var workers: Int?
  @Option(
    help: """
      Of a worker's link where no file has a network; by default that of the fastest recorded \
      collective, else 10 Gbps.
      """)
  var bandwidth: String?
  @Option(help: "Of a worker's link where no file has a network; the way to another has two.")
  var latency: String?
  @Option(
    name: [.customLong("step"), .customLong("steps")],
    help: """
      Steps of a trace by the profiler's numbers, 3 or 3..5, which become one iteration; by default the \
      one of median length.
      """)
  var step: String?
  @Option(help: "Of operations without a time; by default 10 us where none has one.")
  var operationTime: String?
  @Flag(help: "Make one operation of those between which nothing is communicated.")
  var merge = false
  @Flag(help: "Drop an edge of every cycle instead of refusing the trace, and say which.")
  var dropCycles = false
  @Option(help: "The accelerator.")
  var device = "v100"
  @Option(help: "What is trained where no file says it.")
  var model = "resnet50"
  @Option(help: "Samples a worker, for which the times of a profile are taken.")
  var batch = 32
  @Option(help: "The range of sizes of measured times, from 0; by default the largest.")
  var range: Int?
  @Option(help: "The series of a DeepBench table, as simnet calibrate network numbers them.")
  var series: Int?
  @Flag(name: .shortAndLong, help: "Nothing on standard error unless something is wrong.")
  var quiet = false

  func validate() throws {
    if let workers, workers < 1 || workers > 1 << 20 {
      throw ValidationError("--workers must be in 1...\(1 << 20)")
    }
    if batch < 1 || batch > 1 << 30 { throw ValidationError("--batch must be in 1...\(1 << 30)") }
    if output != "-", let same = files.first(where: { FileIdentity.isSame(output, $0) }) {
      throw ValidationError("-o names the input \(same) itself; name another file")
    }
  }

  func run() throws {
    if output.hasSuffix(".goal") {
      let schedule = try GOALImport(files, droppingCycles: dropCycles)
      try OutputCheck.check(output)
      try OutputCheck.write(to: output) { try $0(schedule.bytes) }
      say("\(schedule.ranks) ranks, \(schedule.operations) operations")
      say("wrote \(output); run it: simnet goal \(output)")
      return
    }
    var options = ImportOptions()
    options.workers = workers
    options.bandwidth = try bandwidth.map {
      try QuantityText.parse($0, as: .bandwidth, option: "--bandwidth")
    }
    if let latency {
      options.latency = try QuantityText.parse(latency, as: .duration, option: "--latency")
    }
    options.steps = try step.map { try NumberRanges($0, option: "--step") }
    options.operationTime = try operationTime.map {
      try QuantityText.parse($0, as: .duration, option: "--operation-time")
    }
    options.isMerging = merge
    options.dropsCycles = dropCycles
    options.device = device
    options.model = model
    options.batch = batch
    options.range = range
    options.series = series
    let imported = try ScenarioImport(
      files, output: output == "-" ? "scenario.json" : output, options: options)
    try write(imported)
  }

  private func write(_ imported: ScenarioImport) throws {
    let text = imported.scenario.map { $0.prettyText + "\n" }
    guard output != "-" else {
      if let companion = imported.companions.first {
        throw ValidationError("\(companion.name) goes beside the scenario; give a file with -o")
      }
      if let text { Terminal.print(text) }
      talk(imported)
      return
    }
    let folder = output.lastIndex(of: "/").map { String(output[...$0]) } ?? ""
    for path in [output] + imported.companions.map({ folder + $0.name }) {
      try OutputCheck.check(path)
      if let same = files.first(where: { FileIdentity.isSame(path, $0) }) {
        throw ValidationError(
          "\(path) would replace the input \(same); choose another name with -o")
      }
    }
    // The scenario last: it is never without what it names.
    for companion in imported.companions {
      try AtomicFile.write(companion.text, to: folder + companion.name)
    }
    if let text { try AtomicFile.write(text, to: output) }
    talk(imported)
    let beside = imported.companions.map { folder + $0.name }
    if text == nil {
      say("wrote \(beside.joined()); run it: simnet graph \(beside.joined())")
    } else {
      say("wrote \(([output] + beside).joined(separator: " and ")); run it: simnet run \(output)")
    }
  }

  private func talk(_ imported: ScenarioImport) {
    for sentence in imported.made { say(sentence) }
    for sentence in imported.notes { say("not kept: \(sentence)") }
    for sentence in imported.assumed { say("assumed: \(sentence)") }
  }

  private func say(_ line: String) {
    if !quiet { Terminal.say(line) }
  }
}
