/// Products of a matrix, in rows one after another, with a few vectors, and their orthogonalisation.
///
/// Vectors are contiguous: factor k of length n begins at k n. Sums run in sixteen lanes in a written
/// order, and Swift contracts no product with a sum, so every instruction set gives the same bits.
enum LowRank {
  private typealias Lanes = SIMD16<Float>

  @inline(__always)
  private static func load(_ source: UnsafePointer<Float>, _ index: Int) -> Lanes {
    UnsafeRawPointer(source + index).loadUnaligned(as: Lanes.self)
  }
  @inline(__always)
  private static func store(_ lanes: Lanes, _ target: UnsafeMutablePointer<Float>, _ index: Int) {
    UnsafeMutableRawPointer(target + index).storeBytes(of: lanes, as: Lanes.self)
  }
  @inline(__always)
  private static func total(_ lanes: Lanes) -> Float {
    let eight = lanes.lowHalf + lanes.highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
  }

  /// left_k = matrix x right_k.
  ///
  /// - Complexity: O(rows x columns x rank), reading the matrix from memory once.
  static func project(
    _ matrix: UnsafePointer<Float>, rows: Int, columns: Int, rank: Int,
    right: UnsafePointer<Float>, into left: UnsafeMutablePointer<Float>
  ) {
    let whole = columns & ~15
    for row in 0..<rows {
      let line = matrix + row * columns
      var k = 0
      // Four sums at a time share the loads of the line.
      while k + 4 <= rank {
        let (a, b) = (right + k * columns, right + (k + 1) * columns)
        let (c, d) = (right + (k + 2) * columns, right + (k + 3) * columns)
        var (s, t, u, v) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var index = 0
        while index < whole {
          // In bounds: index + 16 <= whole <= columns.
          let x = load(line, index)
          s += x * load(a, index)
          t += x * load(b, index)
          u += x * load(c, index)
          v += x * load(d, index)
          index += 16
        }
        var rest = SIMD4(total(s), total(t), total(u), total(v))
        while index < columns {
          rest += line[index] * SIMD4(a[index], b[index], c[index], d[index])
          index += 1
        }
        for lane in 0..<4 { left[(k + lane) * rows + row] = rest[lane] }
        k += 4
      }
      while k < rank {
        let a = right + k * columns
        var s = Lanes.zero
        var index = 0
        while index < whole {
          s += load(line, index) * load(a, index)
          index += 16
        }
        var rest = total(s)
        while index < columns {
          rest += line[index] * a[index]
          index += 1
        }
        left[k * rows + row] = rest
        k += 1
      }
    }
  }

  /// right_k = matrix transposed x left_k.
  ///
  /// - Complexity: O(rows x columns x rank), reading the matrix from memory once.
  static func projectBack(
    _ matrix: UnsafePointer<Float>, rows: Int, columns: Int, rank: Int,
    left: UnsafePointer<Float>, into right: UnsafeMutablePointer<Float>
  ) {
    right.update(repeating: 0, count: rank * columns)
    let whole = columns & ~15
    // Four rows at a time share the loads and stores of the sums.
    for row in stride(from: 0, to: rows, by: 4) {
      let count = min(4, rows - row)
      let line = matrix + row * columns
      for k in 0..<rank {
        let weights = left + k * rows + row
        let target = right + k * columns
        var index = 0
        if count == 4 {
          let (a, b, c, d) = (weights[0], weights[1], weights[2], weights[3])
          while index < whole {
            // In bounds: the line and the three after it have `columns` elements each.
            let first = load(line, index) * a + load(line, columns + index) * b
            let second =
              load(line, 2 * columns + index) * c + load(line, 3 * columns + index) * d
            store(load(target, index) + (first + second), target, index)
            index += 16
          }
          while index < columns {
            let first = line[index] * a + line[columns + index] * b
            let second = line[2 * columns + index] * c + line[3 * columns + index] * d
            target[index] += first + second
            index += 1
          }
        } else {
          for other in 0..<count {
            let source = line + other * columns
            let weight = weights[other]
            for index in 0..<columns { target[index] += source[index] * weight }
          }
        }
      }
    }
  }

  /// matrix = the sum of left_k x right_k transposed.
  static func multiply(
    left: UnsafePointer<Float>, right: UnsafePointer<Float>, rows: Int, columns: Int, rank: Int,
    into matrix: UnsafeMutablePointer<Float>
  ) {
    let whole = columns & ~15
    for row in 0..<rows {
      let line = matrix + row * columns
      let weights = left + row
      var k = 0
      // Pairs of pairs, so that one pass over the line serves four factors.
      while k < rank {
        let isFirst = k == 0
        if k + 4 <= rank {
          let (a, b) = (weights[k * rows], weights[(k + 1) * rows])
          let (c, d) = (weights[(k + 2) * rows], weights[(k + 3) * rows])
          let source = right + k * columns
          var index = 0
          while index < whole {
            let first = load(source, index) * a + load(source, columns + index) * b
            let second =
              load(source, 2 * columns + index) * c + load(source, 3 * columns + index) * d
            store(isFirst ? first + second : load(line, index) + (first + second), line, index)
            index += 16
          }
          while index < columns {
            let first = source[index] * a + source[columns + index] * b
            let second = source[2 * columns + index] * c + source[3 * columns + index] * d
            line[index] = isFirst ? first + second : line[index] + (first + second)
            index += 1
          }
          k += 4
        } else {
          let weight = weights[k * rows]
          let source = right + k * columns
          for index in 0..<columns {
            let product = source[index] * weight
            line[index] = isFirst ? product : line[index] + product
          }
          k += 1
        }
      }
    }
  }

  /// Makes the vectors orthonormal, in order, by two rounds of Gram-Schmidt in double precision; one
  /// that depends on those before becomes zero.
  static func orthonormalise(_ vectors: UnsafeMutablePointer<Float>, count: Int, length: Int) {
    for k in 0..<count {
      let vector = vectors + k * length
      let before = dot(vector, vector, length)
      for _ in 0..<2 {
        for other in 0..<k {
          let base = vectors + other * length
          let share = Float(dot(vector, base, length))
          for index in 0..<length { vector[index] -= share * base[index] }
        }
      }
      let square = dot(vector, vector, length)
      // What is left of a dependent vector is the rounding of single precision.
      if square > before * 1e-12, square > 0 {
        let inverse = 1 / square.squareRoot()
        for index in 0..<length { vector[index] = Float(Double(vector[index]) * inverse) }
      } else {
        vector.update(repeating: 0, count: length)
      }
    }
  }

  private static func dot(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int
  ) -> Double {
    var lanes = SIMD8<Double>.zero
    var index = 0
    while index + 8 <= count {
      let x = UnsafeRawPointer(a + index).loadUnaligned(as: SIMD8<Float>.self)
      let y = UnsafeRawPointer(b + index).loadUnaligned(as: SIMD8<Float>.self)
      lanes += SIMD8<Double>(x) * SIMD8<Double>(y)
      index += 8
    }
    var total = 0.0
    for lane in 0..<8 { total += lanes[lane] }
    while index < count {
      total += Double(a[index]) * Double(b[index])
      index += 1
    }
    return total
  }
}
