import Dispatch
import Experiments
import Foundation

/// Reacts to SIGINT, SIGTERM and SIGUSR1 while it lives, even where they were ignored before.
///
/// Batch systems send USR1 some time before they kill.
final class SignalWatch {
  private var sources: [any DispatchSourceSignal] = []

  /// Calls `react` with the number of each signal, on a thread of its own.
  init(_ react: @escaping @Sendable (Int32) -> Void) {
    for number in [SIGINT, SIGTERM, SIGUSR1] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(
        signal: number, queue: DispatchQueue.global(qos: .userInitiated))
      source.setEventHandler { react(number) }
      source.resume()
      sources.append(source)
    }
  }

  /// The first signal asks to stop, a second one kills.
  convenience init(_ flag: StopFlag) {
    self.init { number in
      if flag.isRaised {
        signal(number, SIG_DFL)
        kill(getpid(), number)
      }
      flag.raise(number)
    }
  }

  deinit { for source in sources { source.cancel() } }
}
