import SimKernel

/// What an execution of an ``OperationGraph`` did and when.
public struct GraphTimeline: Sendable, Equatable {
  /// When the last predecessor of each operation had ended.
  public let readyTimes: [SimTime]
  /// When each operation started.
  public let starts: [SimTime]
  /// How long each operation took, overhead and noise included.
  public let durations: [SimDuration]
  /// The operation that ran on the same resource before each one, or -1.
  public let previous: [Int32]
  /// How long each resource was busy.
  public let loads: [SimDuration]
  /// When the last operation ended.
  public let makespan: SimDuration

  /// When operation `id` started.
  public func start(of id: OperationID) -> SimTime { starts[id.index] }
  /// When operation `id` ended.
  public func finish(of id: OperationID) -> SimTime { starts[id.index] + durations[id.index] }

  /// How well the execution overlapped its resources.
  public var metrics: ScheduleMetrics { ScheduleMetrics(loads: loads, makespan: makespan) }

  /// The operations in the order they started on `resource`.
  public func sequence(on resource: GraphResourceID, of graph: OperationGraph) -> [OperationID] {
    graph.operations.indices.filter { graph.operations[$0].resource == resource }
      .sorted {
        (starts[$0], finish(of: OperationID($0)), $0) < (
          starts[$1], finish(of: OperationID($1)), $1
        )
      }
      .map { OperationID($0) }
  }
}

/// One operation of a critical path, and what it waited for.
public struct CriticalStep: Sendable, Equatable {
  /// Why an operation did not start earlier.
  public enum Reason: Sendable, Equatable {
    /// It started at once.
    case start
    /// This predecessor ended just then.
    case dependency(OperationID)
    /// This one occupied the resource until then.
    case resource(OperationID)
  }
  public var operation: OperationID
  public var start: SimTime
  public var duration: SimDuration
  public var reason: Reason
}

extension GraphTimeline {
  /// A chain of operations without a gap from the start to the end of the run: each started when
  /// the one before it ended, for the reason it names.
  ///
  /// Shortening anything else does not end the run earlier, as long as the choices stay the same. It
  /// ends with the operation that ended last, of several the first; where a dependency and the
  /// resource came free together, the dependency counts.
  ///
  /// - Complexity: O(operations + edges).
  public func criticalPath(of graph: OperationGraph) -> [CriticalStep] {
    let end = SimTime.zero + makespan
    guard
      var operation = starts.indices.first(where: { finish(of: OperationID($0)) == end })
    else { return [] }
    var steps: [CriticalStep] = []
    while true {
      let start = starts[operation]
      let blocker: Int?
      let reason: CriticalStep.Reason
      if let predecessor = graph.predecessors(of: operation).first(where: {
        finish(of: OperationID(rawValue: $0)) == start
      }) {
        blocker = Int(predecessor)
        reason = .dependency(OperationID(rawValue: predecessor))
      } else if readyTimes[operation] < start {
        blocker = Int(previous[operation])
        reason = .resource(OperationID(rawValue: previous[operation]))
      } else {
        blocker = nil
        reason = .start
      }
      steps.append(
        CriticalStep(
          operation: OperationID(operation), start: start, duration: durations[operation],
          reason: reason))
      guard let next = blocker else { break }
      operation = next
    }
    return steps.reversed()
  }
}
