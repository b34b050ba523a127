import Foundation
import SimKernel
import Testing

/// `simnet flows` from outside: times, files, refusals, exit codes.
@Suite struct FlowsTests {
  private static let folder = Simnet.fixtures.appendingPathComponent("Flows")
  private let star = folder.appendingPathComponent("star.json").path
  private let flows = folder.appendingPathComponent("flows.csv").path

  /// The rows of a CSV without quotes, by column.
  private func rows(_ text: String) -> [[String: String]] {
    let lines = text.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
  }

  // MARK: - Times

  @Test func theResultIsWhatPaperAndPencilSay() throws {
    let run = try Simnet.run(["flows", "--topology", star, flows, "-o", "-", "-q"])
    #expect(run.status == 0 && run.errors == "")
    // Two flows share the way out of h0: 10 ms alone, 20 ms together, and two links of 1 us.
    #expect(
      run.output == """
        id,source,destination,bytes,start_s,finish_s,completion_s,mean_rate_bytes_per_s,hops,ideal_s,slowdown,retransmissions,lost_bytes
        load,h0,h1,12500000,0,0.020002,0.020002,624937506.2493751,2,0.010002,1.9998000399920015,,
        share,h0,h2,12500000,0,0.020002,0.020002,624937506.2493751,2,0.010002,1.9998000399920015,,
        reply,h1,h0,1250000,0.021002,0.022004,0.001002,1247504990.01996,2,0.001002,1,,
        late,h3,h2,1250000,0.5,0.501002,0.001002,1247504990.01996,2,0.001002,1,,

        """)
  }

  @Test func theSummaryIsAsWritten() throws {
    let scratch = try Scratch()
    let run = try Simnet.run([
      "flows", "--topology", star, flows, "-q", "-o", scratch.path("sub/fct.json"), "--links",
      scratch.path("links.csv"),
    ])
    #expect(run.status == 0 && run.errors == "")
    #expect(
      run.output == """
        4 of 4 flows of star(4) under flow and ideal: 27500000 B in 0.501002 s

                             mean       p50       p90       p99       max
        completion time  10.50 ms  10.50 ms  20.00 ms  20.00 ms  20.00 ms
        slowdown           1.500x    1.500x    2.000x    2.000x    2.000x

        busiest link   busy  utilization     bytes  flows  top talkers
        switch->h2    4.2 %        2.2 %  13750000      2  h0->h2 91 %, h3->h2 9 %
        h0->switch    4.0 %        4.0 %  25000000      2  h0->h1 50 %, h0->h2 50 %
        switch->h1    4.0 %        2.0 %  12500000      1  h0->h1 100 %
        switch->h0    0.2 %        0.2 %   1250000      1  h1->h0 100 %
        h1->switch    0.2 %        0.2 %   1250000      1  h1->h0 100 %

        """)
    let json = try JSONNode.parse(try scratch.read("sub/fct.json"), origin: "json")
    #expect(json.elements?.count == 4)
    #expect(json.elements?[0]["finish_s"]?.number == 0.020002)
    #expect(json.elements?[3]["source"]?.string == "h3")
    let links = rows(try scratch.read("links.csv"))
    #expect(links.count == 8)
    let up = try #require(links.first { $0["link"] == "h0->switch" })
    #expect(up["bytes"] == "25000000" && up["flows"] == "2" && up["busy_s"] == "0.02")
  }

  @Test func packetsShowQueuesBesideTheBusiestLinks() throws {
    let run = try Simnet.run(["flows", "--topology", star, flows, "--network", "packet", "-q"])
    #expect(run.status == 0 && run.errors == "")
    #expect(run.output.contains("flows  longest queue  lost  marked  top talkers\n"))
    #expect(run.output.contains("h0->h2 91 %, h3->h2 9 %\n"))
  }

  @Test func runWritesLinksUnlessRunsMightNotBeRepeated() throws {
    let scratch = try Scratch()
    let quick = Simnet.root.appendingPathComponent("Scenarios/quickstart.json").path
    let links = scratch.path("links.csv")
    let run = try Simnet.run(["run", quick, "-q", "--links", links])
    #expect(run.status == 0)
    #expect(try scratch.read("links.csv").hasPrefix("point,replicate,link,from,to,"))
    let both = try Simnet.run(["run", quick, "-o", scratch.path("r.csv"), "--links", links])
    #expect(both.status == 64 && both.errors.contains("does not repeat finished ones"))
  }

  @Test func everyFormatHoldsTheSamePercentiles() throws {
    let csv = rows(
      try Simnet.run(["flows", "--topology", star, flows, "--format", "csv", "-q"]).output)
    let json = try JSONNode.parse(
      try Simnet.run(["flows", "--topology", star, flows, "--format", "json", "-q"]).output,
      origin: "json")
    #expect(csv.count == 2 && json.elements?.count == 2)
    for (index, row) in csv.enumerated() {
      for name in ["mean", "p50", "p90", "p99", "max"] {
        #expect(Double(row[name] ?? "") == json.elements?[index][name]?.number)
      }
    }
    #expect(Double(csv[0]["max"] ?? "") == 0.020002)
  }

  @Test func modelsAndTransportsCanBeChosenAndScenariosGiveTheirOwn() throws {
    let free = try Simnet.run([
      "flows", "--topology", star, flows, "-o", "-", "-q", "--network", "alpha_beta",
    ])
    #expect(rows(free.output).allSatisfy { $0["slowdown"] == "1" })
    let scratch = try Scratch()
    try scratch.write(
      "s.json",
      """
      {"simnet": 1, "cluster": {"topology": {"kind": "star", "hosts": 4,
        "link": {"bandwidth": "10 Gbps", "latency": "1 us"}}},
       "network": {"model": "alpha_beta", "transport": "ideal"},
       "workload": {"model": "resnet18"}, "sweep": {"network.model": ["flow"]}}
      """)
    let scenario = try Simnet.run(["flows", "--topology", scratch.path("s.json"), flows, "-o", "-"])
    #expect(scenario.status == 0 && scenario.output == free.output)
    #expect(scenario.errors.contains("\"sweep\" is left out"))
    #expect(scenario.errors.contains("4 flows in ") && scenario.errors.contains("flows/s)"))
    let slow = try Simnet.run([
      "flows", "--topology", star, flows, "-o", "-", "-q", "--transport", "tcp",
    ])
    // 12.5 MB at the cap of 4.7 Gb/s of one connection take longer than at the line rate.
    #expect(Double(rows(slow.output)[3]["ideal_s"] ?? "") ?? 0 > 0.002)
  }

  @Test func theSameTwiceIsTheSame() throws {
    let arguments = ["flows", "--topology", star, flows, "-o", "-", "-q"]
    #expect(try Simnet.run(arguments).output == (try Simnet.run(arguments).output))
    let text = try String(contentsOfFile: flows, encoding: .utf8)
    let piped = try Simnet.run(["flows", "--topology", star, "-", "-o", "-", "-q"], input: text)
    #expect(piped.output == (try Simnet.run(arguments).output))
  }

  // MARK: - Refusals

  @Test(arguments: [
    (
      "",
      ":1:1: header: the file is empty; expected a header: id,source,destination,bytes,start_s,after"
    ),
    (
      "id,source,destination,bytes\n",
      ":2:1: record: no flows; expected a line for each flow after the header"
    ),
    (
      "id,sorce,destination,bytes\n",
      ":1:4: header: unknown column \"sorce\"; did you mean \"source\"?"
    ),
    ("id,source,destination\na,0,1\n", ":1:1: header: no column \"bytes\"; it holds whole bytes"),
    (
      "id,source,destination,bytes\na,h0,h9,1\n",
      ":2:6: destination: unknown node \"h9\"; did you mean \"h0\"?"
    ),
    (
      "id,source,destination,bytes\na,h0,switch,1\n",
      ":2:6: destination: \"switch\" is a switch; flows run between accelerators"
    ),
    (
      "id,source,destination,bytes\na,0,7,1\n",
      ":2:5: destination: found 7, expected an accelerator of star(4): 0...3"
    ),
    (
      "id,source,destination,bytes\na,0,1,-5\n",
      ":2:7: bytes: found \"-5\", expected a whole number of bytes, at least 0"
    ),
    (
      "id,source,destination,bytes\na,0,1,1.5\n",
      ":2:7: bytes: found \"1.5\", expected a whole number of bytes, at least 0"
    ),
    (
      "id,source,destination,bytes,start_s\na,0,1,1,soon\n",
      ":2:9: start_s: found \"soon\", expected seconds, at least 0 and less than 106 days"
    ),
    (
      "id,source,destination,bytes\na,0,1,1\na,0,1,1\n",
      ":3:1: id: a second flow \"a\"; the first is on line 2"
    ),
    (
      "id,source,destination,bytes\na,0,1\n", ":2:5: record: 3 fields; expected 4, as in the header"
    ),
    (
      "id,source,destination,bytes,after\na,0,1,1,b\nb,0,1,1,a\n",
      ":2:1: after: flows wait for one another: a after b after a; one of them has to start by itself"
    ),
    (
      "id,source,destination,bytes,after\nfirst,0,1,1,\nb,0,1,1,frist\n",
      ":3:9: after: unknown flow \"frist\"; did you mean \"first\"?"
    ),
    (
      "id,source,destination,bytes\n\"a,0,1,1\n",
      ":2:1: record: a quote is never closed; end the field with \""
    ),
  ]) func whatIsWrongIsNamedWithItsPlace(_ text: String, _ message: String) throws {
    let scratch = try Scratch()
    try scratch.write("f.csv", text)
    let run = try Simnet.run(["flows", "--topology", star, "f.csv"], in: scratch.folder)
    #expect(run.status == 65 && run.output == "")
    #expect(run.errors.hasPrefix("f.csv" + message + "\n"), "\(run.errors)")
  }

  @Test func allProblemsAreReportedButNotThousands() throws {
    let scratch = try Scratch()
    try scratch.write(
      "f.csv",
      "id,source,destination,bytes\n" + (0..<500).map { "f\($0),x,y,z\n" }.joined())
    let run = try Simnet.run(["flows", "--topology", star, scratch.path("f.csv")])
    #expect(run.status == 65)
    #expect(run.errors.hasSuffix("20 problems; nothing was run\n"))
  }

  @Test func optionsAndFilesAreCheckedToo() throws {
    let scratch = try Scratch()
    try scratch.write("r.csv", "source,destination,links\nh0,h1,h0->switch switch->h2\n")
    try scratch.write("t.json", "{\"hosts\": 4}")
    for (arguments, status, part) in [
      (["--topology", star, flows, "--network", "flo"], 64, "--network: unknown"),
      (["--topology", star, flows, "--transport", "tpc"], 64, "did you mean \"tcp\"?"),
      (["--topology", star, scratch.path("none.csv")], 74, "No such file"),
      (["--topology", scratch.path("none.json"), flows], 74, "no such file"),
      (["--topology", scratch.path("t.json"), flows], 65, "neither a topology nor a scenario"),
      (
        ["--topology", star, flows, "--routes", scratch.path("r.csv")], 65,
        "r.csv:2:7: links: the way ends at \"h2\"; it has to end at \"h1\""
      ),
    ] {
      let run = try Simnet.run(["flows"] + arguments)
      #expect(run.status == Int32(status) && run.output == "")
      #expect(run.errors.contains(part), "\(run.errors)")
    }
  }

  // MARK: - Trouble

  @Test func aDeadLinkEndsTheRunAndSaysWhoWaits() throws {
    let scratch = try Scratch()
    try scratch.write(
      "s.json",
      """
      {"simnet": 1, "cluster": {"topology": {"kind": "star", "hosts": 4,
        "link": {"bandwidth": "10 Gbps", "latency": "1 us"}}}, "network": {"transport": "ideal"},
       "faults": [{"at": "5 ms", "link": "h0->switch", "up": false}]}
      """)
    let run = try Simnet.run([
      "flows", "--topology", scratch.path("s.json"), flows, "-o", scratch.path("fct.csv"),
    ])
    #expect(run.status == 5 && run.output == "")
    #expect(
      run.errors == """
        1 of 4 flows have ended
        the simulation cannot proceed after 0.501002 s: nothing more can happen
          flow load, of 12500000 B from h0 to h1 waits for link h0->switch
          flow share, of 12500000 B from h0 to h2 waits for link h0->switch
          flow reply waits for the end of flow load

        """)
    #expect(scratch.names == ["s.json"])
  }

  @Test func anInterruptSaysHowFarItGot() throws {
    let scratch = try Scratch()
    // All at once on few links: every end solves all others anew.
    var text = "id,source,destination,bytes\n"
    for flow in 0..<200_000 {
      text += "\(flow),\(flow % 64),\((flow * 7 + 1 + flow / 64) % 64),\(1_000_000 + flow * 37)\n"
    }
    try scratch.write("f.csv", text)
    try scratch.write(
      "t.json", #"{"kind": "star", "hosts": 64, "link": {"bandwidth": "10 Gbps"}}"#)
    let running = try Running(
      ["flows", "--topology", scratch.path("t.json"), scratch.path("f.csv")])
    for _ in 0..<6000 where !running.hasTakenOver(SIGINT) { usleep(10_000) }
    // It ignores the signal a moment before it listens.
    usleep(300_000)
    running.send(SIGINT)
    let done = try running.wait(60)
    #expect(done.status == 130 && done.output == "")
    #expect(done.errors.contains(" of 200000 flows have ended\ninterrupted after "))
  }

  // MARK: - What others say

  /// A file of `../shared/traces`, beside the repository or one folder further out in a worktree.
  private static func shared(_ path: String) -> URL? {
    var folder = Simnet.root
    for _ in 0..<2 {
      folder.deleteLastPathComponent()
      let file = folder.appendingPathComponent("shared/traces/" + path)
      if FileManager.default.fileExists(atPath: file.path) { return file }
    }
    return nil
  }

  /// The places that links join, found by what follows what on routes.
  private struct Places {
    private var parent: [String: String] = [:]
    mutating func root(_ name: String) -> String {
      var name = name
      while let next = parent[name], next != name { name = next }
      return name
    }
    mutating func join(_ a: String, _ b: String) { parent[root(a)] = root(b) }
  }

  @Test(
    .enabled(
      if: shared("simgrid-fluid/cases.json") != nil,
      "../shared/traces/simgrid-fluid/cases.json is absent"))
  func finishTimesAreSimGrids() throws {
    let file = try #require(Self.shared("simgrid-fluid/cases.json"))
    let root = try JSONNode.parse(
      try String(contentsOf: file, encoding: .utf8), origin: "cases.json")
    let cases = try #require(root["cases"]?.elements)
    #expect(cases.count == 16)
    var compared = 0
    for one in cases {
      let scratch = try Scratch()
      let routes = try #require(one["routes"]?.elements)
      var places = Places()
      var routesText = "links,source,destination\n"
      for route in routes {
        let links = (route["links"]?.elements ?? []).compactMap(\.string)
        let (from, to) = (route["src"]!.string!, route["dst"]!.string!)
        var place = "host " + from
        for link in links {
          places.join("tail " + link, place)
          place = "head " + link
        }
        places.join(place, "host " + to)
        routesText += "\(links.joined(separator: " ")),\(from),\(to)\n"
      }
      var names: [String: String] = [:]
      var nodes = (one["hosts"]?.elements ?? []).map { host -> String in
        names[places.root("host " + host.string!)] = host.string!
        return "{\"name\": \"\(host.string!)\", \"accelerator\": true}"
      }
      #expect(names.count == nodes.count, "hosts are places of their own")
      func place(_ name: String) -> String {
        let root = places.root(name)
        if let known = names[root] { return known }
        let made = "switch\(names.count)"
        names[root] = made
        nodes.append("{\"name\": \"\(made)\"}")
        return made
      }
      let links = (one["links"]?.elements ?? []).map { link -> String in
        let name = link["name"]!.string!
        let rate = Int64(link["bandwidth_bytes_per_s"]!.number! * 8)
        return "{\"from\": \"\(place("tail " + name))\", \"to\": \"\(place("head " + name))\", "
          + "\"name\": \"\(name)\", \"duplex\": false, \"bandwidth\": \"\(rate) bps\"}"
      }
      try scratch.write(
        "t.json",
        "{\"kind\": \"graph\", \"nodes\": [\(nodes.joined(separator: ","))], "
          + "\"links\": [\(links.joined(separator: ","))]}")
      try scratch.write("routes.csv", routesText)
      let flows = try #require(one["flows"]?.elements)
      var flowsText = "start_s,id,bytes,source,destination\n"
      for (index, flow) in flows.enumerated() {
        flowsText +=
          "\(flow["start_s"]!.number!),f\(index),\(flow["bytes"]!.number!),\(flow["src"]!.string!),"
          + "\(flow["dst"]!.string!)\n"
      }
      try scratch.write("flows.csv", flowsText)
      let run = try Simnet.run(
        [
          "flows", "--topology", "t.json", "flows.csv", "--routes", "routes.csv", "-o", "-", "-q",
        ], in: scratch.folder)
      #expect(run.status == 0, "\(one["name"]!.string!): \(run.errors)")
      let found = rows(run.output)
      #expect(found.count == flows.count)
      for (row, flow) in zip(found, flows) {
        let expected = try #require(flow["independent_maxmin_finish_s"]?.number)
        let time = try #require(Double(row["finish_s"] ?? ""))
        // The file is rounded to nanoseconds.
        #expect((time - expected).magnitude <= max(1e-6 * expected, 0.5e-9))
        compared += 1
      }
    }
    #expect(compared == 174)
  }

  @Test(
    .enabled(if: shared("htsim/one.cm") != nil, "../shared/traces/htsim is absent"),
    arguments: [
      // Connections, links on the longest way.
      ("one.cm", "leaf_spine_tiny.topo", 1, 4), ("bidir.cm", "leaf_spine_tiny.topo", 2, 4),
      ("incast.cm", "leaf_spine_tiny.topo", 15, 4),
      ("perm_16n_16c_2MB.cm", "leaf_spine_tiny.topo", 16, 4),
      ("perm_32n_32c_2MB.cm", "leaf_spine_tiny.topo", 32, 4),
      ("incast_128.cm", "fat_tree_1024.topo", 127, 6),
      ("outcast_incast.cm", "fat_tree_1024.topo", 21, 6),
      ("perm_1024n_1024c_0u_2000000b.cm", "fat_tree_1024.topo", 1024, 6),
    ])
  func matricesOfHtsimAreTakenAsTheyAre(
    _ matrix: String, _ topology: String, _ count: Int, _ hops: Int
  ) throws {
    let run = try Simnet.run([
      "flows", "--topology", Self.shared("htsim/" + topology)!.path,
      Self.shared("htsim/" + matrix)!.path, "-o", "-", "-q",
    ])
    #expect(run.status == 0, "\(run.errors)")
    let found = rows(run.output)
    #expect(found.count == count)
    for row in found {
      #expect(row["bytes"] == "2000000" && row["start_s"] == "0")
      // 2 MB at 100 Gb/s take 160 us, each link 1 us.
      let way = try #require(Double(row["hops"] ?? ""))
      #expect(way <= Double(hops) && way >= 2)
      let ideal = try #require(Double(row["ideal_s"] ?? ""))
      #expect((ideal - (160e-6 + way * 1e-6)).magnitude < 1e-12)
      #expect(Double(row["slowdown"] ?? "") ?? 0 >= 1)
    }
    if matrix.hasPrefix("incast") {
      // All share the last link: together they take as long as their bytes there.
      let last = found.compactMap { Double($0["finish_s"] ?? "") }.max() ?? 0
      #expect(last >= 160e-6 * Double(count) && last < 160e-6 * Double(count) + 7e-6)
    }
  }

  // MARK: - Models side by side

  @Test func aRunUnderTwoModelsShowsTheDifference() throws {
    let small = Simnet.scenarios.appendingPathComponent("small.json").path
    let run = try Simnet.run(["run", small, "--network", "alpha_beta,flow", "-q"])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("alpha_beta - flow"))
    #expect(run.output.contains("differences are against flow"))
    let csv = try Simnet.run(["run", small, "--network", "alpha_beta,flow", "--format", "csv"])
    #expect(csv.output.split(separator: "\n").count == 1 + 2 * 6 * 2)
    let one = try Simnet.run(["run", small, "--network", "flow"])
    #expect(one.status == 0 && !one.output.contains("differences are against"))
    let slip = try Simnet.run(["run", small, "--network", "alpha_beta,flo"])
    #expect(slip.status == 65 && slip.errors.contains("did you mean \"flow\"?"))
  }
}
