import SimKernel

/// Which field of a record holds which column, by the header of the file.
struct RecordColumns {
  /// A column that a kind of file may have.
  struct Column {
    var name: String
    var isRequired: Bool
    /// What stands in it.
    var doc: String
  }
  private let columns: [Column]
  private var fields: [Int?]
  /// Fields a record must have.
  let count: Int

  /// Reads the header of `stream`.
  ///
  /// - Throws: ``InvalidInput`` with everything that is wrong with the header.
  init(_ columns: [Column], of stream: inout RecordStream) throws {
    self.columns = columns
    let names = columns.map(\.name)
    let issues = IssueCollector()
    guard try stream.next() else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["header"]),
          position: TextPosition(origin: stream.origin, line: 1, column: 1),
          problem: .invalid(
            found: "the file is empty",
            expected: "expected a header: \(names.joined(separator: ","))"))
      ])
    }
    var fields = [Int?](repeating: nil, count: columns.count)
    for index in 0..<stream.count {
      let name = stream.text(index)
      guard let column = names.firstIndex(of: name) else {
        issues.report(
          Issue(
            path: FieldPath(["header"]), position: stream.place(index),
            problem: .unknownName(
              noun: "column", found: name,
              suggestion: Spelling.suggestion(for: name, among: names), known: names)))
        continue
      }
      if fields[column] != nil {
        issues.report(
          Issue(
            path: FieldPath(["header"]), position: stream.place(index),
            problem: .invalid(
              found: "a second column \"\(name)\"", expected: "remove or rename one")))
      }
      fields[column] = index
    }
    for (index, column) in columns.enumerated() where column.isRequired && fields[index] == nil {
      issues.report(
        Issue(
          path: FieldPath(["header"]), position: stream.place(0),
          problem: .invalid(
            found: "no column \"\(column.name)\"", expected: "it holds \(column.doc)")))
    }
    try issues.throwIfInvalid()
    self.fields = fields
    count = stream.count
  }

  /// The field that holds column `index`; nil if the file lacks it.
  subscript(index: Int) -> Int? { fields[index] }

  /// What is wrong with the number of fields of the present record; nil if nothing.
  func mismatch(_ stream: borrowing RecordStream) -> Issue? {
    if stream.count == count { return nil }
    return Issue(
      path: FieldPath(["record"]), position: stream.place(min(count, stream.count - 1)),
      problem: .invalid(
        found: "\(stream.count) \(stream.count == 1 ? "field" : "fields")",
        expected: "expected \(count), as in the header"))
  }
}

/// Collects the issues of a table, but not thousands of them.
struct TableIssues {
  private static let limit = 20
  private(set) var issues: [Issue] = []
  /// Whether reading on would only repeat what has been said.
  var isFull: Bool { issues.count >= Self.limit }

  mutating func report(_ issue: Issue) { if !isFull { issues.append(issue) } }
  mutating func report(_ column: String, at place: TextPosition, _ problem: Issue.Problem) {
    report(Issue(path: FieldPath([column]), position: place, problem: problem))
  }
  func throwIfInvalid() throws(InvalidInput) {
    if !issues.isEmpty { throw InvalidInput(issues) }
  }
}
