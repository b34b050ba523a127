import Networks
import SimKernel

/// What a list of flows did, flow by flow, link by link, and in sum.
public struct FlowResult: Sendable {
  public let flows: FlowTable
  public let scene: FlowScene
  public let outcome: FlowSimulation.Outcome
  private let paths: FlowPaths

  public init(_ flows: FlowTable, scene: FlowScene, outcome: FlowSimulation.Outcome) {
    self.flows = flows
    self.scene = scene
    self.outcome = outcome
    paths = FlowPaths(flows, scene: scene)
  }

  // MARK: - Flows

  /// The columns of ``writeFlows(to:)``.
  ///
  /// `completion_s` is finish less start, `ideal_s` the time alone in the network (latency and the
  /// slowest link, at the rate that the transport leaves to payload), `slowdown` their ratio.
  /// Columns a model knows nothing about are empty.
  public static let flowColumns = [
    "id", "source", "destination", "bytes", "start_s", "finish_s", "completion_s",
    "mean_rate_bytes_per_s", "hops", "ideal_s", "slowdown", "retransmissions", "lost_bytes",
  ]

  /// How long `flow` took; nil if it has not ended.
  public func completion(of flow: Int) -> SimDuration? {
    guard outcome.ends[flow] >= 0 else { return nil }
    return SimDuration(picoseconds: outcome.ends[flow] - outcome.starts[flow])
  }

  /// How much longer `flow` took than alone; nil if either time is unknown or only one is zero.
  public func slowdown(of flow: Int) -> Double? {
    guard let time = completion(of: flow) else { return nil }
    let ideal = paths.ideal(flow, size: flows.sizes[flow])
    if time == ideal { return 1 }
    if ideal == .zero || ideal == .unbounded { return nil }
    return Double(time.picoseconds) / Double(ideal.picoseconds)
  }

  /// One row of ``flowColumns``.
  func row(_ flow: Int) -> [String] {
    let topology = scene.topology
    let time = completion(of: flow)
    let ideal = paths.ideal(flow, size: flows.sizes[flow])
    let losses = outcome.losses.isEmpty ? nil : outcome.losses[flow]
    func seconds(_ picoseconds: Int64) -> String {
      picoseconds < 0 ? "" : SimDuration(picoseconds: picoseconds).exactSeconds
    }
    var rate = ""
    if let time, time > .zero {
      rate = JSONNumber.shortest(Double(flows.sizes[flow].bytes) / time.seconds)
    }
    return [
      flows.ids[flow], topology.nodeNames[flows.sources[flow].index],
      topology.nodeNames[flows.destinations[flow].index], String(flows.sizes[flow].bytes),
      seconds(outcome.starts[flow]), seconds(outcome.ends[flow]), time?.exactSeconds ?? "", rate,
      paths.hops(of: flow).map { String($0) } ?? "",
      ideal == .unbounded ? "" : ideal.exactSeconds,
      slowdown(of: flow).map { JSONNumber.shortest($0) } ?? "",
      losses.map { String($0.retransmissions) } ?? "", losses.map { String($0.lost.bytes) } ?? "",
    ]
  }

  /// Writes every flow to `path`; the ending decides the format.
  public func writeFlows(to path: String) throws {
    try RowFormat.write(to: path, Self.flowColumns) { emit in
      for flow in 0..<flows.count { try emit(row(flow)) }
    }
  }

  /// Every flow as CSV.
  public var flowsAsCSV: String {
    var bytes: [UInt8] = []
    CSV.append(Self.flowColumns, to: &bytes)
    for flow in 0..<flows.count { CSV.append(row(flow), to: &bytes) }
    return String(decoding: bytes, as: UTF8.self)
  }

  // MARK: - Links

  /// What one link did.
  public struct LinkLoad: Sendable {
    public var link: LinkID
    /// Flows that started over it.
    public var flows: Int
    public var usage: LinkUsage
    /// Share of the run in which something crossed it.
    public var busyShare: Double
    /// Payload it carried over what its line rate would have.
    public var utilization: Double
    /// What happened at its port; nil if the model has none.
    public var port: PortReport?
    /// Who sent most over it.
    public var talkers: [Talker]
  }

  /// A pair of ends that sends over a link.
  public struct Talker: Sendable, Equatable {
    public var source: NodeID
    public var destination: NodeID
    /// The sizes of its flows that started.
    public var bytes: ByteCount
    /// Of the bytes of all pairs over the link.
    public var share: Double
  }

  /// The columns of ``writeLinks(to:)``.
  ///
  /// Those of ports are empty if the model has none. `top_talkers` are the pairs that sent most over
  /// the link on the ways they started on, as `source->destination:bytes`, separated by blanks;
  /// pairs that spread their packets over several ways count at their own ends only.
  public static let linkColumns =
    [
      "link", "from", "to", "bandwidth_bits_per_s", "flows", "bytes", "busy_s", "busy_share",
      "utilization",
    ] + PortReport.columns + ["top_talkers"]

  /// What every link did, in the order of the topology.
  public var linkLoads: [LinkLoad] {
    let length = (outcome.end - SimTime.zero).seconds
    let flowsOfLinks = paths.flowsOfLinks(scene.topology.links.count)
    let talkers = LinkTalkers(self, paths)
    return scene.topology.links.indices.map { index in
      let usage = outcome.usage[index]
      let rate = Double(scene.topology.links[index].bandwidth.bitsPerSecond)
      let volume = rate * length
      return LinkLoad(
        link: LinkID(index), flows: flowsOfLinks[index], usage: usage,
        busyShare: length > 0 ? usage.busy.seconds / length : 0,
        utilization: volume > 0 ? Double(usage.carried.bytes) * 8 / volume : 0,
        port: outcome.ports.isEmpty ? nil : outcome.ports[index],
        talkers: talkers.ofLink[index])
    }
  }

  /// Writes every link to `path`; the ending decides the format.
  public func writeLinks(to path: String) throws {
    let loads = linkLoads
    let topology = scene.topology
    try RowFormat.write(to: path, Self.linkColumns) { emit in
      for load in loads { try emit(row(load, topology)) }
    }
  }

  private func row(_ load: LinkLoad, _ topology: Topology) -> [String] {
    let link = topology.links[load.link.index]
    return [
      link.name, topology.nodeNames[link.from.index], topology.nodeNames[link.to.index],
      String(link.bandwidth.bitsPerSecond), String(load.flows), String(load.usage.carried.bytes),
      load.usage.busy.exactSeconds, JSONNumber.shortest(load.busyShare),
      JSONNumber.shortest(load.utilization),
    ] + PortReport.cells(load.port) + [
      load.talkers.map { talker in
        let (from, to) = (talker.source.index, talker.destination.index)
        return "\(topology.nodeNames[from])->\(topology.nodeNames[to]):\(talker.bytes.bytes)"
      }.joined(separator: " ")
    ]
  }

  // MARK: - In sum

  /// The distribution of one quantity over the flows that ended.
  public struct Distribution: Sendable {
    public var mean: Double
    public var p50: Double
    public var p90: Double
    public var p99: Double
    public var maximum: Double

    /// Percentiles by linear interpolation; NaN of nothing.
    init(_ values: [Double]) {
      var statistics = RunningStatistics(values)
      mean = values.isEmpty ? .nan : statistics.mean
      p50 = statistics.percentile(0.5)
      p90 = statistics.percentile(0.9)
      p99 = statistics.percentile(0.99)
      maximum = statistics.maximum
    }
  }

  /// Seconds from start to finish.
  public var completionTimes: Distribution {
    Distribution((0..<flows.count).compactMap { completion(of: $0)?.seconds })
  }
  /// Completion times over times alone in the network.
  public var slowdowns: Distribution {
    Distribution((0..<flows.count).compactMap { slowdown(of: $0) })
  }
  /// Bytes of the flows that arrived, saturating.
  public var deliveredBytes: ByteCount {
    var sum = Int64(0)
    for flow in 0..<flows.count where outcome.ends[flow] >= 0 {
      let (next, overflow) = sum.addingReportingOverflow(flows.sizes[flow].bytes)
      sum = overflow ? .max : next
    }
    return .bytes(sum)
  }
}
