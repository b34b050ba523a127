/// Exact selection of the k largest magnitudes of n floats, ties to the lowest index, at about memory
/// speed.
///
/// Long vectors: a threshold is guessed from a sample so that a little more than k elements pass it,
/// one pass collects (index, bits) of those - values fetched afterwards would cost more than the whole
/// selection - and a radix select finds the exact border among them. Where too many pass - all equal,
/// one huge value, mostly zeros - the guess is most often the border itself, which two counts tell.
/// Otherwise, as for periodic input, histograms over the whole vector find the border, three more
/// passes, whatever the input.
///
/// Magnitudes order like their bits, which are below 2^31: comparisons are of signed integers, since
/// SSE2 has no others.
struct TopSelection: ~Copyable {
  /// Elements looked at to guess a threshold.
  private static let sampleSize = 16384
  /// Vectors up to this length are copied and selected from directly.
  private static let small = 1 << 15

  /// Positions, bits, and keys that a selection may reorder.
  private let positions: UnsafeMutablePointer<UInt32>
  private let words: UnsafeMutablePointer<UInt32>
  private let keys: UnsafeMutablePointer<UInt32>
  private let bins: UnsafeMutablePointer<UInt32>
  /// How many candidates fit.
  private let room: Int

  /// Memory for selections of up to `k` of up to `count`.
  init(count: Int, k: Int, scratch: inout CodecScratch) {
    room = max(min(count, Self.small), min(count, 4 * k + 4 * Self.sampleSize))
    positions = scratch.temporary(of: UInt32.self, room + ThresholdSelection.slack)
    words = scratch.temporary(of: UInt32.self, room + ThresholdSelection.slack)
    keys = scratch.temporary(of: UInt32.self, room + ThresholdSelection.slack)
    bins = scratch.temporary(of: UInt32.self, RadixSelect.binCount)
  }

  /// Writes the positions of the `k` largest magnitudes, ascending, plus `base`, to `indices`, and the
  /// elements themselves to `values`.
  ///
  /// - Precondition: 1 <= k <= count, within what the memory was made for; `indices` and `values` have
  ///   room for `k`.
  /// - Complexity: O(count), independent of the distribution up to a factor of about four.
  func select(
    _ source: UnsafePointer<Float>, _ count: Int, k: Int, base: Int,
    into indices: UnsafeMutablePointer<UInt32>, values: UnsafeMutablePointer<Float>
  ) {
    if count > Self.small {
      let threshold = guess(source, count, k: k)
      if threshold > 0, let found = collect(source, count, atLeast: threshold), found >= k {
        for index in 0..<found { keys[index] = words[index] & 0x7FFF_FFFF }
        let border = RadixSelect.kthLargest(keys, found, k: k, bins: bins)
        choose(found, k: k, base: base, border: border, into: indices, values: values)
        return
      }
      let border =
        isBorder(threshold, source, count, k: k)
        ? threshold : histogramBorder(source, count, k: k)
      emit(source, count, k: k, base: base, border: border, into: indices, values: values)
      return
    }
    for index in 0..<count { keys[index] = source[index].bitPattern & 0x7FFF_FFFF }
    let border = RadixSelect.kthLargest(keys, count, k: k, bins: bins)
    emit(source, count, k: k, base: base, border: border, into: indices, values: values)
  }

  /// A magnitude that probably a little more than `k` elements reach, from a stratified sample.
  private func guess(_ source: UnsafePointer<Float>, _ count: Int, k: Int) -> UInt32 {
    let stride = count / Self.sampleSize
    let hash = CounterHash(key: 0x9E37_79B9_7F4A_7C15)
    for index in 0..<Self.sampleSize {
      // A jitter within each stratum, so that periodic data is not always met at the same phase.
      let jitter = Int((UInt64(hash.bits(index)) * UInt64(stride)) >> 32)
      keys[index] = source[index * stride + jitter].bitPattern & 0x7FFF_FFFF
    }
    let expected = Double(k) * Double(Self.sampleSize) / Double(count)
    // Four standard deviations below: the guess is too high once in thirty thousand.
    let rank = expected + 4 * expected.squareRoot() + 4
    if rank >= Double(Self.sampleSize) { return 0 }
    return RadixSelect.kthLargest(keys, Self.sampleSize, k: Int(rank), bins: bins)
  }

  /// Whether the k-th largest magnitude is `threshold`: what a guess meets where many are equal.
  private func isBorder(
    _ threshold: UInt32, _ source: UnsafePointer<Float>, _ count: Int, k: Int
  ) -> Bool {
    if Self.above(source, count, Int32(bitPattern: threshold)) >= k { return false }
    return Self.above(source, count, Int32(bitPattern: threshold) - 1) >= k
  }

  /// How many magnitudes have bits beyond `limit`, which is at least -1.
  ///
  /// In integers, since a subtraction would change the bits of signalling NaNs.
  private static func above(_ source: UnsafePointer<Float>, _ count: Int, _ limit: Int32) -> Int {
    let mask = SIMD16<Int32>(repeating: 0x7FFF_FFFF)
    let limits = SIMD16<Int32>(repeating: limit)
    var total = 0
    var index = 0
    while index + 16 <= count {
      // A block cannot overflow the 32-bit counters of its lanes.
      let end = min(index + (1 << 24), count & ~15)
      var passed = SIMD16<Int32>.zero
      while index < end {
        // In bounds: index + 16 <= end <= count.
        let bits = UnsafeRawPointer(source + index).loadUnaligned(as: SIMD16<Int32>.self) & mask
        // No wrap: both are in -1..<2^31. The sign says whether the limit is exceeded.
        passed &-= (limits &- bits) &>> 31
        index += 16
      }
      for lane in 0..<16 { total += Int(passed[lane]) }
    }
    while index < count {
      total += Int32(bitPattern: source[index].bitPattern & 0x7FFF_FFFF) > limit ? 1 : 0
      index += 1
    }
    return total
  }

  /// Collects positions and bits of magnitudes that reach `threshold`, in order; nil if they do not
  /// fit.
  private func collect(
    _ source: UnsafePointer<Float>, _ count: Int, atLeast threshold: UInt32
  ) -> Int? {
    ThresholdSelection.collect(
      source, count, ThresholdRule(atLeast: Float(bitPattern: threshold)), base: 0, from: 0,
      room: room, positions: positions,
      values: UnsafeMutableRawPointer(words).assumingMemoryBound(to: Float.self))
  }

  /// Writes the candidates above `border`, and as many of those at it as are needed, the first ones.
  private func choose(
    _ count: Int, k: Int, base: Int, border: UInt32, into indices: UnsafeMutablePointer<UInt32>,
    values: UnsafeMutablePointer<Float>
  ) {
    var above = 0
    for index in 0..<count { above += words[index] & 0x7FFF_FFFF > border ? 1 : 0 }
    var ties = k - above
    var written = 0
    var index = 0
    // Every candidate is written and most stay: a branch would be mispredicted for every fourth.
    while written < k {
      // In bounds: among the candidates are at least k that stay, and `written` is below k.
      let magnitude = words[index] & 0x7FFF_FFFF
      indices[written] = UInt32(truncatingIfNeeded: base &+ Int(positions[index]))
      values[written] = Float(bitPattern: words[index])
      let isTie = magnitude == border && ties > 0
      ties &-= isTie ? 1 : 0
      written &+= magnitude > border || isTie ? 1 : 0
      index &+= 1
    }
  }

  /// As ``choose``, over the whole vector.
  private func emit(
    _ source: UnsafePointer<Float>, _ count: Int, k: Int, base: Int, border: UInt32,
    into indices: UnsafeMutablePointer<UInt32>, values: UnsafeMutablePointer<Float>
  ) {
    var ties = k - Self.above(source, count, Int32(bitPattern: border))
    var written = 0
    for index in 0..<count where written < k {
      let magnitude = source[index].bitPattern & 0x7FFF_FFFF
      if magnitude < border { continue }
      if magnitude == border {
        if ties == 0 { continue }
        ties -= 1
      }
      indices[written] = UInt32(truncatingIfNeeded: base + index)
      values[written] = source[index]
      written += 1
    }
  }

  /// The k-th largest magnitude by three histograms of 11, 11 and 10 bits over the whole vector.
  private func histogramBorder(
    _ source: UnsafePointer<Float>, _ count: Int, k: Int
  ) -> UInt32 {
    var rank = k
    for bin in 0..<2048 { bins[bin] = 0 }
    // In bounds: eleven bits index 2048 counters, ten bits 1024.
    for index in 0..<count { bins[Int(source[index].bitPattern & 0x7FFF_FFFF) >> 21] &+= 1 }
    let first = UInt32(RadixSelect.findBin(bins, highest: 2047, rank: &rank))
    for bin in 0..<2048 { bins[bin] = 0 }
    for index in 0..<count {
      let magnitude = source[index].bitPattern & 0x7FFF_FFFF
      if magnitude >> 21 == first { bins[Int(magnitude >> 10 & 2047)] &+= 1 }
    }
    let second = UInt32(RadixSelect.findBin(bins, highest: 2047, rank: &rank))
    let prefix = first << 11 | second
    for bin in 0..<1024 { bins[bin] = 0 }
    for index in 0..<count {
      let magnitude = source[index].bitPattern & 0x7FFF_FFFF
      if magnitude >> 10 == prefix { bins[Int(magnitude & 1023)] &+= 1 }
    }
    return prefix << 10 | UInt32(RadixSelect.findBin(bins, highest: 1023, rank: &rank))
  }
}
