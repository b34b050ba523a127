import SimKernel

/// Rules that cut the gradients of a backward pass into messages; all are pure and linear.
extension BackwardReplay {
  /// Wait-free back-propagation (Poseidon: Zhang et al., ATC 2017): every gradient alone.
  public var waitFree: [Range<Int>] { gradients.indices.map { $0..<($0 + 1) } }

  /// One message after the pass.
  public var oneMessage: [Range<Int>] { gradients.isEmpty ? [] : [0..<gradients.count] }

  /// MG-WFBP's merging (Shi, Chu, Li, INFOCOM 2019, arXiv:1912.09268): a gradient joins the next one if
  /// that will be ready before the start-up time of a message has passed since this one's could start.
  ///
  /// The comparison is strict, but a message that waits for the one before it takes in whatever becomes
  /// ready meanwhile, even with a start-up of 0. The rule decides gradient by gradient;
  /// ``leastExposed(_:)`` is better where waiting for several at once pays.
  ///
  /// - Complexity: O(gradients).
  public func mgWFBP(_ cost: TransferCost) -> [Range<Int>] {
    var messages: [Range<Int>] = []
    var first = 0
    var size = ByteCount.zero
    var free = SimDuration.zero
    for index in gradients.indices {
      size += gradients[index].size
      let start = max(free, readyTimes[index])
      let next = index + 1
      if next < gradients.count, readyTimes[next] - start < cost.startup { continue }
      messages.append(first..<next)
      free = start + cost.time(size)
      first = next
      size = .zero
    }
    return messages
  }

  /// Fusion by a buffer that is sent when it is old or large, as Horovod does (Sergeev, Del Balso,
  /// arXiv:1802.05799), in the form that Zhang et al.
  ///
  /// (NetAI 2020) replay.
  ///
  /// The computation since the last message adds up; once it has reached `cycle`, or the buffer
  /// `threshold`, with the gradient just added, the buffer is sent. What is left is sent at the end.
  ///
  /// - Complexity: O(gradients).
  public func fused(
    threshold: ByteCount = .mebibytes(64), cycle: SimDuration = .milliseconds(5)
  ) -> [Range<Int>] {
    var messages: [Range<Int>] = []
    var first = 0
    var age = SimDuration.zero
    var size = ByteCount.zero
    for index in gradients.indices {
      age += gradients[index].wait
      size += gradients[index].size
      if age >= cycle || size >= threshold || index == gradients.count - 1 {
        messages.append(first..<(index + 1))
        first = index + 1
        age = .zero
        size = .zero
      }
    }
    return messages
  }

  /// The messages after which communication ends first, by dynamic programming over the last message.
  ///
  /// An earlier end of the messages before never hurts, so the best of the first gradients is part of
  /// the best of all. Of equal ends the one with the longest last message is kept.
  ///
  /// - Complexity: O(gradients squared).
  public func leastExposed(_ cost: TransferCost) -> [Range<Int>] {
    let count = gradients.count
    var sizes: [ByteCount] = [.zero]
    for gradient in gradients { sizes.append(sizes[sizes.count - 1] + gradient.size) }
    var ends = [SimDuration](repeating: .zero, count: count + 1)
    var starts = [Int](repeating: 0, count: count + 1)
    for end in 0..<count {
      var best = SimDuration.unbounded
      for start in 0...end {
        let free =
          max(ends[start], readyTimes[end]) + cost.time(sizes[end + 1] - sizes[start])
        if free < best {
          best = free
          starts[end + 1] = start
        }
      }
      ends[end + 1] = best
    }
    var messages: [Range<Int>] = []
    var end = count
    while end > 0 {
      messages.append(starts[end]..<end)
      end = starts[end]
    }
    return messages.reversed()
  }
}
