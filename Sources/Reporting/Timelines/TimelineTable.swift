import Experiments
import SimKernel
import Training

/// A timeline as tidy rows, one a slice.
///
/// Times are seconds of simulated time as exact decimals; servers are numbered behind the workers.
public struct TimelineTable {
  private let timeline: RunTimeline

  /// The columns: `bytes` and `peer` are empty where nothing is sent.
  public static let columns = [
    "job", "worker", "iteration", "lane", "name", "start_s", "end_s", "bytes", "peer",
  ]

  /// The rows of `timeline`.
  public init(_ timeline: RunTimeline) { self.timeline = timeline }

  /// Passes the rows to `emit`: worker by worker, lane by lane, in the order of time.
  public func forEachRow(_ emit: ([String]) throws -> Void) rethrows {
    for process in TimelineLanes(timeline).processes {
      for lane in process.lanes {
        for slice in lane.slices {
          let (iteration, name, bytes, peer) = facts(of: slice, lane.kind)
          try emit([
            timeline.jobs[process.job].name, String(process.rank),
            String(timeline.counted(iteration, of: JobID(process.job))), lane.kind.name, name,
            (slice.start - .zero).exactSeconds, (slice.end - .zero).exactSeconds,
            bytes.map { String($0.bytes) } ?? "", peer.map { String($0.index) } ?? "",
          ])
        }
      }
    }
  }

  private func facts(
    of slice: TimelineLanes.Slice, _ kind: TimelineLanes.Kind
  ) -> (iteration: Int32, name: String, bytes: ByteCount?, peer: RankID?) {
    let record = Int(slice.record)
    func label(_ unit: Int32, _ job: JobID) -> String {
      unit < 0 ? "" : timeline.jobs[job.index].units[Int(unit)].label
    }
    switch kind {
    case .iteration:
      let span = timeline.iterations[record]
      return (span.iteration, "iteration", nil, nil)
    case .compute, .encode, .decode, .copy, .hold:
      let span = timeline.spans[record]
      return (
        span.iteration,
        span.unit < 0 ? "\(span.kind)" : "\(span.kind) \(label(span.unit, span.job))", nil, nil
      )
    case .exchange:
      let span = timeline.exchanges[record]
      return (
        span.iteration, label(span.unit, span.job),
        timeline.jobs[span.job.index].exchanges[Int(span.exchange)].bytes, nil
      )
    case .send, .receive:
      let span = timeline.transfers[record]
      return (
        span.iteration, label(span.unit, span.job), span.size,
        kind == .send ? span.receiver : span.sender
      )
    case .reduce:
      let span = timeline.reductions[record]
      return (span.iteration, "sum \(label(span.unit, span.job))", nil, nil)
    }
  }
}
