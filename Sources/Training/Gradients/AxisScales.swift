import SimKernel

/// The scales of a tensor's rows or columns for one worker and iteration.
///
/// A score ranks the rows; the quantile function of the profile is then read at evenly spaced
/// strata, so that even ten rows have the fitted distribution and not a sample of it, and the lowest
/// ranks are dead. The score adds, in parts of variance 1: a trend with the index, a normal shared
/// by blocks of neighbours, one of the row, both the same for all workers and renewed now and then
/// (each row at its own time), and one that is the worker's and iteration's own.
enum AxisScales {
  /// Neighbours that share the clustered part.
  private static let block = 8

  /// The keys of the random parts of one axis.
  struct Keys {
    var shared: UInt64
    var worker: UInt64
    var iteration: Int
  }

  /// Fills `scales` for `count` rows, RMS 1 over live and dead ones together.
  ///
  /// - Complexity: O(count).
  static func fill(_ scales: inout [Float], count: Int, profile: AxisProfile, keys: Keys) {
    scales.removeAll(keepingCapacity: true)
    if count == 1 { return scales.append(1) }
    let own = max(0, profile.shared - profile.clustering - profile.trend * profile.trend)
    let weights = (
      trend: profile.trend, cluster: profile.clustering.squareRoot(), own: own.squareRoot(),
      worker: max(0, 1 - profile.shared).squareRoot()
    )
    let indexBits = max(26, Int.bitWidth - count.leadingZeroBitCount)
    let fraction = Double(Int64(1) << Int64(58 - indexBits))
    var ranking: [Int64] = []
    ranking.reserveCapacity(count)
    for index in 0..<count {
      var score = weights.own * renewed(keys, index, salt: 0x0B)
      score += weights.worker * normal(keys.worker, UInt64(index))
      if weights.cluster > 0 { score += weights.cluster * renewed(keys, index / block, salt: 0x0C) }
      if weights.trend != 0 {
        let strata = (Double(index) + 0.5) / Double(count)
        score += weights.trend * DeterministicMath.normalQuantile(strata)
      }
      // |score| < 20, so sign, five bits and the fraction hold it; the index breaks ties.
      ranking.append(Int64(score * fraction) << Int64(indexBits) | Int64(index))
    }
    sort(&ranking, above: indexBits)

    let dead = min(count - 1, Int(profile.dead * Double(count) + 0.5))
    let live = count - dead
    var values = [Double](repeating: 0, count: live)
    var squares = 0.0
    for rank in 0..<live {
      let value = quantile((Double(rank) + 0.5) / Double(live), profile.knots)
      values[rank] = value
      squares += value * value
    }
    let norm = squares > 0 ? (Double(count) / squares).squareRoot() : 0
    scales.append(contentsOf: repeatElement(0, count: count))
    for rank in 0..<live {
      scales[Int(ranking[dead + rank] & (1 << Int64(indexBits) - 1))] = Float(values[rank] * norm)
    }
  }

  /// Sorts scores whose low bits, the indices, ascend already: by the others, in stable passes of
  /// ten bits.
  private static func sort(_ ranking: inout [Int64], above indexBits: Int) {
    // Fewer do not repay the counting.
    if ranking.count < 256 { return ranking.sort() }
    var other = ranking
    for shift in stride(from: UInt64(indexBits), to: 64, by: 10) {
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: 1024) { places in
        // Ten bits index 1024 places; the places are positions below the number of scores.
        func digit(_ key: Int64) -> Int {
          Int((UInt64(bitPattern: key) ^ 1 << 63) >> shift & 0x3FF)
        }
        places.initialize(repeating: 0)
        for key in ranking { places[digit(key)] += 1 }
        var start: Int32 = 0
        for place in 0..<1024 {
          let count = places[place]
          places[place] = start
          start += count
        }
        for key in ranking {
          let place = digit(key)
          other[Int(places[place])] = key
          places[place] += 1
        }
      }
      swap(&ranking, &other)
    }
  }

  /// Linear interpolation between the knots.
  private static func quantile(_ p: Double, _ knots: [Double]) -> Double {
    if knots.count < SyntheticTable.probabilities.count { return knots[0] }
    var k = 1
    while SyntheticTable.probabilities[k] < p { k += 1 }
    let (low, high) = (SyntheticTable.probabilities[k - 1], SyntheticTable.probabilities[k])
    return knots[k - 1] + (knots[k] - knots[k - 1]) * ((p - low) / (high - low))
  }

  /// A normal that `index` keeps for a period of iterations.
  private static func renewed(_ keys: Keys, _ index: Int, salt: UInt64) -> Double {
    let key = RandomStream.mix(keys.shared ^ salt &* 0xA076_1D64_78BD_642F)
    let epoch = SyntheticGradients.epoch(
      of: UInt64(index), key: key, iteration: keys.iteration, period: SyntheticTable.scalePeriod)
    return normal(key &+ epoch &* 0xE703_7ED1_A0B4_28DB, UInt64(index))
  }

  /// A nearly normal number of variance 1: the sum of four 16-bit uniforms.
  ///
  /// Scores are only ranked, so the missing tail beyond 3.4 costs nothing.
  private static func normal(_ key: UInt64, _ index: UInt64) -> Double {
    let bits = RandomStream.mix(key ^ index &* 0xD6E8_FEB8_6659_FD93)
    let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
    // Mean 4 * 32767.5; variance 4 * (2^32 - 1) / 12, whose root is 37837.2.
    return (Double(sum) - 131070) / 37837.2
  }
}
