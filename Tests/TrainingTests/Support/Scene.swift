import Collectives
import Compression
import Networks
import SimKernel
import Training

/// Reads a record from text.
///
/// - Throws: `InvalidInput` with every problem.
func record<Value>(_ text: String, _ read: (inout FieldReader) -> Value) throws -> Value {
  let issues = IssueCollector()
  let value = FieldReader.read(
    try JSONNode.parse(text, origin: "test"), issues: issues, read)
  try issues.throwIfInvalid()
  return value
}

/// The problems of a record as a user reads them.
func problems<Value>(_ text: String, _ read: (inout FieldReader) -> Value) -> [String] {
  do {
    _ = try record(text, read)
    return []
  } catch let invalid as InvalidInput {
    return invalid.issues.map { "\($0.path): \($0.message)" }
  } catch {
    return ["\(error)"]
  }
}

/// A job of settings that differ from the defaults in a few keys.
struct Scene {
  var workload = #""compute": {"forward": "100 us", "backward": "200 us", "optimizer": "10 us"}"#
  var communication = ""
  var gradients = #""source": "synthetic""#
  var stragglers = #""distribution": "none""#
  var placement = PlacementSettings.packed
  var model = Scene.table([40_000])
  var recorded: RecordedGradients?
  var topology = Lab.star(4)
  var taken: [Bool]?
  var device = DeviceCatalog.profile(named: "v100")!

  /// Linear layers, one tensor each, of so many elements in forward order.
  static func table(_ elements: [Int], name: String = "toy") -> ModelTable {
    ModelTable(
      name: name, sample: "a row", source: "made for tests",
      tensors: elements.enumerated().map {
        ModelTensor(
          name: "w\($0)", layer: "l\($0)", kind: "linear", shape: [$1], elements: $1,
          forwardMACs: $1, layerIndex: $0)
      })
  }

  func blueprint() throws -> JobBlueprint {
    let issues = IssueCollector()
    var taken = taken ?? Array(repeating: false, count: topology.accelerators.count)
    let stragglers = try record("{\"s\": {\(stragglers)}}") {
      $0.variant("s", StragglerCatalog.registry, default: "none", doc: "")
    }
    let gradients = try record("{\"g\": {\(gradients)}}") {
      $0.variant("g", GradientCatalog.registry, default: "synthetic", doc: "")
    }
    let work = workload.isEmpty ? "" : ", \(workload)"
    let made = JobBlueprint(
      name: "job",
      workload: try record("{\"model\": \"resnet50\"\(work)}") { WorkloadSettings(&$0) },
      communication: try record("{\(communication)}") { CommunicationSettings(&$0) },
      gradients: gradients, recorded: recorded, stragglers: stragglers, placement: placement,
      model: model, devices: HostDevices(device, hosts: topology.hostCount), topology: topology,
      taken: &taken, path: FieldPath(), issues: issues)
    try issues.throwIfInvalid()
    return made!
  }

  func request(seed: UInt64 = 1, replicate: Int = 0) throws -> EncodingRequest {
    EncodingRequest.all(try blueprint(), seed: seed, replicate: replicate).last!
  }

  func plan(
    transport: Transport = .ideal, seed: UInt64 = 1, replicate: Int = 0
  ) throws -> (plan: JobPlan, report: JobPlanBuilder.Report) {
    let blueprint = try blueprint()
    let requests = EncodingRequest.all(blueprint, seed: seed, replicate: replicate)
    let encodings = try requests.map { $0.isNeeded ? try $0.measure(stop: NoStopSignal()) : nil }
    return try JobPlanBuilder(
      blueprint, encodings: encodings, topology: topology, transport: transport
    ).build(seed: seed, replicate: replicate)
  }

  func run(
    _ model: NetworkModelKind = .flow, transport: Transport = .ideal, seed: UInt64 = 1,
    replicate: Int = 0
  ) throws -> (job: JobOutcome, usage: [LinkUsage]) {
    let plan = try plan(transport: transport, seed: seed, replicate: replicate).plan
    let outcome = try Lab.run([plan], on: topology, model, transport: transport)
    return (outcome.jobs[0], outcome.usage)
  }

  /// How long a V100 takes to sum `bytes`.
  static func reduction(_ bytes: Int64) -> SimDuration {
    DeviceCatalog.profile(named: "v100")!.reductionRate.value.time(toSend: ByteCount(bytes))
  }
}

/// The message of the input error that `body` throws; empty if it throws none.
func refusal(_ body: () throws -> Void) -> String {
  do {
    try body()
    return ""
  } catch let invalid as InvalidInput {
    return invalid.issues.map { "\($0.path): \($0.message)" }.joined(separator: "\n")
  } catch {
    return "another error: \(error)"
  }
}
