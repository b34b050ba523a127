import SimKernel

/// What turns wire speed into what training sees: headers, stacks and connections.
///
/// Links inside a host carry neither goodput loss nor caps; a transfer between two accelerators of
/// one host pays ``innerLaunch`` instead of ``launch``. A transfer of S bytes that meets nobody takes
/// launch + Σ link latency + perHop · links + ⌈8 S / min rate⌉.
public struct Transport: Sendable, Equatable {
  /// The preset it started from.
  public var name: String
  /// Share of a link's line rate that payload can use.
  public var goodput: Double
  /// The most that one connection carries, in payload; nil is unlimited.
  public var flowCap: Bandwidth?
  /// The most that a host sends, and receives, in payload over all its interfaces; nil is unlimited.
  public var hostCap: Bandwidth?
  /// Fixed cost of every message between hosts, added to its latency.
  public var launch: SimDuration
  /// Fixed cost of every message inside a host.
  public var innerLaunch: SimDuration
  /// Added to a message's latency for every link on its way.
  public var perHop: SimDuration
  /// How fast an accelerator sums two payloads; nil leaves it to the device.
  public var reductionRate: Bandwidth?
  /// Connections a transfer is spread over: ``flowCap`` counts so often.
  public var connections: Int
  /// Where each number of the preset comes from, by scenario key.
  public var provenance: [Provenance]

  /// The source of one number.
  public struct Provenance: Sendable, Equatable {
    /// The scenario key of the number.
    public var key: String
    /// Derived from, measured by, or assumed, in one or two sentences.
    public var text: String
    public init(_ key: String, _ text: String) {
      self.key = key
      self.text = text
    }
  }

  public init(
    name: String, goodput: Double = 1, flowCap: Bandwidth? = nil, hostCap: Bandwidth? = nil,
    launch: SimDuration = .zero, innerLaunch: SimDuration = .zero, perHop: SimDuration = .zero,
    reductionRate: Bandwidth? = nil, connections: Int = 1, provenance: [Provenance] = []
  ) {
    precondition(goodput > 0 && goodput <= 1, "goodput is a fraction of the line rate")
    precondition(connections >= 1, "a transfer uses at least one connection")
    self.name = name
    self.goodput = goodput
    self.flowCap = flowCap
    self.hostCap = hostCap
    self.launch = launch
    self.innerLaunch = innerLaunch
    self.perHop = perHop
    self.reductionRate = reductionRate
    self.connections = connections
    self.provenance = provenance
  }

  /// `preset` with the fields a scenario overrides; an overridden number is marked as given.
  public init(_ fields: inout FieldReader, preset: Transport) {
    self = preset
    goodput = fields.optional(
      "goodput", .fraction, default: preset.goodput,
      doc: "share of a link's line rate that payload can use")
    flowCap = fields.optional(
      "flow_cap", .bandwidthOrNone, default: preset.flowCap,
      doc: "the most that one connection carries, or \"none\"")
    hostCap = fields.optional(
      "host_cap", .bandwidthOrNone, default: preset.hostCap,
      doc: "the most that a host sends, and receives, over all its interfaces, or \"none\"")
    launch = fields.optional(
      "launch", .duration, default: preset.launch,
      doc: "fixed cost of every message between hosts")
    innerLaunch = fields.optional(
      "inner_launch", .duration, default: preset.innerLaunch,
      doc: "fixed cost of every message inside a host")
    perHop = fields.optional(
      "per_hop", .duration, default: preset.perHop,
      doc: "added to a message's latency for every link on its way")
    reductionRate = fields.optional(
      "reduction_rate", .bandwidthOrNone, default: preset.reductionRate,
      doc: "how fast an accelerator sums two payloads, or \"none\" to leave it to the device")
    connections = fields.optional(
      "connections", .integer(1...1024), default: preset.connections,
      doc: "connections a transfer is spread over; flow_cap counts so often")
    for index in provenance.indices where fields.has(provenance[index].key) {
      provenance[index].text = "given in the scenario"
    }
  }

  /// The most that one transfer between hosts carries; nil is unlimited.
  public var transferCap: Bandwidth? {
    flowCap.map { cap in
      let (product, overflow) = cap.bitsPerSecond.multipliedReportingOverflow(
        by: Int64(connections))
      return Bandwidth(bitsPerSecond: overflow ? .max : product)
    }
  }

  /// The rate at which payload crosses `link`.
  public func payloadRate(of link: Link, at bandwidth: Bandwidth) -> Bandwidth {
    link.isInner || goodput == 1 ? bandwidth : bandwidth.scaled(by: goodput)
  }
}

extension FieldKind where Value == Bandwidth? {
  /// A rate, or `"none"` for no limit.
  static var bandwidthOrNone: FieldKind<Bandwidth?> {
    let rate = FieldKind<Bandwidth>.bandwidth
    return FieldKind(
      expectation: "\(rate.expectation), or \"none\"", example: rate.example,
      schema: #"{"anyOf":[{"const":"none"},\#(rate.schema)]}"#,
      placeholder: { nil },
      read: { node in
        node.string == "none" ? .success(nil) : rate.read(node).map { $0 }
      },
      show: { $0.map(rate.show) ?? #""none""# })
  }
}
