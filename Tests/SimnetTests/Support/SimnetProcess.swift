import Foundation
import Testing

/// The repository and the program under test.
enum Simnet {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  static let fixtures = root.appendingPathComponent("Tests/Fixtures")
  static let scenarios = fixtures.appendingPathComponent("Scenarios")

  /// The program beside the test bundle; it is built with it.
  static let program: String = {
    let beside = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appendingPathComponent("simnet").path
    if FileManager.default.isExecutableFile(atPath: beside) { return beside }
    return root.appendingPathComponent(".build/release/simnet").path
  }()

  /// Runs the program to its end, for at most `limit` seconds.
  static func run(
    _ arguments: [String], input: String? = nil, in folder: String? = nil,
    environment: [String: String] = [:], limit: Double = 300
  ) throws -> Finished {
    let running = try Running(
      arguments, input: input, in: folder, environment: environment)
    return try running.wait(limit)
  }

  /// Runs a line of shell with `$SIMNET` set.
  static func shell(_ line: String, in folder: String) throws -> Finished {
    let running = try Running(
      ["-c", line], program: "/bin/bash", input: nil, in: folder,
      environment: ["SIMNET": program])
    return try running.wait(300)
  }
}

/// What a finished program left.
struct Finished {
  /// The exit code; 128 + the signal for a program that one killed, as a shell counts.
  var status: Int32
  var output: String
  var errors: String
}

/// A program on its way.
///
/// Its streams go to files, so that no full pipe can stop it.
final class Running {
  private let process = Process()
  private let scratch: Scratch
  private let ended = DispatchSemaphore(value: 0)

  init(
    _ arguments: [String], program: String = Simnet.program, input: String? = nil,
    in folder: String? = nil, environment: [String: String] = [:]
  ) throws {
    scratch = try Scratch()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.currentDirectoryURL = folder.map { URL(fileURLWithPath: $0) }
    var variables = ProcessInfo.processInfo.environment
    variables["COLUMNS"] = nil
    variables.merge(environment) { $1 }
    process.environment = variables
    for name in ["out", "err"] { try scratch.write(name, "") }
    try scratch.write("in", input ?? "")
    process.standardInput = FileHandle(forReadingAtPath: scratch.path("in"))
    process.standardOutput = FileHandle(forWritingAtPath: scratch.path("out"))
    process.standardError = FileHandle(forWritingAtPath: scratch.path("err"))
    let ended = ended
    process.terminationHandler = { _ in ended.signal() }
    try process.run()
  }

  /// Whether the program has taken over `signal`, as the kernel sees it.
  func hasTakenOver(_ signal: Int32) -> Bool {
    let path = "/proc/\(process.processIdentifier)/status"
    guard let status = try? String(contentsOfFile: path, encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("SigIgn:") }),
      let mask = UInt64(line.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16)
    else { return false }
    return mask >> UInt64(signal - 1) & 1 == 1
  }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits for the end; a program that does not come to one fails the test and is killed.
  func wait(_ limit: Double) throws -> Finished {
    if ended.wait(timeout: .now() + limit) == .timedOut {
      send(SIGKILL)
      ended.wait()
      Issue.record("\(process.arguments ?? []) did not end within \(limit) s")
    }
    let isKilled = process.terminationReason == .uncaughtSignal
    return Finished(
      status: process.terminationStatus + (isKilled ? 128 : 0),
      output: try scratch.read("out"), errors: try scratch.read("err"))
  }
}

/// A folder that goes away with the test.
final class Scratch {
  let folder: String
  init() throws {
    folder = NSTemporaryDirectory() + "simnet-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func path(_ name: String) -> String { folder + "/" + name }
  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
  }
  func read(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path(name))), as: UTF8.self)
  }
  var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }
}
