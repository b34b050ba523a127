import Experiments
import SimKernel
import Training

/// A timeline sorted into processes and lanes, so that nothing in a lane overlaps.
///
/// A process is a rank slot of a job. What runs at once on one of its lanes, such as messages to
/// several receivers, is spread over as many sub-lanes: viewers need proper nesting.
/// - Complexity: O(n log n) for n slices, times the sub-lanes of a lane.
public struct TimelineLanes: Sendable {
  /// What a lane shows.
  public enum Kind: UInt8, Sendable, CaseIterable, BitwiseCopyable {
    case iteration, compute, encode, exchange, send, receive, reduce, decode, copy, hold

    /// As lanes are called.
    public var name: String { "\(self)" }
  }

  /// One thing on a lane: a record of the timeline, by its place in the array that its kind names.
  public struct Slice: Sendable, BitwiseCopyable {
    public var start: SimTime
    public var end: SimTime
    public var record: Int32
  }

  /// Slices one after the other.
  public struct Lane: Sendable {
    public var kind: Kind
    /// Which of the lanes of its kind, from 0.
    public var number: Int
    public var slices: [Slice]
  }

  /// A rank slot.
  public struct Process: Sendable {
    public var job: Int
    public var rank: Int
    /// What viewers number it by: from 1, over all jobs.
    public var id: Int
    public var name: String
    public var lanes: [Lane]
  }

  /// In the order of their ids; only those that anything is known of.
  public let processes: [Process]

  /// The processes and lanes of `timeline`.
  public init(_ timeline: RunTimeline) {
    var bases: [Int] = []
    var count = 0
    for job in timeline.jobs {
      bases.append(count)
      count += job.nodes.count
    }
    var sorted = [[[Slice]]](
      repeating: [[Slice]](repeating: [], count: Kind.allCases.count), count: count)
    func add(_ job: JobID, _ rank: RankID, _ kind: Kind, _ start: SimTime, _ end: SimTime, _ n: Int)
    {
      sorted[bases[job.index] + rank.index][Int(kind.rawValue)].append(
        Slice(start: start, end: end, record: Int32(n)))
    }
    // A message is shown at the ends that were chosen, which have an iteration.
    var isShown = [Bool](repeating: false, count: count)
    for span in timeline.iterations { isShown[bases[span.job.index] + span.worker.index] = true }
    for (index, span) in timeline.iterations.enumerated() {
      add(span.job, span.worker, .iteration, span.start, span.end, index)
    }
    for (index, span) in timeline.spans.enumerated() {
      add(span.job, span.worker, Self.kind(of: span), span.start, span.end, index)
    }
    for (index, span) in timeline.exchanges.enumerated() {
      add(span.job, span.worker, .exchange, span.start, span.end, index)
    }
    for (index, span) in timeline.reductions.enumerated() {
      isShown[bases[span.job.index] + span.rank.index] = true
      add(span.job, span.rank, .reduce, span.start, span.end, index)
    }
    for (job, base) in zip(timeline.jobs, bases) where job.nodes.count > job.workers {
      // Servers are there with all workers only.
      let all = (0..<job.workers).allSatisfy { isShown[base + $0] }
      for server in job.workers..<job.nodes.count { isShown[base + server] = all }
    }
    for (index, span) in timeline.transfers.enumerated() {
      let base = bases[span.job.index]
      if isShown[base + span.sender.index] {
        add(span.job, span.sender, .send, span.start, span.left, index)
      }
      if isShown[base + span.receiver.index] {
        add(span.job, span.receiver, .receive, span.arrivalStart, span.delivered, index)
      }
    }
    var processes: [Process] = []
    for (index, job) in timeline.jobs.enumerated() {
      for rank in 0..<job.nodes.count {
        let place = bases[index] + rank
        if sorted[place].allSatisfy(\.isEmpty) { continue }
        processes.append(
          Process(
            job: index, rank: rank, id: place + 1,
            name: (timeline.jobs.count > 1 ? "\(job.name): " : "") + job.name(ofRank: rank),
            lanes: Kind.allCases.flatMap { Self.lanes($0, sorted[place][Int($0.rawValue)]) }))
        sorted[place] = []
      }
    }
    self.processes = processes
  }

  /// The lane on which `span` is shown.
  static func kind(of span: TimelineSpan) -> Kind {
    switch span.kind {
    case .forward, .backward, .optimizer, .compute: .compute
    case .encode: .encode
    case .decode: .decode
    case .exchange: .exchange
    case .copy: .copy
    case .hold: .hold
    }
  }

  /// `slices` over as few lanes as hold them without overlap.
  private static func lanes(_ kind: Kind, _ slices: [Slice]) -> [Lane] {
    var lanes: [Lane] = []
    var ends: [SimTime] = []
    for slice in slices.sorted(by: { ($0.start, $0.end, $0.record) < ($1.start, $1.end, $1.record) }
    ) {
      if let free = ends.firstIndex(where: { $0 <= slice.start }) {
        lanes[free].slices.append(slice)
        ends[free] = slice.end
      } else {
        lanes.append(Lane(kind: kind, number: lanes.count, slices: [slice]))
        ends.append(slice.end)
      }
    }
    return lanes
  }
}

extension TransferSpan {
  /// When the first byte arrived, if the last took as long as the first: the message as its receiver
  /// saw it is as long as its sender saw it.
  public var arrivalStart: SimTime {
    let flight = delivered - left
    return min(delivered, start + flight)
  }
}

extension RunTimeline.Job {
  /// `worker 3`, or `server 0` behind the workers.
  public func name(ofRank rank: Int) -> String {
    rank < workers ? "worker \(rank)" : "server \(rank - workers)"
  }
}
