import SimKernel

/// How the framework of a worker executes its operations: the `workload.execution` record.
public struct ExecutionSettings: Sendable, Equatable {
  public var mode: ExecutionMode
  /// Operations that forward, and again backward, dispatches for each tensor of the model.
  public var operationsPerTensor: Int

  /// A graph that costs nothing to trace.
  public init(mode: ExecutionMode = .staged(trace: .zero), operationsPerTensor: Int = 1) {
    self.mode = mode
    self.operationsPerTensor = operationsPerTensor
  }

  /// The members of `workload.execution`.
  public static let registry = Registry<ExecutionSettings>(
    noun: "execution", discriminator: "mode",
    entries: [
      .init(
        "staged", summary: "operations are traced into a graph once; then the host does nothing"
      ) {
        ExecutionSettings(
          mode: .staged(
            trace: $0.optional(
              "trace", .duration, default: .zero,
              doc: "tracing and building the graph, before the first iteration; only makespan_s "
                + "holds it")))
      },
      .init(
        "eager",
        summary: "a host thread dispatches one operation after the other, and no schedule sees the "
          + "whole graph"
      ) {
        ExecutionSettings(
          mode: .eager(
            dispatch: $0.optional(
              "dispatch", .duration, default: .picoseconds(15_000_000),
              doc: "time of the host thread for each operation")),
          operationsPerTensor: $0.optional(
            "operations_per_tensor", .integer(1...1000), default: 1,
            doc: "operations that forward, and again backward, dispatches for each tensor of the "
              + "model; a layer counts once for its weight and once for its bias"))
      },
    ])

  /// Whether no order that needs all operations beforehand is possible.
  public var isEager: Bool {
    if case .eager = mode { return true }
    return false
  }
  /// What passes before the first iteration.
  public var startup: SimDuration {
    if case .staged(let trace) = mode { return trace }
    return .zero
  }
}

extension ComputeTimes {
  /// The same as `execution` has it.
  ///
  /// Under eager execution each tensor's share of forward and of backward is cut into equal operations;
  /// operation k starts once the one before is over and the host has dispatched k of them, from the
  /// start of forward on. A chain of n operations of t each so takes n max(h, t) + min(h, t), with
  /// a host time of h (TensorFlow Eager: Agrawal et al., MLSys 2019, arXiv:1903.01855).
  ///
  /// - Complexity: linear in the tensors.
  public func executed(_ execution: ExecutionSettings) -> ComputeTimes {
    guard case .eager(let dispatch) = execution.mode, dispatch > .zero, !readyOffsets.isEmpty else {
      return self
    }
    let needed = neededOffsets
    let count = readyOffsets.count
    var chain = DispatchedChain(dispatch: dispatch, parts: execution.operationsPerTensor)
    for index in 0..<count {
      chain.run(
        (index + 1 < count ? needed[index + 1] : forward) - (index == 0 ? .zero : needed[index]))
    }
    var times = self
    times.forward = chain.end
    for index in readyOffsets.indices.reversed() {
      chain.run(readyOffsets[index] - (index + 1 < count ? readyOffsets[index + 1] : .zero))
      times.readyOffsets[index] = chain.end - times.forward
    }
    // What the framework does behind the last gradient.
    times.backward = times.readyOffsets[0] + (backward - readyOffsets[0])
    if optimizer > .zero {
      let start = max(chain.end, chain.dispatched + dispatch)
      times.optimizer = start - chain.end + optimizer
    }
    let note = "; eager: the host dispatches an operation in \(dispatch)"
    times.forwardEvidence = Evidence(
      forwardEvidence.provenance, forwardEvidence.sentence + note)
    times.backwardEvidence = Evidence(
      backwardEvidence.provenance, backwardEvidence.sentence + note)
    return times
  }
}

/// Operations on a device that wait for one another and for the host thread that dispatches them.
private struct DispatchedChain {
  let dispatch: SimDuration
  let parts: Int
  /// When the last operation is over.
  private(set) var end = SimDuration.zero
  /// When the last operation was dispatched.
  private(set) var dispatched = SimDuration.zero

  init(dispatch: SimDuration, parts: Int) {
    self.dispatch = dispatch
    self.parts = parts
  }

  /// Runs `duration` in equal parts.
  ///
  /// The first part waits for its dispatch; whether the others wait for the device or the host is the
  /// same for all.
  mutating func run(_ duration: SimDuration) {
    let part = SimDuration(picoseconds: duration.picoseconds / Int64(parts))
    let first = duration - part * (parts - 1)
    dispatched += dispatch
    end = max(end, dispatched) + first
    for _ in 1..<max(1, parts) {
      dispatched += dispatch
      end = max(end, dispatched) + part
    }
  }
}
