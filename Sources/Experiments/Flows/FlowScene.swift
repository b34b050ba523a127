import Networks
import SimKernel
import Training

/// The network that a list of flows runs on.
public struct FlowScene: Sendable {
  public var topology: Topology
  public var network: NetworkSettings
  /// Links that degrade, fail or recover.
  public var faults: [LinkFault]
  /// What the topology was made from; nil for htsim's files.
  public var specification: (any TopologySpecification)?
  /// What the user should know about how the file was read.
  public var notes: [String]

  public init(
    topology: Topology, network: NetworkSettings, faults: [LinkFault] = [],
    specification: (any TopologySpecification)? = nil, notes: [String] = []
  ) {
    self.topology = topology
    self.network = network
    self.faults = faults
    self.specification = specification
    self.notes = notes
  }

  /// The scene in the file at `path`: a topology as `cluster.topology` takes it, htsim's `.topo`, or
  /// a whole scenario, of which `cluster`, `network` and `faults` are taken.
  ///
  /// `model` and `transport` replace what a scenario says; without one the default is `flow` over
  /// `ideal`, the whole line rate.
  /// - Throws: `InvalidInput` with everything that is wrong, ``InputError`` or `JSONError` if the
  ///   file cannot be read.
  public static func read(
    _ path: String, model: String? = nil, transport: String? = nil
  ) throws -> FlowScene {
    if path.hasSuffix(".topo") {
      let issues = IssueCollector()
      let settings = settings(nil, model: model, transport: transport ?? "ideal", issues)
      try throwIfInvalid(issues)
      return FlowScene(topology: try FatTreeFile.read(path), network: settings)
    }
    return try read(try ScenarioFile.read(path), model: model, transport: transport)
  }

  /// The scene of `file`: a topology or a whole scenario.
  ///
  /// - Throws: `InvalidInput` with everything that is wrong.
  public static func read(
    _ file: ScenarioFile, model: String? = nil, transport: String? = nil
  ) throws -> FlowScene {
    let (root, path) = (file.root, file.origin)
    let issues = IssueCollector()
    guard let cluster = root["cluster"] else {
      guard root["kind"] != nil || root.string != nil else {
        throw InvalidInput([
          Issue(
            path: FieldPath(["topology"]), position: root.position,
            problem: .invalid(
              found: "neither a topology nor a scenario",
              expected: "expected an object with \"kind\" (simnet list topologies), or one with "
                + "\"cluster\""))
        ])
      }
      let specification = FieldReader.member(
        of: TopologyCatalog.registry, root, path: FieldPath(["topology"]), issues: issues)
      let network = settings(nil, model: model, transport: transport ?? "ideal", issues)
      try throwIfInvalid(issues)
      return FlowScene(
        topology: specification.makeTopology(), network: network, specification: specification)
    }
    let hardware = FieldReader.read(
      cluster, path: FieldPath(["cluster"]), issues: issues, ClusterSettings.init)
    let network = settings(root["network"], model: model, transport: transport, issues)
    let changes = FieldReader.read(
      JSONNode(.object(root.members!.filter { $0.key == "faults" }), at: root.position),
      issues: issues
    ) {
      FaultSettings.list(&$0)
    }
    try throwIfInvalid(issues)
    let built = hardware.topology.makeTopology()
    let background = Background(network.background, built, root: root, issues: issues)
    let topology = background.applied(to: built)
    let faults = FaultSchedule.links(
      of: changes, topology, background, root: root, crashesAreOutages: true, issues: issues)
    try throwIfInvalid(issues)
    var notes: [String] = []
    for key in ["sweep", "assumptions"] where root[key] != nil {
      notes.append("\(path): \"\(key)\" is left out; its cluster, network and faults are used")
    }
    return FlowScene(
      topology: topology, network: network, faults: faults, specification: hardware.topology,
      notes: notes)
  }

  private static func settings(
    _ given: JSONNode?, model: String?, transport: String?, _ issues: IssueCollector
  ) -> NetworkSettings {
    var node = given ?? JSONNode(.object([]))
    for (key, option, value) in [
      ("model", "--network", model), ("transport", "--transport", transport),
    ] {
      guard let value else { continue }
      let position = TextPosition(origin: option, line: 1, column: 1)
      _ = node.set([key], to: JSONNode(.string(value), at: position))
    }
    return FieldReader.read(
      node, path: FieldPath(["network"]), issues: issues, NetworkSettings.init)
  }

  /// Names options instead of the keys they stand for.
  private static func throwIfInvalid(_ issues: IssueCollector) throws(InvalidInput) {
    let named = issues.errors.map { issue in
      var copy = issue
      if let origin = issue.position?.origin, origin.hasPrefix("--") {
        copy.path = FieldPath([origin])
        copy.position = nil
      }
      return copy
    }
    if !named.isEmpty { throw InvalidInput(named) }
  }
}
