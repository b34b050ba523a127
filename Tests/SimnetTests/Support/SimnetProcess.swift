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
/// Its streams go to files, so that no full pipe can stop it. It is spawned without Foundation's
/// `Process`, whose search for open descriptors reads past its buffer once many are open.
final class Running {
  private let arguments: [String]
  private let process: pid_t
  private let scratch: Scratch
  private var status: Int32?

  init(
    _ arguments: [String], program: String = Simnet.program, input: String? = nil,
    in folder: String? = nil, environment: [String: String] = [:]
  ) throws {
    self.arguments = arguments
    scratch = try Scratch()
    try scratch.write("in", input ?? "")
    var variables = ProcessInfo.processInfo.environment
    variables["COLUMNS"] = nil
    variables.merge(environment) { $1 }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, scratch.path("in"), O_RDONLY, 0)
    for (number, name) in [(Int32(1), "out"), (2, "err")] {
      posix_spawn_file_actions_addopen(
        &actions, number, scratch.path(name), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    }
    // The test runner may ignore or block signals; the program begins with none of that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))

    // Swift does not see posix_spawn's own way to another folder; `env` becomes the program.
    let way = folder.map { ["/usr/bin/env", "-C", $0, program] } ?? [program]
    var words = (way + arguments).map { strdup($0) } + [nil]
    var settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in words + settings { free(text) } }
    var started: pid_t = 0
    let failure = posix_spawn(&started, way[0], &actions, &attributes, &words, &settings)
    process = started
    guard failure == 0 else {
      throw CocoaError(.executableNotLoadable, userInfo: [NSFilePathErrorKey: program])
    }
  }

  /// Whether the program has taken over `signal`, as the kernel sees it.
  func hasTakenOver(_ signal: Int32) -> Bool {
    let path = "/proc/\(process)/status"
    guard let status = try? String(contentsOfFile: path, encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("SigIgn:") }),
      let mask = UInt64(line.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16)
    else { return false }
    return mask >> UInt64(signal - 1) & 1 == 1
  }

  /// Sends nothing once the program has been waited for: its number may be another's by then.
  func send(_ signal: Int32) {
    if status == nil { kill(process, signal) }
  }

  /// Waits for the end; a program that does not come to one fails the test and is killed.
  func wait(_ limit: Double) throws -> Finished {
    let begin = ContinuousClock.now
    var pause: UInt32 = 500
    while !hasEnded(WNOHANG) {
      if ContinuousClock.now - begin > .seconds(limit) {
        send(SIGKILL)
        _ = hasEnded(0)
        Issue.record("\(arguments) did not end within \(limit) s")
      } else {
        usleep(pause)
        pause = min(20_000, pause * 2)
      }
    }
    let status = status ?? 0
    let signal = status & 0x7f
    return Finished(
      status: signal == 0 ? status >> 8 & 0xff : 128 + signal,
      output: try scratch.read("out"), errors: try scratch.read("err"))
  }

  private func hasEnded(_ options: Int32) -> Bool {
    guard status == nil else { return true }
    var value: Int32 = 0
    guard waitpid(process, &value, options) == process else { return false }
    status = value
    return true
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
