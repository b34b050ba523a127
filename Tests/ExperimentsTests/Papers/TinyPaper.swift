import Experiments
import Foundation
import SimKernel

/// A paper of one closed form: after the backward pass, a ring of 4 carries 3/2 of ResNet-18's
/// 46,758,048 bytes, in 561.1 ms at 1 Gbps and in 56.11 ms at 10 Gbps.
enum TinyPaper {
  static let scenario = """
    {"simnet": 1,
     "cluster": {"topology": {"kind": "star", "hosts": 4,
       "link": {"bandwidth": "1 Gbps", "latency": "0 us"}}, "device": "v100"},
     "network": {"model": "alpha_beta", "transport": "ideal"},
     "workload": {"model": "resnet18", "iterations": 1, "warmup": 0,
       "compute": {"forward": "10 ms", "backward": "20 ms", "optimizer": "0 ms"}},
     "communication": {"algorithm": "ring", "schedule": {"policy": "one_shot"}},
     "sweep": {"cluster.topology.link.bandwidth": ["1 Gbps", "10 Gbps"],
       "workload.gradient_type": ["fp32", "fp16"]}}
    """
  static let measure = #"{"column": "exposed_communication_s", "scale": 1000, "unit": "ms"}"#
  static let values = #"{"1 Gbps": {"fp32": 561.1, "fp16": 280.5}, "10 Gbps": {"fp32": 56.11}}"#

  /// The paper file, with parts of it replaced and `more` members.
  static func text(
    scenario: String = scenario, measure: String = measure,
    by: String = #"["cluster.topology.link.bandwidth", "workload.gradient_type"]"#,
    values: String = values, tolerance: String = #"{"kind": "relative", "within": 0.01}"#,
    more: String = ""
  ) -> String {
    """
    {"simnet_paper": 1,
     "paper": {"authors": "Nobody", "title": "Nothing", "venue": "Nowhere 2020"},
     "figure": "figure 1", "obtained": "computed", "not_modelled": ["anything else"],
     "scenario": \(scenario),
     "measure": \(measure),
     "published": {"by": \(by),
       "values": \(values)},
     "tolerance": \(tolerance)\(more)}
    """
  }

  /// The paper that `text` is.
  static func paper(_ text: String) throws -> PaperFile {
    let scratch = try Scratch()
    try scratch.write("tiny.json", text)
    return try PaperFile.read(scratch.path("tiny.json"))
  }

  /// What is wrong with `text`, with the lines.
  static func problems(_ text: String) throws -> [String] {
    do {
      _ = try paper(text)
      return []
    } catch let invalid as InvalidInput {
      return invalid.issues.map { issue in
        "\(issue.position.map { "\($0.line): " } ?? "")\(issue.path): \(issue.message)"
      }
    }
  }

  /// What reproducing `text` gives.
  static func reproduce(_ text: String) throws -> Reproduction {
    var reproducer = Reproducer(SweepOptions())
    return try reproducer.reproduce(paper(text))
  }
}
