/// Rows of signed counters that hashed positions share: a count sketch.
struct SketchTable {
  /// Counters, row by row.
  let counters: UnsafeMutablePointer<Float>
  let rows: Int
  let columns: Int
  /// From which the hashes of all rows come.
  let key: UInt64

  private func hash(_ row: Int) -> CounterHash {
    // An odd multiple a row: another counter and another second word.
    CounterHash(key: key &+ UInt64(truncatingIfNeeded: row) &* 0x9E37_79B9_7F4A_7C15)
  }

  /// Adds elements `start..<start + count` of a gradient, which begin at `source`, to the counters.
  ///
  /// - Complexity: O(rows x count); additions to hashed places, which do not vectorise.
  func add(_ source: UnsafePointer<Float>, start: Int, _ count: Int) {
    for row in 0..<rows {
      let line = counters + row * columns
      let hash = hash(row)
      var counter = hash.counter(start)
      for index in 0..<count {
        let bits = hash.bits(counter: counter)
        counter &+= 1
        // In bounds: a 32-bit fraction of the columns is below them. The sign is the lowest bit, on
        // which the column hardly depends.
        let column = Int((UInt64(bits) &* UInt64(columns)) >> 32)
        line[column] += Float(bitPattern: source[index].bitPattern ^ (bits << 31))
      }
    }
  }

  /// Elements that are estimated row by row before the next ones: about as many as a row has
  /// counters, since each row is loaded into the cache for every block, and it must be worth it.
  static func block(columns: Int) -> Int { min(max(columns, 1024), 1 << 20) }

  /// Writes the median over the rows of what the counters say about each element.
  ///
  /// `lines` has room for `rows` x ``block(columns:)`` numbers.
  func estimate(
    start: Int, _ count: Int, lines: UnsafeMutablePointer<Float>,
    into output: UnsafeMutablePointer<Float>
  ) {
    let block = Self.block(columns: columns)
    for first in stride(from: 0, to: count, by: block) {
      let size = min(block, count - first)
      for row in 0..<rows {
        let line = counters + row * columns
        let target = lines + row * block
        let hash = hash(row)
        var counter = hash.counter(start + first)
        for index in 0..<size {
          let bits = hash.bits(counter: counter)
          counter &+= 1
          let column = Int((UInt64(bits) &* UInt64(columns)) >> 32)
          target[index] = Float(bitPattern: line[column].bitPattern ^ (bits << 31))
        }
      }
      if rows == 5 {
        Self.medianOfFive(lines, block, size, into: output + first)
        continue
      }
      sort(lines, block, size)
      let (low, high) = (lines + (rows - 1) / 2 * block, lines + rows / 2 * block)
      if rows & 1 == 1 {
        (output + first).update(from: low, count: size)
      } else {
        for index in 0..<size { output[first + index] = 0.5 * low[index] + 0.5 * high[index] }
      }
    }
  }

  /// The median of five lines, element by element.
  ///
  /// It is the middle one of the fifth, the larger of two pairs' minima and the smaller of their
  /// maxima.
  private static func medianOfFive(
    _ lines: UnsafePointer<Float>, _ block: Int, _ size: Int,
    into output: UnsafeMutablePointer<Float>
  ) {
    @inline(__always) func low(_ x: Float, _ y: Float) -> Float { x < y ? x : y }
    @inline(__always) func high(_ x: Float, _ y: Float) -> Float { x < y ? y : x }
    for index in 0..<size {
      let (a, b) = (lines[index], lines[block + index])
      let (c, d) = (lines[2 * block + index], lines[3 * block + index])
      let e = lines[4 * block + index]
      let lower = high(low(a, b), low(c, d))
      let upper = low(high(a, b), high(c, d))
      output[index] = high(low(lower, upper), low(high(lower, upper), e))
    }
  }

  /// Sorts every column of the block, by exchanges of whole lines, which vectorise.
  private func sort(_ lines: UnsafeMutablePointer<Float>, _ block: Int, _ size: Int) {
    for last in stride(from: rows - 1, to: 0, by: -1) {
      for row in 0..<last {
        let (a, b) = (lines + row * block, lines + (row + 1) * block)
        for index in 0..<size {
          let (x, y) = (a[index], b[index])
          let ordered = x < y
          a[index] = ordered ? x : y
          b[index] = ordered ? y : x
        }
      }
    }
  }
}
