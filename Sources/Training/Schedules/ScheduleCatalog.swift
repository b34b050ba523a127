import SimKernel

/// The members of `communication.schedule`.
public enum ScheduleCatalog {
  public static let registry = Registry<any CommunicationSchedule>(
    noun: "schedule", discriminator: "policy",
    entries: [
      .init(
        "buckets",
        summary: "tensors are fused in the order their gradients become ready, as PyTorch DDP does"
      ) { BucketSchedule(&$0) },
      .init("per_tensor", summary: "every tensor travels alone as soon as its gradient is ready") {
        TensorSchedule(window: windowField(&$0))
      },
      .init("one_shot", summary: "the whole gradient travels at once after backward") { _ in
        OneShotSchedule()
      },
      .init(
        "timed_fusion",
        summary: "tensors are fused until so much time has passed or bytes have come together"
      ) { TimedFusion(&$0) },
      .init(
        "horovod", summary: "a coordinator fuses what is ready at the end of each of its cycles"
      ) { HorovodSchedule(&$0) },
      .init("layer", summary: "whole tensors, the first layer's first among those that are ready") {
        LayerSchedule(&$0)
      },
      .init("random", summary: "whole tensors in random order, as TensorFlow's runtime has it") {
        RandomSchedule(&$0)
      },
      .init(
        "mg_wfbp", summary: "gradients are merged while the next is ready within a start-up time"
      ) { MergedSchedule(&$0) },
      .init(
        "tic", summary: "TicTac's order by counts of transfers: what frees most work goes first"
      ) {
        TicTacSchedule(&$0, isTimed: false)
      },
      .init("tac", summary: "TicTac's order by times of operations and transfers") {
        TicTacSchedule(&$0, isTimed: true)
      },
      .init(
        "pace", summary: "segments by layer, one in flight, of the size that a search finds best"
      ) { SegmentedSchedule(&$0) },
      .init(
        "p3", summary: "small slices, the first layer's first, and forward begins layer by layer"
      ) { P3Schedule(&$0) },
      .init(
        "byte_scheduler",
        summary: "partitions by layer, as many in flight as a credit allows, across iterations"
      ) { ByteScheduler(&$0) },
      .init(
        "auto",
        summary: "byte_scheduler's partition and credit, tuned by short runs in the simulator"
      ) { AutoSchedule(&$0) },
      .init(
        "oracle",
        summary: "the best order of up to six tensors; for more, a time that no schedule beats"
      ) { _ in OracleSchedule() },
    ])

  static func windowField(_ fields: inout FieldReader) -> Int {
    fields.optional(
      "window", .count(), default: 1,
      doc: "exchanges a worker may have in flight; communication libraries run one at a time")
  }
}

/// PyTorch DDP's buckets (Li et al., VLDB 2020, doi:10.14778/3415478.3415530).
///
/// Tensors join the open bucket in ready order; a bucket closes once it holds at least its limit.
/// The first limit is smaller, so that communication starts early.
public struct BucketSchedule: CommunicationSchedule {
  public var name: String { "buckets" }
  public let bucket: ByteCount
  public let first: ByteCount
  public let window: Int

  public init(
    bucket: ByteCount = .mebibytes(25), first: ByteCount = .mebibytes(1), window: Int = 1
  ) {
    self.bucket = bucket
    self.first = first
    self.window = window
  }

  init(_ fields: inout FieldReader) {
    bucket = fields.optional(
      "bucket", .size, default: .mebibytes(25),
      doc: "a bucket is sent once it holds this much; \"0 B\" sends every tensor alone")
    first = fields.optional(
      "first_bucket", .size, default: .mebibytes(1), doc: "the limit of the first bucket")
    window = ScheduleCatalog.windowField(&fields)
  }

  public func plan(_ input: ScheduleInput) -> SchedulePlan {
    var units: [CommunicationUnit] = []
    var open = CommunicationUnit(tensors: [], elements: 0)
    for index in input.readyOrder {
      open.tensors.append(TensorID(index))
      open.elements += input.elements[index]
      let limit = units.isEmpty ? min(first, bucket) : bucket
      if ByteCount(Int64(open.elements * input.bytesPerElement)) >= limit {
        units.append(open)
        open = CommunicationUnit(tensors: [], elements: 0)
      }
    }
    if !open.tensors.isEmpty { units.append(open) }
    return SchedulePlan(units: units, window: window)
  }
}

/// Wait-free back-propagation without merging: one unit a tensor, in ready order.
struct TensorSchedule: CommunicationSchedule {
  var name: String { "per_tensor" }
  let window: Int
  func plan(_ input: ScheduleInput) -> SchedulePlan {
    SchedulePlan(
      units: input.readyOrder.map {
        CommunicationUnit(tensors: [TensorID($0)], elements: input.elements[$0])
      }, window: window)
  }
}

/// One unit for everything: no overlap with backward.
struct OneShotSchedule: CommunicationSchedule {
  var name: String { "one_shot" }
  func plan(_ input: ScheduleInput) -> SchedulePlan {
    let order = input.readyOrder
    if order.isEmpty { return SchedulePlan(units: [], window: 1) }
    return SchedulePlan(
      units: [
        CommunicationUnit(
          tensors: order.map { TensorID($0) }, elements: input.elements.reduce(0, +))
      ], window: 1)
  }
}
