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
          + "\(Self.duration(Double(total - done) / rate)) to go"
      }
      Terminal.talk(line + "\u{1B}[K")
    }
  }

  /// `seconds` as people say them: `8 s`, `3 min 20 s`, `2 h 5 min`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "long" }
    let whole = Int(seconds.rounded(.up))
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
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
