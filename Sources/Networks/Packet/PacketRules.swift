import SimKernel

/// ``PacketSettings`` with every default filled in, as plain numbers.
struct PacketRules {
  enum Law: UInt8 { case fixed, reno, dctcp, dcqcn, ndp }

  var law: Law
  /// Packets of the first window.
  var initialWindow: Int32
  /// DCTCP's or DCQCN's g.
  var gain = 0.0
  var rateControl = CongestionControl.DCQCN()
  /// Share of a receiver's link that pulls ask for.
  var pullRate = 1.0
  /// Payload and bytes on a link of a full packet, and the difference.
  var payloadFull: Int32
  var wireFull: Int32
  var overhead: Int32
  var wireControl: Int32
  /// Control packets overtake data.
  var hasPriority: Bool
  var paths: PacketSettings.PathChoice
  var buffer: Int64
  /// Bytes of control packets that may wait at a port.
  var controlBuffer: Int64
  var markFrom = Int64.max
  var markTo = Int64.max
  var markProbability = 0.0
  var pauses: Bool
  var xoff = Int64.max
  var xon: Int64 = 0
  var reordering: Int32
  var minimumTimeout: Int64
  var retries: Int32

  init(_ settings: PacketSettings) {
    let wire = settings.mtu + settings.framing
    payloadFull = Int32(settings.mtu - settings.header)
    overhead = Int32(settings.header + settings.framing)
    wireFull = Int32(wire)
    wireControl = Int32(settings.control)
    var marking = settings.marking
    buffer = settings.buffer?.bytes ?? 700_000
    // NDP's switches return a header to its sender when they have no room for it (SIGCOMM 2017,
    // section 3.2.4). Source-routed packets cannot turn round here, so there is more room: 1 MB, assumed.
    controlBuffer = max(buffer, 1_000_000)
    var timeout = SimDuration.milliseconds(200)
    switch settings.congestionControl {
    case .fixed(let fixed):
      law = .fixed
      initialWindow = Int32(fixed.window)
    case .reno(let reno):
      law = .reno
      initialWindow = Int32(reno.initialWindow)
    case .dctcp(let dctcp):
      law = .dctcp
      initialWindow = Int32(dctcp.initialWindow)
      gain = dctcp.gain
      timeout = .milliseconds(10)
      marking = marking ?? .init(from: .bytes(97_500), to: .bytes(97_500))
    case .dcqcn(let rates):
      law = .dcqcn
      initialWindow = 1
      gain = rates.gain
      rateControl = rates
      timeout = .nanoseconds(67_108_864)
      marking = marking ?? .init(from: .bytes(5_000), to: .bytes(200_000), probability: 0.01)
    case .ndp(let ndp):
      law = .ndp
      initialWindow = Int32(ndp.initialWindow)
      pullRate = ndp.pullRate
      buffer = settings.buffer?.bytes ?? 8 * Int64(wire)
      timeout = .milliseconds(10)
    }
    hasPriority = law == .ndp || law == .dcqcn
    paths = settings.pathChoice
    if let marking {
      markFrom = marking.from.bytes
      markTo = marking.to.bytes
      markProbability = marking.probability
    }
    pauses = settings.pause != nil
    if let pause = settings.pause {
      xoff = pause.xoff.bytes
      xon = pause.xon.bytes
    }
    reordering = Int32(settings.reordering)
    minimumTimeout = (settings.minimumTimeout ?? timeout).picoseconds
    retries = Int32(settings.retries)
  }
}
