import Foundation
import Testing

/// Schedules that are searched for, as users meet them.
@Suite struct ScheduleSearchTests {
  private static func scenario(
    schedule: String, model: String = #""resnet18""#, more: String = "", workload: String = "",
    network: String = "flow", sweep: String = ""
  ) -> String {
    """
    {"simnet": 1,
     "cluster": {"topology": {"kind": "star", "hosts": 4,
       "link": {"bandwidth": "10 Gbps", "latency": "10 us"}}, "device": "v100"},
     "network": {"model": "\(network)", "transport": "ideal"},
     "workload": {"model": \(model), "iterations": 4, "warmup": 1\(workload)},
     "communication": {"algorithm": "ring", "schedule": \(schedule),
       "sending": {"scope": "process", "order": "priority"}}\(more)\(sweep)}
    """
  }

  /// The rows of a run by column.
  private func rows(_ text: String, _ arguments: [String] = []) throws -> [[String: String]] {
    let scratch = try Scratch()
    try scratch.write("s.json", text)
    let done = try Simnet.run(
      ["run", "s.json", "-q", "-o", "r.csv"] + arguments, in: scratch.folder)
    #expect(done.status == 0, "\(done.errors)")
    let lines = try scratch.read("r.csv").split(separator: "\n").map(String.init)
    func cells(_ line: String) -> [String] {
      var cells = [""]
      var isQuoted = false
      for character in line {
        if character == "\"" {
          isQuoted.toggle()
        } else if character == ",", !isQuoted {
          cells.append("")
        } else {
          cells[cells.count - 1].append(character)
        }
      }
      return cells
    }
    let header = cells(lines[0])
    return lines.dropFirst().map { line in
      Dictionary(zip(header, cells(line)), uniquingKeysWith: { a, _ in a })
    }
  }

  private func time(_ row: [String: String]) throws -> Double {
    try #require(Double(row["iteration_time_s"] ?? ""))
  }

  @Test func `auto is no worse than what it could have chosen, and says what it chose`() throws {
    let auto = try rows(
      Self.scenario(
        schedule:
          #"{"policy": "auto", "partitions": [250000, 1000000, 4000000], "credits": [1, 4]}"#))
    #expect(auto.count == 1)
    let label = try #require(auto[0]["schedule"])
    #expect(label.hasPrefix("auto: partition "))
    let fixed = try rows(
      Self.scenario(
        schedule: #"{"policy": "byte_scheduler", "partition": 1000000, "credit": 4000000}"#,
        sweep: #", "sweep": {"communication.schedule.partition": [250000, 1000000, 4000000]}"#))
    let best = try fixed.map(time).min() ?? 0
    #expect(try time(auto[0]) <= best * 1.02)
    #expect(
      try rows(
        Self.scenario(
          schedule:
            #"{"policy": "auto", "partitions": [250000, 1000000, 4000000], "credits": [1, 4]}"#),
        ["-j", "1"])[0]["schedule"] == label)
  }

  @Test(arguments: ["flow", "packet", "loggp", "alpha_beta"])
  func `no schedule beats the oracle`(network: String) throws {
    let scratch = try Scratch()
    let tensors = (1...8).map { "t\($0),t\($0),\($0 * 20_000),\($0 % 3 * 90_000_000)\n" }
    try scratch.write("m.csv", "name,layer,elements,macs\n" + tensors.joined())
    let table = try rows(
      Self.scenario(
        schedule: #"{"policy": "layer"}"#, model: #"{"file": "\#(scratch.path("m.csv"))"}"#,
        network: network,
        sweep: #", "sweep": {"communication.schedule": {"oracle": "oracle", "layer": "layer", "#
          + #""buckets": "buckets", "bs": "byte_scheduler", "one": "one_shot"}}"#))
    #expect(table.count == 5)
    #expect(table[0]["schedule"] == "oracle (lower bound)")
    let bound = try time(table[0])
    #expect(bound > 0)
    for row in table.dropFirst() { #expect(try time(row) >= bound) }
  }

  @Test func `of a few tensors the oracle runs every order`() throws {
    let model =
      "name,layer,elements,macs\na,a,4000000,1000000\nb,b,100000,90000000\n"
      + "c,c,2000000,50000000\n"
    let scratch = try Scratch()
    try scratch.write("m.csv", model)
    let text = { (schedule: String) in
      Self.scenario(schedule: schedule, model: #"{"file": "\#(scratch.path("m.csv"))"}"#)
    }
    let oracle = try rows(text(#""oracle""#))
    #expect(oracle[0]["schedule"]?.hasPrefix("oracle: ") == true)
    for other in ["layer", "random", "per_tensor"] {
      #expect(try time(oracle[0]) <= time(rows(text("\"\(other)\""))[0]))
    }
  }

  @Test(arguments: [
    (#""tic""#, #", "execution": "eager""#, "tic needs the whole graph, which eager execution"),
    (#""tac""#, #", "execution": "eager""#, "tac needs the whole graph"),
    (#""oracle""#, #", "execution": "eager""#, "oracle needs the whole graph"),
    (
      #""tac""#, #", "compute": {"forward": "0 s", "backward": "0 s"}"#,
      "tac goes by how long operations take"
    ),
  ])
  func `what cannot be planned is refused before anything runs`(
    schedule: String, workload: String, part: String
  ) throws {
    let scratch = try Scratch()
    try scratch.write("s.json", Self.scenario(schedule: schedule, workload: workload))
    for command in ["validate", "run"] {
      let done = try Simnet.run([command, "s.json"], in: scratch.folder)
      #expect(done.status == 65)
      #expect(done.errors.contains("communication.schedule") && done.errors.contains(part))
    }
  }

  @Test func `eager execution costs what its host thread needs`() throws {
    let staged = try rows(Self.scenario(schedule: #""layer""#))[0]
    let eager = try rows(
      Self.scenario(
        schedule: #""layer""#,
        workload: #", "execution": {"mode": "eager", "dispatch": "2 ms"}"#))[0]
    let tensors = 62.0
    #expect(try #require(Double(eager["compute_time_s"] ?? "")) >= 2 * tensors * 0.002)
    #expect(try time(eager) > time(staged))
    let traced = try rows(
      Self.scenario(
        schedule: #""layer""#, workload: #", "execution": {"mode": "staged", "trace": "3 s"}"#))[0]
    #expect(try time(traced) == time(staged))
    let makespans = try [traced, staged].map { try #require(Double($0["makespan_s"] ?? "")) }
    #expect(abs(makespans[0] - makespans[1] - 3) < 1e-9)
  }
}
