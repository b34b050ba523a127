import SimKernel

/// A leaf-spine or fat tree as htsim's `.topo` files describe it, tier by tier, with units.
///
/// What network it makes is decided where topologies are built; this is what the file says.
public struct HTSimTopology: Sendable, Equatable {
  public struct Tier: Sendable, Equatable {
    /// Of a link down.
    public var bandwidth: Bandwidth?
    public var linkLatency: SimDuration?
    public var switchLatency: SimDuration?
    public var portsDown: Int?
    /// None on the top tier.
    public var portsUp: Int?
    /// Parallel cables that make a link.
    public var bundle: Int
    public var oversubscription: Int?
    public var line: Int
  }
  public var nodes: Int
  public var podSize: Int?
  public var tiers: [Tier]

  public init(path: String) throws(InterchangeError) { self = try Self.read(TextLines(path: path)) }
  public init(bytes: [UInt8], path: String) throws(InterchangeError) {
    self = try Self.read(TextLines(bytes: bytes, path: path))
  }
  private init(nodes: Int, podSize: Int?, tiers: [Tier]) {
    self.nodes = nodes
    self.podSize = podSize
    self.tiers = tiers
  }

  private static func read(_ text: TextLines) throws(InterchangeError) -> HTSimTopology {
    var lines = text
    var nodes: Int?
    var announced: Int?
    var podSize: Int?
    var tiers: [Tier] = []
    while let words = lines.nextWords() {
      guard words.count == 2 else {
        throw lines.failure("\(words.count) words", "expected a key and a number")
      }
      func whole(_ range: ClosedRange<Int64>) throws(InterchangeError) -> Int {
        Int(try lines.integer(words[1], range, String(words[0])))
      }
      let last = tiers.count - 1
      switch words[0].lowercased() {
      case "nodes": nodes = try whole(1...1 << 30)
      case "tiers": announced = try whole(2...3)
      case "podsize": podSize = try whole(1...1 << 30)
      case "tier":
        guard try whole(0...2) == tiers.count else {
          throw lines.failure("tier \(words[1])", "tiers in order, from 0")
        }
        tiers.append(Tier(bundle: 1, line: lines.number))
      case let key where last < 0:
        throw lines.failure("\(key) outside of a tier", "expected Nodes, Tiers, Podsize or Tier")
      case "downlink_speed_gbps":
        let rate = try lines.decimal(words[1], timesTenTo: 9, "the speed")
        guard rate > 0 else { throw lines.failure("a speed of 0", "Gb/s above 0") }
        tiers[last].bandwidth = .bitsPerSecond(rate)
      case "downlink_latency_ns":
        tiers[last].linkLatency = try lines.duration(words[1], timesTenTo: 3, "the latency")
      case "switch_latency_ns":
        tiers[last].switchLatency = try lines.duration(words[1], timesTenTo: 3, "the latency")
      case "radix_down": tiers[last].portsDown = try whole(1...1 << 20)
      case "radix_up": tiers[last].portsUp = try whole(1...1 << 20)
      case "bundle": tiers[last].bundle = try whole(1...1 << 20)
      case "oversubscribed": tiers[last].oversubscription = try whole(1...1 << 20)
      case "queue_up", "queue_down": _ = try whole(0...1 << 40)
      default:
        throw lines.failure(
          "the key \(words[0].prefix(40))",
          "expected Downlink_speed_Gbps, Downlink_Latency_ns, Switch_Latency_ns, Radix_Down, "
            + "Radix_Up, Bundle, Oversubscribed, Queue_Up or Queue_Down")
      }
    }
    guard let nodes, let announced, announced == tiers.count else {
      throw lines.failure(
        nodes == nil ? "no Nodes" : "\(tiers.count) tiers described",
        "Nodes, Tiers and as many Tier blocks")
    }
    for tier in tiers where tier.bandwidth == nil || tier.linkLatency == nil {
      throw InterchangeError(
        path: "\(lines.path):\(tier.line)", found: "a tier without speed or latency",
        expected: "Downlink_speed_Gbps and Downlink_Latency_ns")
    }
    return HTSimTopology(nodes: nodes, podSize: podSize, tiers: tiers)
  }
}
