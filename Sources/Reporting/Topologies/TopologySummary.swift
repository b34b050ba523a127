import Networks
import SimKernel

/// A network in words: what it is made of, how fast and how long its ways are.
public struct TopologySummary {
  private let shape: TopologyShape
  private var topology: Topology { shape.topology }

  /// Pairs of accelerators whose ways are counted; of more, a sample is.
  public static let pairLimit = 200_000

  /// What can be said of `topology`.
  public init(_ topology: Topology) { shape = TopologyShape(topology) }

  /// The summary as text.
  public var text: String {
    var text = topology.name + "\n\n"
    var lines: [(String, String)] = [("accelerators", String(topology.accelerators.count))]
    if let perHost = topology.acceleratorsPerHost {
      lines.append(
        ("hosts", "\(topology.hostCount)" + (perHost > 1 ? ", \(perHost) accelerators each" : "")))
    } else {
      lines.append(("hosts", String(topology.hostCount)))
    }
    let switches = (1..<max(1, shape.tierNames.count)).map { tier in
      TopologyShape.counted(shape.nodes(ofTier: tier).count, shape.tierNames[tier])
    }
    lines.append(("switches", switches.isEmpty ? "none" : switches.joined(separator: ", ")))
    lines.append(
      (
        "links",
        "\(topology.links.count) directed, \(shape.cables.reduce(0) { $0 + $1.count }) cables"
      ))
    lines.append(("bisection", bisection))
    let width = lines.map(\.0.count).max() ?? 0
    for (name, value) in lines {
      text += name + String(repeating: " ", count: width - name.count + 2) + value + "\n"
    }
    text += "\n" + links.text() + "\n" + hops
    return text
  }

  private var bisection: String {
    let ends = topology.accelerators.count
    guard ends >= 2 else { return "a single accelerator" }
    guard let flow = BisectionBandwidth.estimate(topology) else {
      return "not computed for more than \(BisectionBandwidth.linkLimit) links"
    }
    return
      "\(flow) from the first \(ends / 2) accelerators to the other \(ends - ends / 2), over all "
      + "ways there are"
  }

  /// Links of a kind: between which tiers, how fast, how long.
  private var links: TextTable {
    struct Kind: Hashable {
      var low: Int
      var high: Int
      var isInner: Bool
      var bandwidth: Bandwidth
      var latency: SimDuration
    }
    var order: [Kind] = []
    // Looked up only; `order` is walked.
    var counts: [Kind: Int] = [:]
    for link in topology.links {
      let tiers = [shape.tiers[link.from.index], shape.tiers[link.to.index]].sorted()
      let kind = Kind(
        low: tiers[0], high: tiers[1], isInner: link.isInner, bandwidth: link.bandwidth,
        latency: link.latency)
      if counts.updateValue((counts[kind] ?? 0) + 1, forKey: kind) == nil { order.append(kind) }
    }
    order.sort { ($0.low, $0.high) < ($1.low, $1.high) }
    var table = TextTable([
      ("links between", .left), ("inside a host", .left), ("number", .right),
      ("bandwidth", .right), ("latency", .right),
    ])
    for kind in order.prefix(40) {
      table.add([
        "\(shape.tierNames[kind.low]) - \(shape.tierNames[kind.high])",
        kind.isInner ? "yes" : "no", String(counts[kind] ?? 0), "\(kind.bandwidth)",
        Numbers.seconds(kind.latency.seconds),
      ])
    }
    if order.count > 40 { table.add(["... and \(order.count - 40) more kinds", "", "", "", ""]) }
    return table
  }

  /// How many links ways between accelerators have.
  private var hops: String {
    let ends = topology.accelerators
    guard ends.count >= 2 else { return "" }
    let all = ends.count * (ends.count - 1)
    let isSampled = all > Self.pairLimit
    var counts: [Int] = []
    var seen = 0
    var longest = 0.0
    func look(_ a: NodeID, _ b: NodeID) {
      let way = topology.route(from: a, to: b, key: Topology.routeKey(from: a, to: b)) ?? []
      while counts.count <= way.count { counts.append(0) }
      counts[way.count] += 1
      seen += 1
      longest = max(
        longest, way.reduce(0) { $0 + topology.links[$1.index].latency.seconds })
    }
    if isSampled {
      var random = RandomStream(
        seed: 0, replicate: 0, purpose: RandomPurpose("hop counts"), entity: ends.count)
      for _ in 0..<Self.pairLimit / 4 {
        let a = Int(random.next() % UInt64(ends.count))
        let b = Int(random.next() % UInt64(ends.count - 1))
        look(ends[a], ends[b < a ? b : b + 1])
      }
    } else {
      for a in ends { for b in ends where a != b { look(a, b) } }
    }
    var table = TextTable([("links on the way", .right), ("pairs", .right), ("share", .right)])
    for (length, count) in counts.enumerated() where count > 0 {
      table.add([String(length), String(count), Numbers.percent(Double(count) / Double(seen))])
    }
    let sum = counts.enumerated().reduce(0) { $0 + $1.offset * $1.element }
    return table.text() + "mean \(Numbers.significant(Double(sum) / Double(seen), 3)) links, "
      + "longest latency \(Numbers.seconds(longest))"
      + (isSampled ? "; \(seen) of \(all) pairs, drawn at random" : "") + "\n"
  }
}
