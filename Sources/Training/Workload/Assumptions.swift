import Networks
import SimKernel

/// Factors on what a scenario rests on, to ask which of its assumptions a result hangs on.
///
/// At 1, the default of each, nothing changes, not even in the last place. What is scaled is called
/// assumed wherever its source is told.
public struct Assumptions: Sendable, Equatable {
  /// On forward, backward and optimizer times, and on when gradients are ready.
  public var computeTime = 1.0
  /// On every encode and decode, passes over residuals included.
  public var codecCost = 1.0
  /// On the payload rates of the transport: goodput, which stays at most 1, flow and host caps.
  public var goodput = 1.0
  /// On how far the compute times of workers lie from undisturbed ones: a factor f becomes
  /// 1 + spread (f - 1), not below 0.
  public var stragglerSpread = 1.0
  /// On the bandwidth of every link between hosts, during faults as well.
  public var linkBandwidth = 1.0
  /// On the latency of every link between hosts and the transport's fixed costs of a message.
  public var latency = 1.0

  /// Nothing is scaled.
  public init() {}

  /// Reads the record.
  public init(_ fields: inout FieldReader) {
    let factor = FieldKind<Double>.number(in: 0.001...1000)
    computeTime = fields.optional(
      "compute_time", factor, default: 1, doc: "times forward, backward and optimizer times")
    codecCost = fields.optional(
      "codec_cost", factor, default: 1, doc: "times every encode and decode")
    goodput = fields.optional(
      "goodput", factor, default: 1,
      doc: "times the transport's goodput, which stays at most 1, flow_cap and host_cap")
    stragglerSpread = fields.optional(
      "straggler_spread", .number(in: 0...1000), default: 1,
      doc: "times the distance of every straggler's factor from 1")
    linkBandwidth = fields.optional(
      "link_bandwidth", factor, default: 1, doc: "times the bandwidth of links between hosts")
    latency = fields.optional(
      "latency", factor, default: 1,
      doc: "times the latency of links between hosts, launch and per_hop")
  }

  /// How a factor is told, such as `1.3 times (assumptions.goodput) what is`.
  static func phrase(_ factor: Double, _ key: String) -> String {
    "\(JSONNumber.shortest(factor)) times (assumptions.\(key)) what is"
  }

  // MARK: - Applying them

  /// `transport` at the rates and message costs assumed.
  public func applied(to transport: Transport) -> Transport {
    var scaled = transport
    func note(_ keys: [String], _ factor: Double, _ key: String) {
      for name in keys {
        let text = "assumed: " + Self.phrase(factor, key) + " "
        if let index = scaled.provenance.firstIndex(where: { $0.key == name }) {
          scaled.provenance[index].text = text + scaled.provenance[index].text
        } else {
          scaled.provenance.append(Transport.Provenance(name, text + "given"))
        }
      }
    }
    if goodput != 1 {
      scaled.goodput = min(1, transport.goodput * goodput)
      scaled.flowCap = transport.flowCap.map { Self.scaled($0, by: goodput) }
      scaled.hostCap = transport.hostCap.map { Self.scaled($0, by: goodput) }
      note(
        ["goodput"] + (scaled.flowCap == nil ? [] : ["flow_cap"])
          + (scaled.hostCap == nil ? [] : ["host_cap"]), goodput, "goodput")
    }
    if latency != 1 {
      scaled.launch = transport.launch.scaled(by: latency)
      scaled.perHop = transport.perHop.scaled(by: latency)
      note(["launch", "link latency"], latency, "latency")
    }
    if linkBandwidth != 1 { note(["link bandwidth"], linkBandwidth, "link_bandwidth") }
    return scaled
  }

  /// `topology` with the links between hosts that are assumed.
  public func applied(to topology: Topology) -> Topology {
    if linkBandwidth == 1, latency == 1 { return topology }
    return topology.mapLinks { link in
      if link.isInner { return }
      link.bandwidth = Self.scaled(link.bandwidth, by: linkBandwidth)
      link.latency = link.latency.scaled(by: latency)
    }
  }

  /// A bandwidth between hosts as it is assumed.
  public func applied(to bandwidth: Bandwidth) -> Bandwidth {
    Self.scaled(bandwidth, by: linkBandwidth)
  }

  /// `stragglers` at the spread assumed.
  public func applied(to stragglers: any StragglerModel) -> any StragglerModel {
    stragglerSpread == 1 ? stragglers : ScaledSpread(base: stragglers, spread: stragglerSpread)
  }

  /// `times` as they are assumed; stragglers have no other place where their source could be told.
  func applied(to times: ComputeTimes) -> ComputeTimes {
    var scaled = times
    if computeTime != 1 {
      scaled = times.overridden(
        by: ComputeOverride(
          forward: times.forward.scaled(by: computeTime),
          backward: times.backward.scaled(by: computeTime),
          optimizer: times.optimizer.scaled(by: computeTime)))
      func assumed(_ evidence: Evidence) -> Evidence {
        Evidence(
          .assumed,
          Self.phrase(computeTime, "compute_time")
            + " \(evidence.provenance.rawValue): \(evidence.sentence)")
      }
      scaled.forwardEvidence = assumed(times.forwardEvidence)
      scaled.backwardEvidence = assumed(times.backwardEvidence)
      scaled.optimizerEvidence = assumed(times.optimizerEvidence)
      scaled.warnings = times.warnings
    }
    if stragglerSpread != 1 {
      scaled.spreadEvidence = Evidence(
        .assumed,
        "\(JSONNumber.shortest(stragglerSpread)) times (assumptions.straggler_spread) as far from 1 "
          + "as the scenario's distribution")
    }
    return scaled
  }

  /// Rounded to whole bits a second, and never to none.
  private static func scaled(_ bandwidth: Bandwidth, by factor: Double) -> Bandwidth {
    if factor == 1 || bandwidth.bitsPerSecond == 0 { return bandwidth }
    let value = min(9e18, max(1, (Double(bandwidth.bitsPerSecond) * factor).rounded()))
    return Bandwidth(bitsPerSecond: Int64(value))
  }
}

/// Another model's factors, nearer to 1 or further from it.
private struct ScaledSpread: StragglerModel {
  let base: any StragglerModel
  var isConstant: Bool { base.isConstant }
  let spread: Double

  func factor(worker: RankID, iteration: Int, random: RandomStream) -> Double {
    max(0, 1 + spread * (base.factor(worker: worker, iteration: iteration, random: random) - 1))
  }
}
