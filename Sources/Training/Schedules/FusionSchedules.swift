import SimKernel

/// Fusion by time and size: the open buffer is sent once the gradients in it took so long to compute,
/// or take so much room.
///
/// The rule of Zhang et al., "Is network the bottleneck of distributed training?" (NetAI 2020,
/// doi:10.1145/3405671.3405810), whose simulator checks it after each layer: 5 ms or 64 MiB.
struct TimedFusion: CommunicationSchedule {
  var name: String { "timed_fusion" }
  let time: SimDuration
  let size: ByteCount
  let window: Int

  init(_ fields: inout FieldReader) {
    time = fields.optional(
      "time", .duration, default: .milliseconds(5),
      doc: "a buffer is sent once computing its gradients has taken this long")
    size = fields.optional(
      "size", .size, default: .mebibytes(64), doc: "or once it holds this much")
    window = ScheduleCatalog.windowField(&fields)
  }

  func plan(_ input: ScheduleInput) -> SchedulePlan {
    let order = input.readyOrder
    return SchedulePlan(
      units: input.replay.fused(threshold: size, cycle: time).map { input.unit(order[$0]) },
      window: window)
  }
}

/// Horovod's tensor fusion (Sergeev, Del Balso, arXiv:1802.05799): every cycle a coordinator takes the
/// gradients that are ready, in the order in which they became so, and fuses them into buffers of at
/// most the threshold; a tensor above it travels alone.
///
/// Cycles are counted from the start of backward; where they lie in truth is arbitrary.
struct HorovodSchedule: CommunicationSchedule {
  var name: String { "horovod" }
  let cycle: SimDuration
  let threshold: ByteCount
  let window: Int

  init(_ fields: inout FieldReader) {
    cycle = fields.optional(
      "cycle_time", .duration, default: .milliseconds(1),
      doc: "how often the coordinator looks (HOROVOD_CYCLE_TIME)")
    threshold = fields.optional(
      "fusion_threshold", .size, default: .mebibytes(128),
      doc: "the size of a fusion buffer (HOROVOD_FUSION_THRESHOLD)")
    window = ScheduleCatalog.windowField(&fields)
  }

  func plan(_ input: ScheduleInput) -> SchedulePlan {
    var units: [CommunicationUnit] = []
    var open = CommunicationUnit(tensors: [], elements: 0)
    var tick = SimDuration.zero
    var last = SimDuration.zero
    func close() {
      if open.tensors.isEmpty { return }
      open.hold = tick - last
      units.append(open)
      open = CommunicationUnit(tensors: [], elements: 0)
    }
    for index in input.readyOrder {
      let ready = input.readyOffsets[index]
      let seen = nextTick(ready)
      if seen != tick || input.bytes(open.elements + input.elements[index]) > threshold {
        close()
        tick = seen
      }
      open.tensors.append(TensorID(index))
      open.elements += input.elements[index]
      last = ready
    }
    close()
    return SchedulePlan(units: units, window: window)
  }

  /// The first end of a cycle at or after `time`.
  private func nextTick(_ time: SimDuration) -> SimDuration {
    let length = cycle.picoseconds
    if length == 0 { return time }
    let rest = time.picoseconds % length
    return rest == 0 ? time : time + .picoseconds(length - rest)
  }
}
