/// How well a ``SegmentedFit`` predicts what it has not seen: every other point is held out.
public struct HeldOutFit: Sendable {
  /// A point and what the fit says.
  public struct Prediction: Sendable, Equatable {
    public var point: SegmentedFit.Point
    public var predicted: Double
    /// Whether the fit was made without it.
    public var isHeldOut: Bool
    /// (predicted - measured) / measured.
    public var error: Double { predicted / point.time - 1 }
  }

  /// The errors of held-out points of a range of sizes.
  public struct Band: Sendable, Equatable {
    /// Bytes; the upper end does not belong to it.
    public var sizes: Range<Double>
    public var count: Int
    /// Of the magnitudes.
    public var meanError: Double
    public var largestError: Double
  }

  /// The fit of the points that were not held out.
  public let fit: SegmentedFit
  /// All points, in ascending order of sizes.
  public let predictions: [Prediction]

  /// Fits the first of `points`, the third, and so on; they are sorted by size, each size once.
  ///
  /// - Precondition: there is a point.
  public init(_ points: [SegmentedFit.Point]) {
    let fit = SegmentedFit(stride(from: 0, to: points.count, by: 2).map { points[$0] })
    self.fit = fit
    predictions = points.enumerated().map { index, point in
      Prediction(
        point: point, predicted: fit.time(of: point.size), isHeldOut: index % 2 == 1)
    }
  }

  /// The errors up to 32 KiB, where launch decides, to 1 MiB, to 32 MiB, and beyond, where bandwidth
  /// does; bands without a held-out point are left out.
  public var bands: [Band] {
    let edges: [Double] = [0, 32_768, 1_048_576, 33_554_432, .infinity]
    return zip(edges, edges.dropFirst()).compactMap { lower, upper in
      let errors = predictions.filter {
        $0.isHeldOut && $0.point.size >= lower && $0.point.size < upper
      }.map(\.error.magnitude)
      guard let largest = errors.max() else { return nil }
      return Band(
        sizes: lower..<upper, count: errors.count,
        meanError: errors.reduce(0, +) / Double(errors.count), largestError: largest)
    }
  }
}
