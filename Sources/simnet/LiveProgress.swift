import Dispatch
import Experiments
import Reporting
import Synchronization

/// One line on a terminal's standard error, redrawn in place: done, rate, time to go.
final class LiveProgress: ProgressReporter {
  private struct State {
    var lastDrawn: UInt64 = 0
    var start: UInt64
    var isDrawn = false
  }
  private let state: Mutex<State>
  private let unit: String

  /// Progress in `unit`s.
  init(of unit: String = "runs") {
    self.unit = unit
    state = Mutex(State(start: DispatchTime.now().uptimeNanoseconds))
  }

  func update(done: Int, total: Int, resumed: Int) {
    let now = DispatchTime.now().uptimeNanoseconds
    state.withLock { state in
      guard now - state.lastDrawn > 100_000_000 || done == total else { return }
      state.lastDrawn = now
      state.isDrawn = true
      let elapsed = Double(now - state.start) / 1e9
      let fresh = done - resumed
      var line = "\r\(done)/\(total) \(unit)"
      if resumed > 0 { line += " (\(resumed) resumed)" }
      if fresh > 0, elapsed > 0.2 {
        let rate = Double(fresh) / elapsed
        line +=
          ", \(Numbers.significant(rate, 3))/s, "
          + "\(Numbers.significant(Double(total - done) / rate, 2)) s to go"
      }
      Terminal.talk(line + "\u{1B}[K")
    }
  }
  func note(_ line: String) {
    finish()
    Terminal.say(line)
  }
  func finish() {
    state.withLock { state in
      if state.isDrawn { Terminal.talk("\r\u{1B}[K") }
      state.isDrawn = false
    }
  }
}
