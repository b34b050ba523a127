import SimKernel
import Synchronization
import Training

/// Asks a sweep for the timeline of its only run, and takes it.
public final class TimelineRecording: Sendable {
  let selection: TimelineSelection
  let origin: RunTimeline.Origin
  private let state = Mutex(State())

  private struct State {
    var timeline: RunTimeline?
    var isOverfull = false
  }

  /// Nothing recorded yet.
  init(_ selection: TimelineSelection, origin: RunTimeline.Origin) {
    self.selection = selection
    self.origin = origin
  }

  /// Takes what `filter` kept.
  func take(_ filter: TimelineFilter) {
    let isOverfull = filter.isOverfull
    let timeline = isOverfull ? nil : filter.finished()
    state.withLock { state in
      state.isOverfull = isOverfull
      state.timeline = timeline
    }
  }

  var timeline: RunTimeline? { state.withLock { $0.timeline } }
  var isOverfull: Bool { state.withLock { $0.isOverfull } }
}

/// A run of one point of a scenario with its timeline, or with the loads of its links.
public struct RecordedRun: Sendable {
  /// Nil if none was asked for.
  public var timeline: RunTimeline?
  /// Nil if none were asked for.
  public var loads: LinkLoads?
  /// The rows of the run, one a job.
  public var table: ResultTable
  /// The scenario's.
  public var title: String
  /// The points that the scenario has.
  public var points: Int
  /// The point that was run.
  public var point: Int
  /// What the sweep gives the point, such as `bandwidth=10 Gbps`; empty without a sweep.
  public var label: String
  /// What the scenario's warnings say.
  public var warnings: [Issue]

  /// Why there is no recorded run besides bad input.
  public enum Stopped: Error, Sendable {
    /// A signal came.
    case interrupted
    /// The selection makes more events than its limit.
    case tooManyEvents(limit: Int)
  }

  /// Runs `point` of `file`, the first if nil.
  ///
  /// A recorded run is never folded: every message of every iteration is simulated, with the same
  /// result.
  /// - Throws: `InvalidInput` for a bad scenario, point, or selection; `SimulationError`;
  ///   ``Stopped``.
  public init(
    _ file: ScenarioFile, point chosen: Int? = nil, replicate: Int = 0,
    selection: TimelineSelection? = nil, loads wantsLoads: Bool = false,
    stop: StopFlag = StopFlag()
  ) throws {
    points = try Sweep(of: file.root).count
    let number = chosen ?? 0
    let (only, label) = try file.choosing(point: chosen)
    let runner = try SweepRunner(only, comparing: false)
    let replicates = runner.scenario.replicates
    guard replicate < replicates else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--replicate"]),
          problem: .outOfRange(
            found: "\(replicate)", expected: "0..\(replicates - 1), the scenario's replicates"))
      ])
    }
    self.label = label
    title = runner.scenario.title
    let origin = RunTimeline.Origin(
      title: runner.scenario.title, point: number, replicate: replicate,
      seed: runner.scenario.seed, scenarioHash: runner.hash(of: 0),
      network: runner.scenario.network.model.rawValue)
    let recording = selection.map { TimelineRecording($0, origin: origin) }
    let accounts = wantsLoads ? LinkAccounts() : nil
    let outcome = try runner.run(
      SweepOptions(
        jobs: 1, replicates: [replicate], stop: stop, links: accounts, timeline: recording))
    if recording?.isOverfull == true {
      throw Stopped.tooManyEvents(limit: recording?.selection.limit ?? 0)
    }
    if outcome.isInterrupted { throw Stopped.interrupted }
    if let failure = outcome.failures.first { throw failure.error }
    timeline = recording?.timeline
    loads = accounts?.loads(of: runner, replicate: replicate)
    table = outcome.table
    self.point = number
    warnings = runner.warnings
  }
}
