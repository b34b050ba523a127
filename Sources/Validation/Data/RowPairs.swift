/// The rows of two tables that bear the same key: the same example, here and there.
///
/// Rows of one key are paired in the order in which they occur, the first with the first.
struct RowPairs {
  /// A column of the key that either table lacks; then there are no pairs.
  var missing: String?
  /// The rows of the same key, in the order of the left table.
  private var pairs: [(left: Int, right: Int)] = []
  private var keys: [String] = []
  /// The rows without a partner over the rows of both tables.
  var unpairedFraction = 0.0
  /// The first key without a partner, those of the left table before those of the right.
  var firstUnpaired: String?

  /// - Complexity: O(n log n) in the number of rows.
  init(_ left: DataTable, _ right: DataTable, key: RowKey) {
    missing = key.columns.first { left[$0] == nil || right[$0] == nil }
    if missing != nil { return }
    keys = Self.keys(of: left, key)
    let others = Self.keys(of: right, key)
    let order = Self.order(keys)
    let otherOrder = Self.order(others)
    var partner = [Int?](repeating: nil, count: keys.count)
    var isTaken = [Bool](repeating: false, count: others.count)
    var i = 0
    var j = 0
    while i < order.count, j < otherOrder.count {
      let (mine, theirs) = (keys[order[i]], others[otherOrder[j]])
      if mine == theirs {
        partner[order[i]] = otherOrder[j]
        isTaken[otherOrder[j]] = true
        i += 1
        j += 1
      } else if mine < theirs {
        i += 1
      } else {
        j += 1
      }
    }
    for (row, other) in partner.enumerated() {
      if let other { pairs.append((row, other)) }
    }
    let total = keys.count + others.count
    if total > 0 { unpairedFraction = Double(total - 2 * pairs.count) / Double(total) }
    firstUnpaired =
      partner.firstIndex { $0 == nil }.map { keys[$0] }
      ?? isTaken.firstIndex(of: false).map { others[$0] }
  }

  /// How many of the pairs differ in a column, and the first that does; nil if none does.
  ///
  /// Two numbers differ if they are further apart than `tolerance` times the larger magnitude;
  /// anything else if it is not the same text. Empty differs from any value.
  func difference(
    _ here: DataColumn, _ there: DataColumn, tolerance: Double
  ) -> (fraction: Double, key: String, here: String, there: String)? {
    var count = 0
    var first: Int?
    for (index, pair) in pairs.enumerated() {
      let (mine, theirs) = (here.rows[pair.left], there.rows[pair.right])
      let isSame =
        mine.count == theirs.count
        && zip(mine, theirs).allSatisfy { Self.isSame($0, $1, tolerance) }
      if isSame { continue }
      count += 1
      first = first ?? index
    }
    guard let first else { return nil }
    let pair = pairs[first]
    return (
      Double(count) / Double(pairs.count), keys[pair.left], Self.text(here.rows[pair.left]),
      Self.text(there.rows[pair.right])
    )
  }

  private static func isSame(_ left: String, _ right: String, _ tolerance: Double) -> Bool {
    if left == right { return true }
    guard let a = DataType.number(left), let b = DataType.number(right), a.isFinite, b.isFinite
    else { return false }
    // Halves, whose difference is finite.
    return (a / 2 - b / 2).magnitude <= tolerance * (max(a.magnitude, b.magnitude) / 2)
  }

  private static func text(_ values: [String]) -> String {
    values.isEmpty ? "no value" : values.joined(separator: " ")
  }

  /// Each row's key as a person reads it: `point 3, replicate 0`.
  private static func keys(of table: DataTable, _ key: RowKey) -> [String] {
    let columns = key.columns.compactMap { table[$0] }
    return (0..<table.rowCount).map { row in
      columns.map { "\($0.name) \($0.rows[row].joined(separator: " "))" }.joined(separator: ", ")
    }
  }

  private static func order(_ keys: [String]) -> [Int] {
    keys.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
  }
}
