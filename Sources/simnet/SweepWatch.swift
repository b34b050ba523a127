import Dispatch
import Experiments
import Foundation
import Reporting
import Synchronization

/// A sweep while it runs, on standard error: how far it is, and the table of the points that are
/// finished.
///
/// On a terminal the table is redrawn in place and gives way to the final one; elsewhere every
/// finished point is a line. The points are read from the sweep's journal, as a later run would read
/// them to go on, so that the threads that run points do nothing for it.
final class SweepWatch: ProgressReporter {
  /// What the threads that run points say.
  private struct Count {
    var done = 0
    var total = 0
    var resumed = 0
  }
  /// What is shown, which only the queue touches: a terminal may take its time.
  private struct Shown {
    /// Lines on the terminal that the next drawing replaces.
    var drawn = 0
    /// Points that have had their line.
    var said: Set<String> = []
    var isOver = false
  }
  private let runner: SweepRunner
  private let journal: String
  private let start: DispatchTime
  private let count = Mutex(Count())
  private let shown = Mutex(Shown())
  private let queue = DispatchQueue(label: "watch")
  private let isLive = Terminal.isTalkingToPeople

  /// Watches what `runner` writes into the journal at `path`, which need not be there yet.
  init(_ runner: SweepRunner, journal path: String) {
    self.runner = runner
    journal = path
    start = .now()
    look(after: .milliseconds(300))
  }

  // Called by the threads that run points, which must not wait.
  func update(done: Int, total: Int, resumed: Int) {
    count.withLock { $0 = Count(done: done, total: total, resumed: resumed) }
  }
  func note(_ line: String) {
    queue.sync {
      erase()
      Terminal.say(line)
    }
  }
  func finish() {
    queue.sync {
      shown.withLock { $0.isOver = true }
      erase()
    }
  }

  /// Says what has not been said when everything is known.
  func conclude(_ table: ResultTable) {
    if !isLive { queue.sync { say(table) } }
  }

  // MARK: - Looking

  /// Looks at the journal after a while, again and again, a tenth of the time at most.
  private func look(after pause: DispatchTimeInterval) {
    queue.asyncAfter(deadline: .now() + pause) { [weak self] in
      guard let self, !shown.withLock(\.isOver) else { return }
      let begin = DispatchTime.now()
      if let (table, count) = finishedRows() {
        if isLive { draw(table, count) } else { say(table) }
      }
      let spent = DispatchTime.now().uptimeNanoseconds - begin.uptimeNanoseconds
      look(after: .nanoseconds(Int(max(400_000_000, 9 * spent))))
    }
  }

  /// The rows of finished points, and how many these are; nil where the journal cannot be read now.
  private func finishedRows() -> (table: ResultTable, points: Int)? {
    guard let results = try? runner.results(journals: [journal]) else { return nil }
    var rows: [[String]] = []
    guard (try? results.forEachRow { rows.append($0) }) != nil else { return nil }
    let table = ResultTable(
      header: results.header, sweptCount: runner.sweep.columns.count, rows: rows)
    return (table, results.finishedPoints)
  }

  // MARK: - Showing

  /// Draws what fits: how far the sweep is, then the last finished points.
  private func draw(_ table: ResultTable, _ points: Int) {
    let columns = max(20, Terminal.width(of: STDERR_FILENO, fallback: 80))
    let rows = max(4, Terminal.height())
    let style = Terminal.style(of: STDERR_FILENO)
    var lines = [style.set(String(progress(points, columns - 1).prefix(columns - 1)), .strong)]
    if points > 0 {
      // Colours would hide how long a line is, which must not wrap.
      let report = SweepReport(table, width: columns - 1).pointLines
      let room = rows - 3
      let shown = report.dropFirst().suffix(room)
      let title = report.count - 1 > room ? " (the last ones)" : ""
      lines.append(style.set(String((report[0] + title).prefix(columns - 1)), .faint))
      lines += shown.map { String($0.prefix(columns - 1)) }
    }
    shown.withLock { shown in
      var text = Self.rewind(shown.drawn)
      for line in lines { text += line + "\u{1B}[K\n" }
      Terminal.talk(text + "\u{1B}[J")
      shown.drawn = lines.count
    }
  }

  /// How far it is: points, runs, points a second and the time to go, with a bar in what is left.
  private func progress(_ points: Int, _ width: Int) -> String {
    let (done, total, resumed) = count.withLock { ($0.done, $0.total, $0.resumed) }
    let elapsed = Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e9
    var text = "\(points)/\(runner.count) points, \(done)/\(total) runs"
    if resumed > 0 { text += " (\(resumed) resumed)" }
    let fresh = done - resumed
    if fresh > 0, elapsed > 0.2 {
      let rate = Double(fresh) / elapsed
      let share = Double(runner.count) / Double(max(1, total))
      text +=
        ", \(Numbers.significant(rate * share, 3)) points/s, "
        + "\(LiveProgress.duration(Double(total - done) / rate)) to go"
    }
    let room = min(40, width - text.count - 4)
    if room >= 10, total > 0 {
      let full = room * done / total
      text +=
        "  [" + String(repeating: "#", count: full) + String(repeating: ".", count: room - full)
        + "]"
    }
    return text
  }

  /// A line for every point that has not had one.
  private func say(_ table: ResultTable) {
    for point in PointSummary.all(of: table) {
      let key = point.text("point") + "/" + point.job
      guard shown.withLock({ $0.said.insert(key).inserted }) else { continue }
      let name = point.labels.filter { !$0.isEmpty }.joined(separator: ", ")
      let job = point.job == "main" ? "" : ", \(point.job)"
      Terminal.say(
        "point \(point.text("point"))\(name.isEmpty ? "" : ", \(name)")\(job): "
          + "\(Numbers.seconds(point.time)), \(point.errorNote)")
    }
  }

  /// Removes what was drawn.
  private func erase() {
    shown.withLock { shown in
      if shown.drawn > 0 { Terminal.talk(Self.rewind(shown.drawn) + "\u{1B}[J") }
      shown.drawn = 0
    }
  }

  /// Goes back to the first of `lines` lines.
  private static func rewind(_ lines: Int) -> String {
    lines > 0 ? "\r\u{1B}[\(lines)A" : "\r"
  }
}
