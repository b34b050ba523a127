import SimKernel

/// Whole tensors, the one that forward needs first before all others that are ready.
struct LayerSchedule: CommunicationSchedule {
  var name: String { "layer" }
  let window: Int
  init(_ fields: inout FieldReader) { window = ScheduleCatalog.windowField(&fields) }

  func plan(_ input: ScheduleInput) -> SchedulePlan {
    SchedulePlan(
      units: input.slices(of: .max), order: .priority, limit: .exchanges(window),
      overlapsForward: true)
  }
}

/// Whole tensors in an order that is drawn anew for each worker and iteration: what TicTac measures
/// itself against (Hashemi et al., MLSys 2019, arXiv:1803.03288).
///
/// Ranks of a collective draw one order together.
struct RandomSchedule: CommunicationSchedule {
  var name: String { "random" }
  let window: Int
  init(_ fields: inout FieldReader) { window = ScheduleCatalog.windowField(&fields) }

  func plan(_ input: ScheduleInput) -> SchedulePlan {
    SchedulePlan(
      units: input.slices(of: .max), order: .random, limit: .exchanges(window),
      overlapsForward: true)
  }
}

/// Priority-based parameter propagation (Jayarajan et al., MLSys 2019, arXiv:1905.03960): tensors in
/// slices that are synchronised each for itself, those of the first layers first.
///
/// The paper cuts at 50,000 parameters, its code by default at 40,000. The order is that in which
/// messages leave (see ``SendingSettings``), so nothing limits the exchanges in flight.
struct P3Schedule: CommunicationSchedule {
  var name: String { "p3" }
  let slice: Int
  let usesPriority: Bool

  init(_ fields: inout FieldReader) {
    slice = fields.optional(
      "slice", .count(1), default: 50_000, doc: "elements of a slice at most")
    usesPriority = fields.optional(
      "priority", .bool, default: true,
      doc: "whether the first layers go first; without, slices go in the order they come (the "
        + "paper's \"slicing\")")
  }

  func largestSlice(bytesPerElement: Int) -> ByteCount? {
    ByteCount(Int64(slice)) * bytesPerElement
  }

  func plan(_ input: ScheduleInput) -> SchedulePlan {
    SchedulePlan(
      units: input.slices(of: slice), order: usesPriority ? .priority : .arrival,
      limit: .unlimited, overlapsForward: true)
  }
}

/// ByteScheduler (Peng et al., SOSP 2019, doi:10.1145/3341301.3359642): partitions in the order of
/// layers, as many in flight as a credit of bytes allows, while forward of the next iteration waits
/// only for its own layer.
struct ByteScheduler: CommunicationSchedule {
  var name: String { "byte_scheduler" }
  let partition: Int
  let credit: Int
  let overshoots: Bool

  init(_ fields: inout FieldReader) {
    partition = fields.optional(
      "partition", .count(1), default: 1_000_000,
      doc: "elements of a partition at most; ByteScheduler takes 1,000,000 for servers and "
        + "8,000,000 for all-reduce")
    credit = fields.optional(
      "credit", .count(1), default: 4_000_000,
      doc: "elements in flight at most; ByteScheduler takes 4,000,000 for servers and 16,000,000 "
        + "for all-reduce")
    overshoots = fields.optional(
      "overshoot", .bool, default: true,
      doc: "whether one more partition starts while any credit is left, as ByteScheduler has it; "
        + "BytePS starts one only if it fits")
  }

  func largestSlice(bytesPerElement: Int) -> ByteCount? {
    ByteCount(Int64(partition)) * bytesPerElement
  }

  func plan(_ input: ScheduleInput) -> SchedulePlan {
    SchedulePlan(
      units: input.slices(of: partition), order: .priority,
      limit: .credit(input.bytes(credit), overshoot: overshoots), overlapsForward: true)
  }
}
