import SimKernel
import Training

/// How a sweep is carried out; nothing here can change a result.
public struct SweepOptions: Sendable {
  /// Runs at a time.
  public var jobs: Int
  /// Where finished runs are kept while the sweep goes on; nil keeps them in memory only.
  public var journalPath: String?
  /// Journals of others, whose finished runs are not repeated.
  public var otherJournals: [String]
  /// Only these points; nil runs all.
  public var points: [Int]?
  /// Only these replicates; nil runs all.
  public var replicates: [Int]?
  /// Whether runs that a journal knows to have failed are tried again.
  public var retriesFailures: Bool
  /// Whether the first failure ends the sweep.
  public var stopsAtFailure: Bool
  public var stop: StopFlag
  /// Encoded gradients to share with other sweeps; nil shares none.
  public var encodings: EncodingCache?
  public var progress: any ProgressReporter
  /// Where to keep what every link of every run carried; nil keeps it nowhere.
  public var links: LinkAccounts?
  /// Where the timeline of the only run goes; nil records none.
  public var timeline: TimelineRecording?

  public init(
    jobs: Int = 1, journalPath: String? = nil, otherJournals: [String] = [], points: [Int]? = nil,
    replicates: [Int]? = nil, retriesFailures: Bool = true, stopsAtFailure: Bool = false,
    stop: StopFlag = StopFlag(), encodings: EncodingCache? = nil,
    progress: any ProgressReporter = SilentProgress(), links: LinkAccounts? = nil,
    timeline: TimelineRecording? = nil
  ) {
    self.jobs = jobs
    self.journalPath = journalPath
    self.otherJournals = otherJournals
    self.points = points
    self.replicates = replicates
    self.retriesFailures = retriesFailures
    self.stopsAtFailure = stopsAtFailure
    self.stop = stop
    self.encodings = encodings
    self.progress = progress
    self.links = links
    self.timeline = timeline
  }

  /// The journals to read, this sweep's own first.
  var journals: [String] { (journalPath.map { [$0] } ?? []) + otherJournals }
}

/// A point that did not reach its end.
public struct PointFailure: Sendable {
  public var point: Int
  public var replicate: Int
  public var error: any Error & Sendable
  /// What to tell the user.
  public var reason: String { "replicate \(replicate): \(error)" }
  /// Whether the simulation itself could not go on, as opposed to its inputs.
  public var cannotProceed: Bool { error is SimulationError }
}

/// A failure that an earlier run wrote into a journal.
struct EarlierFailure: Error, Sendable, CustomStringConvertible {
  var description: String
}

/// What came of a sweep.
public struct SweepOutcome: Sendable {
  /// The rows of all finished points, in point order.
  public var table: ResultTable
  public var finishedPoints: Int
  public var totalPoints: Int
  /// Keys every random stream.
  public var seed: UInt64
  public var failures: [PointFailure]
  /// Whether a stop was asked for before the end.
  public var isInterrupted: Bool
}
