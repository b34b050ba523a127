import Foundation
import Networks
import SimKernel
import Training

/// A sweep point that has been checked and placed: everything a run needs but the encoded gradients.
struct PreparedPoint: Sendable {
  var scenario: Scenario
  /// Names the configuration; rows carry it.
  var hash: String
  var topology: Topology
  var jobs: [JobBlueprint]
  var faults: [LinkFault]
}

/// Turns resolved scenarios into prepared points, and remembers what many of them share.
struct PointPreparation {
  private let directory: URL
  private var topologies: [String: Topology] = [:]
  private var models: [String: ModelTable] = [:]
  private var digests: [String: String] = [:]
  private var recordings: [[String]: RecordedGradients] = [:]
  private var devices: [DeviceReference: DeviceProfile] = [:]

  init(directory: URL) { self.directory = directory }

  /// Checks and places one configuration; nil if `issues` got an error.
  mutating func prepare(_ root: JSONNode, issues: IssueCollector) -> PreparedPoint? {
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

  private mutating func check(_ root: JSONNode, issues: IssueCollector) -> PreparedPoint? {
    let before = issues.errors.count
    let scenario = Scenario.read(root, issues: issues)
    guard issues.errors.count == before else { return nil }
    let topology = topology(of: root, scenario)
    if let (a, b) = topology.checkReachability() {
      let names = topology.nodeNames
      issues.report(
        Issue(
          path: FieldPath(["cluster", "topology"]),
          position: root.get(["cluster", "topology"])?.position,
          problem: .conflict(
            "\(names[b.index]) cannot be reached from \(names[a.index]); add links or routes")))
      return nil
    }
    guard let device = device(scenario.cluster.device, root: root, issues: issues) else {
      return nil
    }
    var jobs: [JobBlueprint] = []
    var files = scenario.cluster.device.file.map { [digest(of: $0)] } ?? []
    var taken = [Bool](repeating: false, count: topology.accelerators.count)
    for (index, job) in scenario.jobs.enumerated() {
      let path =
        root["jobs"] == nil ? FieldPath() : FieldPath(["jobs", String(index)])
      guard let model = model(job.workload.model, path: path, root: root, issues: issues) else {
        continue
      }
      files += inputFiles(of: job).map { digest(of: $0) }
      var recorded: RecordedGradients?
      if case .files(let settings) = job.gradients {
        recorded =
          recordings[settings.files]
          ?? GradientFiles.read(
            settings.files, directory: directory,
            path: path.appending("gradients").appending("files"), root: root, issues: issues)
        guard recorded != nil else { continue }
        recordings[settings.files] = recorded
      }
      if let blueprint = JobBlueprint(
        name: job.name, workload: job.workload, communication: job.communication,
        gradients: job.gradients, recorded: recorded, stragglers: job.stragglers,
        placement: job.placement,
        model: model, device: device, topology: topology, taken: &taken,
        path: path, issues: issues)
      {
        jobs.append(blueprint)
      }
    }
    let faults = faults(of: scenario, topology, root: root, issues: issues)
    guard issues.errors.count == before else { return nil }
    return PreparedPoint(
      scenario: scenario, hash: Scenario.hash(root, files: files), topology: topology, jobs: jobs,
      faults: faults)
  }

  private mutating func topology(of root: JSONNode, _ scenario: Scenario) -> Topology {
    let key = root.get(["cluster", "topology"])?.canonicalText ?? ""
    if let known = topologies[key] { return known }
    let topology = scenario.cluster.topology.makeTopology()
    topologies[key] = topology
    return topology
  }

  private mutating func model(
    _ reference: ModelReference, path: FieldPath, root: JSONNode, issues: IssueCollector
  ) -> ModelTable? {
    let key = "\(reference)"
    if let known = models[key] { return known }
    let table: ModelTable?
    switch reference {
    case .builtIn(let name): table = ModelCatalog.table(named: name)
    case .file(let file):
      let place = path.appending("workload").appending("model")
      do {
        let text = try String(contentsOf: resolve(file), encoding: .utf8)
        table = try ModelTable.parse(text, origin: file)
      } catch let invalid as InvalidInput {
        for issue in invalid.issues { issues.report(issue) }
        table = nil
      } catch {
        issues.report(
          Issue(
            path: place, position: root.get(place.parts)?.position,
            problem: .invalid(
              found: "\(file): \(InputError.reason(error))",
              expected: "give a CSV or JSON model table that can be read")))
        table = nil
      }
    }
    models[key] = table
    return table
  }

  private mutating func device(
    _ reference: DeviceReference, root: JSONNode, issues: IssueCollector
  ) -> DeviceProfile? {
    if let known = devices[reference] { return known }
    let place = FieldPath(["cluster", "device"])
    let found = DeviceProfileFiles.read(
      reference, directory: directory, path: place, position: root.get(place.parts)?.position,
      issues: issues)
    devices[reference] = found
    return found
  }

  /// Files whose content can change a result.
  private func inputFiles(of job: JobSettings) -> [String] {
    var files = job.gradients.files
    if case .file(let file) = job.workload.model { files.append(file) }
    return files
  }

  private func resolve(_ file: String) -> URL { URL(fileURLWithPath: file, relativeTo: directory) }

  private mutating func digest(of file: String) -> String {
    if let known = digests[file] { return known }
    var hash = StableHash()
    let path = resolve(file).path
    // A folder of tensors is all of its files, by name.
    if let names = try? FileManager.default.contentsOfDirectory(atPath: path) {
      for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
        hash.combine(name)
        Self.combine(path + "/" + name, into: &hash)
      }
    } else {
      Self.combine(path, into: &hash)
    }
    digests[file] = hash.hexadecimal
    return hash.hexadecimal
  }

  private static func combine(_ path: String, into hash: inout StableHash) {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    else { return }
    data.withUnsafeBytes { hash.combine(bytes: $0) }
  }

  private func faults(
    of scenario: Scenario, _ topology: Topology, root: JSONNode, issues: IssueCollector
  ) -> [LinkFault] {
    var faults: [LinkFault] = []
    for (index, fault) in scenario.faults.enumerated() {
      guard let link = topology.links.firstIndex(where: { $0.name == fault.link }) else {
        let names = topology.links.map(\.name)
        let path = ["faults", String(index), "link"]
        let shown = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ..." : "")
        issues.report(
          Issue(
            path: FieldPath(path), position: root.get(path)?.position,
            problem: .invalid(
              found: "\(topology.name) has no link \"\(fault.link)\"",
              expected: Spelling.suggestion(for: fault.link, among: names).map {
                "did you mean \"\($0)\"?"
              } ?? "its links are: \(shown)")))
        continue
      }
      faults.append(
        LinkFault(
          time: .zero + fault.time, link: LinkID(link), bandwidth: fault.bandwidth,
          isUp: fault.isUp))
    }
    return faults
  }
}
