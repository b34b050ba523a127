import SimKernel

extension PacketNetwork {
  // Pointers: see PacketNetwork+Ports.swift.

  // MARK: - Windows

  /// Cuts the window once for all that was under way.
  func cutWindow(_ flow: UnsafeMutablePointer<PacketFlow>, by factor: Double) {
    if flow.pointee.cumulative < flow.pointee.recover { return }
    flow.pointee.window = max(flow.pointee.window * factor, 2)
    flow.pointee.threshold = flow.pointee.window
    flow.pointee.recover = flow.pointee.nextNew
  }

  /// Slow start below the threshold, a packet a round trip above it (RFC 5681); not while a cut is
  /// being worked off, and not while the window is not used.
  @inline(__always)
  func growWindow(
    _ flow: UnsafeMutablePointer<PacketFlow>, by fresh: Int32, inFlight: Int32
  ) {
    if fresh == 0 || flow.pointee.cumulative < flow.pointee.recover { return }
    if Double(inFlight &+ 1) < flow.pointee.window { return }
    if flow.pointee.window < flow.pointee.threshold {
      flow.pointee.window += Double(fresh)
    } else {
      flow.pointee.window += Double(fresh) / flow.pointee.window
    }
  }

  /// DCTCP's estimate of the share of marked packets, once a window.
  @inline(__always)
  func observe(_ flow: UnsafeMutablePointer<PacketFlow>, _ fresh: Int32, isMarked: Bool) {
    flow.pointee.observed &+= fresh
    if isMarked { flow.pointee.observedMarked &+= fresh }
    if flow.pointee.cumulative < flow.pointee.observeEnd || flow.pointee.observed == 0 { return }
    let share = Double(flow.pointee.observedMarked) / Double(flow.pointee.observed)
    flow.pointee.alpha += rules.gain * (share - flow.pointee.alpha)
    flow.pointee.observed = 0
    flow.pointee.observedMarked = 0
    flow.pointee.observeEnd = flow.pointee.nextNew
  }

  // MARK: - Rates

  /// DCQCN's reaction to a congestion notification.
  func notified(_ flow: UnsafeMutablePointer<PacketFlow>) {
    decay(flow, at: present)
    flow.pointee.target = flow.pointee.rate
    flow.pointee.rate = max(
      flow.pointee.rate * (1 - flow.pointee.alpha / 2),
      Double(rules.rateControl.minimumRate.bitsPerSecond))
    flow.pointee.alpha += rules.gain * (1 - flow.pointee.alpha)
    flow.pointee.lastDecay = present
    flow.pointee.lastIncrease = present
    flow.pointee.counted = 0
    flow.pointee.timeSteps = 0
    flow.pointee.byteSteps = 0
  }

  /// Applies what timers would have done to the estimate since it was last looked at.
  private func decay(_ flow: UnsafeMutablePointer<PacketFlow>, at now: Int64) {
    let interval = rules.rateControl.decayInterval.picoseconds
    while now &- flow.pointee.lastDecay >= interval {
      if flow.pointee.alpha < 0x1p-40 {
        // Too small to matter; the remaining periods are skipped.
        flow.pointee.lastDecay = now
        return
      }
      flow.pointee.alpha *= 1 - rules.gain
      flow.pointee.lastDecay &+= interval
    }
  }

  /// Brings the rate up to date before a packet of `wire` bytes leaves at `now`.
  func advanceRate(
    _ flow: UnsafeMutablePointer<PacketFlow>, sending wire: Int32, at now: Int64,
    lineRate: Double
  ) {
    if flow.pointee.rate == 0 || flow.pointee.rate > lineRate {
      flow.pointee.rate = lineRate
      flow.pointee.target = lineRate
      flow.pointee.lastDecay = now
      flow.pointee.lastIncrease = now
    }
    decay(flow, at: now)
    let interval = rules.rateControl.increaseInterval.picoseconds
    while now &- flow.pointee.lastIncrease >= interval {
      if flow.pointee.rate >= lineRate {
        flow.pointee.lastIncrease = now
        break
      }
      flow.pointee.lastIncrease &+= interval
      flow.pointee.timeSteps &+= 1
      increaseRate(flow, lineRate)
    }
    flow.pointee.counted &+= Int64(wire)
    if flow.pointee.counted >= rules.rateControl.increaseBytes.bytes {
      flow.pointee.counted = 0
      flow.pointee.byteSteps &+= 1
      increaseRate(flow, lineRate)
    }
  }

  /// Fast recovery, then additive, then hyper increase (DCQCN, section 3.2 and figure 7).
  private func increaseRate(_ flow: UnsafeMutablePointer<PacketFlow>, _ lineRate: Double) {
    let steps = Int32(rules.rateControl.recoverySteps)
    let (high, low) = (
      max(flow.pointee.timeSteps, flow.pointee.byteSteps),
      min(flow.pointee.timeSteps, flow.pointee.byteSteps)
    )
    if low > steps {
      flow.pointee.target +=
        Double(rules.rateControl.hyperIncrease.bitsPerSecond) * Double(low - steps)
    } else if high > steps {
      flow.pointee.target += Double(rules.rateControl.additiveIncrease.bitsPerSecond)
    }
    flow.pointee.target = min(flow.pointee.target, lineRate)
    flow.pointee.rate = (flow.pointee.rate + flow.pointee.target) / 2
    // Halving the distance never closes it; the last thousandth does not matter.
    if flow.pointee.rate > lineRate * 0.999 { flow.pointee.rate = lineRate }
  }
}
