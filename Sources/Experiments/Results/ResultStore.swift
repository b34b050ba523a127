import Foundation
import SimKernel

/// The files of a sweep's results: the table, what it was made of beside it, and a journal meanwhile.
public struct ResultStore: Sendable {
  /// The table.
  public let path: String
  /// Finished runs while the sweep goes on.
  public var journalPath: String { path + ".journal" }
  /// Resolved scenario, command line, host, wall time: what must not be in the table.
  public var metaPath: String { path + ".meta.json" }

  /// Results at `path`, whose folder is made if needed.
  ///
  /// - Throws: ``InputError`` if nothing can be written there.
  public init(path: String) throws(InputError) {
    self.path = path
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      throw InputError(path: path, reason: "is a folder", advice: "name a file with -o")
    }
    // Results are renamed into place: that would replace a device such as /dev/null by a file.
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw InputError(
        path: path, reason: "is not a regular file",
        advice: "name one with -o, or use --format for standard output")
    }
    try AtomicFile.prepareFolder(of: path)
  }

  /// Writes what a sweep produced.
  ///
  /// A whole sweep replaces the table and ends the journal. An interrupted one keeps the journal,
  /// and writes its whole points only where no finished table would be lost.
  public func save(_ outcome: SweepOutcome, meta: RunMeta) throws(InputError) {
    let isWhole = !outcome.isInterrupted && outcome.failures.isEmpty
    if !isWhole, hasFinishedTable { return }
    try AtomicFile.write(outcome.table.text(RowFormat(path: path)), to: path)
    try AtomicFile.write(meta.text(isFinished: isWhole), to: metaPath)
    if isWhole { unlink(journalPath) }
  }

  private var hasFinishedTable: Bool {
    guard FileManager.default.fileExists(atPath: path) else { return false }
    guard let text = try? String(contentsOfFile: metaPath, encoding: .utf8),
      let meta = try? JSONNode.parse(text, origin: metaPath),
      case .bool(let flag)? = meta["finished"]?.value
    else { return true }
    return flag
  }
}

/// What a table was made of: written beside it, never into it, since it differs from run to run.
public struct RunMeta: Sendable {
  public var scenario: JSONNode
  public var origin: String
  public var directory: String
  public var arguments: [String]
  public var wallTime: Double
  public var seed: UInt64
  public var points: Int
  public var finishedPoints: Int
  /// Members for some tables only.
  var further: [JSONMember] = []

  public init(
    file: ScenarioFile, outcome: SweepOutcome, wallTime: Double, arguments: [String]
  ) {
    self.init(
      file: file, seed: outcome.seed, points: outcome.totalPoints,
      finishedPoints: outcome.finishedPoints, wallTime: wallTime, arguments: arguments)
  }

  init(
    file: ScenarioFile, seed: UInt64, points: Int, finishedPoints: Int, wallTime: Double,
    arguments: [String]
  ) {
    scenario = file.root
    origin = file.origin
    directory = file.directory.path
    self.arguments = arguments
    self.wallTime = wallTime
    self.seed = seed
    self.points = points
    self.finishedPoints = finishedPoints
  }

  func text(isFinished: Bool) -> String {
    let command = JSONNode(.array(arguments.map { JSONNode(.string($0)) }))
    var members: [JSONMember] = [
      JSONMember("simnet_version", JSONNode(.string(SimnetVersion.current))),
      JSONMember("libzstd_version", JSONNode(.string(SimnetVersion.libzstd))),
      JSONMember("finished", JSONNode(.bool(isFinished))),
      JSONMember("points", JSONNode(.number(JSONNumber(points)))),
      JSONMember("finished_points", JSONNode(.number(JSONNumber(finishedPoints)))),
      JSONMember("seed", JSONNode(.number(JSONNumber(Int(clamping: seed))))),
      JSONMember("command", command),
      JSONMember("host", JSONNode(.string(ProcessInfo.processInfo.hostName))),
      JSONMember("wall_time_s", JSONNode(.number(JSONNumber(wallTime)))),
      JSONMember("scenario_file", JSONNode(.string(origin))),
      JSONMember("scenario_directory", JSONNode(.string(directory))),
    ]
    members += further + [JSONMember("scenario", scenario)]
    return JSONNode(.object(members)).prettyText + "\n"
  }
}

/// A table read back, with the scenario it was made from.
public struct StoredResult: Sendable {
  public var table: ResultTable
  public var scenario: ScenarioFile

  /// Reads the CSV at `path` and the `.meta.json` beside it.
  ///
  /// - Throws: ``InputError`` if either is missing or is not what simnet writes.
  public static func read(_ path: String) throws -> StoredResult {
    func load(_ path: String, _ advice: String) throws(InputError) -> String {
      do { return try String(contentsOfFile: path, encoding: .utf8) } catch {
        throw InputError(path: path, reason: InputError.reason(error), advice: advice)
      }
    }
    let text = try load(path, "check the path")
    var rows: [[String]]
    do throws(CSV.Damage) { rows = try CSV.parse(text) } catch {
      throw InputError(
        path: path, reason: "\(error)", advice: "run the scenario again", kind: .content)
    }
    let metaPath = path + ".meta.json"
    let meta = try JSONNode.parse(
      try load(metaPath, "it is written beside every result and names the scenario"),
      origin: metaPath)
    guard let scenario = meta["scenario"], let directory = meta["scenario_directory"]?.string,
      !rows.isEmpty
    else {
      throw InputError(
        path: metaPath, reason: "it holds no scenario",
        advice: "run the scenario again with -o", kind: .content)
    }
    let header = rows.removeFirst()
    let sweep = try Sweep(of: scenario)
    guard header == ResultColumns.header(swept: sweep.columns),
      rows.allSatisfy({ $0.count == header.count })
    else {
      throw InputError(
        path: path, reason: "its columns are not those of this version",
        advice: "run the scenario again", kind: .content)
    }
    return StoredResult(
      table: ResultTable(header: header, sweptCount: sweep.columns.count, rows: rows),
      scenario: ScenarioFile(
        root: scenario, origin: meta["scenario_file"]?.string ?? metaPath,
        directory: URL(fileURLWithPath: directory)))
  }
}
