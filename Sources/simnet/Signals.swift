import Dispatch
import Experiments
import Foundation

/// Connects SIGINT and SIGTERM with a stop flag while it lives: the first asks to stop, a second one
/// kills.
final class SignalWatch {
  private var sources: [any DispatchSourceSignal] = []

  init(_ flag: StopFlag) {
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(
        signal: number, queue: DispatchQueue.global(qos: .userInitiated))
      source.setEventHandler {
        if flag.isRaised {
          signal(number, SIG_DFL)
          kill(getpid(), number)
        }
        flag.raise(number)
      }
      source.resume()
      sources.append(source)
    }
  }

  deinit { for source in sources { source.cancel() } }
}
