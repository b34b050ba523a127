import Foundation
import Interchange
import SimKernel
import Testing

/// `simnet trace` and `simnet topology` from outside: files, refusals, exit codes.
@Suite struct TraceTests {
  private let small = Simnet.scenarios.appendingPathComponent("small.json").path

  // MARK: - Trace

  @Test func theFirstPointIsTracedAndSaidToBe() throws {
    let scratch = try Scratch()
    let run = try Simnet.run(["trace", small, "-o", scratch.path("a/run.json")])
    #expect(run.status == 0 && run.output == "")
    #expect(
      run.errors == """
        the first of 6 points: cluster.topology.link.bandwidth=1 Gbps, communication=fp32 (choose \
        with --point or --set)
        wrote \(scratch.path("a/run.json"))

        """)
    let root = try JSONNode.parse(try scratch.read("a/run.json"), origin: "trace")
    #expect(root["otherData"]?["point"]?.number == 0)
    // Two iterations of four workers by default.
    let slices = (root["traceEvents"]?.elements ?? []).filter { $0["cat"]?.string == "iteration" }
    #expect(slices.count == 8)
    let again = try Simnet.run(["trace", small, "-o", "-", "-q"])
    #expect(again.status == 0 && again.errors == "")
    #expect(again.output == (try scratch.read("a/run.json")))
  }

  @Test func aPointCanBeChosenByNumberOrBySet() throws {
    let byNumber = try Simnet.run(["trace", small, "-o", "-", "--point", "4", "-q"])
    let bySet = try Simnet.run([
      "trace", small, "-o", "-", "-q", "--set", "cluster.topology.link.bandwidth=10 Gbps", "--set",
      "communication.compression=fp16",
    ])
    #expect(byNumber.status == 0 && bySet.status == 0)
    let numbered = try JSONNode.parse(byNumber.output, origin: "a")
    let root = try JSONNode.parse(bySet.output, origin: "b")
    #expect(numbered["otherData"]?["point"]?.number == 4)
    #expect(root["otherData"]?["point"]?.number == 0)
    let encodes = (numbered["traceEvents"]?.elements ?? []).filter {
      $0["cat"]?.string == "encode"
    }
    #expect(!encodes.isEmpty)
  }

  @Test func kinetoFilesReadBackWithTheSameRanksAndTimes() throws {
    let scratch = try Scratch()
    let run = try Simnet.run([
      "trace", small, "--format", "kineto", "-o", scratch.path("traces"), "--point", "4",
      "--iterations", "0..2", "-q",
    ])
    #expect(run.status == 0 && run.errors == "")
    let table = try Simnet.run([
      "trace", small, "--format", "csv", "-o", "-", "--point", "4", "--iterations", "0..2", "-q",
    ])
    for rank in 0..<4 {
      let path = scratch.path("traces/rank\(rank).json")
      let trace = try KinetoTrace(path: path)
      #expect(trace.header.rank == rank && trace.header.worldSize == 4)
      #expect(trace.header.devices == ["v100"])
      func total(_ isWanted: (String, String) -> Bool) -> Int64 {
        var sum: Int64 = 0
        for event in trace.events
        where isWanted(trace.names[event.category], trace.names[event.name]) {
          sum += event.duration.picoseconds
        }
        return sum
      }
      /// The same from the rows, in picoseconds.
      func rows(_ lane: String) -> Int64 {
        var sum: Int64 = 0
        for line in table.output.split(separator: "\n").dropFirst() {
          let cells = line.split(separator: ",", omittingEmptySubsequences: false)
          if cells[1] == String(rank), cells[3] == lane {
            sum += Self.picoseconds(cells[6]) - Self.picoseconds(cells[5])
          }
        }
        return sum
      }
      #expect(total { $1.hasPrefix("ProfilerStep#") } == rows("iteration"))
      #expect(total { $0 == "kernel" && $1.hasPrefix("nccl") } == rows("exchange"))
      #expect(
        total { $0 == "kernel" && !$1.hasPrefix("nccl") }
          == rows("compute") + rows("encode") + rows("decode"))
      #expect(trace.collectives.allSatisfy { $0.kind == .allReduce && $0.groupSize == 4 })
      #expect(rows("exchange") > 0)
      let inspected = try Simnet.run(["inspect", path])
      #expect(inspected.status == 0)
      #expect(inspected.output.contains("rank: \(rank)\n"))
    }
  }

  /// Seconds in decimals as whole picoseconds.
  private static func picoseconds(_ text: Substring) -> Int64 {
    let parts = text.split(separator: ".")
    let fraction = parts.count > 1 ? String(parts[1]) : ""
    return Int64(parts[0])! * 1_000_000_000_000
      + Int64(fraction + String(repeating: "0", count: 12 - fraction.count))!
  }

  @Test func aChartHasTheWidthThatWasAskedFor() throws {
    let run = try Simnet.run([
      "trace", small, "--format", "svg", "-o", "-", "--iterations", "0", "--workers", "0..1", "-q",
      "--width", "85 mm",
    ])
    #expect(run.status == 0 && run.errors == "")
    // 85 mm are 85 / 25.4 * 72 points.
    #expect(run.output.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"240.94pt\""))
    #expect(run.output.contains(">worker 1<") && !run.output.contains(">worker 2<"))
  }

  @Test func whatCannotBeTracedIsSaidInOneMessage() throws {
    let scratch = try Scratch()
    let out = scratch.path("run.json")
    let cases: [(arguments: [String], status: Int32, message: String)] = [
      (["--iterations", "5"], 64, "--iterations: found iteration 5, expected 0..2"),
      (["--workers", "0,9"], 64, "--workers: found worker 9, expected 0..3"),
      (["--workers", "3..1"], 64, "write numbers from 0 and ranges such as 0,3..5"),
      (["--point", "6"], 64, "--point: found 6, expected 0..5"),
      (["--replicate", "2"], 64, "--replicate: found 2, expected 0..1"),
      (["--width", "85 mm"], 64, "--width needs --format svg"),
      (["--format", "svg", "--width", "85"], 64, "write a width of 40 to 1000 mm"),
      (["--set", "workload.model=resnet"], 65, "workload.model"),
    ]
    for (arguments, status, message) in cases {
      let run = try Simnet.run(["trace", small, "-o", out] + arguments)
      #expect(run.status == status, "\(arguments): \(run.errors)")
      #expect(run.errors.contains(message), "\(arguments): \(run.errors)")
      #expect(!scratch.names.contains("run.json"))
    }
    let folder = try Simnet.run(["trace", small, "-o", scratch.folder])
    #expect(folder.status == 74 && folder.errors.contains("is not a regular file"))
    try scratch.write("file", "x")
    let file = try Simnet.run([
      "trace", small, "-o", scratch.path("file"), "--format", "kineto",
    ])
    #expect(file.status == 74 && file.errors.contains("is not a folder"))
    let itself = try Simnet.run(["trace", small, "-o", small])
    #expect(itself.status == 64 && itself.errors.contains("names the scenario itself"))
  }

  // MARK: - Topology

  @Test func aTopologyIsSummedUpOrDrawn() throws {
    let star = Simnet.fixtures.appendingPathComponent("Flows/star.json").path
    let text = try Simnet.run(["topology", star])
    #expect(text.status == 0 && text.errors == "")
    #expect(
      text.output.hasPrefix("star(4)\n\naccelerators  4\nhosts         4\nswitches      1 switch\n")
    )
    let drawing = try Simnet.run(["topology", star, "--svg"])
    #expect(drawing.status == 0 && drawing.output.hasPrefix("<svg "))
    #expect(drawing.output.contains(">h3<"))
    let piped = try Simnet.run(
      ["topology", "-", "--svg"], input: try String(contentsOfFile: star, encoding: .utf8))
    #expect(piped.output == drawing.output)
  }

  @Test func loadsColourTheLinksOfTheChosenPoint() throws {
    let scratch = try Scratch()
    let run = try Simnet.run([
      "topology", small, "--svg", "--loads", "--point", "3", "-o", scratch.path("loads.svg"),
    ])
    #expect(run.status == 0 && run.output == "")
    #expect(run.errors.hasPrefix("point 3: cluster.topology.link.bandwidth=10 Gbps"))
    let svg = try scratch.read("loads.svg")
    #expect(svg.contains("busiest links") && svg.contains("100 % busy"))
  }

  @Test func whatCannotBeDrawnIsSaidInOneMessage() throws {
    let star = Simnet.fixtures.appendingPathComponent("Flows/star.json").path
    let scratch = try Scratch()
    try scratch.write("bad.json", #"{"kind": "star", "hosts": 4}"#)
    try scratch.write("other.json", "[1]")
    let cases: [(arguments: [String], status: Int32, message: String)] = [
      ([star, "--loads"], 64, "--loads needs --svg"),
      ([star, "--svg", "--loads"], 64, "need a scenario"),
      ([star, "--point", "0"], 64, "need a scenario"),
      ([star, "-o", star], 64, "names the input itself"),
      ([scratch.path("none.json")], 74, "no such file"),
      ([scratch.path("bad.json")], 65, "link"),
      ([scratch.path("other.json")], 65, "neither a topology nor a scenario"),
    ]
    for (arguments, status, message) in cases {
      let run = try Simnet.run(["topology"] + arguments)
      #expect(run.status == status, "\(arguments): \(run.errors)")
      #expect(run.errors.contains(message), "\(arguments): \(run.errors)")
    }
  }
}
