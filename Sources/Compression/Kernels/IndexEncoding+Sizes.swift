extension IndexEncoding {
  /// Whether the size is known from the number of positions alone.
  var isFixedSize: Bool { [.int32, .packed, .bitmap].contains(self) }

  /// The largest size in bits of `kept` positions among `elementCount`.
  func worstCaseBits(kept: Int, elementCount: Int) -> Int {
    switch self {
    case .int32, .packed, .auto: 32 * kept
    case .bitmap: elementCount
    case .leb128: 40 * kept
    case .eliasGamma: 63 * kept
    case .rice: 34 * kept + elementCount
    }
  }

  /// Bytes a gradient element where a share of `ratio` is kept, before any gradient was seen.
  func expectedBytes(ratio: Double) -> Double { self == .bitmap ? 0.125 : 4 * ratio }

  /// The payload in bits of `kept` float32 values with their positions, as formulas are written.
  func formula(kept: String) -> String {
    switch self {
    case .int32: "64\(kept)"
    case .packed: "\(kept)(32+ceil(log2 n))"
    case .bitmap: "n+32\(kept)"
    case .leb128: "32\(kept)+sum 8*ceil((floor(log2 gap)+1)/7)"
    case .eliasGamma: "32\(kept)+sum E(gap)"
    case .rice: "32\(kept)+min_p sum[(gap-1)>>p + 1 + p]"
    case .auto: "32\(kept)+the smallest index code"
    }
  }
}
