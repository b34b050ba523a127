/// Exact selection of the k largest magnitudes of n floats, ties to the lowest index, at about memory
/// speed.
///
/// Long vectors: a threshold is guessed from a sample so that a little more than k elements pass it,
/// one pass collects (index, bits) of those - values fetched afterwards would cost more than the whole
/// selection - and a radix select finds the exact border among them. When the guess was wrong - all
/// equal, periodic, one huge value, mostly zeros - histograms over the whole vector find the border
/// instead, three more passes, whatever the input.
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
    positions = scratch.temporary(of: UInt32.self, room + 64)
    words = scratch.temporary(of: UInt32.self, room + 64)
    keys = scratch.temporary(of: UInt32.self, room + 64)
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
      let border = histogramBorder(source, count, k: k)
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

  /// Collects positions and bits of magnitudes that reach `threshold`, in order; nil if they do not
  /// fit.
  private func collect(
    _ source: UnsafePointer<Float>, _ count: Int, atLeast threshold: UInt32
  ) -> Int? {
    let limit = Int32(threshold) - 1
    var found = 0
    var start = 0
    while start + 64 <= count {
      // In bounds: the memory has 64 slots beyond `room`.
      if found > room { return nil }
      let group = source + start
      var word =
        UInt64(Self.above(group, limit)) | UInt64(Self.above(group + 32, limit)) << 32
      while word != 0 {
        let lane = word.trailingZeroBitCount
        positions[found] = UInt32(truncatingIfNeeded: start + lane)
        words[found] = group[lane].bitPattern
        found += 1
        word &= word &- 1
      }
      start += 64
    }
    if found > room { return nil }
    while start < count {
      let bits = source[start].bitPattern
      if bits & 0x7FFF_FFFF >= threshold {
        positions[found] = UInt32(truncatingIfNeeded: start)
        words[found] = bits
        found += 1
      }
      start += 1
    }
    return found
  }

  /// One bit an element: whether its magnitude bits exceed `limit`; an or-reduction that vectorises.
  @inline(__always)
  private static func above(_ source: UnsafePointer<Float>, _ limit: Int32) -> UInt32 {
    var bits: UInt32 = 0
    for lane in 0..<32 {
      let magnitude = Int32(truncatingIfNeeded: source[lane].bitPattern & 0x7FFF_FFFF)
      bits |= (magnitude > limit ? 1 : 0) << UInt32(lane)
    }
    return bits
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
    for index in 0..<count {
      let magnitude = words[index] & 0x7FFF_FFFF
      if magnitude < border { continue }
      if magnitude == border {
        if ties == 0 { continue }
        ties -= 1
      }
      indices[written] = UInt32(truncatingIfNeeded: base + Int(positions[index]))
      values[written] = Float(bitPattern: words[index])
      written += 1
    }
  }

  /// As ``choose``, over the whole vector.
  private func emit(
    _ source: UnsafePointer<Float>, _ count: Int, k: Int, base: Int, border: UInt32,
    into indices: UnsafeMutablePointer<UInt32>, values: UnsafeMutablePointer<Float>
  ) {
    var above = 0
    for index in 0..<count { above += source[index].bitPattern & 0x7FFF_FFFF > border ? 1 : 0 }
    var ties = k - above
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
