import Experiments
import Foundation
import Networks
import SimKernel
import Testing

/// Lists of flows: what is read, and what holds on every network.
@Suite struct FlowsTests {
  private func scene(
    _ specification: any TopologySpecification, _ model: NetworkModelKind = .flow,
    _ transport: Transport = .ideal
  ) -> FlowScene {
    FlowScene(
      topology: specification.makeTopology(),
      network: NetworkSettings(model: model, transport: transport))
  }
  private let gigabit = LinkSpecification(
    bandwidth: .gigabitsPerSecond(1), latency: .microseconds(1))

  private func read(_ text: String, _ name: String, _ scene: FlowScene) throws -> FlowTable {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "simnet-flows-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent(name).path
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return try FlowFile.read(path, topology: scene.topology)
  }
  private func play(_ flows: FlowTable, _ scene: FlowScene) -> FlowResult {
    FlowResult(flows, scene: scene, outcome: FlowSimulation(flows, scene: scene).run())
  }
  /// `count` flows between random accelerators of `scene`, some after others.
  private func random(_ count: Int, _ scene: FlowScene, seed: UInt64) -> FlowTable {
    var state = seed
    func next(_ bound: Int) -> Int {
      state = RandomStream.mix(state &+ 0x9E37_79B9_7F4A_7C15)
      return Int(state % UInt64(bound))
    }
    let nodes = scene.topology.accelerators
    var flows = FlowTable()
    for index in 0..<count {
      let flow = flows.add(
        id: "f\(index)", from: nodes[next(nodes.count)], to: nodes[next(nodes.count)],
        size: .bytes(Int64(next(1_000_000))), start: .picoseconds(Int64(next(1_000_000_000))))
      if index > 2, next(4) == 0 { flows.run(flow, after: [next(index), next(index)]) }
    }
    flows.seal()
    return flows
  }

  private static let topologies: [any TopologySpecification] = {
    let link = LinkSpecification(bandwidth: .gigabitsPerSecond(10), latency: .microseconds(1))
    return [
      StarTopology(hosts: 5, link: link), RingTopology(hosts: 6, link: link),
      FatTreeTopology(k: 4, link: link), TorusTopology(dimensions: [3, 3], link: link),
      FullMeshTopology(hosts: 4, link: link),
    ]
  }()

  // MARK: - Closed forms

  @Test(arguments: NetworkModelKind.allCases) func aFlowAloneTakesItsIdealTimeUnderFluidModels(
    _ model: NetworkModelKind
  ) throws {
    let scene = scene(StarTopology(hosts: 3, link: gigabit), model, .tcp)
    let flows = try read("id,source,destination,bytes\na,0,1,1000000\n", "f.csv", scene)
    let result = play(flows, scene)
    let time = try #require(result.completion(of: 0))
    // Launch 12 us, two links, and 1 MB at the goodput of 1448 in 1538 bytes.
    let expected = 12e-6 + 2e-6 + 8e6 / (1e9 * 1448 / 1538)
    if model == .flow || model == .alphaBeta {
      #expect((time.seconds - expected).magnitude < 1e-9)
      #expect(result.slowdown(of: 0) == 1)
    } else {
      #expect(time.seconds > 0.9 * (expected - 12e-6) && time.seconds < 1.5 * expected)
    }
  }

  @Test(arguments: [1, 2, 3, 8]) func flowsToOneHostShareItsLink(_ count: Int) throws {
    let scene = scene(StarTopology(hosts: count + 1, link: gigabit))
    var text = "bytes,destination,source,id\n"
    for source in 1...count { text += "125000,h0,h\(source),f\(source)\n" }
    let result = play(try read(text, "f.csv", scene), scene)
    for flow in 0..<count {
      let time = try #require(result.completion(of: flow))
      #expect((time.seconds - (1e-3 * Double(count) + 2e-6)).magnitude < 2e-12)
    }
  }

  @Test(arguments: [1, 2, 3, 50]) func aChainTakesTheSumOfItsParts(_ count: Int) throws {
    let scene = scene(StarTopology(hosts: 3, link: gigabit))
    // Written backwards: a flow may wait for a later line.
    var text = "id,source,destination,bytes,start_s,after\n"
    for flow in (0..<count).reversed() {
      text +=
        "f\(flow),\(flow % 3),\((flow + 1) % 3),125000,0.5,\(flow == 0 ? "" : "f\(flow - 1)")\n"
    }
    let result = play(try read(text, "f.csv", scene), scene)
    let step: Int64 = 500_000_000_000 + 1_002_000_000
    for line in 0..<count {
      #expect(result.outcome.ends[line] == Int64(count - line) * step)
    }
  }

  @Test func aFlowMayWaitForSeveral() throws {
    let scene = scene(StarTopology(hosts: 4, link: gigabit))
    let flows = try read(
      "id,source,destination,bytes,after\na,0,1,125000,\nb,2,3,250000,\nc,1,2,125000,a b\n",
      "f.csv", scene)
    let result = play(flows, scene)
    #expect(result.outcome.starts[2] == result.outcome.ends[1])
    #expect(result.outcome.ends[1] == 2_002_000_000)
  }

  @Test func nothingToSendTakesTheLatencyAndToOneselfNothing() throws {
    let scene = scene(StarTopology(hosts: 2, link: gigabit))
    let result = play(
      try read("id,source,destination,bytes\na,0,1,0\nb,1,1,500\n", "f.csv", scene), scene)
    #expect(result.completion(of: 0) == .microseconds(2) && result.slowdown(of: 0) == 1)
    #expect(result.completion(of: 1) == .zero && result.slowdown(of: 1) == 1)
  }

  // MARK: - What is read

  @Test func quotesLineEndsMarksAndBlanksAreTaken() throws {
    let scene = scene(StarTopology(hosts: 2, link: gigabit))
    let plain = try read("id,source,destination,bytes\na b,h0,h1,1000\n", "f.csv", scene)
    for text in [
      "\u{FEFF}id,source,destination,bytes\r\na b,h0,h1,1e3\r\n",
      "\"id\",source,\"destination\",bytes\n\n\"a b\",\"h0\", 1 ,1000.0",
      "id,source,destination,bytes,start_s,after\na b,0,1,1000,,\n",
    ] {
      let other = try read(text, "f.csv", scene)
      #expect(other.ids == plain.ids && other.sizes == plain.sizes)
      #expect(other.sources == plain.sources && other.destinations == plain.destinations)
    }
    let quoted = try read(
      "id,source,destination,bytes\n\"a \"\"x\"\",\ny\",0,1,1\nb,0,1,1\n", "f.csv", scene)
    #expect(quoted.ids == ["a \"x\",\ny", "b"] && quoted.lines == [2, 4])
  }

  @Test func triggersOfMatricesStartFlows() throws {
    let scene = scene(StarTopology(hosts: 4, link: gigabit))
    let flows = try read(
      """
      # 125 kB take 1 ms, and the way 2 us; starts are picoseconds
      Nodes 4
      Connections 6
      Triggers 3
      0->1 id 1 start 1000000 size 125000 send_done_trigger 1
      1->2 id 2 trigger 1 size 125000 recv_done_trigger 2
      2->3 id 3 trigger 1 size 250000 recv_done_trigger 2
      3->0 id 4 trigger 2 size 125000 recv_done_trigger 3
      0->1 id 5 trigger 3 size 125000 recv_done_trigger 3
      1->2 id 6 trigger 3 size 125000 prio 3
      trigger id 1 oneshot
      trigger id 2 barrier count 2
      trigger id 3 multishot
      """, "m.cm", scene)
    let result = play(flows, scene)
    let (step, first) = (Int64(1_002_000_000), Int64(1_000_000))
    let long = step + 1_000_000_000
    #expect(result.outcome.starts[0] == first)
    #expect(result.outcome.starts[1...2].allSatisfy { $0 == first + step })
    #expect(result.outcome.starts[3] == first + step + long)
    #expect(result.outcome.starts[4] == first + 2 * step + long)
    #expect(result.outcome.starts[5] == first + 3 * step + long)
  }

  @Test(arguments: [
    ("Nodes 9\n0->1 start 0 size 1\n", "m.cm:1:1: Nodes: found 9, expected at most 4"),
    (
      "Nodes 4\nConnections 2\n0->1 start 0 size 1\n",
      "m.cm:2:1: Connections: the header promises 2"
    ),
    ("0->4 start 0 size 1\n", "m.cm:1:1: connection: found node 4"),
    ("0->1 size 1\n", "neither a start nor a trigger"),
    (
      "0->1 strat 0 size 1\n",
      "m.cm:1:6: connection: unknown word \"strat\"; did you mean \"start\"?"
    ),
    ("0->1 start 0 size -1\n", "m.cm:1:19: size: found \"-1\""),
    ("0->1 id 1 trigger 1 size 1 recv_done_trigger 1\ntrigger id 1 oneshot\n", "1 after 1"),
    ("0->1 id 1 trigger 1 size 1\ntrigger id 1 oneshot\n", "flow \"1\" never starts"),
    ("0->1 id 1 trigger 7 size 1\n", "m.cm:1:19: trigger: trigger 7 is nowhere declared"),
    ("failure switch_type TOR switch_id 0 link_id 1\n", "failures of switches are not read"),
    ("", "no connections"),
  ]) func matricesAreChecked(_ text: String, _ message: String) throws {
    let scene = scene(StarTopology(hosts: 4, link: gigabit))
    let error = try #require(throws: InvalidInput.self) { try read(text, "m.cm", scene) }
    #expect(error.description.contains(message), "\(error)")
  }

  // MARK: - What holds everywhere

  @Test(arguments: 0..<5) func whatLeavesArrivesOverEveryLinkOfItsWay(_ index: Int) throws {
    for model in [NetworkModelKind.flow, .alphaBeta] {
      let scene = scene(Self.topologies[index], model)
      let flows = random(200, scene, seed: 7 + UInt64(index))
      let result = play(flows, scene)
      #expect(result.outcome.delivered == 200 && result.outcome.failure == nil)
      var expected = [Int64](repeating: 0, count: scene.topology.links.count)
      for flow in 0..<flows.count {
        let (from, to) = (flows.sources[flow], flows.destinations[flow])
        let key = Topology.routeKey(from: from, to: to)
        for link in try #require(scene.topology.route(from: from, to: to, key: key)) {
          expected[link.index] += flows.sizes[flow].bytes
        }
        let slowdown = try #require(result.slowdown(of: flow))
        if model == .alphaBeta { #expect(slowdown == 1) } else { #expect(slowdown >= 1) }
      }
      for load in result.linkLoads {
        // Fluid volumes are fractions until they are reported.
        #expect((load.usage.carried.bytes - expected[load.link.index]).magnitude <= 1)
        #expect(load.busyShare >= 0 && load.busyShare <= 1)
        if model == .flow { #expect(load.utilization <= load.busyShare * (1 + 1e-9)) }
      }
    }
  }

  @Test func aRunIsAFunctionOfItsInput() {
    let scene = scene(FatTreeTopology(k: 4, link: gigabit))
    let flows = random(300, scene, seed: 3)
    let (one, two) = (play(flows, scene), play(flows, scene))
    #expect(one.flowsAsCSV == two.flowsAsCSV)
    #expect(one.outcome.usage == two.outcome.usage)
  }

  @Test func pinnedRoutesLeaveOthersAsTheyAre() throws {
    let plain = TorusTopology(dimensions: [4, 4], link: gigabit).makeTopology()
    let (a, b) = (plain.accelerators[0], plain.accelerators[1])
    func link(_ from: Int, _ to: Int) throws -> LinkID {
      let (x, y) = (plain.accelerators[from], plain.accelerators[to])
      return try #require(plain.route(from: x, to: y, key: 0)?.first)
    }
    let around = [try link(0, 4), try link(4, 5), try link(5, 1)]
    let pinned = plain.pinning([(from: a, to: b, links: around)])
    #expect(pinned.route(from: a, to: b, key: 5) == around)
    for from in plain.accelerators {
      for to in plain.accelerators where from != a || to != b {
        #expect(
          pinned.route(from: from, to: to, key: 9) == plain.route(from: from, to: to, key: 9))
      }
    }
  }

  @Test func aHundredThousandFlowsAreReadAndPlayed() throws {
    let scene = scene(
      FatTreeTopology(
        k: 8, link: LinkSpecification(bandwidth: .gigabitsPerSecond(10), latency: .zero)))
    var text = "id,source,destination,bytes,start_s\n"
    var state: UInt64 = 1
    var total: Int64 = 0
    for flow in 0..<100_000 {
      state = RandomStream.mix(state &+ 0x9E37_79B9_7F4A_7C15)
      let source = Int(state % 128)
      let target = (source + 1 + Int(state >> 20 % 127)) % 128
      let size = 100_000 + Int64(state >> 40 % 100_000)
      total += size
      // 150 kB every 4 us load a host's 10 Gb/s to about a quarter.
      text += "\(flow),\(source),\(target),\(size),\(Double(flow) * 4e-6)\n"
    }
    let result = play(try read(text, "f.csv", scene), scene)
    #expect(result.outcome.delivered == 100_000)
    #expect(result.deliveredBytes == .bytes(total))
    #expect(result.completionTimes.p50 <= result.completionTimes.p99)
    #expect(result.slowdowns.p50 >= 1)
  }
}
