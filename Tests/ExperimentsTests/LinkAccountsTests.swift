import Experiments
import SimKernel
import Testing

/// What links carried, for files: of runs, and of lists of flows.
@Suite struct LinkAccountsTests {
  private func rows(_ text: String) -> [[String: String]] {
    let lines = text.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
  }

  /// The file of a sweep run with so many threads.
  private func file(_ text: String, jobs: Int) throws -> String {
    let scratch = try Scratch()
    let runner = try SweepRunner(scratch.scenario(text))
    let accounts = LinkAccounts()
    let outcome = try runner.run(SweepOptions(jobs: jobs, links: accounts))
    #expect(outcome.failures.isEmpty)
    try accounts.write(to: scratch.path("links.csv"), of: runner)
    return try scratch.read("links.csv")
  }

  @Test func everyLinkOfEveryRunIsThereWhateverTheThreads() throws {
    let sweep = quick(
      #", "replicates": 2, "sweep": {"network.model": ["alpha_beta", "flow", "packet"]}"#)
    let text = try file(sweep, jobs: 1)
    #expect(try file(sweep, jobs: 3) == text)
    let rows = rows(text)
    // Three points, two replicates, four hosts with a cable each.
    #expect(rows.count == 3 * 2 * 8)
    #expect(rows.map { $0["point"]! } == rows.map { $0["point"]! }.sorted())
    for row in rows {
      #expect(Int(row["bytes"]!)! > 0 && Double(row["busy_share"]!)! <= 1)
      #expect(row["queue_high_water_bytes"]!.isEmpty == (row["point"] != "2"))
    }
    // The ring carries as much under every model, if packets are not sent again.
    let carried = (0..<3).map { point in
      rows.filter { $0["point"] == String(point) }.map { Int($0["bytes"]!)! }
    }
    #expect(carried[0] == carried[1] && carried[1] == carried[2])
  }

  @Test func aListOfFlowsNamesTopTalkersAndTheLongestQueue() throws {
    let scratch = try Scratch()
    try scratch.write(
      "star.json",
      """
      {"cluster": {"topology": {"kind": "star", "hosts": 5,
        "link": {"bandwidth": "10 Gbps", "latency": "1 us"}}, "device": "v100"},
       "network": {"model": "packet", "transport": "ideal", "packet":
        {"buffer": "30 kB", "min_rto": "1 ms", "congestion_control": "reno"}}}
      """)
    let flows = (1...4).map { "f\($0),\($0),0,\($0)000000\n" }.joined()
    try scratch.write("flows.csv", "id,source,destination,bytes\n" + flows)
    let scene = try FlowScene.read(scratch.path("star.json"))
    let table = try FlowFile.read(scratch.path("flows.csv"), topology: scene.topology)
    let result = FlowResult(table, scene: scene, outcome: FlowSimulation(table, scene: scene).run())
    try result.writeLinks(to: scratch.path("links.csv"))
    let down = try #require(
      rows(try scratch.read("links.csv")).first { $0["link"] == "switch->h0" })
    #expect(down["top_talkers"] == "h4->h0:4000000 h3->h0:3000000 h2->h0:2000000")
    #expect(Int(down["dropped"]!)! > 0 && down["trimmed"] == "0")
    // Four senders overflow it, so the queue was full to within a packet.
    let high = try #require(Int(down["queue_high_water_bytes"]!))
    #expect(high <= 30_000 && high > 30_000 - 1538)
    let load = try #require(result.linkLoads.first { $0.talkers.count == 3 })
    #expect(load.talkers[0].share == 0.4 && load.port?.dropped == Int(down["dropped"]!))
    // What was dropped was sent again, and every flow says how often.
    try result.writeFlows(to: scratch.path("fct.csv"))
    let sent = rows(try scratch.read("fct.csv")).map { Int($0["retransmissions"]!)! }
    #expect(sent.count == 4 && sent.reduce(0, +) >= load.port!.dropped)
    let bytes = rows(try scratch.read("fct.csv")).map { Int($0["lost_bytes"]!)! }
    #expect(bytes.reduce(0, +) > 0)
  }
}
