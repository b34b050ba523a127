import Interchange
import SimKernel
import Validation

/// The all-reduce times of one machine and number of accelerators in a DeepBench table.
///
/// DeepBench ran every size with the algorithm that was fastest there; of several times the shortest
/// counts.
public struct DeepBenchSeries: Sendable, Equatable {
  /// Such as `NV_P100`.
  public let machine: String
  public let accelerators: Int
  /// In the order of the table.
  public private(set) var algorithms: [String]
  /// One a size, by growing size.
  public private(set) var points: [SegmentedFit.Point]

  /// All of `table`, by machine in its order and by growing number of accelerators.
  ///
  /// - Complexity: O(rows times series).
  public static func all(of table: DeepBenchTable) -> [DeepBenchSeries] {
    var machines: [String] = []
    var found: [DeepBenchSeries] = []
    for row in table.rows {
      let prefix = "DeepBench_"
      let machine =
        row.source.hasPrefix(prefix) ? String(row.source.dropFirst(prefix.count)) : row.source
      if !machines.contains(machine) { machines.append(machine) }
      let place =
        found.firstIndex { $0.machine == machine && $0.accelerators == row.accelerators }
        ?? found.count
      if place == found.count {
        found.append(
          DeepBenchSeries(
            machine: machine, accelerators: row.accelerators, algorithms: [], points: []))
      }
      if !found[place].algorithms.contains(row.algorithm) {
        found[place].algorithms.append(row.algorithm)
      }
      found[place].add(size: Double(row.size.bytes), time: row.meanTime.seconds)
    }
    return machines.flatMap { machine in
      found.filter { $0.machine == machine }.sorted { $0.accelerators < $1.accelerators }
    }
  }

  private mutating func add(size: Double, time: Double) {
    let place = points.firstIndex { $0.size >= size } ?? points.count
    if place < points.count, points[place].size == size {
      points[place] = SegmentedFit.Point(size: size, time: min(points[place].time, time))
    } else {
      points.insert(SegmentedFit.Point(size: size, time: time), at: place)
    }
  }

  /// Such as `NV_P100, 8 accelerators, by NCCL 2.0 MPI`.
  public var title: String {
    "\(machine), \(accelerators) accelerators, by \(algorithms.joined(separator: " and "))"
  }

  /// The series called `number` on the command line.
  ///
  /// - Throws: `InvalidInput` if there is none.
  public static func choose(
    _ number: Int, of series: [DeepBenchSeries]
  ) throws(InvalidInput) -> DeepBenchSeries {
    guard series.indices.contains(number) else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--series"]),
          problem: .outOfRange(found: "\(number)", expected: "0..\(series.count - 1)"))
      ])
    }
    return series[number]
  }

  /// The parameters of a network under which a ring takes as long.
  ///
  /// - Throws: `InvalidInput` for fewer than two sizes or accelerators, or a range that there is not.
  public func calibration(range: Int? = nil) throws(InvalidInput) -> NetworkCalibration {
    guard points.count >= 2, accelerators >= 2 else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--series"]),
          problem: .conflict(
            "\(title): \(points.count) sizes over \(accelerators) accelerators; a law needs 2 of "
              + "each"))
      ])
    }
    return try NetworkCalibration(
      points, ranks: accelerators, traffic: .allReduce, chosen: range)
  }
}
