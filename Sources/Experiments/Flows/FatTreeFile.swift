import Networks
import SimKernel

/// Reads htsim's `.topo` files: leaf-spine (two tiers) and fat trees (three), as htsim builds them
/// (csg-htsim, `sim/datacenter/fat_tree_topology.cpp`).
///
/// A tier says how its switches reach down: speed in Gb/s, latency in ns, ports (`Radix_Down`,
/// `Radix_Up`), and how many parallel cables make a bundle (`Bundle`). A switch's own latency counts
/// on the link that enters it. `Oversubscribed` follows from the ports and only has to agree with
/// what htsim computed; it is read and not used, as are queue sizes.
enum FatTreeFile {
  private struct Tier {
    var down = 0
    var up = 0
    var speed = 0.0
    var latency = 0.0
    var switchLatency = 0.0
    var bundle = 1
    var line = 1
  }

  /// The topology in the file at `path`.
  static func read(_ path: String) throws -> Topology {
    let file = try ScenarioFile.text(path)
    var issues = TableIssues()
    var sizes: [String: Int] = [:]
    var tiers: [Tier] = []
    var number = 0
    for bytes in file.split(separator: 0x0A, omittingEmptySubsequences: false) {
      number += 1
      let words = String(decoding: bytes, as: UTF8.self)
        .split(whereSeparator: \.isWhitespace).map(String.init)
      guard let key = words.first?.lowercased(), !key.hasPrefix("#") else { continue }
      let place = TextPosition(origin: path, line: number, column: 1)
      guard words.count >= 2, let value = Double(words[1]), value >= 0, value < 1e9 else {
        issues.report(
          words[0], at: place,
          .invalid(found: "no number", expected: "expected a key and a number"))
        continue
      }
      let last = tiers.count - 1
      switch key {
      case "nodes", "tiers", "podsize": sizes[key] = Int(value)
      case "tier":
        if Int(value) != tiers.count {
          issues.report(
            "Tier", at: place,
            .invalid(found: "tier \(words[1])", expected: "tiers come in order, from 0"))
        }
        tiers.append(Tier(line: number))
      case _ where last < 0:
        issues.report(
          words[0], at: place,
          .invalid(
            found: "a line outside of a tier", expected: "expected Nodes, Tiers, Podsize or Tier"))
      case "downlink_speed_gbps": tiers[last].speed = value
      case "downlink_latency_ns": tiers[last].latency = value
      case "switch_latency_ns": tiers[last].switchLatency = value
      case "radix_down": tiers[last].down = Int(value)
      case "radix_up": tiers[last].up = Int(value)
      case "bundle": tiers[last].bundle = max(1, Int(value))
      case "oversubscribed", "queue_down", "queue_up": break
      default:
        issues.report(
          words[0], at: place,
          .unknownName(
            noun: "key", found: words[0], suggestion: nil,
            known: [
              "Nodes", "Tiers", "Podsize", "Tier", "Downlink_speed_Gbps", "Downlink_Latency_ns",
              "Switch_Latency_ns", "Radix_Down", "Radix_Up", "Bundle", "Oversubscribed",
            ]))
      }
    }
    try issues.throwIfInvalid()
    return try build(path, sizes, tiers)
  }

  private static func build(
    _ path: String, _ sizes: [String: Int], _ tiers: [Tier]
  ) throws(InvalidInput) -> Topology {
    func refuse(_ found: String, _ expected: String, line: Int = 1) -> InvalidInput {
      InvalidInput([
        Issue(
          path: FieldPath(["topology"]),
          position: TextPosition(origin: path, line: line, column: 1),
          problem: .invalid(found: found, expected: expected))
      ])
    }
    guard tiers.count == 2 || tiers.count == 3, sizes["tiers"] ?? tiers.count == tiers.count else {
      throw refuse("\(tiers.count) tiers", "expected 2 or 3, as Tiers says")
    }
    guard let hosts = sizes["nodes"], (1...1 << 20).contains(hosts) else {
      throw refuse("no Nodes", "expected how many hosts there are")
    }
    for (index, tier) in tiers.enumerated() {
      guard tier.speed > 0, tier.down > 0, index == tiers.count - 1 || tier.up > 0 else {
        throw refuse(
          "tier \(index) lacks its speed or its ports",
          "expected Downlink_speed_Gbps, Radix_Down and, below the top, Radix_Up", line: tier.line)
      }
    }
    let isTall = tiers.count == 3
    let podSize = isTall ? sizes["podsize"] ?? hosts : hosts
    let perLeaf = tiers[0].down
    guard podSize > 0, hosts % podSize == 0, podSize % perLeaf == 0 else {
      throw refuse(
        "\(hosts) hosts in pods of \(podSize) with \(perLeaf) at each switch",
        "each has to divide the one before")
    }
    guard tiers[0].up % tiers[1].bundle == 0,
      !isTall || tiers[1].up % tiers[2].bundle == 0
    else {
      throw refuse("ports that do not fill bundles", "Radix_Up has to be a multiple of Bundle")
    }
    let (pods, leaves) = (hosts / podSize, podSize / perLeaf)
    let middles = tiers[0].up / tiers[1].bundle
    guard tiers[1].down == leaves * tiers[1].bundle else {
      throw refuse(
        "Radix_Down \(tiers[1].down)",
        "each switch of tier 1 reaches \(leaves) of tier 0 over \(tiers[1].bundle) cables",
        line: tiers[1].line)
    }
    if isTall, tiers[2].down != pods * tiers[2].bundle {
      throw refuse(
        "Radix_Down \(tiers[2].down)",
        "each switch of tier 2 reaches \(pods) pods over \(tiers[2].bundle) cables",
        line: tiers[2].line)
    }

    var builder = TopologyBuilder(name: "htsim(\(hosts))")
    let hostNodes = (0..<hosts).map { builder.addHost("h\($0)") }
    let leafNodes = (0..<pods * leaves).map { builder.addSwitch("tor\($0)") }
    let middleNodes = (0..<pods * middles).map {
      builder.addSwitch(isTall ? "agg\($0)" : "spine\($0)")
    }
    let perMiddle = isTall ? tiers[1].up / tiers[2].bundle : 0
    let coreNodes = (0..<middles * perMiddle).map { builder.addSwitch("core\($0)") }
    func join(_ low: NodeID, _ high: NodeID, tier: Int) {
      let cable = tiers[tier]
      let speed = Bandwidth.gigabitsPerSecond(cable.speed)
      func link(_ switchLatency: Double) -> LinkSpecification {
        LinkSpecification(
          bandwidth: speed, latency: .nanoseconds(cable.latency + switchLatency))
      }
      // Tier 0 reaches hosts, whose cables are never bundled.
      for copy in 0..<(tier == 0 ? 1 : cable.bundle) {
        let suffix = copy == 0 ? "" : "#\(copy)"
        let (a, b) = (builder.nodeNames[low.index], builder.nodeNames[high.index])
        builder.link(from: low, to: high, link(cable.switchLatency), name: "\(a)->\(b)\(suffix)")
        builder.link(
          from: high, to: low, link(tier == 0 ? 0 : tiers[tier - 1].switchLatency),
          name: "\(b)->\(a)\(suffix)")
      }
    }
    for host in 0..<hosts { join(hostNodes[host], leafNodes[host / perLeaf], tier: 0) }
    for leaf in 0..<pods * leaves {
      for middle in 0..<middles {
        join(leafNodes[leaf], middleNodes[leaf / leaves * middles + middle], tier: 1)
      }
    }
    for middle in 0..<(isTall ? pods * middles : 0) {
      for core in 0..<perMiddle {
        join(middleNodes[middle], coreNodes[middle % middles * perMiddle + core], tier: 2)
      }
    }
    return builder.build()
  }
}
