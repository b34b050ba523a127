/// Exact selection of the k largest of n keys, ties to the lowest index, at about memory speed.
///
/// Long vectors: a threshold is guessed from a sample so that a little more than k keys pass it, one
/// pass collects (index, key) of those, and a radix select finds the exact border among them. When
/// the guess was wrong - all equal, periodic, one huge value, mostly zeros - histograms over the whole
/// vector find the border instead, at most three more passes, whatever the input.
///
/// A key is `raw(position) & mask` (magnitude bits of a gradient, hashes of the index), so that one
/// kernel serves top-k and random-k. Raw words are collected beside the positions, because fetching
/// them afterwards costs more than the whole selection.
enum TopSelection {
  /// Elements looked at to guess a threshold.
  private static let sampleSize = 16384
  /// Vectors up to this length are copied and selected from directly.
  private static let small = 1 << 15

  /// Writes the positions of the `k` largest keys, ascending, plus `base`, to `indices`, and their
  /// raw words to `words`.
  ///
  /// - Precondition: 1 <= k <= count < 2^32; `indices` and `words` have room for `k`.
  /// - Returns: the k-th largest key.
  /// - Complexity: O(count), independent of the distribution up to a factor of about four.
  @inline(__always)
  static func largest(
    _ count: Int, k: Int, base: Int, into indices: UnsafeMutablePointer<UInt32>,
    words: UnsafeMutablePointer<UInt32>, bins: UnsafeMutablePointer<UInt32>,
    candidates: Candidates, mask: UInt32, raw: (Int) -> UInt32
  ) -> UInt32 {
    @inline(__always) func key(_ index: Int) -> UInt32 { raw(index) & mask }
    if count <= small {
      for index in 0..<count { candidates.keys[index] = key(index) }
      let border = RadixSelect.kthLargest(candidates.keys, count, k: k, bins: bins)
      emit(
        count, k: k, base: base, border: border, into: indices, words: words, mask: mask, raw: raw)
      return border
    }
    let threshold = guess(count, k: k, candidates: candidates, bins: bins, key: key)
    if threshold > 0 {
      let found = collect(
        count, atLeast: threshold, candidates: candidates, mask: mask, raw: raw)
      if let found, found >= k {
        let copy = candidates.work
        for index in 0..<found { copy[index] = candidates.keys[index] & mask }
        let border = RadixSelect.kthLargest(copy, found, k: k, bins: bins)
        choose(
          found, k: k, base: base, border: border, candidates: candidates, mask: mask,
          into: indices, words: words)
        return border
      }
    }
    let border = histogramBorder(count, k: k, bins: bins, key: key)
    emit(
        count, k: k, base: base, border: border, into: indices, words: words, mask: mask, raw: raw)
    return border
  }

  /// Memory for the collected keys.
  struct Candidates {
    /// Positions, raw words, and a copy of the keys that a selection may reorder.
    let positions: UnsafeMutablePointer<UInt32>
    let keys: UnsafeMutablePointer<UInt32>
    let work: UnsafeMutablePointer<UInt32>
    /// How many candidates fit.
    let room: Int

    /// Room for selections of up to `k` of up to `count`.
    init(count: Int, k: Int, scratch: inout CodecScratch) {
      room = max(min(count, small), min(count, k + k / 2 + sampleSize))
      positions = scratch.temporary(of: UInt32.self, room + 64)
      keys = scratch.temporary(of: UInt32.self, room + 64)
      work = scratch.temporary(of: UInt32.self, room + 64)
    }
  }

  /// A key that probably a little more than `k` keys reach, from a stratified sample.
  @inline(__always)
  private static func guess(
    _ count: Int, k: Int, candidates: Candidates, bins: UnsafeMutablePointer<UInt32>,
    key: (Int) -> UInt32
  ) -> UInt32 {
    let stride = count / sampleSize
    let hash = CounterHash(key: 0x9E37_79B9_7F4A_7C15)
    for index in 0..<sampleSize {
      // A jitter within each stratum, so that periodic data is not always met at the same phase.
      let jitter = Int(UInt64(hash.bits(index)) * UInt64(stride) >> 32)
      candidates.work[index] = key(index * stride + jitter)
    }
    let expected = Double(k) * Double(sampleSize) / Double(count)
    // Four standard deviations below: the guess is too high once in thirty thousand.
    let rank = expected + 4 * expected.squareRoot() + 4
    if rank >= Double(sampleSize) { return 0 }
    return RadixSelect.kthLargest(candidates.work, sampleSize, k: Int(rank), bins: bins)
  }

  /// Collects positions and raw words whose keys reach `threshold`, in order; nil if they do not fit.
  @inline(__always)
  private static func collect(
    _ count: Int, atLeast threshold: UInt32, candidates: Candidates, mask: UInt32,
    raw: (Int) -> UInt32
  ) -> Int? {
    // Keys below 2^31 compare as signed integers, which SSE2 can.
    @inline(__always) func key(_ index: Int) -> UInt32 { raw(index) & mask }
    var found = 0
    var start = 0
    while start + 64 <= count {
      // One bit a key: the comparison vectorises, and at 1 % half of the words are empty.
      var low: UInt32 = 0
      var high: UInt32 = 0
      for lane in 0..<32 {
        low |= (key(start + lane) >= threshold ? 1 : 0) << UInt32(lane)
      }
      for lane in 0..<32 {
        high |= (key(start + 32 + lane) >= threshold ? 1 : 0) << UInt32(lane)
      }
      var word = UInt64(low) | UInt64(high) << 32
      // In bounds: the memory has 64 slots beyond `room`.
      if found > candidates.room { return nil }
      while word != 0 {
        let position = start + word.trailingZeroBitCount
        candidates.positions[found] = UInt32(truncatingIfNeeded: position)
        candidates.keys[found] = raw(position)
        found += 1
        word &= word &- 1
      }
      start += 64
    }
    while start < count {
      if found > candidates.room { return nil }
      if key(start) >= threshold {
        candidates.positions[found] = UInt32(truncatingIfNeeded: start)
        candidates.keys[found] = raw(start)
        found += 1
      }
      start += 1
    }
    return found
  }

  /// Writes the candidates above `border`, and as many of those at it as are needed, the first ones.
  private static func choose(
    _ count: Int, k: Int, base: Int, border: UInt32, candidates: Candidates, mask: UInt32,
    into indices: UnsafeMutablePointer<UInt32>, words: UnsafeMutablePointer<UInt32>
  ) {
    var above = 0
    for index in 0..<count { above += candidates.keys[index] & mask > border ? 1 : 0 }
    var ties = k - above
    var written = 0
    for index in 0..<count {
      let value = candidates.keys[index] & mask
      if value < border { continue }
      if value == border {
        if ties == 0 { continue }
        ties -= 1
      }
      indices[written] = UInt32(truncatingIfNeeded: base + Int(candidates.positions[index]))
      words[written] = candidates.keys[index]
      written += 1
    }
  }

  /// As ``choose``, over the whole vector.
  @inline(__always)
  private static func emit(
    _ count: Int, k: Int, base: Int, border: UInt32, into indices: UnsafeMutablePointer<UInt32>,
    words: UnsafeMutablePointer<UInt32>, mask: UInt32, raw: (Int) -> UInt32
  ) {
    @inline(__always) func key(_ index: Int) -> UInt32 { raw(index) & mask }
    var above = 0
    for index in 0..<count { above += key(index) > border ? 1 : 0 }
    var ties = k - above
    var written = 0
    for index in 0..<count {
      let value = key(index)
      if value < border { continue }
      if value == border {
        if ties == 0 { continue }
        ties -= 1
      }
      indices[written] = UInt32(truncatingIfNeeded: base + index)
      words[written] = raw(index)
      written += 1
    }
  }

  /// The k-th largest key by three histograms of 11, 11 and 10 bits over the whole vector.
  @inline(__always)
  private static func histogramBorder(
    _ count: Int, k: Int, bins: UnsafeMutablePointer<UInt32>, key: (Int) -> UInt32
  ) -> UInt32 {
    var rank = k
    for bin in 0..<2048 { bins[bin] = 0 }
    for index in 0..<count { bins[Int(key(index) >> 21)] &+= 1 }
    let first = UInt32(RadixSelect.findBin(bins, highest: 2047, rank: &rank))
    for bin in 0..<2048 { bins[bin] = 0 }
    for index in 0..<count {
      let value = key(index)
      if value >> 21 == first { bins[Int(value >> 10 & 2047)] &+= 1 }
    }
    let second = UInt32(RadixSelect.findBin(bins, highest: 2047, rank: &rank))
    let prefix = first << 11 | second
    for bin in 0..<1024 { bins[bin] = 0 }
    for index in 0..<count {
      let value = key(index)
      if value >> 10 == prefix { bins[Int(value & 1023)] &+= 1 }
    }
    let third = UInt32(RadixSelect.findBin(bins, highest: 1023, rank: &rank))
    return prefix << 10 | third
  }
}
