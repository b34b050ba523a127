import SimKernel

/// Fits launch + elements x slope to measured times.
///
/// Weighted least squares of the *relative* errors, so that launch, which shows in small sizes only,
/// is not drowned by large ones; neither term is negative. Minimises the sum over i of
/// ((a + b n_i - t_i) / t_i)^2.
public struct CodecCostFit: Sendable, Equatable {
  /// Seconds of a call of no elements.
  public var launch: Double
  /// Seconds an element.
  public var slope: Double
  /// 1 minus the weighted squares that remain over those around the weighted mean.
  ///
  /// Between 0 and 1 for anything better than a constant, below 0 for worse; 0.9 leaves about 30 %
  /// of error, root mean square.
  public var rSquared: Double
  /// The largest relative error at any of the times.
  public var largestError: Double

  /// Fits `times`, in seconds and above 0, at `sizes`, in elements.
  ///
  /// - Precondition: as many times as sizes, at least one of each.
  public init(sizes: [Int], times: [Double]) {
    precondition(sizes.count == times.count && !sizes.isEmpty, "a time for every size")
    precondition(times.allSatisfy { $0 > 0 }, "times above zero")
    // Sums of w, w n, w n^2, w t and w n t with w = 1 / t^2; w t is 1 / t.
    var (one, n, nn, t, nt) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for (size, time) in zip(sizes, times) {
      let count = Double(size)
      let weight = 1 / (time * time)
      one += weight
      n += weight * count
      nn += weight * count * count
      t += 1 / time
      nt += count / time
    }
    let determinant = one * nn - n * n
    var a = determinant > 0 ? (nn * t - n * nt) / determinant : t / one
    var b = determinant > 0 ? (one * nt - n * t) / determinant : 0
    // Where one term would be negative, the best without it.
    if a < 0 {
      a = 0
      b = nn > 0 ? nt / nn : 0
    } else if b < 0 {
      b = 0
      a = t / one
    }
    launch = a
    slope = b
    let mean = t / one
    var (left, around) = (0.0, 0.0)
    largestError = 0
    for (size, time) in zip(sizes, times) {
      let error = (a + b * Double(size) - time) / time
      let spread = (time - mean) / time
      left += error * error
      largestError = max(largestError, error.magnitude)
      around += spread * spread
    }
    rSquared = around > 0 ? 1 - left / around : 1
  }

  /// The cost with the slope as a bandwidth of float32 values.
  public var cost: CodecCost {
    let bits = slope > 0 ? 32 / slope : .infinity
    return CodecCost(
      launch: .decimal(launch * 1e12, unit: 1),
      bandwidth: bits < 9e18 ? Bandwidth(bitsPerSecond: max(1, Int64(bits.rounded()))) : nil,
      rSquared: min(max(rSquared, 0), 1))
  }
}
