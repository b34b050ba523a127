/// What codecs would make of a gradient, in plain code that shares nothing with the codecs.
struct GradientMeasures {
  /// Names and values, in a fixed order.
  var values: [(name: String, value: Double)]

  init(_ x: [Float]) {
    let d = x.map(Double.init)
    let energy = d.reduce(0) { $0 + $1 * $1 }
    func relative(_ error: Double) -> Double { (error / energy).squareRoot() }

    func topK(_ ratio: Double) -> Double {
      var left = d
      for index in Self.top(x, ratio) { left[index] = 0 }
      return relative(left.reduce(0) { $0 + $1 * $1 })
    }
    let mean = d.reduce(0) { $0 + $1.magnitude } / Double(d.count)
    let signError = d.reduce(0) { sum, v in
      let error = v - (v >= 0 ? mean : -mean)
      return sum + error * error
    }
    /// Sum of squared errors in buckets of 512 under a maximum-scaled grid: rounded to nearest, or
    /// the expectation of stochastic rounding.
    func quantised(_ levels: Double, stochastic: Bool) -> Double {
      var sum = 0.0
      for start in stride(from: 0, to: d.count, by: 512) {
        let bucket = d[start..<min(start + 512, d.count)]
        let unit = (bucket.map(\.magnitude).max() ?? 0) / levels
        if unit == 0 { continue }
        for v in bucket {
          let q = v.magnitude / unit
          let f = q - q.rounded(.down)
          let nearest = q - q.rounded(.toNearestOrEven)
          sum += (stochastic ? f * (1 - f) : nearest * nearest) * unit * unit
        }
      }
      return sum
    }
    /// Bytes an index of the top 1 % takes as a LEB128 gap.
    var gapBytes = 0
    var previous = -1
    let selected = Self.top(x, 0.01).sorted()
    for index in selected {
      var gap = index - previous - 1
      previous = index
      repeat {
        gapBytes += 1
        gap >>= 7
      } while gap > 0
    }
    values = [
      ("top_k 1 %", topK(0.01)), ("top_k 10 %", topK(0.1)), ("ef_sign", relative(signError)),
      ("int8", relative(quantised(127, stochastic: false))),
      ("qsgd 16", relative(quantised(16, stochastic: true))),
      ("zeros", Double(x.count(where: { $0 == 0 })) / Double(x.count)),
      ("gap bytes", Double(gapBytes) / Double(selected.count)),
    ]
  }

  /// Indices of the k = max(1, floor(n ratio)) largest magnitudes, ties to the lowest index.
  static func top(_ x: [Float], _ ratio: Double) -> [Int] {
    let k = max(1, Int(Double(x.count) * ratio))
    let order = x.indices.sorted {
      let (a, b) = (x[$0].magnitude, x[$1].magnitude)
      return a > b || (a == b && $0 < $1)
    }
    return Array(order.prefix(k))
  }

  static func cosine(_ a: [Float], _ b: [Float]) -> Double {
    var (ab, aa, bb) = (0.0, 0.0, 0.0)
    for (x, y) in zip(a, b) {
      ab += Double(x) * Double(y)
      aa += Double(x) * Double(x)
      bb += Double(y) * Double(y)
    }
    return ab / (aa * bb).squareRoot()
  }

  /// Size of the union of the workers' top-1 % supports over k.
  static func union(_ workers: [[Float]]) -> Double {
    let tops = workers.map { top($0, 0.01) }
    return Double(Set(tops.joined()).count) / Double(tops[0].count)
  }
}
