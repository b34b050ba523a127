import SimKernel

/// What a scenario says about a kind of link: the same figures for both directions of a cable.
public struct LinkSpecification: Sendable, Equatable {
  public var bandwidth: Bandwidth
  public var latency: SimDuration

  public init(bandwidth: Bandwidth, latency: SimDuration = .zero) {
    self.bandwidth = bandwidth
    self.latency = latency
  }

  public init(_ fields: inout FieldReader) {
    bandwidth = fields.required(
      "bandwidth", .bandwidth, doc: "line rate in each direction, before the transport's goodput")
    latency = fields.optional(
      "latency", .duration, default: .zero,
      doc: "time on the link, the switch behind it included; a path adds up its links")
  }

  /// Reads `back`: what differs on the way back of a cable whose way there is `self`.
  func back(_ fields: inout FieldReader, doc: String) -> LinkSpecification {
    fields.optionalRecord("back", doc: doc) { fields in
      LinkSpecification(
        bandwidth: fields.optional(
          "bandwidth", .bandwidth, doc: "line rate of the way back; as the way there if absent")
          ?? bandwidth,
        latency: fields.optional(
          "latency", .duration, doc: "latency of the way back; as the way there if absent")
          ?? latency)
    } ?? self
  }
}
