/// Text in lines of a given width.
public enum WrappedText {
  /// `text` broken at spaces into lines of at most `width` characters, the first after `head`, the
  /// others indented by `indent`.
  ///
  /// A word longer than a line stands alone. Beyond `limit` lines the rest is cut and ends in `...`.
  public static func lines(
    _ text: String, head: String = "", indent: Int = 2, width: Int, limit: Int = .max
  ) -> [String] {
    let margin = String(repeating: " ", count: indent)
    var lines: [String] = []
    var line = head
    var isEmpty = true
    for word in text.split(separator: " ") {
      if !isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = margin
        isEmpty = true
      }
      line += (isEmpty ? "" : " ") + word
      isEmpty = false
    }
    lines.append(line)
    if lines.count > limit {
      lines.removeSubrange(limit...)
      var last = lines[limit - 1]
      while last.count + 4 > width, let space = last.lastIndex(of: " "), last.count > indent + 8 {
        last.removeSubrange(space...)
      }
      lines[limit - 1] = last + " ..."
    }
    return lines
  }
}
