import SimKernel

/// MG-WFBP (Shi, Chu, Li, INFOCOM 2019, arXiv:1912.09268): a gradient is merged with the next if that
/// is ready before a message's start-up time has passed.
struct MergedSchedule: CommunicationSchedule {
  var name: String { "mg_wfbp" }
  var needsDurations: Bool { true }
  let cost: PlanningCost
  let window: Int

  init(_ fields: inout FieldReader) {
    cost = PlanningCost(&fields)
    window = ScheduleCatalog.windowField(&fields)
  }

  func plan(_ input: ScheduleInput) -> SchedulePlan {
    let order = input.readyOrder
    let messages = input.replay.mgWFBP(cost.resolved(by: input.cost))
    return SchedulePlan(
      units: messages.map { input.unit(order[$0]) }, window: window)
  }
}

/// TicTac (Hashemi, Abdu Jyothi, Campbell, MLSys 2019, arXiv:1803.03288): whole tensors in the order in
/// which the forward pass frees most work, for parameter servers.
struct TicTacSchedule: CommunicationSchedule {
  /// Whether the order knows times; otherwise it counts transfers only.
  let isTimed: Bool
  let cost: PlanningCost
  var name: String { isTimed ? "tac" : "tic" }
  var needsWholeGraph: Bool { true }
  var needsDurations: Bool { isTimed }

  init(_ fields: inout FieldReader, isTimed: Bool) {
    self.isTimed = isTimed
    cost = isTimed ? PlanningCost(&fields) : PlanningCost()
  }

  func plan(_ input: ScheduleInput) -> SchedulePlan {
    var units = input.slices(of: .max)
    let numbers = priorities(input)
    for index in units.indices { units[index].priority = numbers[units[index].tensors[0].index] }
    return SchedulePlan(
      units: units, order: .priority, limit: .unlimited, overlapsForward: true)
  }

  /// The number of each tensor's transfer.
  private func priorities(_ input: ScheduleInput) -> [Int32] {
    let moving = cost.resolved(by: input.cost)
    // Transfers that last longer than time does are as slow in any order.
    guard let graph = try? input.profile.graph(.inference, channel: moving.channel) else {
      return input.elements.indices.map { Int32(clamping: $0) }
    }
    let order = isTimed ? TransferOrder.tac(graph) : TransferOrder.tic(graph)
    var numbers = Array(repeating: Int32.max, count: input.elements.count)
    let places = input.tensorsWithParameters
    for id in graph.operations(of: .receive) where !order.numbers.isEmpty {
      let tensor = Int(graph.operations[id.index].tensor)
      numbers[places[tensor]] = order.numbers[id.index]
    }
    return numbers
  }
}

/// Pre-emptive all-reduce in the manner of PACE (Bao, Peng, Chen, Wu, INFOCOM 2020): segments of equal
/// size by layer, of which one is in flight, so that an urgent one waits for a segment at most.
///
/// The paper computes sizes by dynamic programming; here the size is searched for on the graph of one
/// worker, unless the scenario gives it.
struct SegmentedSchedule: CommunicationSchedule {
  var name: String { "pace" }
  let cost: PlanningCost
  let segment: ByteCount?

  init(_ fields: inout FieldReader) {
    cost = PlanningCost(&fields)
    segment = fields.optional(
      "segment", .size, doc: "the size of a segment; by default the best of 64 KiB to 256 MiB")
  }

  func largestSlice(bytesPerElement: Int) -> ByteCount? { segment }

  func plan(_ input: ScheduleInput) -> SchedulePlan {
    let size = segment ?? best(input)
    let elements = max(1, Int(size.bytes) / input.bytesPerElement)
    return SchedulePlan(
      units: input.slices(of: elements), order: .priority, overlapsForward: true)
  }

  private func best(_ input: ScheduleInput) -> ByteCount {
    let moving = cost.resolved(by: input.cost)
    let candidates = (0...12).map { ByteCount.kibibytes(64 << $0) }
    guard let graph = try? input.profile.graph(.allReduce, channel: moving.channel),
      let search = try? SegmentSearch(
        graph, order: TransferOrder.layer(graph), candidates: candidates,
        overhead: moving.startup), let best = search.best
    else {
      // Transfers last longer than time does: no size is better than another.
      return candidates[candidates.count - 1]
    }
    return best.segment
  }
}

/// What a schedule takes a message to cost when it plans: the `cost` record.
struct PlanningCost: Sendable {
  var startup: SimDuration?
  var rate: Bandwidth?

  init() {}
  /// Reads `startup` and `rate`.
  init(_ fields: inout FieldReader) {
    startup = fields.optional(
      "startup", .duration,
      doc: "what a message costs beside its bytes, as the schedule plans with it; by default from "
        + "the links")
    rate = fields.optional(
      "rate", .bandwidth,
      doc: "bytes exchanged a second, as the schedule plans with it; by default from the links")
  }

  /// The scenario's values, and those of `measured` where it has none.
  func resolved(by measured: TransferCost) -> TransferCost {
    TransferCost(
      startup: startup ?? measured.startup,
      picosecondsPerByte: rate.map { 8e12 / Double($0.bitsPerSecond) }
        ?? measured.picosecondsPerByte)
  }
}

extension TransferCost {
  /// A channel that moves bytes at this cost: from a bit a second to a byte in a femtosecond.
  var channel: GraphChannel {
    let bits = min(8e15, max(1, (8e12 / picosecondsPerByte).rounded()))
    return GraphChannel(bandwidth: Bandwidth(bitsPerSecond: Int64(bits)), latency: startup)
  }
}

extension ScheduleInput {
  /// The gradients of the backward pass in the order in which they become ready.
  var replay: BackwardReplay {
    BackwardReplay(sizes: elements.map { bytes($0) }, readyOffsets: readyOffsets)
  }

  /// Tensors that have elements, in forward order.
  var tensorsWithParameters: [Int] { elements.indices.filter { elements[$0] > 0 } }

  /// The tensors as layers one after the other.
  var profile: LayerProfile {
    let count = elements.count
    return LayerProfile.chain(
      name: "model",
      elements.indices.map { index in
        let until = index + 1 < count ? neededOffsets[index + 1] : forward
        let later = index + 1 < count ? readyOffsets[index + 1] : .zero
        return (
          name: "\(index)", forward: max(.zero, until - neededOffsets[index]),
          backward: max(.zero, readyOffsets[index] - later), parameters: bytes(elements[index])
        )
      })
  }

  /// Whole tensors as one unit.
  func unit(_ tensors: some Collection<Int>) -> CommunicationUnit {
    CommunicationUnit(
      tensors: tensors.map { TensorID($0) }, elements: tensors.reduce(0) { $0 + elements[$1] })
  }
}
