import Experiments
import SimKernel

/// The values of two sides, A and B, paired by scenario point, job, seed and replicate.
///
/// Runs of one seed and replicate meet the same random numbers at every point, which is why pairs say
/// more than two samples would.
struct ResultPairs {
  /// One point of one job: where both sides met.
  struct Point {
    /// The values of ``ResultPairs/columns``.
    var labels: [String]
    var job: String
    /// For each metric, the pairs with a number on both sides, in the order of A's rows.
    var a: [[Double]]
    var b: [[Double]]
    /// Mean gradient errors of the paired rows; nil where unknown.
    var errorOfA: Double?
    var errorOfB: Double?
  }

  /// The columns that name a point.
  let columns: [String]
  let points: [Point]
  /// Rows of either side that found no partner.
  let unpairedA: Int
  let unpairedB: Int
  /// Pairs without a number on both sides, by metric.
  let unknown: [Int]

  /// Pairs the rows of `a` with those of `b`.
  ///
  /// - Parameters:
  ///   - columns: what names a point besides the job.
  ///   - averaging: swept columns of either side that do not; a value is the mean over them.
  /// - Throws: `InputError` for rows that are there twice, and if no row finds a partner.
  init(
    _ a: Side, _ b: Side, columns: [String], averaging: [String], metrics: [JudgedMetric]
  ) throws(InputError) {
    self.columns = columns
    let (order, ofA) = try Self.values(a, columns, averaging, metrics)
    let (_, ofB) = try Self.values(b, columns, averaging, metrics)
    var points: [Point] = []
    var places: [[String]: Int] = [:]
    var errors: [[(a: Double?, b: Double?)]] = []
    var unknown = [Int](repeating: 0, count: metrics.count)
    var paired = 0
    for key in order {
      guard let mine = ofA[key], let theirs = ofB[key] else { continue }
      paired += 1
      let place: Int
      if let known = places[key.point] {
        place = known
      } else {
        place = points.count
        places[key.point] = place
        points.append(
          Point(
            labels: Array(key.point.dropLast()), job: key.point.last ?? "",
            a: Array(repeating: [], count: metrics.count),
            b: Array(repeating: [], count: metrics.count)))
        errors.append([])
      }
      for metric in metrics.indices {
        if let own = mine.mean(metric), let other = theirs.mean(metric) {
          points[place].a[metric].append(own)
          points[place].b[metric].append(other)
        } else {
          unknown[metric] += 1
        }
      }
      errors[place].append((mine.mean(metrics.count), theirs.mean(metrics.count)))
    }
    func mean(_ values: [Double?]) -> Double? {
      var sum = 0.0
      for value in values {
        guard let value else { return nil }
        sum += value
      }
      return values.isEmpty ? nil : sum / Double(values.count)
    }
    for index in points.indices {
      points[index].errorOfA = mean(errors[index].map(\.a))
      points[index].errorOfB = mean(errors[index].map(\.b))
    }
    guard paired > 0 else { throw Self.nothingPairs(a, b, columns) }
    self.points = points
    self.unknown = unknown
    unpairedA = ofA.count - paired
    unpairedB = ofB.count - paired
  }

  /// One side: a file, or the rows of one variant in it.
  struct Side {
    var file: ResultsFile
    /// The column and value that its rows have.
    var variant: (column: String, value: String)?

    /// Its rows.
    var rows: [[String]] {
      guard let variant, let column = file.column(variant.column) else { return file.rows }
      return file.rows.filter { $0[column] == variant.value }
    }
  }

  private struct Key: Hashable {
    /// The labels, then the job.
    var point: [String]
    /// Seed and replicate.
    var draw: [String]
  }
  /// The sum of every metric, then of the gradient error, over the rows of one key.
  private struct Sums {
    var count = 0
    var totals: [Double]
    var isKnown: [Bool]

    func mean(_ index: Int) -> Double? { isKnown[index] ? totals[index] / Double(count) : nil }
  }

  private static func values(
    _ side: Side, _ columns: [String], _ averaging: [String], _ metrics: [JudgedMetric]
  ) throws(InputError) -> (order: [Key], values: [Key: Sums]) {
    let file = side.file
    func position(_ name: String) throws(InputError) -> Int { try file.required(name) }
    var labels: [Int] = []
    for name in columns { labels.append(try position(name)) }
    var measured: [Int?] = []
    for metric in metrics { measured.append(try position(metric.name)) }
    measured.append(file.column("gradient_rel_l2"))
    let replicate = try position("replicate")
    let job = file.column("job")
    let seed = file.column("seed")
    let isAveraged = averaging.contains { file.column($0) != nil }
    var order: [Key] = []
    var values: [Key: Sums] = [:]
    for row in side.rows {
      let key = Key(
        point: labels.map { row[$0] } + [job.map { row[$0] } ?? ""],
        draw: [seed.map { row[$0] } ?? "", row[replicate]])
      let cells = measured.map { $0.flatMap { ResultsFile.number(row[$0]) } }
      if var sums = values[key] {
        guard isAveraged else { throw twice(key, columns, in: file) }
        sums.count += 1
        for index in cells.indices {
          sums.totals[index] += cells[index] ?? 0
          sums.isKnown[index] = sums.isKnown[index] && cells[index] != nil
        }
        values[key] = sums
      } else {
        order.append(key)
        values[key] = Sums(
          count: 1, totals: cells.map { $0 ?? 0 }, isKnown: cells.map { $0 != nil })
      }
    }
    return (order, values)
  }

  private static func twice(
    _ key: Key, _ columns: [String], in file: ResultsFile
  ) -> InputError {
    let place =
      (zip(columns, key.point).map { "\($0)=\($1)" } + ["replicate \(key.draw[1])"])
      .joined(separator: ", ")
    return InputError(
      path: file.path, reason: "\(place) is there twice", advice: "give one sweep a file",
      kind: .content)
  }

  /// Says why, as far as the files show it.
  private static func nothingPairs(_ a: Side, _ b: Side, _ columns: [String]) -> InputError {
    func distinct(_ side: Side, _ name: String) -> Set<String> {
      guard let column = side.file.column(name) else { return [] }
      return Set(side.rows.map { $0[column] })
    }
    for name in ["seed", "job"] + columns {
      let (own, other) = (distinct(a, name), distinct(b, name))
      guard own.isDisjoint(with: other), let first = own.min(), let second = other.min() else {
        continue
      }
      return InputError(
        path: b.file.path,
        reason:
          "no row has a partner in \(a.file.path): \(name) is \(first) there and \(second) here",
        advice: name == "seed"
          ? "run both with one seed, so that they meet the same random numbers"
          : "run both over the same points", kind: .content)
    }
    return InputError(
      path: b.file.path, reason: "no row has a partner in \(a.file.path)",
      advice: "run both over the same points, seeds and replicates", kind: .content)
  }
}
