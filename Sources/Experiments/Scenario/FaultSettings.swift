import Networks
import SimKernel

/// A link that changes during the run, all links of a node or host, or a host that crashes.
public struct FaultSettings: Sendable {
  /// What changes.
  public enum Place: Sendable, Equatable {
    /// A directed link by its name.
    case link(String)
    /// All links into and out of a node by its name.
    case node(String)
    /// All links inside, into and out of a host by its number.
    case host(Int)
  }

  public var time: SimDuration
  public var place: Place
  public var bandwidth: Bandwidth?
  public var isUp: Bool?
  /// How long traffic on a link that fails stands still before it takes another way.
  public var rerouteTime: SimDuration
  /// How long the host is away that crashes; nil if none does.
  public var crash: SimDuration?

  init(_ fields: inout FieldReader) {
    time = fields.required("at", .duration, doc: "when it happens, from the start of the run")
    let link = fields.optional(
      "link", .text("the name of a link", example: "h0->switch"), doc: "which directed link")
    let node = fields.optional(
      "node", .text("the name of a node", example: "spine0"),
      doc: "instead of a link: all links into and out of this switch or accelerator")
    let host = fields.optional(
      "host", .integer(0...Int(Int32.max)),
      doc: "instead of a link: all links inside, into and out of this host, counted from 0")
    let places =
      [link.map(Place.link), node.map(Place.node), host.map(Place.host)].compactMap { $0 }
    place = places.first ?? .link("")
    if places.count != 1 {
      fields.report(
        nil,
        .conflict(
          places.isEmpty
            ? "a fault concerns nothing; give \"link\", \"node\" or \"host\""
            : "a fault concerns one thing; give one of \"link\", \"node\" and \"host\""))
    }
    bandwidth = fields.optional(
      "bandwidth", .bandwidth, doc: "the bandwidth of each of its links from then on")
    isUp = fields.optional(
      "up", .bool,
      doc: "whether they carry traffic from then on; the last fault of a link counts, whichever "
        + "place it named")
    rerouteTime = fields.optional(
      "reroute_time", .duration, default: .zero,
      doc: "with up false: traffic stands still for this long before it takes another way, as "
        + "routers need time to notice")
    crash = fields.optional(
      "crash", .duration,
      doc:
        "with host: it stops and is back after this long, empty; every job with a worker or server "
        + "on it then goes on from its last checkpoint (workload.recovery)")
    if crash != nil {
      if host == nil, places.count == 1 {
        fields.report("crash", .conflict("only hosts crash; give \"host\""))
      }
      for key in ["bandwidth", "up"] where fields.has(key) {
        fields.report(
          key, .conflict("a host that crashes has no links until it is back; remove \"\(key)\""))
      }
    } else if bandwidth == nil, isUp == nil {
      fields.report(
        nil, .conflict("a fault changes nothing; give \"bandwidth\", \"up\" or \"crash\""))
    }
    if rerouteTime > .zero, isUp != false {
      fields.report(
        "reroute_time", .conflict("nothing is rerouted unless a link fails; give \"up\": false"))
    }
  }

  /// A crash as two faults of the host's links, for runs without jobs.
  var outage: [FaultSettings] {
    guard let crash else { return [self] }
    var end = self
    end.crash = nil
    end.isUp = true
    end.time = time + crash
    var begin = end
    begin.isUp = false
    begin.time = time
    return [begin, end]
  }

  /// Reads the list `faults` of a scenario.
  static func list(_ fields: inout FieldReader) -> [FaultSettings] {
    fields.records(
      "faults", doc: "links, switches and hosts that degrade, fail or recover", FaultSettings.init)
  }
}

/// Hosts that crash by chance: the record `host_failures` of a scenario.
public struct HostFailureSettings: Sendable, Equatable {
  /// Mean time of a host until its next crash.
  public var mean: SimDuration
  /// How long it is away then.
  public var away: SimDuration

  init(_ fields: inout FieldReader) {
    mean = fields.required(
      "mtbf", .duration,
      doc: "mean time between failures of one host, exponentially distributed; with n hosts a job "
        + "stops n times as often")
    away = fields.required(
      "away", .duration, doc: "how long a host is away; see \"crash\" of \"faults\"")
    if mean <= .zero {
      fields.report("mtbf", .invalid(found: "no time", expected: "a time above zero"))
    }
  }
}
