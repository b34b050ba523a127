import Experiments
import Networks
import SimKernel
import Testing

/// Faults of links, nodes and hosts, and how long routing takes to see them.
@Suite struct FaultScheduleTests {
  /// Two leaves with one host each, two spines, a byte a nanosecond.
  private func scene(_ faults: String, model: String = "flow") throws -> FlowScene {
    let scratch = try Scratch()
    try scratch.write(
      "scene.json",
      """
      {"cluster": {"topology": {"kind": "leaf_spine", "leaves": 2, "spines": 2,
        "hosts_per_leaf": 1, "host_link": {"bandwidth": "8 Gbps"},
        "fabric_link": {"bandwidth": "8 Gbps"}}, "device": "v100"},
       "network": {"model": "\(model)", "transport": "ideal"}, "faults": [\(faults)]}
      """)
    return try FlowScene.read(scratch.path("scene.json"))
  }

  private func messages(_ faults: String, model: String = "flow") throws -> [String] {
    do {
      _ = try scene(faults, model: model)
      return []
    } catch let invalid as InvalidInput {
      return invalid.issues.map { "\($0.path): \($0.message)" }
    }
  }

  /// When a megabyte from the first host to the second arrives, and how often it was rerouted.
  private func play(_ faults: String) throws -> (end: Int64, reroutes: Int) {
    let scene = try scene(faults)
    var flows = FlowTable()
    let hosts = scene.topology.accelerators
    _ = flows.add(id: "f", from: hosts[0], to: hosts[1], size: .bytes(1_000_000), start: .zero)
    flows.seal()
    let outcome = FlowSimulation(flows, scene: scene).run()
    #expect(outcome.failure == nil && outcome.delivered == 1)
    return (outcome.ends[0] / 1_000_000, outcome.reroutes)
  }

  /// The spine that the first host's way to the second takes, and the other one.
  private func spines() throws -> (used: String, other: String) {
    let topology = try scene("").topology
    let (a, b) = (topology.accelerators[0], topology.accelerators[1])
    let route = topology.route(from: a, to: b, key: Topology.routeKey(from: a, to: b))!
    let used = topology.nodeNames[topology.links[route[1].index].to.index]
    return (used, used == "spine0" ? "spine1" : "spine0")
  }

  @Test func aSwitchFailsWithAllItsLinks() throws {
    let faults = try scene(#"{"at": "1 ms", "node": "spine1", "up": false}"#).faults
    let scene = try scene("")
    #expect(
      Set(faults.map { scene.topology.links[$0.link.index].name }) == [
        "leaf0->spine1", "spine1->leaf0", "leaf1->spine1", "spine1->leaf1",
      ])
    #expect(faults.count == 4 && faults.allSatisfy { $0.isUp == false && $0.bandwidth == nil })
    let host = try self.scene(#"{"at": "1 ms", "host": 1, "bandwidth": "1 Gbps"}"#).faults
    #expect(
      Set(host.map { scene.topology.links[$0.link.index].name }) == ["h1->leaf1", "leaf1->h1"])
  }

  @Test func trafficTakesTheOtherSpineAtOnceOrWhenTheRerouteTimeIsOver() throws {
    let (used, other) = try spines()
    let down = #"{"at": "250 us", "node": "\#(used)", "up": false}"#
    #expect(try play(down) == (1000, 1))
    let late = #"{"at": "250 us", "node": "\#(used)", "up": false, "reroute_time": "500 us"}"#
    #expect(try play(late) == (1500, 1))
    // The failure of what it does not use changes nothing.
    #expect(
      try play(#"{"at": "250 us", "node": "\#(other)", "up": false, "reroute_time": "500 us"}"#)
        == (1000, 0))
    // Nobody noticed: it was back before.
    let back = #"{"at": "500 us", "node": "\#(used)", "up": true}"#
    #expect(try play("\(late), \(back)") == (1250, 0))
    // A new bandwidth in between counts from the recovery on.
    let slow = #"{"at": "300 us", "node": "\#(used)", "bandwidth": "4 Gbps"}"#
    #expect(try play("\(back), \(late), \(slow)") == (500 + 1500, 0))
    // A second failure does not begin the wait anew.
    #expect(
      try play(
        #"\#(late), {"at": "600 us", "node": "\#(used)", "up": false, "reroute_time": "1 s"}"#)
        == (1500, 1))
    // What starts while nobody has noticed stands still too.
    let early = #"{"at": "0 us", "node": "\#(used)", "up": false, "reroute_time": "500 us"}"#
    #expect(try play(early) == (1500, 1))
  }

  @Test func aHostThatComesBackGoesOn() throws {
    #expect(
      try play(
        #"{"at": "100 us", "host": 1, "up": false}, {"at": "1100 us", "host": 1, "up": true}"#)
        == (2000, 0))
  }

  @Test func aReroutedLinkKeepsItsBandwidthForItsReturn() throws {
    let (used, other) = try spines()
    // Down, noticed, back; then the other spine fails and traffic returns at full rate.
    let faults = """
      {"at": "100 us", "node": "\(used)", "up": false, "reroute_time": "100 us"},
      {"at": "300 us", "node": "\(used)", "up": true},
      {"at": "400 us", "node": "\(other)", "up": false}
      """
    #expect(try play(faults) == (1100, 2))
  }

  @Test(arguments: [
    (#"{"at": "1 s", "up": false}"#, "faults[0]: a fault concerns nothing"),
    (
      #"{"at": "1 s", "node": "spine0", "host": 1, "up": false}"#, "faults[0]: a fault concerns one"
    ),
    (#"{"at": "1 s", "node": "spine"}"#, "faults[0]: a fault changes nothing"),
    (#"{"at": "1 s", "node": "spin0", "up": false}"#, "faults[0].node: "),
    (#"{"at": "1 s", "link": "h0->leaf1", "up": false}"#, "faults[0].link: "),
    (#"{"at": "1 s", "host": 2, "up": false}"#, "faults[0].host: "),
    (#"{"at": "1 s", "host": 1, "up": true, "reroute_time": "1 s"}"#, "faults[0].reroute_time: "),
  ])
  func whatNamesNothingIsAnIssue(fault: String, message: String) throws {
    let found = try messages(fault)
    #expect(found.count == 1 && found[0].hasPrefix(message), "\(found)")
  }

  @Test func packetsAreLostUntilRoutingSeesTheFailure() throws {
    let (used, _) = try spines()
    func play(_ reroute: String) throws -> FlowSimulation.Outcome {
      let scene = try scene(
        #"{"at": "250 us", "node": "\#(used)", "up": false, "reroute_time": "\#(reroute)"}"#,
        model: "packet")
      var flows = FlowTable()
      let hosts = scene.topology.accelerators
      _ = flows.add(id: "f", from: hosts[0], to: hosts[1], size: .bytes(1_000_000), start: .zero)
      flows.seal()
      return FlowSimulation(flows, scene: scene).run()
    }
    let (soon, late) = (try play("0 s"), try play("100 ms"))
    for outcome in [soon, late] {
      #expect(outcome.failure == nil && outcome.delivered == 1 && outcome.reroutes == 1)
      #expect(outcome.losses[0].retransmissions > 0 && outcome.losses[0].lost > .zero)
    }
    #expect(soon.ends[0] < 100_250_000_000)
    #expect(late.ends[0] > 100_250_000_000)
  }
}
