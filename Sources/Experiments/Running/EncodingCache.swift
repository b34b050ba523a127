import Synchronization
import Training

/// Encoded gradients that several sweeps share: what one has measured the next ones need not.
///
/// A result depends on its request alone, so that sharing changes no number. What failed is not kept.
public final class EncodingCache: Sendable {
  private let results = Mutex<[String: EncodingResult]>([:])

  /// Holds nothing yet.
  public init() {}

  /// What was measured for the request with this key.
  subscript(key: String) -> EncodingResult? {
    get { results.withLock { $0[key] } }
    set { results.withLock { $0[key] = newValue } }
  }
}
