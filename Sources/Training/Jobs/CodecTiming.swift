import Compression
import SimKernel

/// Turns the declared work of codecs into time on a device.
///
/// On the accelerator: kernels x launch + bytes / memory bandwidth + operations / fp32 peak. Work
/// that only a CPU does takes its seconds an element there, plus copies of the gradient between
/// device and host. All of it is derived from declarations - unless the device has measured costs of
/// the pipeline, which then replace encode and decode, see ``price(_:)``.
struct CodecTiming: Sendable {
  let device: DeviceProfile
  /// On every cost; 1 changes nothing.
  var factor = 1.0

  /// Time on the accelerator and time on a host core.
  struct Cost: Sendable, Equatable {
    var accelerator: SimDuration = .zero
    var cpu: SimDuration = .zero
    static func += (a: inout Cost, b: Cost) {
      a.accelerator += b.accelerator
      a.cpu += b.cpu
    }
    func scaled(by factor: Double) -> Cost {
      Cost(accelerator: accelerator.scaled(by: factor), cpu: cpu.scaled(by: factor))
    }
  }

  /// The time of `work` on `elements` gradient elements, `repetitions` times over.
  ///
  /// `copied` is what crosses between device and host when a CPU takes part.
  func cost(
    of work: CodecWork, elements: Int, copied: ByteCount, repetitions: Int = 1
  ) -> Cost {
    declaredCost(of: work, elements: elements, copied: copied, repetitions: repetitions)
      .scaled(by: factor)
  }

  private func declaredCost(
    of work: CodecWork, elements: Int, copied: ByteCount, repetitions: Int
  ) -> Cost {
    let n = Double(elements)
    var cost = Cost()
    cost.accelerator = device.kernelLaunch.value.scaled(by: work.kernels)
    if work.bytesPerElement > 0 {
      cost.accelerator += device.memoryBandwidth.value.time(
        toSend: ByteCount(Int64((work.bytesPerElement * n).rounded(.up))))
    }
    if work.operationsPerElement > 0, let peak = device.peak(.fp32) {
      cost.accelerator += .seconds(work.operationsPerElement * n / peak.operationsPerSecond)
    }
    if work.cpuSecondsPerElement > 0 {
      cost.cpu =
        .seconds(work.cpuSecondsPerElement * n)
        + device.hostCopyBandwidth.value.time(toSend: copied)
    }
    cost.accelerator = cost.accelerator * repetitions
    cost.cpu = cost.cpu * repetitions
    return cost
  }

  /// The same work done by a host core instead: its memory traffic at the CPU's bandwidth, plus the
  /// copy of the gradient.
  func onCPU(_ work: CodecWork, elements: Int, copied: ByteCount, repetitions: Int = 1) -> Cost {
    var cost = declaredCost(
      of: work, elements: elements, copied: copied, repetitions: repetitions)
    guard let cpu = DeviceCatalog.profile(named: "cpu") else { return cost.scaled(by: factor) }
    let traffic = Double(elements) * work.bytesPerElement
    var time = cpu.memoryBandwidth.value.time(toSend: ByteCount(Int64(traffic.rounded(.up))))
    if work.cpuSecondsPerElement == 0, traffic > 0 {
      time += device.hostCopyBandwidth.value.time(toSend: copied)
    }
    cost.cpu += time * repetitions
    cost.accelerator = .zero
    return cost.scaled(by: factor)
  }

  // MARK: - Whole pipelines

  /// What is to be priced: one group of tensors under one pipeline.
  struct Order {
    var pipeline: CompressionPipeline
    var elements: Int
    /// The gradient's bytes, which cross between device and host when a CPU takes part.
    var copied: ByteCount
    /// How many payloads every worker decodes.
    var payloads: Int
    /// The passes over what a worker keeps between iterations; nil if it keeps nothing.
    var upkeep: CodecWork?
    var streams: StreamSettings
  }

  /// Encode and decode of one exchange, and where the costs come from.
  struct Price {
    var encode: Cost
    var decode: Cost
    var source: String
  }

  /// The time of `order`: measured where the device's profile has the pipeline, or all of its
  /// stages, and derived from its declaration otherwise.
  ///
  /// Costs measured on a CPU take time on the CPU stream wherever the scenario places codecs, plus
  /// the copies of the gradient; costs measured on an accelerator say nothing of codecs that the
  /// scenario places on the CPU. With a residual an encode also decodes, and passes over the
  /// residual, which are derived.
  func price(_ order: Order) -> Price {
    var price = measuredPrice(order) ?? derivedPrice(order)
    if factor != 1 {
      price.source =
        "assumed: \(JSONNumber.shortest(factor)) times the cost of \(order.pipeline.label) on "
        + "\(device.name) (assumptions.codec_cost); what it was is \(price.source)"
    }
    return price
  }

  private func derivedPrice(_ order: Order) -> Price {
    let declaration = order.pipeline.declaration
    var work = declaration.encode
    if let upkeep = order.upkeep { work = work + upkeep + declaration.decode }
    let missing = device.codecCosts == nil ? "" : "; not among the codecs measured"
    return Price(
      encode: order.streams.encode == .cpu
        ? onCPU(work, elements: order.elements, copied: order.copied)
        : cost(of: work, elements: order.elements, copied: order.copied),
      decode: order.streams.decode == .cpu
        ? onCPU(
          declaration.decode, elements: order.elements, copied: order.copied,
          repetitions: order.payloads)
        : cost(
          of: declaration.decode, elements: order.elements, copied: order.copied,
          repetitions: order.payloads),
      source: "derived: launches and memory traffic of \(order.pipeline.label) on \(device.name)"
        + missing + (work.source.isEmpty ? "" : " (\(work.source))"))
  }

  private func measuredPrice(_ order: Order) -> Price? {
    guard let costs = device.codecCosts,
      let times = costs.times(of: order.pipeline, elements: order.elements)
    else { return nil }
    var price = Price(encode: Cost(), decode: Cost(), source: "")
    let encode = times.encode + (order.upkeep == nil ? .zero : times.decode)
    switch costs.place {
    case .cpu:
      let copy = device.hostCopyBandwidth.value.time(toSend: order.copied)
      price.encode.cpu = (encode + copy).scaled(by: factor)
      price.decode.cpu = ((times.decode + copy) * order.payloads).scaled(by: factor)
      if let upkeep = order.upkeep {
        price.encode += onCPU(upkeep, elements: order.elements, copied: .zero)
      }
    case .accelerator:
      if order.streams.encode == .cpu || order.streams.decode == .cpu { return nil }
      price.encode.accelerator = encode.scaled(by: factor)
      price.decode.accelerator = (times.decode * order.payloads).scaled(by: factor)
      if let upkeep = order.upkeep {
        price.encode += cost(of: upkeep, elements: order.elements, copied: .zero)
      }
    }
    price.source =
      "\(costs.evidence.provenance.rawValue): \(times.isSum ? "stages, summed," : "encode, decode") "
      + "of \(order.pipeline.label) on \(device.name) (\(costs.evidence.sentence)"
      + (times.isInterpolated ? "; interpolated, since no line fits the times" : "")
      + (order.upkeep == nil ? ")" : "; passes over the residual derived)")
    return price
  }

  /// What error feedback adds to an encode: it reads gradient and residual, writes their sum, and
  /// after a local decode reads both again and writes the residual.
  static let errorFeedback = CodecWork(
    kernels: 2, bytesPerElement: 24, source: "two passes over gradient and residual, derived")
  /// What momentum correction adds: momentum and residual are read and written with the gradient, and
  /// after a local decode what was sent leaves the residual and is masked in the momentum.
  static let momentumCorrection = CodecWork(
    kernels: 2, bytesPerElement: 40,
    source: "two passes over gradient, momentum and residual, derived")
  /// What adding up gathered plain payloads costs: each is read, the sum read and written.
  static let accumulation = CodecWork(
    kernels: 1, bytesPerElement: 12, source: "reads payload and sum, writes the sum, derived")
}
