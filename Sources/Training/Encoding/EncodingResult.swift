import Compression
import SimKernel

/// What really encoding a job's gradients showed.
public struct EncodingResult: Sendable {
  /// One tensor group of one communication unit.
  public struct Group: Sendable {
    /// The payload of each representative worker, by the codec's formula, for the whole group.
    public var payloadBits: [Int64]
    /// What the frame adds to a payload.
    public var framing: ByteCount
    /// How the workers' supports unite; nil where nothing unites them.
    public var support: SupportGrowth?
  }

  /// Groups of each unit, in the order of ``CompressionPlan/groups``.
  public var units: [[Group]]
  /// |mean decoded - exact mean| / |exact mean| over the representative workers.
  public var relativeL2: Double
  /// The cosine between the two means.
  public var cosine: Double
  /// What the gradients are and what they rest on.
  public var source: String
  /// Elements that were encoded of how many, such as `1048576 of 25557032`.
  public var sample: String
  /// What compression does beyond one step; nil where a sample would not tell.
  public var study: CompressionStudy?
  /// What the study rests on, or why there is none.
  public var studySample: String

  /// Stands in place of the sample where every bit comes back.
  public static let nothingLost = "none: nothing is lost"
}

/// Adds up errors of parts into that of the whole.
struct ErrorSum {
  private var difference = 0.0
  private var original = 0.0
  private var decoded = 0.0
  private var product = 0.0

  /// Adds a part that stands for `weight` times as many elements.
  mutating func add(_ error: GradientError, weight: Double) {
    let distance =
      error.relativeL2.isFinite ? error.relativeL2 * error.originalNorm : error.decodedNorm
    difference += weight * distance * distance
    original += weight * error.originalNorm * error.originalNorm
    decoded += weight * error.decodedNorm * error.decodedNorm
    product += weight * error.cosine * error.originalNorm * error.decodedNorm
  }

  var relativeL2: Double { difference == 0 ? 0 : (difference / original).squareRoot() }
  var cosine: Double {
    if original == 0 && decoded == 0 { return 1 }
    if original == 0 || decoded == 0 { return 0 }
    return product / (original.squareRoot() * decoded.squareRoot())
  }
}
