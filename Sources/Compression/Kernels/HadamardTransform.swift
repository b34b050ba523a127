/// The fast Walsh-Hadamard transform in place, without normalisation: applied twice it multiplies by
/// the length.
///
/// Butterflies (a, b) -> (a + b, a - b) of elements h apart run for h = 1, 2, 4, ... in that order,
/// which fixes every rounding: how the work is cut into blocks changes no bit. Blocks of 4096
/// elements do their twelve levels in the first cache, groups of sixteen blocks the next four in the
/// second. The levels above go five at a time at most, on strips of 128 columns that are copied out:
/// rows a power of two apart fall into one cache set, and more than 32 of them push each other out
/// even of the second cache.
enum HadamardTransform {
  /// Elements whose levels run in the first cache.
  static let block = 4096
  /// Elements whose levels run in the second cache.
  private static let group = 1 << 16
  /// Columns of a strip: eight cache lines.
  private static let strip = 128
  /// Levels done on one strip, at most: 32 rows of 128 columns are a block again.
  private static let levelsOfStrip = 5

  /// The smallest power of two that is at least `count`; 0 for 0.
  static func paddedCount(_ count: Int) -> Int {
    count <= 1 ? count : 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
  }

  /// Transforms `count` elements, a power of two; `buffer` has room for a block.
  ///
  /// - Complexity: count log2(count) additions, one pass over memory for the first sixteen levels and
  ///   one for every five above.
  static func transform(
    _ values: UnsafeMutablePointer<Float>, _ count: Int, buffer: UnsafeMutablePointer<Float>
  ) {
    for start in stride(from: 0, to: count, by: block) {
      let size = min(block, count)
      transformBlock(values + start, size)
      combineBlocks(values, upTo: start + size, of: count, buffer: buffer)
    }
  }

  /// Transforms one block of at most 4096 elements, a power of two.
  static func transformBlock(_ values: UnsafeMutablePointer<Float>, _ count: Int) {
    if count < 16 {
      var h = 1
      while h < count {
        for base in stride(from: 0, to: count, by: 2 * h) {
          for j in base..<base + h {
            let (a, b) = (values[j], values[j + h])
            values[j] = a + b
            values[j + h] = a - b
          }
        }
        h *= 2
      }
      return
    }
    for start in stride(from: 0, to: count, by: 16) { transform16(values + start) }
    levels(values, count, from: 16)
  }

  /// The levels above blocks that have become possible now that the blocks before `end` of `count`
  /// elements are transformed; called after every block, it completes the transform.
  static func combineBlocks(
    _ values: UnsafeMutablePointer<Float>, upTo end: Int, of count: Int,
    buffer: UnsafeMutablePointer<Float>
  ) {
    if end & (group - 1) == 0 || end == count {
      let start = (end - 1) & ~(group - 1)
      combine(values + start, end - start, from: block, buffer: buffer)
    }
    if end == count { combine(values, count, from: group, buffer: buffer) }
  }

  /// The levels from `distance` on.
  private static func combine(
    _ values: UnsafeMutablePointer<Float>, _ count: Int, from distance: Int,
    buffer: UnsafeMutablePointer<Float>
  ) {
    if count <= distance { return }
    var distance = distance
    var left = (count / distance).trailingZeroBitCount
    var passes = (left + levelsOfStrip - 1) / levelsOfStrip
    while left > 0 {
      // Passes of about equal depth: one of a single level costs the memory as much as one of five.
      let depth = (left + passes - 1) / passes
      let rows = 1 << depth
      for base in stride(from: 0, to: count, by: distance * rows) {
        for column in stride(from: base, to: base + distance, by: strip) {
          for row in 0..<rows {
            copyStrip(values + column + row * distance, to: buffer + row * strip)
          }
          levels(buffer, rows * strip, from: strip)
          for row in 0..<rows {
            copyStrip(buffer + row * strip, to: values + column + row * distance)
          }
        }
      }
      distance *= rows
      left -= depth
      passes -= 1
    }
  }

  @inline(__always)
  private static func copyStrip(
    _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>
  ) {
    for part in stride(from: 0, to: strip, by: 8) { store(load(source + part), target + part) }
  }

  /// Levels 1, 2, 4 and 8 of sixteen elements in registers.
  ///
  /// Sums of neighbours to the lower half and differences to the upper one do one level and rotate
  /// the bits of the positions; four times restores the order.
  @inline(__always)
  private static func transform16(_ values: UnsafeMutablePointer<Float>) {
    var low = load(values)
    var high = load(values + 8)
    for _ in 0..<4 {
      let even = SIMD8<Float>(lowHalf: low.evenHalf, highHalf: high.evenHalf)
      let odd = SIMD8<Float>(lowHalf: low.oddHalf, highHalf: high.oddHalf)
      low = even + odd
      high = even - odd
    }
    store(low, values)
    store(high, values + 8)
  }

  /// Levels `first`, 2 `first`, ...
  ///
  /// up to `count`, two at a time; `first` is a multiple of 8.
  @inline(__always)
  private static func levels(
    _ values: UnsafeMutablePointer<Float>, _ count: Int, from first: Int
  ) {
    var h = first
    while 2 * h < count {
      for base in stride(from: 0, to: count, by: 4 * h) {
        var row = values + base
        // In bounds: base + 4 h <= count, and h is a multiple of 8.
        for _ in 0..<h / 8 {
          let (a, b) = (load(row), load(row + h))
          let (c, d) = (load(row + 2 * h), load(row + 3 * h))
          let (sum, difference) = (a + b, a - b)
          let (sum2, difference2) = (c + d, c - d)
          store(sum + sum2, row)
          store(difference + difference2, row + h)
          store(sum - sum2, row + 2 * h)
          store(difference - difference2, row + 3 * h)
          row += 8
        }
      }
      h *= 4
    }
    if h < count {
      var row = values
      for _ in 0..<h / 8 {
        let (a, b) = (load(row), load(row + h))
        store(a + b, row)
        store(a - b, row + h)
        row += 8
      }
    }
  }

  @inline(__always)
  private static func load(_ pointer: UnsafePointer<Float>) -> SIMD8<Float> {
    UnsafeRawPointer(pointer).loadUnaligned(as: SIMD8<Float>.self)
  }
  @inline(__always)
  private static func store(_ x: SIMD8<Float>, _ pointer: UnsafeMutablePointer<Float>) {
    // Alignment is that of a float; the type's own store would demand 32 bytes.
    UnsafeMutableRawPointer(pointer).storeBytes(of: x, as: SIMD8<Float>.self)
  }
}
