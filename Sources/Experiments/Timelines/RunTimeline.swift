import Networks
import SimKernel
import Training

/// What happened in some iterations of one run, for pictures and trace files.
public struct RunTimeline: Sendable {
  /// A job of the run.
  public struct Job: Sendable {
    public var name: String
    public var model: String
    public var device: String
    /// Rank slots that are workers; the others are servers.
    public var workers: Int
    /// The place of every rank slot.
    public var nodes: [NodeID]
    public var units: [Unit]
    public var exchanges: [Exchange]
    /// Iterations before the first counted one.
    public var warmup: Int
    public var iterations: Int
    /// Samples of a worker's iteration.
    public var batch: Int
  }

  /// What travels together.
  public struct Unit: Sendable {
    /// Tensors in the order in which they become ready.
    public var tensors: [String]
    /// The elements of its only tensor that it holds; nil if all.
    public var slice: Range<Int>?
    public var priority: Int32
    /// Before compression.
    public var bytes: ByteCount

    /// A short name, such as `fc.weight +3` for four tensors.
    public var label: String {
      let first = tensors.first ?? ""
      if let slice { return "\(first)[\(slice.lowerBound)..<\(slice.upperBound)]" }
      return tensors.count > 1 ? "\(first) +\(tensors.count - 1)" : first
    }
  }

  /// One collective of an iteration.
  public struct Exchange: Sendable {
    /// Such as `ring`.
    public var algorithm: String
    /// Such as `all_reduce`.
    public var operation: String
    public var unit: Int
    /// What a worker brings.
    public var bytes: ByteCount
    /// The workers that meet; empty if all do.
    public var groups: [[Int]]
  }

  /// How much of a link was in use, slot by slot.
  public struct LinkUse: Sendable {
    public var link: LinkID
    /// Payload over what the line rate carries, for every slot.
    public var shares: [Double]
  }

  public var topology: Topology
  public var jobs: [Job]
  /// What ran on workers, in the order of ending.
  public var spans: [TimelineSpan] = []
  public var exchanges: [ExchangeSpan] = []
  public var transfers: [TransferSpan] = []
  public var reductions: [ReductionSpan] = []
  public var iterations: [IterationSpan] = []
  /// The busiest links, the busiest first; see ``slotLength``.
  public var links: [LinkUse] = []
  /// What a slot of ``links`` lasts.
  public var slotLength: SimDuration = .zero
  /// When the first slot begins.
  public var slotStart: SimTime = .zero
  /// Why there are no links; empty if there are.
  public var linksMissing = ""
  /// What the file should say of where it is from.
  public var origin: Origin

  /// Where a timeline is from.
  public struct Origin: Sendable {
    public var title: String
    public var point: Int
    public var replicate: Int
    public var seed: UInt64
    public var scenarioHash: String
    public var network: String
  }

  /// The first instant that is kept.
  public var start: SimTime {
    let starts =
      iterations.map(\.start) + spans.map(\.start) + exchanges.map(\.ready)
      + transfers.map(\.queued) + reductions.map(\.start)
    return starts.min() ?? .zero
  }
  /// The last instant that is kept.
  public var end: SimTime {
    let ends =
      iterations.map(\.end) + spans.map(\.end) + exchanges.map(\.end) + transfers.map(\.delivered)
      + reductions.map(\.end)
    return ends.max() ?? .zero
  }

  /// `iteration` of `job` as people count: without the warm-up.
  public func counted(_ iteration: Int32, of job: JobID) -> Int {
    Int(iteration) - jobs[job.index].warmup
  }
}
