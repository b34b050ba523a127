import SimKernel

/// How much of the bandwidth collectives reach, by size and scale: SimAI's `nic_ratio.csv`,
/// `nvlink_ratio.csv` and `ata_ratio.csv`.
public struct EfficiencyTable: Sendable, Equatable {
  public struct Row: Sendable, Equatable {
    public var size: ByteCount
    /// 0 to 1, a column each; nil where the table has none.
    public var ratios: [Double?]
  }
  /// The columns after `Size`, as written, such as `2Node-16GPU(NIC )`.
  public var columns: [String]
  /// By growing size.
  public var rows: [Row]

  public init(path: String) throws(InterchangeError) { self = try Self.read(TextLines(path: path)) }
  public init(bytes: [UInt8], path: String) throws(InterchangeError) {
    self = try Self.read(TextLines(bytes: bytes, path: path))
  }
  private init(columns: [String]) {
    self.columns = columns
    rows = []
  }

  private static func read(_ text: TextLines) throws(InterchangeError) -> EfficiencyTable {
    var lines = text
    guard let head = lines.nextLine().map({ CommaSeparated.cells($0) }), head.first == "Size",
      head.count >= 2
    else { throw lines.failure("another first line", "expected Size and columns of ratios") }
    var table = EfficiencyTable(columns: Array(head.dropFirst()))
    while let line = lines.nextLine() {
      if line.allSatisfy({ $0 == "\r" || $0 == " " }) { continue }
      let cells = CommaSeparated.cells(line)
      guard cells.count == head.count else {
        throw lines.failure("\(cells.count) columns", "expected \(head.count)")
      }
      let size = try lines.integer(Substring(cells[0]), 1...1 << 50, "the size")
      guard table.rows.last.map({ $0.size.bytes < size }) ?? true else {
        throw lines.failure("the size \(size) after a larger one", "growing sizes")
      }
      var ratios: [Double?] = []
      for cell in cells.dropFirst() {
        if cell.isEmpty {
          ratios.append(nil)
          continue
        }
        guard let ratio = Double(cell), ratio >= 0, ratio <= 1 else {
          throw lines.failure("the ratio \"\(cell.prefix(40))\"", "expected 0 to 1")
        }
        ratios.append(ratio)
      }
      table.rows.append(Row(size: .bytes(size), ratios: ratios))
    }
    guard !table.rows.isEmpty else { throw lines.failure("no rows", "at least one size") }
    return table
  }
}
