import Experiments
import Foundation
import Networks
import SimKernel

/// Recorded runs for tests.
enum TraceLab {
  /// A small scenario, changed by `--set` assignments.
  static func file(_ assignments: [String] = []) throws -> ScenarioFile {
    let text = """
      {"simnet": 1, "title": "traced", "seed": 3,
       "cluster": {"topology": {"kind": "star", "hosts": 4,
         "link": {"bandwidth": "10 Gbps", "latency": "1 us"}}, "device": "v100"},
       "network": {"model": "flow", "transport": "rdma"},
       "workload": {"model": "resnet18", "iterations": 3, "warmup": 1},
       "communication": {"schedule": {"policy": "buckets", "bucket": "8 MiB"}},
       "gradients": {"source": "synthetic", "sample": 4096},
       "stragglers": {"compute": {"distribution": "lognormal", "sigma": 0.05}}}
      """
    var file = ScenarioFile(
      root: try JSONNode.parse(text, origin: "test"), origin: "test",
      directory: URL(fileURLWithPath: "/"))
    for assignment in assignments { try file.set(assignment) }
    return file
  }

  /// What the network of ``file(_:)`` is made from.
  static func topology() throws -> (any TopologySpecification)? {
    try FlowScene.read(try file()).specification
  }

  /// The run with the timeline of all its iterations, unless `selection` says otherwise.
  static func run(
    _ assignments: [String] = [],
    selection: TimelineSelection = TimelineSelection(iterations: NumberRanges([0...2]))
  ) throws -> (run: RecordedRun, timeline: RunTimeline) {
    let run = try RecordedRun(try file(assignments), selection: selection)
    return (run, run.timeline!)
  }

  /// Jobs that differ in what is on their timelines.
  static let variants: [[String]] = [
    [],
    ["communication.compression=fp16"],
    ["communication.schedule.window=3"],
    [
      #"communication={"strategy": "all_gather", "compression": "top_k:ratio=0.01", "error_feedback": true}"#
    ],
    [
      #"communication={"strategy": "parameter_server", "servers": {"count": 2, "placement": "colocated"}}"#
    ],
    [
      "workload.workers=3",
      #"communication={"strategy": "parameter_server", "servers": {"count": 1, "placement": "dedicated"}}"#,
    ],
    ["network.model=packet", "workload.iterations=3", "workload.warmup=0"],
  ]
}

/// A decimal number as whole millionths: of microseconds, picoseconds.
func millionths(_ text: Substring) -> Int64 {
  let parts = text.split(separator: ".", omittingEmptySubsequences: false)
  let whole = Int64(parts[0])!
  var fraction = parts.count > 1 ? String(parts[1]) : ""
  while fraction.utf8.count < 6 { fraction += "0" }
  return whole * 1_000_000 + Int64(fraction)!
}
