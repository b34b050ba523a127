import SimKernel

/// The corner of YAML that ASTRA-sim's and SimAI's configurations use: keys with a scalar or a flow
/// list of scalars, one level of indentless groups, and comments.
///
/// Anything else, such as nested maps, anchors and block lists, is refused with its line.
struct FlatYAML {
  struct Entry {
    var key: Substring
    /// Scalars of a list, or the one scalar; none for a key alone.
    var values: [Substring]
    var isList: Bool
    /// What follows `#`, which is where the units are said.
    var comment: Substring
    var line: Int
  }
  let path: String
  let entries: [Entry]

  init(_ text: TextLines) throws(InterchangeError) {
    var lines = text
    var entries: [Entry] = []
    while let line = lines.nextLine() {
      let content = line.prefix { $0 != "#" }
      let comment = Self.trim(line.dropFirst(content.count + 1))
      let body = Self.trim(content)
      if body.isEmpty || body == "---" { continue }
      guard let colon = body.lastIndex(of: ":") else {
        // SimAI's file begins with a bare word.
        if entries.isEmpty, body.allSatisfy({ $0.isLetter }) { continue }
        throw lines.failure("\"\(body.prefix(40))\"", "expected key: value")
      }
      var key = Self.trim(body[..<colon])
      while key.hasSuffix(",") { key.removeLast() }
      let value = Self.trim(body[body.index(after: colon)...])
      guard !key.isEmpty, key.first != "-", key.first != "{" else {
        throw lines.failure("\"\(body.prefix(40))\"", "expected key: value")
      }
      if value.hasPrefix("[") {
        guard value.hasSuffix("]") else {
          throw lines.failure("a list that does not end on its line", "expected [ a, b ]")
        }
        let items = value.dropFirst().dropLast().split(
          separator: ",", omittingEmptySubsequences: false
        ).map { Self.unquoted(Self.trim($0)) }
        guard !items.contains("") || items == [""] else {
          throw lines.failure("an empty place in a list", "expected [ a, b ]")
        }
        entries.append(
          Entry(
            key: key, values: items == [""] ? [] : items, isList: true, comment: comment,
            line: lines.number))
      } else {
        entries.append(
          Entry(
            key: key, values: value.isEmpty ? [] : [Self.unquoted(value)], isList: false,
            comment: comment, line: lines.number))
      }
    }
    self.entries = entries
    path = lines.path
  }

  func failure(_ entry: Entry, _ found: String, _ expected: String) -> InterchangeError {
    InterchangeError(path: "\(path):\(entry.line)", found: found, expected: expected)
  }

  private static func trim(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
    return text
  }
  private static func unquoted(_ text: Substring) -> Substring {
    guard text.count >= 2, let first = text.first, first == "\"" || first == "'",
      text.last == first
    else { return text }
    return text.dropFirst().dropLast()
  }
}
