import Experiments
import Foundation
import SimKernel

/// A folder that goes away with the test.
final class Scratch {
  let folder: String
  init() throws {
    folder = NSTemporaryDirectory() + "simnet-experiments-\(UUID().uuidString)"
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

  /// The scenario `text`, as read from a file of this folder, with `assignments` applied.
  func scenario(_ text: String, set assignments: [String] = []) throws -> ScenarioFile {
    try write("scenario.json", text)
    var file = try ScenarioFile.read(path("scenario.json"))
    for assignment in assignments { try file.set(assignment) }
    return file
  }
}

func json(_ text: String) throws -> JSONNode { try JSONNode.parse(text, origin: "test") }

/// What is wrong with `text`, as messages; empty if nothing is.
func problems(_ text: String, set assignments: [String] = []) throws -> [String] {
  let scratch = try Scratch()
  do {
    _ = try SweepRunner(scratch.scenario(text, set: assignments))
    return []
  } catch let invalid as InvalidInput { return invalid.issues.map { "\($0.path): \($0.message)" } }
}

/// A scenario of four workers that runs in milliseconds; `more` are further members.
func quick(_ more: String = "", title: String = "quick") -> String {
  """
  {"simnet": 1, "title": "\(title)", "seed": 5,
   "cluster": {"topology": {"kind": "star", "hosts": 4,
     "link": {"bandwidth": "10 Gbps", "latency": "1 us"}}, "device": "v100"},
   "workload": {"model": "resnet18", "iterations": 2, "warmup": 0},
   "gradients": {"source": "synthetic", "sample": 2048},
   "stragglers": {"compute": {"distribution": "lognormal", "sigma": 0.1}}\(more)}
  """
}

extension ResultTable {
  /// The cells of one column.
  func cells(_ name: String) -> [String] { rows.map { cell(name, $0) } }
}
