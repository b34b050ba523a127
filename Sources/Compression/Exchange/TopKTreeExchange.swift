import SimKernel

extension GroupExchange {
  /// Merges of selections up a binomial tree, then a broadcast of what is left at its root.
  mutating func runTopKTree(scratch: inout CodecScratch) throws(CodecError) {
    if workers == 0 { return }
    var own: [SparseGradient] = []
    for rank in parts.indices {
      let frame = try pipeline.encode(
        parts[rank], tensors: group.tensors, scope: group.scope, random: random, worker: rank,
        memory: memories.workers[rank][0], iteration: iteration, scratch: &scratch)
      guard
        let sparse = try pipeline.sparse(frame, count: group.elementCount, scratch: &scratch)
      else { throw CodecError(codec: pipeline.label, "a top-k tree needs selected values") }
      own.append(sparse)
    }
    var carried = own
    var cuts: [(rank: Int, elements: SparseGradient)] = []
    var distance = 1
    while distance < workers {
      var bits = [Int64](repeating: 0, count: workers)
      for rank in stride(from: 0, to: workers - distance, by: 2 * distance) {
        let other = rank + distance
        bits[other] = payloadBits(carried[other], scratch: &scratch)
        let kept = max(carried[rank].positions.count, carried[other].positions.count)
        let (largest, rest) = carried[rank].adding(carried[other]).split(
          largest: kept, scratch: &scratch)
        carried[rank] = largest
        cuts.append((rank, rest))
      }
      note(.sum, byWorkers: bits)
      distance *= 2
    }
    if workers > 1 {
      var bits = [Int64](repeating: 0, count: workers)
      bits[0] = payloadBits(carried[0], scratch: &scratch)
      note(.broadcast, byWorkers: bits)
    }
    let divisor = Float(workers)
    for (position, value) in zip(carried[0].positions, carried[0].values) {
      mean[Int(position)] = value / divisor
    }
    if wantsShares { settle(own, cuts, root: carried[0]) }
  }

  /// The shares: a worker's own values where the root has the position, less what a rank cut of such
  /// a position on the way, so that they add up to what the root has.
  private mutating func settle(
    _ own: [SparseGradient], _ cuts: [(rank: Int, elements: SparseGradient)], root: SparseGradient
  ) {
    var isKept = [Bool](repeating: false, count: group.elementCount)
    for position in root.positions { isKept[Int(position)] = true }
    for rank in own.indices {
      for (position, value) in zip(own[rank].positions, own[rank].values)
      where isKept[Int(position)] {
        shares[rank][Int(position)] = value
      }
    }
    for (rank, elements) in cuts {
      for (position, value) in zip(elements.positions, elements.values)
      where isKept[Int(position)] {
        shares[rank][Int(position)] -= value
      }
    }
  }

  /// float32 values and their positions, in the pipeline's own code.
  private func payloadBits(_ sparse: SparseGradient, scratch: inout CodecScratch) -> Int64 {
    scratch.reset()
    let index = pipeline.indexEncoding ?? .int32
    let count = sparse.positions.count
    let bits = sparse.positions.withUnsafeBufferPointer { positions -> Int in
      guard let base = positions.baseAddress else { return 0 }
      return index.stream(base, count, elementCount: group.elementCount, scratch: &scratch).bits
    }
    return Int64(32 * count + bits)
  }
}

extension SparseGradient {
  /// The `kept` largest magnitudes, ties to the lowest position, and all others.
  func split(
    largest kept: Int, scratch: inout CodecScratch
  ) -> (largest: SparseGradient, rest: SparseGradient) {
    let none = SparseGradient(elementCount: elementCount, positions: [], values: [])
    if kept >= positions.count { return (self, none) }
    if kept == 0 { return (none, self) }
    scratch.reset()
    let count = values.count
    let places = scratch.temporary(of: UInt32.self, kept)
    let largest = scratch.temporary(of: Float.self, kept)
    let selection = TopSelection(count: count, k: kept, scratch: &scratch)
    values.withUnsafeBufferPointer {
      // More values than `kept`, which is more than none, have memory.
      selection.select($0.baseAddress!, count, k: kept, base: 0, into: places, values: largest)
    }
    var next = 0
    var chosen: [UInt32] = []
    var others: [UInt32] = []
    var chosenValues: [Float] = []
    var otherValues: [Float] = []
    for place in 0..<count {
      if next < kept, Int(places[next]) == place {
        chosen.append(positions[place])
        chosenValues.append(values[place])
        next += 1
      } else {
        others.append(positions[place])
        otherValues.append(values[place])
      }
    }
    return (
      SparseGradient(elementCount: elementCount, positions: chosen, values: chosenValues),
      SparseGradient(elementCount: elementCount, positions: others, values: otherValues)
    )
  }
}
