import Experiments
import SimKernel

/// A table whose cells are exact for scripts and short for readers.
public struct AnswerTable: Sendable {
  /// One column: its name in files, its title in tables.
  public struct Column: Sendable {
    var name: String
    /// Nil leaves the column to files.
    var title: String?
    var alignment: TextTable.Alignment

    public init(
      _ name: String, _ title: String? = nil, _ alignment: TextTable.Alignment = .right
    ) {
      self.name = name
      self.title = title
      self.alignment = alignment
    }
  }
  /// A value, and how people read it.
  public struct Cell: Sendable {
    var exact: JSONValue
    var shown: String

    /// The text itself.
    public static func text(_ text: String, shown: String? = nil) -> Cell {
      Cell(exact: .string(text), shown: shown ?? text)
    }
    /// A number; nil and what is not finite is an empty cell.
    public static func number(_ value: Double?, shown: String? = nil) -> Cell {
      guard let value, value.isFinite else { return Cell(exact: .null, shown: shown ?? "") }
      return Cell(
        exact: .number(JSONNumber(value)), shown: shown ?? Numbers.significant(value, 4))
    }
    /// A number of things.
    public static func count(_ value: Int) -> Cell {
      Cell(exact: .number(JSONNumber(value)), shown: String(value))
    }

    fileprivate var csv: String {
      switch exact {
      case .string(let text): text
      case .number(let number): number.text
      default: ""
      }
    }
  }

  /// What files call it.
  public let name: String
  let columns: [Column]
  /// Titles that go first where there is no room, the least telling first.
  private let expendable: [String]
  private(set) var rows: [[Cell]] = []

  /// An empty table.
  public init(_ name: String, _ columns: [Column], expendable: [String] = []) {
    self.name = name
    self.columns = columns
    self.expendable = expendable
  }

  /// Adds a row of as many cells as there are columns.
  public mutating func add(_ cells: [Cell]) {
    precondition(cells.count == columns.count, "a row has a cell for every column")
    rows.append(cells)
  }
  /// Removes all rows after the first `count`.
  mutating func keepFirst(_ count: Int) {
    if rows.count > count { rows.removeSubrange(count...) }
  }
  /// The number of rows.
  public var count: Int { rows.count }

  // MARK: - Formats

  /// For a terminal of `width` columns, and the titles of what was left out for it.
  func text(width: Int) -> (text: String, omitted: [String]) {
    let shown = columns.indices.filter { columns[$0].title != nil }
    var table = TextTable(
      shown.map { (title: columns[$0].title ?? "", alignment: columns[$0].alignment) })
    for row in rows { table.add(shown.map { row[$0].shown }) }
    let (fitting, omitted) = table.fitting(width: width, expendable: expendable)
    return (fitting.text(width: width), omitted)
  }

  /// A pipe table, as papers and merge requests take it.
  var markdown: String {
    let shown = columns.indices.filter { index in
      columns[index].title != nil
        && (rows.isEmpty || !rows.allSatisfy { $0[index].shown.isEmpty }
          || !expendable.contains(columns[index].title ?? ""))
    }
    func line(_ cells: [String]) -> String {
      "| "
        + cells.map { $0.split(separator: "|", omittingEmptySubsequences: false) }
        .map { $0.joined(separator: "\\|") }.joined(separator: " | ") + " |\n"
    }
    let rule = shown.map { columns[$0].alignment == .right ? "---:" : "---" }
    return line(shown.map { columns[$0].title ?? "" })
      + "| " + rule.joined(separator: " | ") + " |\n"
      + rows.map { row in line(shown.map { row[$0].shown }) }.joined()
  }

  /// Every column, numbers in full.
  var csv: String {
    CSV.line(columns.map(\.name)) + rows.map { CSV.line($0.map(\.csv)) }.joined()
  }

  /// Every row as an object.
  var json: JSONNode { JSONNode(.array(objects)) }
  /// Every row as an object on a line of its own.
  var jsonLines: String { objects.map { $0.compactText + "\n" }.joined() }

  private var objects: [JSONNode] {
    rows.map { row in
      JSONNode(.object(zip(columns, row).map { JSONMember($0.name, JSONNode($1.exact)) }))
    }
  }
}

/// What a command answers: sentences, tables, sentences.
public struct AnswerDocument: Sendable {
  /// How an answer is written.
  public enum Format: String, Sendable, CaseIterable {
    /// For a terminal.
    case table
    /// Markdown, for papers.
    case markdown = "md"
    /// The first table alone, every column in full precision.
    case csv
    /// All tables and sentences, every column in full precision.
    case json
    /// The first table alone, an object a row and line.
    case jsonl
  }

  /// What is shown, before the tables.
  public var heading: [String]
  /// The first one is the answer proper.
  public var tables: [AnswerTable]
  /// What the tables come to, after them.
  public var notes: [String]

  public init(heading: [String] = [], tables: [AnswerTable], notes: [String] = []) {
    self.heading = heading
    self.tables = tables
    self.notes = notes
  }

  /// The answer as `format`, tables and sentences within `width` where it is for a terminal.
  public func text(_ format: Format, width: Int = 140) -> String {
    switch format {
    case .table:
      var parts: [String] = []
      var omitted: [String] = []
      if !heading.isEmpty { parts.append(wrapped(heading, width)) }
      for table in tables where table.count > 0 {
        let (text, left) = table.text(width: width)
        parts.append(text)
        omitted += left.filter { !omitted.contains($0) }
      }
      var notes = self.notes
      if !omitted.isEmpty {
        notes.append(
          "left out at this width: \(omitted.joined(separator: ", ")); --format csv has everything")
      }
      if !notes.isEmpty { parts.append(wrapped(notes, width)) }
      return parts.joined(separator: "\n")
    case .markdown:
      let head = heading.map { $0 + "\n" }
      let foot = notes.map { "- " + $0 + "\n" }.joined()
      return
        (head + tables.filter { $0.count > 0 }.map(\.markdown) + (foot.isEmpty ? [] : [foot]))
        .joined(separator: "\n")
    case .csv: return tables.first?.csv ?? ""
    case .jsonl: return tables.first?.jsonLines ?? ""
    case .json:
      func list(_ lines: [String]) -> JSONNode {
        JSONNode(.array(lines.map { JSONNode(.string($0)) }))
      }
      let members =
        [JSONMember("heading", list(heading))]
        + tables.map { JSONMember($0.name, $0.json) } + [JSONMember("notes", list(notes))]
      return JSONNode(.object(members)).prettyText + "\n"
    }
  }

  private func wrapped(_ lines: [String], _ width: Int) -> String {
    lines.flatMap { WrappedText.lines($0, indent: 2, width: width) }
      .map { $0 + "\n" }.joined()
  }
}
