import Foundation
import SimKernel

/// The folder of a sweep that several processes may work on: what is swept, a journal a shard, and
/// in the end the table.
///
/// Nothing is locked: the manifest has the same bytes whoever writes it and is renamed into place,
/// each shard appends to a journal of its own, and what journals hold is checked line by line.
public struct SweepFolder: Sendable {
  /// The folder.
  public let path: String
  /// What is swept, with the command line's changes applied.
  public let scenario: ScenarioFile
  /// The input files that the manifest names, with the digests of their contents.
  let inputs: [(file: String, digest: String)]

  /// `sweep.json`: the scenario, and what its numbers rest on.
  public var manifestPath: String { path + "/sweep.json" }
  /// Where a whole sweep puts its table.
  public var resultsPath: String { path + "/results.csv" }
  /// The journal of `shard`.
  public func journalPath(_ shard: Shard) -> String {
    "\(path)/shard-\(shard.index)-of-\(shard.count).journal"
  }

  /// All journals, in ascending order of their names.
  public var journals: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.filter { $0.hasSuffix(".journal") }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { path + "/" + $0 }
      .filter { journal in
        // A pipe would be waited for without end.
        var status = stat()
        return stat(journal, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
      }
  }

  /// The folder at `path`, for `scenario`; nothing is written yet.
  public init(path: String, scenario: ScenarioFile) {
    self.path = Self.trimmed(path)
    self.scenario = scenario
    inputs = []
  }

  /// The folder at `path`, as an earlier sweep left it.
  ///
  /// - Throws: ``InputError`` if there is no manifest in it; `JSONError` if that is damaged.
  public init(reading path: String) throws {
    self.path = Self.trimmed(path)
    let manifestPath = self.path + "/sweep.json"
    let manifest: JSONNode
    do {
      let text = try String(contentsOfFile: manifestPath, encoding: .utf8)
      manifest = try JSONNode.parse(text, origin: manifestPath)
    } catch let error as JSONError {
      throw error
    } catch {
      throw InputError(
        path: manifestPath, reason: InputError.reason(error),
        advice: "name a folder that simnet sweep --out made")
    }
    guard let root = manifest["scenario"], let directory = manifest["scenario_directory"]?.string
    else {
      throw InputError(
        path: manifestPath, reason: "it holds no scenario",
        advice: "start the sweep again from its scenario file", kind: .content)
    }
    inputs = (manifest["inputs"]?.members ?? []).compactMap { member in
      member.node.string.map { (member.key, $0) }
    }
    scenario = ScenarioFile(
      root: root, origin: manifest["scenario_file"]?.string ?? manifestPath,
      directory: URL(fileURLWithPath: directory, isDirectory: true))
  }

  private static func trimmed(_ path: String) -> String {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  /// Refuses a folder in which something else has the names that a sweep gives its files.
  ///
  /// - Throws: ``InputError`` that names it.
  public func checkForeignFiles() throws(InputError) {
    let own = try? JSONNode.parse(
      (try? String(contentsOfFile: manifestPath, encoding: .utf8)) ?? "", origin: manifestPath)
    if own?["scenario"] != nil { return }
    for path in [manifestPath, resultsPath] where access(path, F_OK) == 0 {
      throw InputError(
        path: path, reason: "is there and no sweep made it",
        advice: "choose another folder with --out, or move it away")
    }
  }

  /// Whether `path` is one of the files the sweep works with.
  public func owns(_ path: String) -> Bool {
    var wanted = stat()
    guard stat(path, &wanted) == 0 else { return false }
    return ([manifestPath] + journals).contains { own in
      var status = stat()
      return stat(own, &status) == 0 && status.st_ino == wanted.st_ino
        && status.st_dev == wanted.st_dev
    }
  }

  // MARK: - Manifest

  /// Makes the folder and puts the manifest there, unless the same is there already.
  ///
  /// A manifest of another scenario is replaced: finished runs that are part of both are kept.
  ///
  /// - Returns: whether another scenario's manifest was replaced.
  /// - Throws: ``InputError`` if nothing can be written.
  public func prepare(_ runner: SweepRunner) throws(InputError) -> Bool {
    try AtomicFile.prepareFolder(of: manifestPath)
    let text = manifest(inputs: runner.inputDigests)
    let old = try? String(contentsOfFile: manifestPath, encoding: .utf8)
    if old == text { return false }
    try AtomicFile.write(text, to: manifestPath)
    return old != nil
  }

  private func manifest(inputs: [(file: String, digest: String)]) -> String {
    let build = BuildVersion.current
    let files = inputs.map { JSONMember($0.file, JSONNode(.string($0.digest))) }
    let members: [JSONMember] = [
      JSONMember("simnet_version", JSONNode(.string(build.simnet))),
      JSONMember("libzstd_version", JSONNode(.string(build.libzstd))),
      JSONMember("columns", JSONNode(.string(build.columns))),
      JSONMember("scenario_file", JSONNode(.string(scenario.origin))),
      JSONMember(
        "scenario_directory", JSONNode(.string(scenario.directory.standardizedFileURL.path))),
      JSONMember("inputs", JSONNode(.object(files))),
      JSONMember("scenario", scenario.root),
    ]
    return JSONNode(.object(members)).prettyText + "\n"
  }

  // MARK: - The end

  /// Whether the table of exactly this sweep is there already, which takes no look at its points.
  ///
  /// Compared are the scenario, this build, the contents of all input files, and the table's size.
  public var isFinished: Bool {
    guard let old = try? String(contentsOfFile: manifestPath, encoding: .utf8),
      let parsed = try? JSONNode.parse(old, origin: manifestPath),
      let names = parsed["inputs"]?.members?.map(\.key)
    else { return false }
    let inputs = PreparationInputs(directory: scenario.directory)
    let now = manifest(inputs: names.map { ($0, inputs.digest(of: $0)) })
    guard now == old,
      let text = try? String(contentsOfFile: resultsPath + ".meta.json", encoding: .utf8),
      let meta = try? JSONNode.parse(text, origin: resultsPath),
      meta["manifest"]?.string == Self.name(of: old), let size = meta["bytes"]?.number
    else { return false }
    var status = stat()
    return stat(resultsPath, &status) == 0 && Double(status.st_size) == size
  }

  /// Names a manifest.
  private static func name(of manifest: String) -> String {
    var hash = StableHash()
    hash.combine(manifest)
    return hash.hexadecimal
  }

  /// Writes the rows of `results` to `path`, as CSV, JSON or JSON Lines by its ending, and what they
  /// were made of beside it.
  ///
  /// - Throws: ``InputError`` if a file cannot be written or a journal has changed meanwhile.
  public func write(
    _ results: SweepResults, to path: String, arguments: [String], wallTime: Double
  ) throws {
    let format = RowFormat(path: path)
    var size = 0
    try AtomicFile.stream(to: path) { writer in
      var bytes: [UInt8] = []
      func flush() throws(InputError) {
        size += bytes.count
        try writer.append(bytes)
        bytes.removeAll(keepingCapacity: true)
      }
      format.begin(results.header, to: &bytes)
      var isFirst = true
      try results.forEachRow { row in
        format.append(row, header: results.header, isFirst: isFirst, to: &bytes)
        isFirst = false
        try flush()
      }
      format.end(isEmpty: isFirst, to: &bytes)
      try flush()
    }
    var meta = RunMeta(
      file: scenario, seed: results.seed, points: results.totalPoints,
      finishedPoints: results.finishedPoints, wallTime: wallTime, arguments: arguments)
    if let text = try? String(contentsOfFile: manifestPath, encoding: .utf8) {
      meta.further = [
        JSONMember("manifest", JSONNode(.string(Self.name(of: text)))),
        JSONMember("bytes", JSONNode(.number(JSONNumber(size)))),
      ]
    }
    let isWhole = results.finishedPoints == results.totalPoints
    try AtomicFile.write(meta.text(isFinished: isWhole), to: path + ".meta.json")
  }
}
