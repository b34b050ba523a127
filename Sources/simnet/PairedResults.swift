import Experiments
import Reporting

/// One metric of two result files, row by row.
struct PairedResults {
  /// The columns that name a row: a scenario point, its replicate and the job.
  static let keys = ["point", "replicate", "job"]

  /// The values of the baseline, in the order of its file.
  var baseline: [Double] = []
  /// The values of the candidate, of the same rows.
  var candidate: [Double] = []

  /// Pairs the rows of two files that `simnet run -o` wrote.
  ///
  /// - Throws: `InputError` for a file without the columns needed, a value that is no number, and
  ///   for rows without or with several partners.
  init(baseline: String, candidate: String, metric: String) throws {
    let old = try Self.rows(of: baseline, metric: metric)
    var new: [String: Double] = [:]
    for row in try Self.rows(of: candidate, metric: metric) {
      guard new.updateValue(row.value, forKey: row.key) == nil else {
        throw Self.twice(row.key, in: candidate)
      }
    }
    var seen: Set<String> = []
    for row in old {
      guard seen.insert(row.key).inserted else { throw Self.twice(row.key, in: baseline) }
      guard let value = new[row.key] else {
        throw InputError(
          path: candidate, reason: "\(row.key) is missing",
          advice: "run both builds with the same scenario", kind: .content)
      }
      self.baseline.append(row.value)
      self.candidate.append(value)
    }
    guard new.count == old.count else {
      throw InputError(
        path: candidate, reason: "\(new.count) rows, of which \(baseline) has \(old.count)",
        advice: "run both builds with the same scenario", kind: .content)
    }
  }

  private static func twice(_ key: String, in path: String) -> InputError {
    InputError(
      path: path, reason: "\(key) is there twice", advice: "give one run a file", kind: .content)
  }

  private static func rows(
    of path: String, metric: String
  ) throws(InputError) -> [(key: String, value: Double)] {
    let file = try ResultsFile.read(path)
    let column = try file.required(metric)
    let keyColumns = keys.compactMap { file.column($0) }
    guard keyColumns.count == keys.count else {
      throw InputError(
        path: path, reason: "the columns \(keys.joined(separator: ", ")) are not all there",
        advice: "give a file that simnet run -o wrote", kind: .content)
    }
    var rows: [(key: String, value: Double)] = []
    for (number, row) in file.rows.enumerated() {
      guard let value = Double(row[column]) else {
        throw InputError(
          path: path, reason: "row \(number + 1) has no number for \(metric)",
          advice: "leave out what failed, in both files", kind: .content)
      }
      let key = zip(keys, keyColumns).map { "\($0) \(row[$1])" }.joined(separator: ", ")
      rows.append((key, value))
    }
    return rows
  }
}
