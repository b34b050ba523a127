/// Which parts of an input are measured, published, derived or assumed, read from the full sentences
/// of a result's `*_source` columns.
struct SourceSummary {
  private static let grades = ["measured", "published", "derived", "assumed", "overridden"]
  /// For each grade, the parts known that way, in the order met, with the points' models.
  private var parts: [(grade: String, part: String, owners: [String])] = []
  /// Sentences that grade nothing.
  private var notes: [String] = []

  /// Adds what `text` says about the point of `owner`.
  mutating func add(_ text: String, owner: String) {
    let found = Self.graded(text)
    for (grade, part) in found {
      if let index = parts.firstIndex(where: { $0.grade == grade && $0.part == part }) {
        if !parts[index].owners.contains(owner) { parts[index].owners.append(owner) }
      } else {
        parts.append((grade, part, [owner]))
      }
    }
    if found.isEmpty, !text.isEmpty, !notes.contains(text) { notes.append(text) }
  }

  /// One sentence: `measured: backward; derived: forward, optimizer`.
  ///
  /// A part that is known in two ways names whom each concerns.
  var text: String {
    var groups: [String] = []
    for grade in Self.grades {
      let members = parts.filter { $0.grade == grade }.map { entry in
        let isShared = parts.contains { $0.part == entry.part && $0.grade != entry.grade }
        return entry.part + (isShared ? " (\(entry.owners.joined(separator: ", ")))" : "")
      }
      if !members.isEmpty { groups.append("\(grade): \(members.joined(separator: ", "))") }
    }
    return (groups + (groups.isEmpty ? notes : [])).joined(separator: "; ")
  }

  /// The graded parts of one cell.
  private static func graded(_ text: String) -> [(String, String)] {
    for grade in grades {
      if text.hasSuffix(", \(grade)") { return [(grade, String(text.dropLast(grade.count + 2)))] }
    }
    // A whole cell under one grade: "derived: launches and memory traffic of qsgd on v100 (...)".
    if let grade = grades.first(where: { text.hasPrefix($0 + ":") }) {
      let sentence = text.dropFirst(grade.count + 2)
      let isMeasured = grade != "assumed" && sentence.contains("(measured:")
      let clause = sentence.prefix { $0 != "(" && $0 != ";" }
      let words = clause.split(separator: " ")
      var subject = clause.trimmed
      if let of = words.firstIndex(of: "of"), let on = words.lastIndex(of: "on"), of + 1 < on {
        subject = words[(of + 1)..<on].joined(separator: " ")
      }
      return [(isMeasured ? "measured" : grade, subject)]
    }
    // Parts one after the other: "forward derived: ...; backward measured: ...".
    var result: [(String, String)] = []
    for piece in text.split(separator: "; ") {
      // The first grade counts: "goodput assumed: 1.3 times what is derived: ...".
      let found = grades.compactMap { grade in
        piece.ranges(of: grade + ":").first.map { (grade: grade, place: $0.lowerBound) }
      }
      guard let first = found.min(by: { $0.place < $1.place }) else { continue }
      let before = piece[..<first.place]
      // A preset's name stands before its first part: "rdma: goodput derived: ...".
      let part = (before.split(separator: ": ").last ?? before).trimmed
      // Parts are named by a few words; anything longer is a sentence that uses the word.
      if !part.isEmpty, part.split(separator: " ").count <= 3 { result.append((first.grade, part)) }
    }
    return result
  }
}

extension Substring {
  /// Without spaces at the ends.
  fileprivate var trimmed: String {
    var text = self
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
