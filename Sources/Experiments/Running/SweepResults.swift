import Dispatch
import SimKernel
import Synchronization

/// What a sweep has so far: rows in point order, whatever order they were made in.
public struct SweepResults: Sendable {
  private let runner: SweepRunner
  private let records: RunRecords
  private let entries: [SweepSurvey.Entry]
  private let options: SweepOptions
  /// Whose runs count: this build's, then those that may fill gaps.
  private let builds: [BuildVersion]
  private let isComplete: [Bool]
  /// Points that did not reach their end, in point order.
  public let failures: [PointFailure]
  /// Points that are not there, and have not failed either.
  public let missingPoints: [Int]

  init(
    _ runner: SweepRunner, _ records: RunRecords, _ options: SweepOptions,
    builds: [BuildVersion] = [.current]
  ) {
    self.runner = runner
    self.records = records
    self.options = options
    self.builds = builds
    entries = runner.entries(options)
    var isComplete: [Bool] = []
    var failures: [PointFailure] = []
    var missing: [Int] = []
    for entry in entries {
      var isWhole = true
      var failure: PointFailure?
      for replicate in runner.replicates(of: entry, options) {
        if let build = Self.build(of: entry, replicate, runner, records, builds) {
          // Compared rows need their baselines, unless these cannot be.
          isWhole =
            isWhole
            && entry.baselines.allSatisfy { baseline in
              if baseline < 0 || baseline == entry.own { return true }
              let other = runner.id(of: baseline, replicate, build)
              return records.isFinished(other) || records.failure(other) != nil
            }
        } else {
          isWhole = false
          if let error = records.failure(runner.id(of: entry.own, replicate)) {
            failure = PointFailure(
              point: Int(entry.point), replicate: Int(replicate), error: error)
            break
          }
        }
      }
      isComplete.append(isWhole)
      if let failure {
        failures.append(failure)
      } else if !isWhole {
        missing.append(Int(entry.point))
      }
    }
    self.isComplete = isComplete
    self.failures = failures
    missingPoints = missing
  }

  /// The first build that finished the run.
  private static func build(
    of entry: SweepSurvey.Entry, _ replicate: Int32, _ runner: SweepRunner, _ records: RunRecords,
    _ builds: [BuildVersion]
  ) -> BuildVersion? {
    builds.first { records.isFinished(runner.id(of: entry.own, replicate, $0)) }
  }

  /// Points of which all replicates are there.
  public var finishedPoints: Int { isComplete.count { $0 } }
  /// Points asked for.
  public var totalPoints: Int { entries.count }
  /// Whether a stop came before the end; one after the last run interrupted nothing.
  public var isInterrupted: Bool { options.stop.isRaised && !missingPoints.isEmpty }
  /// Other builds that wrote into the journals.
  public var otherBuilds: [String] { records.builds.filter { $0 != .current }.map(\.description) }
  /// Keys every random stream.
  public var seed: UInt64 { runner.scenario.seed }
  /// The names of the columns.
  public var header: [String] { ResultColumns.header(swept: runner.sweep.columns) }

  /// Calls `body` with the rows of every finished point, in point order; rows are never half a point.
  ///
  /// Rows are put together by as many threads as runs were made with, a few hundred points ahead.
  ///
  /// - Throws: what `body` throws; ``InputError`` if a journal has changed since it was read.
  public func forEachRow(_ body: ([String]) throws -> Void) throws {
    let whole = entries.indices.filter { isComplete[$0] }
    let threads = max(1, min(options.jobs, 16))
    // So many rows are in memory at once, whatever a point has.
    let replicates = options.replicates?.count ?? Int(entries.map(\.replicates).max() ?? 1)
    let share = max(1, min(256, whole.count / threads + 1, 4096 / max(1, threads * replicates)))
    for start in stride(from: 0, to: whole.count, by: threads * share) {
      let parts = Mutex([[[String]]](repeating: [], count: threads))
      let failure = Mutex<InputError?>(nil)
      DispatchQueue.concurrentPerform(iterations: threads) { thread in
        let first = min(whole.count, start + thread * share)
        var rows: [[String]] = []
        do throws(InputError) {
          for index in whole[first..<min(whole.count, first + share)] {
            let entry = entries[index]
            let labels = runner.sweep.labels(of: Int(entry.point))
            for replicate in runner.replicates(of: entry, options) {
              rows += try self.rows(entry, labels, replicate)
            }
          }
          parts.withLock { $0[thread] = rows }
        } catch {
          failure.withLock { $0 = error }
        }
      }
      if let error = failure.withLock({ $0 }) { throw error }
      for part in parts.withLock({ $0 }) {
        for row in part { try body(row) }
      }
    }
  }

  /// The CSV rows of one run: one a job.
  private func rows(
    _ entry: SweepSurvey.Entry, _ labels: [String], _ replicate: Int32
  ) throws(InputError) -> [[String]] {
    let width = ResultColumns.measurements.count
    let time = ResultColumns.index(of: "iteration_time_s")
    guard let build = Self.build(of: entry, replicate, runner, records, builds),
      let cells = records.cells(runner.id(of: entry.own, replicate, build))
    else {
      throw InputError(
        path: options.journals.first ?? "journal",
        reason: "point \(entry.point) was there and cannot be read any more",
        advice: "run the sweep again; what is damaged is repeated")
    }
    let references = entry.baselines.map { baseline -> [String]? in
      if baseline == entry.own { return cells }
      return baseline < 0 ? nil : records.cells(runner.id(of: baseline, replicate, build))
    }
    let identification = [
      runner.scenario.title, String(entry.point), String(replicate), String(runner.scenario.seed),
      runner.hash(of: entry.own), build.simnet, build.libzstd,
    ]
    return (0..<cells.count / width).map { job in
      let own = cells[job * width..<(job + 1) * width]
      let ours = Double(own[own.startIndex + time])
      let comparisons = references.map { other -> String in
        guard let other, other.count == cells.count, let theirs = Double(other[job * width + time]),
          let ours, ours > 0
        else { return "" }
        return JSONNumber.shortest(theirs / ours)
      }
      return identification + labels + own + comparisons
    }
  }
}
