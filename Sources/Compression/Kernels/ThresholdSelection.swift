/// Which elements a threshold selects: those farther than a limit from a centre.
///
/// Distances are compared as bits, which order like magnitudes; as signed integers, because SSE2
/// compares no others. A limit of -1 selects everything.
struct ThresholdRule: Sendable {
  /// What is subtracted first, in single precision; 0 leaves the elements as they are.
  var center: Float
  /// The bits of the largest distance that is not selected.
  var limit: Int32

  /// Elements strictly farther from `center` than `distance`, compared as real numbers.
  init(above distance: Double, center: Float = 0) {
    self.center = center
    if !(distance >= 0) {
      limit = -1
      return
    }
    // The largest float32 that is not above the distance: no float32 lies between them.
    let nearest = Float(distance)
    let floor = Double(nearest) > distance ? nearest.nextDown : nearest
    limit = Int32(bitPattern: floor.bitPattern)
  }
  /// Elements of at least this magnitude.
  init(atLeast magnitude: Float) {
    center = 0
    limit = Int32(bitPattern: magnitude.bitPattern) - 1
  }
  /// No element, whatever it is.
  static var nothing: ThresholdRule {
    var rule = ThresholdRule(above: 0)
    rule.limit = .max
    return rule
  }
}

/// Counting and collecting what passes a threshold, in order, at about the speed of reading.
enum ThresholdSelection {
  /// Slots that positions and values need beyond the room that is announced.
  static let slack = 64

  /// How many of `count` elements pass.
  static func count(_ source: UnsafePointer<Float>, _ count: Int, _ rule: ThresholdRule) -> Int {
    let mask = SIMD16<Int32>(repeating: 0x7FFF_FFFF)
    let limit = SIMD16<Int32>(repeating: rule.limit)
    let center = SIMD16<Float>(repeating: rule.center)
    var total = 0
    var index = 0
    let whole = count & ~15
    while index < whole {
      // A block cannot overflow the 32-bit counters of its lanes.
      let end = min(index + (1 << 24), whole)
      var passed = SIMD16<Int32>.zero
      while index < end {
        // In bounds: index + 16 <= whole <= count.
        let values = UnsafeRawPointer(source + index).loadUnaligned(as: SIMD16<Float>.self)
        let bits = unsafeBitCast(values - center, to: SIMD16<Int32>.self) & mask
        // No wrap: both are in -1..<2^31. The sign says whether the limit is exceeded; comparisons
        // of SIMD values are not vectorised everywhere.
        passed &-= (limit &- bits) &>> 31
        index += 16
      }
      for lane in 0..<16 { total += Int(passed[lane]) }
    }
    while index < count {
      let bits = Int32(bitPattern: (source[index] - rule.center).bitPattern & 0x7FFF_FFFF)
      total += bits > rule.limit ? 1 : 0
      index += 1
    }
    return total
  }

  /// Appends positions, plus `base`, and values of what passes from slot `start` on.
  ///
  /// - Precondition: `positions` and `values` have `room + slack` slots.
  /// - Returns: the number of filled slots, or nil where they would be more than `room`.
  /// - Complexity: O(count).
  static func collect(
    _ source: UnsafePointer<Float>, _ count: Int, _ rule: ThresholdRule, base: Int, from start: Int,
    room: Int, positions: UnsafeMutablePointer<UInt32>, values: UnsafeMutablePointer<Float>
  ) -> Int? {
    // Finding and fetching take turns: the first streams through memory without a branch that
    // depends on the data, the second looks only at groups in which something passes.
    let groups = 64
    var found = start
    var index = 0
    let fits = withUnsafeTemporaryAllocation(of: (passed: UInt64, at: Int).self, capacity: groups) {
      hits in
      while index + 64 <= count {
        let end = min(index + 64 * groups, count & ~63)
        var filled = 0
        while index < end {
          let group = source + index
          let word = UInt64(passing(group, rule)) | UInt64(passing(group + 32, rule)) << 32
          // In bounds: at most one a group.
          hits[filled] = (word, index)
          filled &+= word == 0 ? 0 : 1
          index += 64
        }
        for hit in 0..<filled {
          // In bounds: at most 64 are written between two looks at the room.
          if found > room { return false }
          var (word, first) = hits[hit]
          repeat {
            let position = first + word.trailingZeroBitCount
            positions[found] = UInt32(truncatingIfNeeded: base + position)
            values[found] = source[position]
            found &+= 1
            word &= word &- 1
          } while word != 0
        }
      }
      return true
    }
    if !fits { return nil }
    if found > room { return nil }
    while index < count {
      let bits = Int32(bitPattern: (source[index] - rule.center).bitPattern & 0x7FFF_FFFF)
      if bits > rule.limit {
        positions[found] = UInt32(truncatingIfNeeded: base + index)
        values[found] = source[index]
        found += 1
      }
      index += 1
    }
    return found > room ? nil : found
  }

  /// One bit an element: whether it passes; an or-reduction that vectorises.
  @inline(__always)
  private static func passing(_ source: UnsafePointer<Float>, _ rule: ThresholdRule) -> UInt32 {
    let (center, limit) = (rule.center, rule.limit)
    var bits: UInt32 = 0
    for lane in 0..<32 {
      let distance = Int32(bitPattern: (source[lane] - center).bitPattern & 0x7FFF_FFFF)
      bits |= (distance > limit ? 1 : 0) << UInt32(lane)
    }
    return bits
  }

  /// The sum of |x| - `threshold` over the elements above it, and how many those are.
  ///
  /// Sixteen lanes over blocks of 4096 elements, each block added to a `Double`, so that every
  /// instruction set gives the same bits.
  static func excess(
    _ source: UnsafePointer<Float>, _ count: Int, above threshold: Float
  ) -> (sum: Double, count: Int) {
    let mask = SIMD16<UInt32>(repeating: 0x7FFF_FFFF)
    let level = SIMD16<Float>(repeating: threshold)
    var total = 0.0
    var index = 0
    let whole = count & ~15
    while index < whole {
      let end = min(index + Reductions.blockSize, whole)
      var lanes = SIMD16<Float>.zero
      while index < end {
        // In bounds: index + 16 <= whole <= count.
        let bits = UnsafeRawPointer(source + index).loadUnaligned(as: SIMD16<UInt32>.self) & mask
        let magnitude = unsafeBitCast(bits, to: SIMD16<Float>.self)
        let rest = unsafeBitCast(magnitude - level, to: SIMD16<Int32>.self)
        // Keeps what is not negative, by the sign spread over the word.
        lanes += unsafeBitCast(rest & ~(rest &>> 31), to: SIMD16<Float>.self)
        index += 16
      }
      var block = 0.0
      for lane in 0..<16 { block += Double(lanes[lane]) }
      total += block
    }
    while index < count {
      let magnitude = source[index].magnitude
      total += magnitude > threshold ? Double(magnitude - threshold) : 0
      index += 1
    }
    let passed = self.count(source, count, ThresholdRule(above: Double(threshold)))
    return (total, passed)
  }
}
