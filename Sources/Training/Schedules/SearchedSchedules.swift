import SimKernel

/// A schedule that asks the simulator itself what is best.
public protocol SearchedSchedule: CommunicationSchedule {
  /// Every way of cutting tensors that a search may ask for.
  func cuts(_ input: ScheduleInput) -> [SchedulePlan]
  /// The best plan, as `measure` has it: the length of an iteration under a plan.
  ///
  /// It depends on nothing else, so the same scenario always finds the same.
  func search(
    _ input: ScheduleInput, measure: (SchedulePlan) throws -> SimDuration
  ) throws -> FoundSchedule
}

/// What a search has found.
public struct FoundSchedule: Sendable {
  public var plan: SchedulePlan
  /// What to call it in results, such as `auto: partition 1048576, credit 4194304`.
  public var label: String
  /// Whether no plan is known that is as good as what is reported; see ``OracleSchedule``.
  public var isBound = false
}

/// ByteScheduler's partition size and credit, tuned in the simulator instead of on the cluster
/// (Peng et al., SOSP 2019, section 4.3, which takes Bayesian optimisation with trials of 100 steps).
///
/// Partitions first, with a credit of four; then credits; then the partitions beside the best.
struct AutoSchedule: SearchedSchedule {
  var name: String { "auto" }
  let partitions: [Int]
  let credits: [Int]

  init(_ fields: inout FieldReader) {
    partitions = fields.optional(
      "partitions", .list(of: .count(), atLeast: 1), default: (14...24).map { 1 << $0 },
      doc: "elements of a partition at most that may be tried")
    credits = fields.optional(
      "credits", .list(of: .count(), atLeast: 1), default: [1, 2, 4, 8, 16, 64],
      doc: "partitions in flight at most that may be tried")
  }

  /// Partitions, ascending, without those that cut finer than is possible or not at all, but for one.
  private func candidates(_ input: ScheduleInput) -> [Int] {
    let largest = input.elements.max() ?? 0
    let possible = Set(partitions).sorted().filter { limit in
      input.elements.reduce(0) { $0 + ($1 + limit - 1) / limit } <= 20_000
    }
    let cutting = possible.filter { $0 < largest }
    return cutting + [possible.first { $0 >= largest } ?? max(1, largest)]
  }

  func cuts(_ input: ScheduleInput) -> [SchedulePlan] {
    candidates(input).map { plan(input, partition: $0, credit: 1) }
  }

  func plan(_ input: ScheduleInput) -> SchedulePlan {
    plan(input, partition: candidates(input).last ?? 1, credit: 4)
  }

  private func plan(_ input: ScheduleInput, partition: Int, credit: Int) -> SchedulePlan {
    SchedulePlan(
      units: input.slices(of: partition), order: .priority, limit: .exchanges(credit),
      overlapsForward: true)
  }

  func search(
    _ input: ScheduleInput, measure: (SchedulePlan) throws -> SimDuration
  ) throws -> FoundSchedule {
    let sizes = candidates(input)
    let windows = Set(credits).sorted()
    var known: [Int: SimDuration] = [:]
    /// The length under the partition and credit at these places.
    func length(_ size: Int, _ window: Int) throws -> SimDuration {
      let key = size * windows.count + window
      if let value = known[key] { return value }
      let value = try measure(plan(input, partition: sizes[size], credit: windows[window]))
      known[key] = value
      return value
    }
    /// The best of `places`; of equal ones the first.
    func best(_ places: some Sequence<Int>, _ value: (Int) throws -> SimDuration) rethrows -> Int {
      var best: (place: Int, value: SimDuration)?
      for place in places {
        let own = try value(place)
        if best == nil || own < best!.value { best = (place, own) }
      }
      return best?.place ?? 0
    }
    // Large partitions and small credits win ties: fewer messages, less in flight.
    var window = windows.firstIndex { $0 >= 4 } ?? windows.count - 1
    var size = try best(sizes.indices.reversed()) { try length($0, window) }
    window = try best(windows.indices) { try length(size, $0) }
    let beside = [size, size + 1, size - 1].filter { sizes.indices.contains($0) }
    size = try best(beside) { try length($0, window) }
    return FoundSchedule(
      plan: plan(input, partition: sizes[size], credit: windows[window]),
      label: "auto: partition \(sizes[size]), credit \(windows[window])")
  }
}

/// What no order of whole tensors beats.
///
/// Up to six tensors with parameters every order is run. For more, no plan is told, but a bound: an
/// iteration takes at least its computation, and at least the time in which the link that carries most
/// could carry it without a pause.
public struct OracleSchedule: SearchedSchedule {
  public var name: String { "oracle" }
  public var needsWholeGraph: Bool { true }
  /// Orders of more tensors than this are too many.
  static let mostOrdered = 6

  public func cuts(_ input: ScheduleInput) -> [SchedulePlan] { [plan(input)] }

  public func plan(_ input: ScheduleInput) -> SchedulePlan {
    SchedulePlan(
      units: input.slices(of: .max), order: .priority, limit: .unlimited, overlapsForward: true)
  }

  public func search(
    _ input: ScheduleInput, measure: (SchedulePlan) throws -> SimDuration
  ) throws -> FoundSchedule {
    let base = plan(input)
    let tensors = input.tensorsWithParameters
    guard tensors.count <= Self.mostOrdered else {
      return FoundSchedule(plan: base, label: "oracle (lower bound)", isBound: true)
    }
    var best: (plan: SchedulePlan, length: SimDuration, order: [Int])?
    for order in Self.permutations(tensors) {
      for limit in [FlightLimit.unlimited, .exchanges(1)] {
        var plan = base
        plan.limit = limit
        for unit in plan.units.indices {
          let place = order.firstIndex(of: plan.units[unit].tensors[0].index) ?? order.count
          plan.units[unit].priority = Int32(place)
        }
        let length = try measure(plan)
        if best == nil || length < best!.length { best = (plan, length, order) }
      }
    }
    guard let best else { return FoundSchedule(plan: base, label: "oracle") }
    return FoundSchedule(
      plan: best.plan,
      label: "oracle: " + best.order.map(String.init).joined(separator: " "))
  }

  /// All orders of `elements`, in lexicographic order of their places.
  static func permutations(_ elements: [Int]) -> [[Int]] {
    if elements.isEmpty { return [[]] }
    return elements.indices.flatMap { index in
      var rest = elements
      let first = rest.remove(at: index)
      return permutations(rest).map { [first] + $0 }
    }
  }
}
