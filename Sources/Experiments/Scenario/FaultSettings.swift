import Networks
import SimKernel

/// A link that changes during the run, or all links of a node or host.
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
    if bandwidth == nil, isUp == nil {
      fields.report(nil, .conflict("a fault changes nothing; give \"bandwidth\" or \"up\""))
    }
    if rerouteTime > .zero, isUp != false {
      fields.report(
        "reroute_time", .conflict("nothing is rerouted unless a link fails; give \"up\": false"))
    }
  }

  /// Reads the list `faults` of a scenario.
  static func list(_ fields: inout FieldReader) -> [FaultSettings] {
    fields.records(
      "faults", doc: "links, switches and hosts that degrade, fail or recover", FaultSettings.init)
  }
}
