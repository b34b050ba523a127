/// How a number came to be known, the best first.
public enum Provenance: String, Sendable, CaseIterable, Comparable {
  /// Someone ran it and wrote the time down.
  case measured
  /// The maker or an author states it, with the set-up.
  case published
  /// Follows from measured or published numbers of the same kind by a stated formula.
  case derived
  /// A guess with a reason.
  case assumed
  /// Given in the scenario; as good as whoever gave it.
  case overridden

  /// Orders by ``allCases``: what is known better comes first.
  public static func < (a: Provenance, b: Provenance) -> Bool {
    a.rank < b.rank
  }
  private var rank: Int {
    switch self {
    case .measured: 0
    case .published: 1
    case .derived: 2
    case .assumed: 3
    case .overridden: 4
    }
  }
}

/// Where a number comes from: its provenance and one sentence that says how.
public struct Evidence: Sendable, Equatable {
  public var provenance: Provenance
  /// The source, and what it assumes.
  public var sentence: String

  public init(_ provenance: Provenance, _ sentence: String) {
    self.provenance = provenance
    self.sentence = sentence
  }
}

/// A value with its evidence.
public struct Sourced<Value: Sendable>: Sendable {
  public var value: Value
  public var evidence: Evidence

  public init(_ value: Value, _ provenance: Provenance, _ sentence: String) {
    self.value = value
    evidence = Evidence(provenance, sentence)
  }
}
