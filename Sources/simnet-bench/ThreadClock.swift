import Glibc

/// Processor time of the calling thread, which other processes on the machine do not lengthen.
enum ThreadClock {
  /// Seconds of processor time since the thread began.
  static var seconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// The seconds `body` takes.
  static func measure(_ body: () -> Void) -> Double {
    let start = seconds
    body()
    return seconds - start
  }
}

/// Time of day, for work that more than one thread does.
enum WallClock {
  /// Seconds since some fixed instant.
  static var seconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// Several things measured in turn, round by round, so that a slow minute hits all of them.
struct Contest {
  /// The least seconds each contender needed, in the order given.
  var best: [Double]

  /// Runs every contender once a round and keeps its best time.
  ///
  /// - Parameter contenders: each returns the seconds it took, without its own preparation.
  init(rounds: Int = 5, _ contenders: [() -> Double]) {
    best = [Double](repeating: .infinity, count: contenders.count)
    for _ in 0..<rounds {
      for (index, contender) in contenders.enumerated() {
        best[index] = min(best[index], contender())
      }
    }
  }
}
