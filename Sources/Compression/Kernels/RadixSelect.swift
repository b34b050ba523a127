/// The k-th largest of 32-bit keys by histograms of their digits, most significant first.
enum RadixSelect {
  /// Counters that a selection needs.
  static let binCount = 2048

  /// The `k`-th largest key (k = 1 is the largest) of `count`; the keys are reordered and lost.
  ///
  /// - Precondition: 1 <= k <= count; `bins` has room for 2048 counters.
  /// - Complexity: O(count), at most four passes over ever fewer keys.
  static func kthLargest(
    _ keys: UnsafeMutablePointer<UInt32>, _ count: Int, k: Int, bins: UnsafeMutablePointer<UInt32>
  ) -> UInt32 {
    // Clearing 2048 counters for a bucket of 512 elements would cost more than the rest.
    let digit = count < 8192 ? 8 : 11
    var left = count
    var rank = k
    var top = 32
    var prefix: UInt32 = 0
    while top > 0 {
      let width = min(digit, top)
      let shift = UInt32(top - width)
      let mask = (UInt32(1) << UInt32(width)) - 1
      for bin in 0...Int(mask) { bins[bin] = 0 }
      // In bounds: a digit is at most `mask`.
      for index in 0..<left { bins[Int(keys[index] >> shift & mask)] &+= 1 }
      let bin = findBin(bins, highest: Int(mask), rank: &rank)
      prefix |= UInt32(bin) << shift
      if bins[bin] == 1 || shift == 0 {
        if shift == 0 { return prefix }
        for index in 0..<left where keys[index] >> shift & mask == UInt32(bin) {
          return keys[index]
        }
      }
      var kept = 0
      for index in 0..<left {
        let key = keys[index]
        keys[kept] = key
        kept += key >> shift & mask == UInt32(bin) ? 1 : 0
      }
      left = kept
      top -= width
    }
    return prefix
  }

  /// The highest bin in which the `rank`-th largest key lies; `rank` becomes its rank within the bin.
  static func findBin(
    _ bins: UnsafePointer<UInt32>, highest: Int, rank: inout Int
  ) -> Int {
    var bin = highest
    while bin > 0, Int(bins[bin]) < rank {
      rank -= Int(bins[bin])
      bin -= 1
    }
    return bin
  }
}
