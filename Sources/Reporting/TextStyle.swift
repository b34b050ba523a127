/// What a terminal can show besides letters.
///
/// Colours are of the eight that every terminal's owner has chosen to read well, and nothing is said
/// by colour alone.
public struct TextStyle: Sendable {
  /// Why words are set off.
  public enum Emphasis: Sendable {
    case plain
    /// Titles, and what a sentence is about.
    case strong
    /// What is fastest, and what ties with it.
    case best
    /// Notes.
    case faint
  }
  /// Whether there are colours and bold type.
  public var hasColors: Bool
  /// Whether there are block characters to draw with.
  public var hasBlocks: Bool

  public init(hasColors: Bool, hasBlocks: Bool) {
    self.hasColors = hasColors
    self.hasBlocks = hasBlocks
  }

  /// Letters only, as for files and pipes.
  public static let plain = TextStyle(hasColors: false, hasBlocks: false)

  /// `text`, set off; it takes as many columns as before.
  public func set(_ text: String, _ emphasis: Emphasis) -> String {
    guard hasColors, !text.isEmpty else { return text }
    switch emphasis {
    case .plain: return text
    case .strong: return "\u{1B}[1m\(text)\u{1B}[0m"
    case .best: return "\u{1B}[32m\(text)\u{1B}[0m"
    case .faint: return "\u{1B}[2m\(text)\u{1B}[0m"
    }
  }
}
