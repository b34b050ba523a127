import SimKernel

/// The parameters of ``LogGPNetwork``: the record under the scenario key `network.loggp`.
///
/// What is not given follows from the topology and the transport: L is the latency of the path,
/// launch included, G the rate of the path, and nothing else costs anything. A scenario that runs
/// under another model therefore runs under this one.
public struct LogGPSettings: Sendable, Equatable {
  /// Parameters of one host, or of all.
  public struct Host: Sendable, Equatable {
    /// L; nil is that of the path.
    public var latency: SimDuration?
    /// o.
    public var overhead: SimDuration?
    /// g.
    public var gap: SimDuration?
    /// 1/G; nil is that of the path.
    public var byteRate: Bandwidth?
    /// 1/O; nil costs nothing.
    public var overheadByteRate: Bandwidth?
    /// S; nil makes every message eager.
    public var rendezvousAbove: ByteCount?

    public init(
      latency: SimDuration? = nil, overhead: SimDuration? = nil, gap: SimDuration? = nil,
      byteRate: Bandwidth? = nil, overheadByteRate: Bandwidth? = nil,
      rendezvousAbove: ByteCount? = nil
    ) {
      self.latency = latency
      self.overhead = overhead
      self.gap = gap
      self.byteRate = byteRate
      self.overheadByteRate = overheadByteRate
      self.rendezvousAbove = rendezvousAbove
    }

    init(_ fields: inout FieldReader) {
      latency = fields.optional(
        "latency", .duration,
        doc: "L: from the sender's CPU to the receiver's NIC; by default that of the path, with "
          + "the transport's launch")
      overhead = fields.optional(
        "overhead", .duration, doc: "o: what a message occupies either CPU for; by default nothing")
      gap = fields.optional(
        "gap", .duration,
        doc: "g: what a NIC rests for each message, in each direction; by default nothing")
      byteRate = fields.optional(
        "byte_rate", .bandwidth,
        doc: "1/G: the rate of messages this host sends; by default that of the path")
      overheadByteRate = fields.optional(
        "overhead_byte_rate", .bandwidth,
        doc: "1/O: how fast the CPU handles bytes; by default it does not touch them")
      rendezvousAbove = fields.optional(
        "rendezvous_above", .size,
        doc: "S: the sender of more bytes is free only when the receiver takes them; by default "
          + "none is")
    }

    /// These where given, else those of `base`.
    func over(_ base: Host) -> Host {
      Host(
        latency: latency ?? base.latency, overhead: overhead ?? base.overhead,
        gap: gap ?? base.gap, byteRate: byteRate ?? base.byteRate,
        overheadByteRate: overheadByteRate ?? base.overheadByteRate,
        rendezvousAbove: rendezvousAbove ?? base.rendezvousAbove)
    }
  }
  /// One host that differs.
  public struct Exception: Sendable, Equatable {
    /// Its number in the topology.
    public var host: Int
    public var parameters: Host
    public init(host: Int, parameters: Host) {
      self.host = host
      self.parameters = parameters
    }
  }
  /// The parameters of all hosts.
  public var common: Host
  /// What is different at some; later entries win.
  public var exceptions: [Exception]

  public init(common: Host = Host(), exceptions: [Exception] = []) {
    self.common = common
    self.exceptions = exceptions
  }

  public init(_ fields: inout FieldReader) {
    common = Host(&fields)
    exceptions = fields.records("hosts", doc: "hosts with parameters of their own") { fields in
      let host = fields.required("host", .count(0), doc: "its number in the topology, from 0")
      return Exception(host: host, parameters: Host(&fields))
    }
  }

  /// The parameters of host `host`.
  public func parameters(ofHost host: Int) -> Host {
    exceptions.reduce(common) { $1.host == host ? $1.parameters.over($0) : $0 }
  }
}
