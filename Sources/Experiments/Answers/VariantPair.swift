import SimKernel

/// Two values of one swept column, A and B, that are held against one another.
///
/// What they are compared under are the other columns - except those that move together with the
/// variants: a column that is constant within either variant and differs between them, as axes that
/// move together do, belongs to the variants.
public struct VariantPair: Sendable, Equatable {
  /// The swept column.
  public var column: String
  /// Its value for A.
  public var a: String
  /// Its value for B.
  public var b: String
  /// The positions of the columns that remain as circumstances.
  public var context: [Int]

  /// The pair that `texts` name among `labels`, rows of values under `columns`.
  ///
  /// Each is `column=value`, the column by its full path or an end of it that no other has, or the
  /// value alone where only one column has it.
  ///
  /// - Throws: `InvalidInput` naming `option`, for unknown, ambiguous and equal variants and for two
  ///   columns.
  public init(
    _ texts: [String], columns: [String], labels: [[String]], option: String = "--between"
  ) throws(InvalidInput) {
    func issue(_ problem: Issue.Problem) -> InvalidInput {
      InvalidInput([Issue(path: FieldPath([option]), problem: problem)])
    }
    guard texts.count == 2 else {
      throw issue(
        .invalid(
          found: "\(texts.count) variants",
          expected: "give two: \(option) 'communication=fp32' 'communication=top_k 1%'"))
    }
    if columns.isEmpty {
      throw issue(
        .conflict("nothing is swept, so that there are no variants; give two files, or sweep them"))
    }
    let first = try Self.find(texts[0], columns, labels, option)
    let second = try Self.find(texts[1], columns, labels, option)
    guard first.column == second.column else {
      throw issue(
        .conflict(
          "\(texts[0]) and \(texts[1]) are values of two columns, \(columns[first.column]) and "
            + "\(columns[second.column]); compare values of one"))
    }
    guard first.value != second.value else {
      throw issue(.conflict("both variants are \(first.value); compare two"))
    }
    column = columns[first.column]
    a = first.value
    b = second.value
    let rowsOfA = labels.filter { $0[first.column] == first.value }
    let rowsOfB = labels.filter { $0[first.column] == second.value }
    context = columns.indices.filter { index in
      if index == first.column { return false }
      let own = rowsOfA[0][index]
      let other = rowsOfB[0][index]
      let isTied =
        own != other && rowsOfA.allSatisfy { $0[index] == own }
        && rowsOfB.allSatisfy { $0[index] == other }
      return !isTied
    }
  }

  /// The column and the value that `text` names.
  private static func find(
    _ text: String, _ columns: [String], _ labels: [[String]], _ option: String
  ) throws(InvalidInput) -> (column: Int, value: String) {
    func issue(_ problem: Issue.Problem) -> InvalidInput {
      InvalidInput([Issue(path: FieldPath([option]), problem: problem)])
    }
    func values(_ column: Int) -> [String] {
      var values: [String] = []
      var seen: Set<String> = []
      for row in labels where seen.insert(row[column]).inserted { values.append(row[column]) }
      return values
    }
    // A value may hold an equals sign itself: a name counts as one only if it is a column's.
    if let equals = text.firstIndex(of: "=") {
      let name = String(text[..<equals])
      let value = String(text[text.index(after: equals)...])
      var named = columns.indices.filter { columns[$0] == name }
      if named.isEmpty { named = columns.indices.filter { columns[$0].hasSuffix("." + name) } }
      if named.count > 1 {
        throw issue(
          .conflict(
            "\(name) may be \(named.map { columns[$0] }.joined(separator: " or ")); write it out"))
      }
      if let column = named.first {
        let known = values(column)
        if known.contains(value) { return (column, value) }
        throw issue(
          .unknownName(
            noun: "value of \(columns[column])", found: value,
            suggestion: Spelling.suggestion(for: value, among: known), known: known))
      }
    }
    let places = columns.indices.filter { values($0).contains(text) }
    if places.count > 1 {
      throw issue(
        .conflict(
          "\(text) is a value of \(places.map { columns[$0] }.joined(separator: " and of ")); write "
            + places.map { "\(columns[$0])=\(text)" }.joined(separator: " or ")))
    }
    if let column = places.first { return (column, text) }
    let known = columns.indices.flatMap(values)
    throw issue(
      .unknownName(
        noun: "variant", found: text, suggestion: Spelling.suggestion(for: text, among: known),
        known: known))
  }
}
