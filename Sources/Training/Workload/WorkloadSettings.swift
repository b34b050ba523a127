import SimKernel

/// Which model to train: a built-in table or a file.
public enum ModelReference: Sendable, Hashable {
  case builtIn(String)
  /// A table of the user's own; relative to the scenario.
  case file(String)
  /// A graph of operations in simnet's JSON; relative to the scenario.
  case graph(String)

  /// The file behind it, if there is one.
  public var file: String? {
    switch self {
    case .builtIn: nil
    case .file(let file), .graph(let file): file
    }
  }
}

extension FieldKind where Value == ModelReference {
  /// A built-in name, `{"file": "my-model.csv"}`, or `{"graph": "worker.json"}`.
  public static var model: FieldKind<ModelReference> {
    let expectation =
      #"the name of a built-in model, {"file": "table.csv"} or {"graph": "worker.json"}"#
    let named = FieldKind<String>.modelName
    return FieldKind(
      expectation: expectation, example: #""resnet50""#,
      schema: #"{"anyOf":[\#(named.schema),{"type":"object","additionalProperties":false,"#
        + #""properties":{"file":{"type":"string"},"graph":{"type":"string"}},"#
        + #""minProperties":1,"maxProperties":1}]}"#,
      placeholder: { .builtIn("resnet50") },
      read: { node in
        if node.string != nil { return named.read(node).map { .builtIn($0) } }
        guard let members = node.members, members.count == 1,
          ["file", "graph"].contains(members[0].key), let path = members[0].node.string
        else { return .failure(.wrongType(node, expectation, #""resnet50""#)) }
        return .success(members[0].key == "file" ? .file(path) : .graph(path))
      },
      show: { reference in
        switch reference {
        case .builtIn(let name): JSONNode.quoted(name)
        case .file(let path): #"{"file":\#(JSONNode.quoted(path))}"#
        case .graph(let path): #"{"graph":\#(JSONNode.quoted(path))}"#
        }
      })
  }
}

/// The type in which gradients travel before compression.
public enum GradientType: String, Sendable, CaseIterable {
  case fp32, fp16, bf16
  /// Bytes of one element.
  public var bytes: Int { self == .fp32 ? 4 : 2 }
}

/// What each worker computes: the `workload` record.
public struct WorkloadSettings: Sendable {
  /// More iterations than this are a slip: each is simulated and remembered.
  static let mostIterations = 1_000_000
  /// More micro-batches than this are a slip, too.
  static let mostSteps = 100_000

  public var model: ModelReference
  public var batch: Int
  public var precision: Precision
  public var gradientType: GradientType
  public var optimizer: OptimizerKind
  public var accumulationSteps: Int
  public var iterations: Int
  public var warmup: Int
  /// Workers; nil uses every accelerator that is not a server.
  public var workers: Int?
  public var override: ComputeOverride?
  /// How the framework executes its operations.
  public var execution: ExecutionSettings
  /// What it does when a host crashes.
  public var recovery: RecoverySettings
  /// Factors on its compute and codec times; the scenario's, which stand beside all jobs.
  public var assumptions = Assumptions()

  public init(_ fields: inout FieldReader) {
    model = fields.required(
      "model", .model,
      doc:
        "what is trained: a built-in model table or one of your own, or what a worker executes: a "
        + "graph of operations with collectives in JSON (simnet graph --help)")
    batch = fields.optional(
      "batch_per_worker", .count(), default: 32, doc: "samples of one micro-batch on one worker")
    precision = fields.optional(
      "precision", .choice("precision"), default: .fp32,
      doc: "the arithmetic of forward and backward")
    gradientType = fields.optional(
      "gradient_type", .choice("gradient type"), default: .fp32,
      doc: "the type of a gradient element on the wire before compression")
    optimizer = fields.optional(
      "optimizer", .choice("optimizer"), default: .sgdMomentum,
      doc: "decides how many times an update touches the parameters in memory")
    accumulationSteps = fields.optional(
      "accumulation_steps", .integer(1...Self.mostSteps), default: 1,
      doc: "micro-batches whose gradients are summed on the worker before one exchange")
    iterations = fields.optional(
      "iterations", .integer(1...Self.mostIterations), default: 20,
      doc: "iterations that are measured")
    warmup = fields.optional(
      "warmup", .integer(0...Self.mostIterations), default: 2,
      doc: "iterations before them, simulated and excluded")
    workers = fields.optional(
      "workers", .count(), doc: "workers; by default every accelerator that is not a server")
    override = fields.optionalRecord(
      "compute", doc: "totals that replace the device's, for one micro-batch; shapes are kept",
      ComputeOverride.init)
    execution = fields.variant(
      "execution", ExecutionSettings.registry, default: "staged",
      doc:
        "how the framework executes operations: as a graph, or one by one as the program comes to "
        + "them")
    recovery = fields.defaultedRecord(
      "recovery", doc: "checkpoints, and what happens when a host crashes (faults, host_failures)",
      RecoverySettings.init)
  }
}
