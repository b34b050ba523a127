import Networks
import SimKernel
import Training

/// The hardware: the `cluster` record.
public struct ClusterSettings: Sendable {
  public var topology: any TopologySpecification
  public var device: DeviceReference
  /// Hosts with another one.
  public var others: [HostDevice]

  /// Hosts whose accelerators are not the cluster's ``device``.
  public struct HostDevice: Sendable {
    public var hosts: [Int]
    public var device: DeviceReference
  }

  init(_ fields: inout FieldReader) {
    topology = fields.variant(
      "topology", TopologyCatalog.registry, doc: "nodes, links and where the accelerators are")
    device = fields.optional(
      "device", .device, default: .builtIn(DeviceCatalog.names[0]),
      doc:
        "the accelerator of every worker: a listed device (simnet list devices), or a profile of "
        + "your own, relative to the scenario, such as simnet calibrate codecs writes (its keys: "
        + "simnet explain cluster.device.codecs, simnet schema device)")
    others = fields.records("devices", doc: "hosts with another device than the rest") { fields in
      HostDevice(
        hosts: fields.required(
          "hosts", .list(of: .integer(0...Int(Int32.max))),
          doc: "their numbers, from 0; an accelerator of these hosts is"),
        device: fields.required(
          "device", .device, doc: "this device; servers and sums keep to cluster.device"))
    }
  }
}

/// One job of a scenario: what it trains, where, and how it communicates.
public struct JobSettings: Sendable {
  public var name: String
  public var placement: PlacementSettings
  public var workload: WorkloadSettings
  public var communication: CommunicationSettings
  public var gradients: GradientSettings
  public var stragglers: any StragglerModel

  /// Reads the keys that a job and a scenario without `jobs` have in common.
  init(name: String, _ fields: inout FieldReader) {
    self.name = name
    placement = fields.optional(
      "placement", .placement, default: .packed,
      doc:
        "which accelerators the ranks take: packed fills host after host, spread deals them out, "
        + "a list names them")
    workload = fields.record("workload", doc: "what each worker computes", WorkloadSettings.init)
    communication = fields.defaultedRecord(
      "communication", doc: "how gradients become one update", CommunicationSettings.init)
    gradients = fields.variant(
      "gradients", GradientCatalog.registry, default: "synthetic",
      doc: "where the gradients come from that are really encoded")
    stragglers = fields.defaultedRecord("stragglers", doc: "how compute times vary") { fields in
      fields.variant(
        "compute", StragglerCatalog.registry, default: "none",
        doc: "a factor on forward and backward for each worker and iteration")
    }
  }
}

/// A checked scenario of one sweep point: units resolved, names turned into what they name.
public struct Scenario: Sendable {
  /// The version of the format this reads.
  public static let formatVersion = 1

  public var title: String
  public var question: String?
  public var source: String?
  public var seed: UInt64
  public var replicates: Int
  public var folding: Folding
  public var cluster: ClusterSettings
  public var network: NetworkSettings
  public var jobs: [JobSettings]
  public var faults: [FaultSettings]
  /// Hosts that crash by chance; nil if none do.
  public var hostFailures: HostFailureSettings?
  /// Factors that ``network``, ``jobs`` and ``faults`` already carry; the topology does not.
  public var assumptions: Assumptions

  /// Reads a scenario; issues go to the collector behind `fields`.
  public init(_ fields: inout FieldReader) {
    _ = fields.required("simnet", .formatVersion, doc: "the version of this format: 1")
    _ = fields.optional("$schema", .text(), doc: "a JSON Schema for editors; ignored by simnet")
    title = fields.optional("title", .text(), default: "untitled", doc: "one line for tables")
    question = fields.optional("question", .text(), doc: "what the scenario is to answer")
    source = fields.optional("source", .text(), doc: "where its numbers come from")
    seed = UInt64(
      fields.optional("seed", .count(0), default: 1, doc: "keys every random stream"))
    replicates = fields.optional(
      "replicates", .integer(1...1_000_000), default: 1,
      doc: "repetitions with other random numbers")
    folding = fields.optional(
      "folding", .choice("folding"), default: .auto,
      doc: "auto: where workers, messages and iterations are alike, as around one switch without "
        + "stragglers or faults, they are not simulated one by one; off: they are; results are the "
        + "same, and the column folded says which it was; but with more than 4096 workers auto takes "
        + "ring chunks that differ by an element for equal ones, and exact does not")
    cluster = fields.record("cluster", doc: "the hardware", ClusterSettings.init)
    network = fields.defaultedRecord(
      "network", doc: "how the network is modelled", NetworkSettings.init)
    let named = fields.records("jobs", doc: "several jobs that share the network") { fields in
      let name = fields.required("name", .text("a name", example: "training"), doc: "names the job")
      return JobSettings(name: name, &fields)
    }
    if fields.has("jobs") {
      for key in ["placement", "workload", "communication", "gradients", "stragglers"]
      where fields.has(key) {
        _ = fields.optional(key, .any("nothing beside jobs", example: "{}"), doc: "")
        fields.report(
          key, .conflict("\(key) belongs into each of \"jobs\", which this scenario has"))
      }
      jobs = named
      if named.isEmpty {
        fields.report("jobs", .invalid(found: "no jobs", expected: "give at least one"))
      }
    } else {
      jobs = [JobSettings(name: "main", &fields)]
    }
    faults = FaultSettings.list(&fields)
    hostFailures = fields.optionalRecord(
      "host_failures", doc: "hosts that crash by chance", HostFailureSettings.init)
    assumptions =
      fields.optionalRecord(
        "assumptions",
        doc: "factors on what results rest on, to see which of it they hang on (simnet whatif); 1 "
          + "changes nothing", Assumptions.init) ?? Assumptions()
    _ = fields.optional(
      "sweep", .any("an object of axes", example: "{}"),
      doc: "axes: a list of values or an object of named variants for each path; "
        + "\"zip\" moves several together, \"list\" writes points one by one, \"random\" and "
        + "\"latin_hypercube\" draw them from lists and ranges, \"constraints\" drop some")
    apply(assumptions)
  }

  /// Scales what this scenario holds of what is assumed.
  private mutating func apply(_ assumptions: Assumptions) {
    network.transport = assumptions.applied(to: network.transport)
    for index in jobs.indices {
      jobs[index].workload.assumptions = assumptions
      jobs[index].stragglers = assumptions.applied(to: jobs[index].stragglers)
    }
    for index in faults.indices {
      faults[index].bandwidth = faults[index].bandwidth.map { assumptions.applied(to: $0) }
    }
  }

  /// The scenario that `root` describes, with everything that is wrong or doubtful in `issues`.
  ///
  /// With a `memo`, parts that it remembers are not read again.
  public static func read(
    _ root: JSONNode, issues: IssueCollector, memo: RecordMemo? = nil
  ) -> Scenario {
    FieldReader.read(root, issues: issues, memo: memo) { Scenario(&$0) }
  }

  /// The format as documentation: for the schema, `explain` and `list`.
  public static var description: RecordDescription {
    var record = RecordDescription.of(
      name: "scenario", summary: "a simnet scenario, format version 1"
    ) { _ = Scenario(&$0) }
    // The short form of one job and the list of several exclude one another.
    for index in record.fields.indices where record.fields[index].key == "workload" {
      record.fields[index].required = false
      record.fields[index].doc += "; required unless there are \"jobs\""
    }
    return record
  }

  /// Names a configuration: a hash of everything in `root` that can change a number.
  ///
  /// Title, question, source, seed and replicates are not part of it; neither is the order of keys.
  public static func hash(_ root: JSONNode, files: [String]) -> String {
    let members = (root.members ?? []).filter { !changesNothing.contains($0.key) }
    var canonical: [UInt8] = []
    JSONNode.appendCanonical(members, to: &canonical)
    // As a text is hashed, so that files beside it can be told from it.
    canonical.append(0xFF)
    var hash = StableHash()
    canonical.withUnsafeBytes { hash.combine(bytes: $0) }
    for digest in files { hash.combine(digest) }
    return String(hash.hexadecimal.prefix(16))
  }

  /// Keys of which no number depends.
  private static let changesNothing: [String] = [
    "title", "question", "source", "$schema", "seed", "replicates", "sweep",
  ]
}

extension FieldKind where Value == Int {
  /// The one version of the scenario format that this simnet reads.
  fileprivate static var formatVersion: FieldKind<Int> {
    let known = Scenario.formatVersion
    var kind = FieldKind<Int>.integer(known...known)
    let base = kind
    kind.expectation = "the format version \(known)"
    kind.read = { node in
      guard case .number(let number) = node.value, number.double != Double(known) else {
        return base.read(node)
      }
      return .failure(
        .init(
          .invalid(
            found: "format version \(number.text)",
            expected: "this simnet reads version \(known); write 1, or use the simnet that the "
              + "scenario was written for")))
    }
    return kind
  }
}
