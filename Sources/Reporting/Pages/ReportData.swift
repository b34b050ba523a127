import Experiments
import SimKernel

/// Result files taken together, as pages and figures need them.
///
/// Columns may stand in any order and may be those of an older version; several files get a swept
/// column `file` with their names.
public struct ReportData: Sendable {
  /// All rows under the columns of this version, swept ones after the identification.
  public let table: ResultTable
  /// Replicates taken together.
  public let points: [PointSummary]
  /// The files in the order given, those of links among them.
  public let files: [String]
  /// What links carried, if a file says so.
  public let links: LinkTable?
  /// The scenarios' titles, each once.
  public let titles: [String]
  /// Rows that have no iteration time.
  public let rowsWithoutTime: Int
  /// Points that lack before the last one: they failed, or were not run.
  public let missingPoints: Int

  // Looked up only.
  private let sweptPlaces: [String: Int]

  /// The columns that make a file one of results.
  private static let needed = ["point", "job", "iteration_time_s"]
  /// The swept column that tells several files apart.
  static let fileColumn = "file"

  /// Takes `files` together.
  ///
  /// - Throws: `InputError` for a file that holds neither results nor links, one that is given twice,
  ///   and if none holds a finished run.
  public init(_ files: [ResultsFile]) throws(InputError) {
    for (index, file) in files.enumerated()
    where files[..<index].contains(where: { $0.path == file.path }) {
      throw InputError(
        path: file.path, reason: "is given twice", advice: "name it once", kind: .content)
    }
    var results: [ResultsFile] = []
    var links: LinkTable?
    for file in files {
      if Self.needed.allSatisfy({ file.column($0) != nil }) {
        results.append(file)
      } else if LinkTable.isLinks(file) {
        if links != nil {
          throw InputError(
            path: file.path, reason: "is a second file of links", advice: "give one of them",
            kind: .content)
        }
        links = try LinkTable(file)
      } else {
        let shown = file.header.prefix(6).joined(separator: ", ")
        throw InputError(
          path: file.path,
          reason: "has the columns \(shown)\(file.header.count > 6 ? ", ..." : ""), where results "
            + "have \(Self.needed.joined(separator: ", ")) and more",
          advice: "give a CSV that simnet run or simnet sweep wrote, or one of run --links",
          kind: .content)
      }
    }
    guard let first = results.first else {
      throw InputError(
        path: files.first?.path ?? "", reason: "holds links, but no file holds results",
        advice: "give the results of simnet run -o too", kind: .content)
    }
    self.links = links
    self.files = files.map(\.path)
    let names = Self.names(of: results.map(\.path))
    var swept: [String] = results.count > 1 ? [Self.fileColumn] : []
    for file in results {
      for name in file.swept(except: []) where !swept.contains(name) { swept.append(name) }
    }
    let header = ResultColumns.header(swept: swept)
    var rows: [[String]] = []
    var titles: [String] = []
    var rowsWithoutTime = 0
    var missing = 0
    var offset = 0
    for (file, name) in zip(results, names) {
      let places = header.map { file.column($0) }
      let time = try file.required("iteration_time_s")
      let pointColumn = try file.required("point")
      var seen: Set<Int> = []
      for (number, row) in file.rows.enumerated() {
        guard let point = Int(row[pointColumn]), point >= 0, point < 1 << 40 else {
          throw InputError(
            path: file.path, reason: "row \(number + 1) has \"\(row[pointColumn])\" for its point",
            advice: "give a file that simnet run -o wrote", kind: .content)
        }
        seen.insert(point)
        if ResultsFile.number(row[time]) == nil {
          rowsWithoutTime += 1
          continue
        }
        var cells = places.map { $0.map { row[$0] } ?? "" }
        // Points of several files must not fall together.
        cells[1] = String(offset + point)
        if results.count > 1, file.column(Self.fileColumn) == nil {
          cells[ResultColumns.identification.count] = name
        }
        if let title = cells.first, !title.isEmpty, !titles.contains(title) { titles.append(title) }
        rows.append(cells)
      }
      let last = seen.max() ?? -1
      missing += last + 1 - seen.count
      offset += last + 1
    }
    if rows.isEmpty {
      throw InputError(
        path: first.path, reason: "has no row with an iteration time: nothing has finished",
        advice: "run the scenario again", kind: .content)
    }
    self.rowsWithoutTime = rowsWithoutTime
    missingPoints = missing
    self.titles = titles
    table = ResultTable(header: header, sweptCount: swept.count, rows: rows)
    points = PointSummary.all(of: table)
    sweptPlaces = Dictionary(uniqueKeysWithValues: zip(swept, swept.indices))
  }

  /// The last components of `paths` without their endings where that tells them apart, else the paths.
  private static func names(of paths: [String]) -> [String] {
    let short = paths.map { path in
      let name = path.split(separator: "/").last.map(String.init) ?? path
      return name.hasSuffix(".csv") ? String(name.dropLast(4)) : name
    }
    return Set(short).count == short.count ? short : paths
  }

  /// Whether points have a column `name`, swept or not.
  func has(_ name: String) -> Bool { table.column(name) != nil }

  /// The cell of `column` in a point: the label of a swept column, else that of its first replicate.
  func label(_ column: String, _ point: PointSummary) -> String {
    if column == "job" { return point.job }
    if let place = sweptPlaces[column] { return point.labels[place] }
    return point.text(column)
  }

  /// The mean of a measured column over the replicates; nil if it is empty or not finite.
  static func value(_ column: String, _ point: PointSummary) -> Double? {
    guard let mean = point.mean(column), mean.isFinite else { return nil }
    return mean
  }
}

/// What every link of every run carried, as `simnet run --links` writes it.
public struct LinkTable: Sendable {
  /// One link at one point, replicates taken together.
  struct Entry: Sendable {
    var link: String
    var point: String
    var utilization: Double
    var busy: Double
    var bytes: Double
    fileprivate var count = 0.0
  }
  let entries: [Entry]
  /// Points and links in the order met.
  let points: [String]
  let links: [String]

  private static let needed = ["link", "bytes", "busy_share", "utilization"]

  static func isLinks(_ file: ResultsFile) -> Bool {
    needed.allSatisfy { file.column($0) != nil }
  }

  init(_ file: ResultsFile) throws(InputError) {
    var places: [Int] = []
    for name in Self.needed { places.append(try file.required(name)) }
    let pointColumn = file.column("point")
    struct Key: Hashable {
      var link: String
      var point: String
    }
    var index: [Key: Int] = [:]
    var entries: [Entry] = []
    var points: [String] = []
    var links: [String] = []
    var seenPoints: Set<String> = []
    var seenLinks: Set<String> = []
    for row in file.rows {
      let point = pointColumn.map { row[$0] } ?? ""
      let link = row[places[0]]
      guard let bytes = ResultsFile.number(row[places[1]]),
        let busy = ResultsFile.number(row[places[2]]),
        let utilization = ResultsFile.number(row[places[3]])
      else { continue }
      if seenPoints.insert(point).inserted { points.append(point) }
      if seenLinks.insert(link).inserted { links.append(link) }
      let key = Key(link: link, point: point)
      let place: Int
      if let known = index[key] {
        place = known
      } else {
        place = entries.count
        index[key] = place
        entries.append(Entry(link: link, point: point, utilization: 0, busy: 0, bytes: 0))
      }
      entries[place].utilization += utilization
      entries[place].busy += busy
      entries[place].bytes += bytes
      entries[place].count += 1
    }
    for place in entries.indices {
      entries[place].utilization /= entries[place].count
      entries[place].busy /= entries[place].count
      entries[place].bytes /= entries[place].count
    }
    self.entries = entries
    self.points = points
    self.links = links
  }
}
