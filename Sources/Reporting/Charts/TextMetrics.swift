/// How wide text is in Helvetica and the fonts that share its metrics (Arial, Liberation Sans).
///
/// Widths are those of Adobe's font metrics in thousandths of the font size; what they lack counts as
/// wide, so that room may be left over but never lacks.
public enum TextMetrics {
  // From the space to the tilde.
  private static let widths: [Int] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
  ]

  /// The width of `text` at font size `size`, in the unit of `size`.
  public static func width(_ text: some StringProtocol, size: Double) -> Double {
    var sum = 0
    for scalar in text.unicodeScalars {
      let value = Int(scalar.value)
      if value >= 0x20, value < 0x7F {
        sum += widths[value - 0x20]
      } else {
        // Letters with accents are as wide as those without; beyond Latin and Greek, count an em.
        sum += value < 0x400 ? 611 : 1000
      }
    }
    return Double(sum) * size / 1000
  }

  /// `text` if it fits `width`, else as much of it as does with an ellipsis in its middle, where names
  /// of variants differ least.
  public static func fitted(_ text: String, width limit: Double, size: Double) -> String {
    if width(text, size: size) <= limit { return text }
    let characters = Array(text)
    var kept = characters.count - 1
    while kept > 1 {
      let head = (kept + 1) / 2
      let candidate =
        String(characters[..<head]) + "\u{2026}"
        + String(characters[(characters.count - kept + head)...])
      if width(candidate, size: size) <= limit { return candidate }
      kept -= 1
    }
    return "\u{2026}"
  }
}
