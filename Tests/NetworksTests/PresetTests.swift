import Networks
import SimKernel
import Testing

@Suite struct PresetTests {
  @Test func namesAreUniqueAndSourcesSayWhatIsAssumed() {
    let names = TopologyPresets.all.map(\.name)
    #expect(Set(names).count == names.count)
    for preset in TopologyPresets.all {
      #expect(preset.source.lowercased().contains("assumed") && !preset.summary.isEmpty)
      #expect(preset.hosts.contains(preset.typicalHosts))
    }
  }

  @Test(arguments: TopologyPresets.all.map(\.name))
  func everyPresetIsWhatItsJSONSays(name: String) throws {
    let preset = try #require(TopologyPresets.named(name))
    for hosts in [preset.hosts.lowerBound, preset.typicalHosts, 40, 300] {
      let json = preset.specification(hosts: hosts).compactText
      let (plain, issues) = try read(json)
      #expect(issues.isEmpty, "\(json): \(issues.map(\.description))")
      let (named, more) = try read(
        #"{"kind":"preset","preset":"\#(name)","hosts":\#(hosts)}"#)
      #expect(more.isEmpty)
      let (a, b) = (plain.makeTopology(), named.makeTopology())
      #expect(a.links == b.links && a.accelerators == b.accelerators && a.hostCount == hosts)
      #expect(a.checkReachability() == nil)
      let last = a.accelerators.count - 1
      if last > 0 { #expect(way(a, 0, last).count >= 2) }
    }
    // The largest is within the limits of its kind.
    #expect(try read(preset.specification(hosts: preset.hosts.upperBound).compactText).1.isEmpty)
  }

  /// Published totals of a host: interfaces and, a direction, NVLink of an accelerator.
  @Test(arguments: [
    ("8xa100_pod", 1600, 2400), ("8xh100_pod", 3200, 3600), ("p3.16xlarge", 25, 1200),
    ("p3dn.24xlarge", 100, 1200), ("p4d.24xlarge", 400, 2400), ("p5.48xlarge", 3200, 3600),
  ])
  func hostsHaveTheirPublishedBandwidth(name: String, network: Int64, nvlink: Int64) throws {
    let preset = try #require(TopologyPresets.named(name))
    let topology = PresetTopology(preset, hosts: 2).makeTopology()
    #expect(topology.acceleratorsPerHost == 8)
    func total(_ links: [Link]) -> Int64 {
      links.reduce(0) { $0 + $1.bandwidth.bitsPerSecond } / 1_000_000_000
    }
    #expect(
      total(topology.links.filter { !$0.isInner && $0.name.hasPrefix("h0.") }) == network)
    #expect(
      total(
        topology.links.filter {
          $0.isInner && $0.from == topology.accelerators[0]
            && !topology.nodeNames[$0.to.index].hasPrefix("h0.n")
        }) == nvlink)
  }

  @Test(arguments: [
    (#""preset":"8xh10_pod""#, "did you mean \"8xh100_pod\""),
    (#""preset":"federated_edge","hosts":1"#, "2...65536"),
    (#""preset":"10gbe","hosts":0"#, "1...65536"),
    (#""hosts":2"#, "preset"),
  ])
  func badPresetsAreIssues(keys: String, word: String) throws {
    let (specification, issues) = try read(#"{"kind":"preset",\#(keys)}"#)
    #expect(
      issues.count == 1 && issues[0].description.contains(word), "\(issues.map(\.description))")
    _ = specification.makeTopology()
  }
}
