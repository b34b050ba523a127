/// A curve as high as a line of text: one block a value.
public enum Sparkline {
  private static let blocks: [Character] = [
    "\u{2581}", "\u{2582}", "\u{2583}", "\u{2584}", "\u{2585}", "\u{2586}", "\u{2587}", "\u{2588}",
  ]

  /// `values` on a scale whose lowest eighth is the lower end of `range` and whose highest is the
  /// upper; a value outside is drawn at the end it is beyond, one that is not there as a dot.
  ///
  /// A range of a single value is drawn half high.
  public static func text(_ values: [Double?], in range: ClosedRange<Double>) -> String {
    let width = range.upperBound - range.lowerBound
    var text = ""
    for value in values {
      guard let value, value.isFinite else {
        text.append("\u{00B7}")
        continue
      }
      let share = width > 0 ? (value - range.lowerBound) / width : 0.5
      text.append(blocks[min(7, max(0, Int((min(max(share, 0), 1) * 8).rounded(.down))))])
    }
    return text
  }
}
