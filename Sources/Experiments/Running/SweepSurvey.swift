import Dispatch
import SimKernel
import Synchronization
import Training

/// What a look at every point of a sweep finds: which distinct configurations there are to run, and
/// which of them belong to a point.
///
/// Points are checked and, beyond the first thousands, dropped: a configuration takes 24 bytes here,
/// so that a million points fit, and is prepared again when its turn comes.
struct SweepSurvey: Sendable {
  /// What is run once, however many points share it.
  struct Configuration: Sendable {
    /// Names it; the digits that rows carry, as a number.
    var hash: UInt64
    /// A point that it can be made from.
    var point: Int32
    /// How it is made from the point; nil for the point itself.
    var baseline: Baseline?
    /// Whether gradients may have to be encoded for it.
    var mayEncode: Bool
  }
  /// A point and the configurations it is compared with.
  struct Entry: Sendable {
    var point: Int32
    var replicates: Int32
    var own: Int32
    /// One for each ``Baseline``; -1 for none.
    var baselines: [Int32]
  }

  var configurations: [Configuration] = []
  /// In the order of the points.
  var entries: [Entry] = []
  var issues: [Issue] = []
  /// The first point's scenario: title, question and the like are common to all.
  var scenario: Scenario?

  /// Looks at `points`, `threads` at a time; what is found does not depend on them.
  init(
    _ sweep: Sweep, points: [Int], comparing: Bool, inputs: PreparationInputs,
    cache: PreparedCache?, threads: Int, isRecorded: Bool = false,
    checked: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) {
    let finished = Atomic<Int>(0)
    let chunk = 128
    let chunks = (points.count + chunk - 1) / chunk
    let next = Atomic<Int>(0)
    let found = Mutex([Part?](repeating: nil, count: chunks))
    DispatchQueue.concurrentPerform(iterations: max(1, min(threads, chunks))) { _ in
      let preparation = PointPreparation(inputs)
      var errors = 0
      // Past so many problems a file is beyond hope, and so is reading it to the end.
      while errors < 256 {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < chunks else { return }
        let part = Part(
          sweep, points[index * chunk..<min(points.count, (index + 1) * chunk)],
          comparing: comparing, preparation, cache, isRecorded: isRecorded)
        errors += part.errors
        found.withLock { $0[index] = part }
        let done = finished.wrappingAdd(1, ordering: .relaxed).newValue
        checked(min(points.count, done * chunk), points.count)
      }
    }
    var known: [UInt64: Int32] = [:]
    var seen: Set<String> = []
    for part in found.withLock({ $0 }) {
      guard let part else { continue }
      scenario = scenario ?? part.scenario
      for issue in part.issues where seen.insert(issue.description).inserted {
        issues.append(issue)
      }
      for candidate in part.candidates {
        let numbers = candidate.configurations.map { configuration -> Int32 in
          guard let configuration else { return -1 }
          if let number = known[configuration.hash] { return number }
          let number = Int32(configurations.count)
          known[configuration.hash] = number
          configurations.append(configuration)
          return number
        }
        entries.append(
          Entry(
            point: candidate.point, replicates: candidate.replicates, own: numbers[0],
            baselines: Array(numbers.dropFirst())))
      }
    }
  }

  /// What one thread found in a few points.
  private struct Part: Sendable {
    struct Candidate: Sendable {
      var point: Int32
      var replicates: Int32
      /// The point's own, then its baselines'.
      var configurations: [Configuration?]
    }
    var candidates: [Candidate] = []
    var issues: [Issue] = []
    var errors = 0
    var scenario: Scenario?

    init(
      _ sweep: Sweep, _ points: ArraySlice<Int>, comparing: Bool,
      _ preparation: PointPreparation, _ cache: PreparedCache?, isRecorded: Bool
    ) {
      let collector = IssueCollector()
      for index in points {
        let root = sweep.point(index).root
        // What was checked when it was run needs its name only, and no input files.
        let prepared = isRecorded ? nil : preparation.prepare(root, issues: collector)
        guard isRecorded || prepared != nil,
          let own = prepared?.scenario ?? preparation.read(root, issues: collector)
        else { continue }
        scenario = scenario ?? own
        let hash = UInt64(preparation.hash(root, own), radix: 16)!
        if let prepared { cache?.put(prepared, hash: hash) }
        var configurations: [Configuration?] = [
          Configuration(
            hash: hash, point: Int32(index), baseline: nil,
            mayEncode: own.jobs.contains { job in
              job.workload.gradientType != .fp32
                || !job.communication.compression.pipelines.allSatisfy(\.isIdentity)
            })
        ]
        for baseline in comparing ? Baseline.allCases : [] {
          // A baseline that cannot be built leaves its comparison empty; it is not the user's error.
          configurations.append(
            preparation.hash(baseline.derive(from: root)).map {
              Configuration(
                hash: UInt64($0, radix: 16)!, point: Int32(index), baseline: baseline,
                mayEncode: baseline != .fp32)
            })
        }
        candidates.append(
          Candidate(
            point: Int32(index), replicates: Int32(clamping: own.replicates),
            configurations: configurations))
      }
      errors = collector.errors.count
      issues = collector.issues
    }
  }
}
