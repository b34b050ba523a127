import SimKernel

extension JobState {
  /// Charges every instant of `worker`'s iteration once: to compute while forward or backward runs,
  /// else to what its critical path was doing.
  ///
  /// The critical path is walked backwards from the operation of cell `last`; every step ends where
  /// the next one began, so the parts add up to the iteration exactly. What the path spends on
  /// exchanges, encoding or decoding beside a running backward pass is hidden, not exposed. Where
  /// iterations overlap the path goes on into the one before, and only what lies in this one counts.
  func account(_ worker: Int, from last: Int) -> IterationAccount {
    var account = IterationAccount()
    var hidden = HiddenTime(index: Int(computeEnded[worker]) - 1)
    let base = worker * cellCount
    let begin = iterationStart[worker]
    var cell = last
    while cell >= 0 {
      let (start, end) = (max(begin, startTime[base + cell]), finishTime[base + cell])
      if end <= begin { break }
      let description = plan.graph.operations[operation(of: cell)]
      switch description.kind {
      case .forward, .backward, .compute: break
      case .encode: account.encode += exposed(worker, start, end, &hidden)
      case .decode: account.decode += exposed(worker, start, end, &hidden)
      case .optimizer: account.optimizer += exposed(worker, start, end, &hidden)
      case .copy, .hold: account.communication += exposed(worker, start, end, &hidden)
      case .exchange:
        let number = iteration(of: cell, worker: worker)
        let everyone = lastReady[readyPlace(worker, Int(description.exchange), number)]
        let turn = max(start, min(end, everyone))
        account.communication += exposed(worker, turn, end, &hidden)
        account.stragglers += exposed(worker, start, turn, &hidden)
      }
      cell = Int(cause[base + cell])
    }
    // Each is added to sums, so that the order in which they ended does not matter.
    for position in 0..<Int(computeEnded[worker]) {
      let place = base + Int(computeOrder[worker * mostCompute + position])
      let length = finishTime[place] - startTime[place]
      // Rounding may let the losses of many overlaps exceed the length by picoseconds.
      let encode = min(lostToEncode[place], length)
      let decode = min(lostToDecode[place], length - encode)
      account.encode += encode
      account.decode += decode
      account.compute += length - encode - decode
    }
    return account
  }

  /// How far the walk over forward and backward, latest first, has come.
  private struct HiddenTime { var index: Int }

  /// The part of `start..<end` during which neither forward nor backward ran; calls go backwards.
  private func exposed(
    _ worker: Int, _ start: SimTime, _ end: SimTime, _ hidden: inout HiddenTime
  ) -> SimDuration {
    var length = end - start
    while hidden.index >= 0 {
      let place = worker * cellCount + Int(computeOrder[worker * mostCompute + hidden.index])
      let overlap = min(finishTime[place], end) - max(startTime[place], start)
      if overlap > .zero { length -= overlap }
      // One that began before `start` may also overlap the step before.
      if startTime[place] < start { break }
      hidden.index -= 1
    }
    return length
  }
}
