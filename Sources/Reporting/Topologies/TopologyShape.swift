import Networks
import SimKernel

/// A network as people look at it: nodes by tier, and cables instead of directed links.
public struct TopologyShape: Sendable {
  /// All links between two nodes, both ways.
  public struct Cable: Sendable {
    /// The node with the smaller number, and the other.
    public var a: Int
    public var b: Int
    /// Links from `a` to `b`, and back.
    public var forward: [Int]
    public var back: [Int]
    public var isInner: Bool
    /// How many lie side by side.
    public var count: Int { max(forward.count, back.count) }
  }

  public let topology: Topology
  /// By node: 0 for accelerators, and for switches the links to the nearest one.
  public let tiers: [Int]
  /// In the order of their first link.
  public let cables: [Cable]
  /// What nodes of a tier are called, such as `leaf`; nodes of several names are switches.
  public let tierNames: [String]

  /// The shape of `topology`.
  ///
  /// - Complexity: O(nodes + links).
  public init(_ topology: Topology) {
    self.topology = topology
    let count = topology.nodeCount
    var neighbours = [[Int]](repeating: [], count: count)
    var cables: [Cable] = []
    // Looked up only.
    var known: [UInt64: Int] = [:]
    for (index, link) in topology.links.enumerated() {
      let (from, to) = (link.from.index, link.to.index)
      let (a, b) = (min(from, to), max(from, to))
      let key = UInt64(a) << 32 | UInt64(b)
      let place = known[key] ?? cables.count
      if place == cables.count {
        known[key] = place
        cables.append(Cable(a: a, b: b, forward: [], back: [], isInner: link.isInner))
        neighbours[a].append(b)
        neighbours[b].append(a)
      }
      if from == a { cables[place].forward.append(index) } else { cables[place].back.append(index) }
    }
    self.cables = cables
    var tiers = [Int](repeating: -1, count: count)
    var front = topology.accelerators.map(\.index)
    for node in front { tiers[node] = 0 }
    var tier = 0
    while !front.isEmpty {
      tier += 1
      var next: [Int] = []
      for node in front {
        for other in neighbours[node] where tiers[other] < 0 {
          tiers[other] = tier
          next.append(other)
        }
      }
      front = next
    }
    // A switch that nothing reaches stands beside the accelerators' own.
    self.tiers = tiers.map { $0 < 0 ? 1 : $0 }
    let highest = self.tiers.max() ?? 0
    var names: [[String]] = Array(repeating: [], count: highest + 1)
    for node in 0..<count {
      let name = Self.kind(topology.nodeNames[node])
      let tier = self.tiers[node]
      if names[tier].count < 3, !names[tier].contains(name) { names[tier].append(name) }
    }
    let hasHosts = topology.hostCount < topology.accelerators.count
    tierNames = names.enumerated().map { tier, names in
      if tier == 0 { return hasHosts ? "accelerator" : "host" }
      let spoken = names.compactMap { Self.words[$0] }
      return spoken.count == names.count && !names.isEmpty
        ? spoken.joined(separator: " / ") : "switch"
    }
  }

  /// The letters of the last part of a name that has some: `rail` of `pod0.rail1`, `edge` of `edge0.1`.
  private static func kind(_ name: String) -> String {
    for part in name.split(separator: ".").reversed() {
      let letters = part.prefix { $0.isLetter }
      if !letters.isEmpty { return String(letters) }
    }
    return ""
  }

  private static let words = [
    "leaf": "leaf switch", "spine": "spine switch", "edge": "edge switch",
    "agg": "aggregation switch", "core": "core switch", "rail": "rail switch", "switch": "switch",
    "r": "router", "n": "interface", "h": "inner switch",
  ]

  /// The nodes of `tier`, in the order of their numbers.
  public func nodes(ofTier tier: Int) -> [Int] { tiers.indices.filter { tiers[$0] == tier } }

  /// `number` things called `name`.
  static func counted(_ number: Int, _ name: String) -> String {
    if number == 1 { return "1 \(name)" }
    let parts = name.split(separator: "/").map { part in
      let word = String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
      return word + (word.hasSuffix("switch") ? "es" : "s")
    }
    return "\(number) " + parts.joined(separator: " / ")
  }
}
