import Foundation
import Networks
import SimKernel
import Training

/// A sweep point that has been checked and placed: everything a run needs but the encoded gradients.
struct PreparedPoint: Sendable {
  var scenario: Scenario
  var topology: Topology
  var jobs: [JobBlueprint]
  var faults: [LinkFault]
  var crashes = HostCrashes.none
}

/// Turns resolved scenarios into prepared points, and remembers what many of them share; one a
/// thread.
final class PointPreparation {
  private let inputs: PreparationInputs
  private let memo = RecordMemo()
  private var topologies: [String: (topology: Topology, unreachable: (NodeID, NodeID)?)] = [:]

  /// Points whose relative paths start at the folder of `inputs`.
  init(_ inputs: PreparationInputs) { self.inputs = inputs }

  /// Names the configuration `root`, which need not be prepared for it; nil if it cannot be read.
  func hash(_ root: JSONNode) -> String? {
    read(root, issues: IssueCollector()).map { hash(root, $0) }
  }

  /// The configuration `root`, neither checked against its inputs nor placed; nil if it cannot be
  /// read.
  func read(_ root: JSONNode, issues: IssueCollector) -> Scenario? {
    let before = issues.errors.count
    let scenario = Scenario.read(root, issues: issues, memo: memo)
    return issues.errors.count == before ? scenario : nil
  }

  /// Names the configuration `root`, which was read as `scenario`: rows carry it.
  func hash(_ root: JSONNode, _ scenario: Scenario) -> String {
    let devices = [scenario.cluster.device] + scenario.cluster.others.map(\.device)
    var files = devices.compactMap(\.file).map { inputs.digest(of: $0) }
    for job in scenario.jobs {
      files += job.gradients.files.map { inputs.digest(of: $0) }
      if let file = job.workload.model.file { files.append(inputs.digest(of: file)) }
    }
    return Scenario.hash(root, files: files)
  }

  /// Checks and places one configuration; nil if `issues` got an error.
  func prepare(_ root: JSONNode, issues: IssueCollector) -> PreparedPoint? {
    let own = IssueCollector()
    let point = check(root, issues: own)
    for var issue in own.issues {
      issue.position = issue.position ?? Self.position(of: issue.path, in: root)
      issues.report(issue)
    }
    return point
  }

  /// Where `path` was written, or the nearest thing around it that was.
  private static func position(of path: FieldPath, in root: JSONNode) -> TextPosition? {
    var parts = path.parts
    while true {
      if let position = root.get(parts)?.position { return position }
      if parts.isEmpty { return nil }
      parts.removeLast()
    }
  }

  private func check(_ root: JSONNode, issues: IssueCollector) -> PreparedPoint? {
    let before = issues.errors.count
    let scenario = Scenario.read(root, issues: issues, memo: memo)
    guard issues.errors.count == before else { return nil }
    let (built, unreachable) = topology(of: root, scenario)
    let background = Background(
      scenario.network.background, built, root: root, issues: issues)
    let topology = background.applied(to: scenario.assumptions.applied(to: built))
    if let (a, b) = unreachable {
      let names = topology.nodeNames
      issues.report(
        Issue(
          path: FieldPath(["cluster", "topology"]),
          position: root.get(["cluster", "topology"])?.position,
          problem: .conflict(
            "\(names[b.index]) cannot be reached from \(names[a.index]); add links or routes")))
      return nil
    }
    guard let device = inputs.device(scenario.cluster.device, root: root, issues: issues) else {
      return nil
    }
    guard
      let devices = hostDevices(scenario.cluster, device, topology, root: root, issues: issues)
    else { return nil }
    var jobs: [JobBlueprint] = []
    var taken = [Bool](repeating: false, count: topology.accelerators.count)
    for (index, job) in scenario.jobs.enumerated() {
      let path =
        root["jobs"] == nil ? FieldPath() : FieldPath(["jobs", String(index)])
      guard
        let model = inputs.model(job.workload.model, path: path, root: root, issues: issues)
      else { continue }
      var recorded: RecordedGradients?
      if case .files(let settings) = job.gradients {
        recorded = inputs.recording(settings.files, path: path, root: root, issues: issues)
        guard recorded != nil else { continue }
      }
      if let blueprint = JobBlueprint(
        name: job.name, workload: job.workload, communication: job.communication,
        gradients: job.gradients, recorded: recorded, stragglers: job.stragglers,
        placement: job.placement,
        model: model, devices: devices, topology: topology, taken: &taken,
        path: path, issues: issues)
      {
        jobs.append(blueprint)
      }
    }
    if scenario.jobs.count > 1 || !scenario.faults.isEmpty || scenario.hostFailures != nil {
      for (index, job) in scenario.jobs.enumerated()
      where job.communication.schedule is OracleSchedule {
        let path = root["jobs"] == nil ? FieldPath() : FieldPath(["jobs", String(index)])
        issues.report(
          Issue(
            path: path.appending("communication").appending("schedule"),
            problem: .conflict(
              "oracle bounds a job alone on a network that does not change; remove the other jobs and "
                + "\"faults\", or take auto")))
      }
    }
    let faults = FaultSchedule.links(
      of: scenario.faults, topology, background, root: root, issues: issues)
    guard issues.errors.count == before else { return nil }
    return PreparedPoint(
      scenario: scenario, topology: topology, jobs: jobs, faults: faults,
      crashes: FaultSchedule.crashes(of: scenario))
  }

  /// The device of every host; nil if one cannot be used, or stands for two hosts at once.
  private func hostDevices(
    _ cluster: ClusterSettings, _ device: DeviceProfile, _ topology: Topology, root: JSONNode,
    issues: IssueCollector
  ) -> HostDevices? {
    var devices = HostDevices(device, hosts: topology.hostCount)
    for (index, other) in cluster.others.enumerated() {
      let place = FieldPath(["cluster", "devices", String(index)])
      guard
        let profile = inputs.device(
          other.device, at: place.appending("device"), root: root, issues: issues)
      else { return nil }
      for host in other.hosts {
        let problem: Issue.Problem
        if host >= topology.hostCount {
          problem = .outOfRange(
            found: String(host),
            expected: "a host of \(topology.name): 0...\(topology.hostCount - 1)")
        } else if !devices.isBase(host) {
          problem = .conflict("host \(host) is listed twice; it has one device")
        } else {
          continue
        }
        issues.report(
          Issue(path: place.appending("hosts"), problem: problem))
        return nil
      }
      devices.set(profile, on: other.hosts)
    }
    return devices
  }

  private func topology(
    of root: JSONNode, _ scenario: Scenario
  ) -> (topology: Topology, unreachable: (NodeID, NodeID)?) {
    let key = root.get(["cluster", "topology"])?.canonicalText ?? ""
    if let known = topologies[key] { return known }
    let topology = scenario.cluster.topology.makeTopology()
    // Large ones take gigabytes; an axis of thousands must not keep them all.
    if topologies.count >= 64 { topologies.removeAll() }
    let made = (topology, topology.checkReachability())
    topologies[key] = made
    return made
  }
}
