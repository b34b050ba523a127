import Foundation
import SimKernel
import Synchronization
import Training

/// The files and catalogues behind scenarios: each is read once and shared by all threads.
final class PreparationInputs: Sendable {
  /// Where relative paths start.
  private let directory: URL
  private let state = Mutex(State())

  private struct State {
    var models: [ModelReference: ModelTable] = [:]
    var digests: [String: String] = [:]
    var recordings: [[String]: RecordedGradients] = [:]
    var devices: [DeviceReference: DeviceProfile] = [:]
  }

  /// Nothing read yet; the contents of files in `digests` are taken to be those named there.
  init(directory: URL, digests: [(file: String, digest: String)] = []) {
    self.directory = directory
    state.withLock { state in
      for (file, digest) in digests { state.digests[file] = digest }
    }
  }

  /// The model that a job names; nil if it cannot be used, which is reported.
  func model(
    _ reference: ModelReference, path: FieldPath, root: JSONNode, issues: IssueCollector
  ) -> ModelTable? {
    if let known = state.withLock({ $0.models[reference] }) { return known }
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
    case .graph(let file):
      table = graph(file, at: path.appending("workload").appending("model"), root, issues)
    }
    if let table { state.withLock { $0.models[reference] = table } }
    return table
  }

  /// The graph in `file` as a model; nil if it cannot be used, which is reported at `place`.
  private func graph(
    _ file: String, at place: FieldPath, _ root: JSONNode, _ issues: IssueCollector
  ) -> ModelTable? {
    do {
      // Transfers that the file times by bytes alone are timed by the network here.
      let channel = GraphChannel(bandwidth: .gigabitsPerSecond(10))
      let graph = try GraphFile.read(resolve(file).path, options: .init(channel: channel))
      return try ModelTable(graph: graph)
    } catch let invalid as InvalidInput {
      for issue in invalid.issues { issues.report(issue) }
    } catch {
      let reason =
        (error as? GraphModelRefusal)?.description ?? (error as? JSONError).map { "\($0)" }
        ?? (error as? InputError)?.reason ?? InputError.reason(error)
      issues.report(
        Issue(
          path: place, position: root.get(place.parts)?.position,
          problem: .invalid(
            found: "\(file): \(reason)", expected: "give a graph of what a worker executes")))
    }
    return nil
  }

  /// The device that a scenario names; nil if it cannot be used, which is reported.
  func device(
    _ reference: DeviceReference, at place: FieldPath = FieldPath(["cluster", "device"]),
    root: JSONNode, issues: IssueCollector
  ) -> DeviceProfile? {
    if let known = state.withLock({ $0.devices[reference] }) { return known }
    let found = DeviceProfileFiles.read(
      reference, directory: directory, path: place, position: root.get(place.parts)?.position,
      issues: issues)
    if let found { state.withLock { $0.devices[reference] = found } }
    return found
  }

  /// The gradients of `files`, one a worker; nil if one cannot be used, which is reported.
  ///
  /// Threads wait for one another, since gradients may be gigabytes.
  func recording(
    _ files: [String], path: FieldPath, root: JSONNode, issues: IssueCollector
  ) -> RecordedGradients? {
    state.withLock { state in
      if let known = state.recordings[files] { return known }
      let found = GradientFiles.read(
        files, directory: directory, path: path.appending("gradients").appending("files"),
        root: root, issues: issues)
      state.recordings[files] = found
      return found
    }
  }

  /// Names the content of `file`, which may be a folder; a file that is missing has a name as well.
  func digest(of file: String) -> String {
    state.withLock { state in
      if let known = state.digests[file] { return known }
      let digest = Self.digest(path: resolve(file).path)
      state.digests[file] = digest
      return digest
    }
  }

  /// The files whose digests were asked for so far with their digests, by name.
  var digests: [(file: String, digest: String)] {
    state.withLock { $0.digests.map { ($0.key, $0.value) } }
      .sorted { $0.file.utf8.lexicographicallyPrecedes($1.file.utf8) }
  }

  private func resolve(_ file: String) -> URL { URL(fileURLWithPath: file, relativeTo: directory) }

  private static func digest(path: String) -> String {
    var hash = StableHash()
    // A folder of tensors is all of its files, by name.
    if let names = try? FileManager.default.contentsOfDirectory(atPath: path) {
      for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
        hash.combine(name)
        combine(path + "/" + name, into: &hash)
      }
    } else {
      combine(path, into: &hash)
    }
    return hash.hexadecimal
  }

  private static func combine(_ path: String, into hash: inout StableHash) {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    else { return }
    data.withUnsafeBytes { hash.combine(bytes: $0) }
  }
}
