import SimKernel

/// A part of the gradient that is encoded and exchanged as one.
public struct CommunicationUnit: Sendable, Equatable {
  /// The tensors it holds, in the order their gradients become ready.
  public var tensors: [TensorID]
  /// Elements over all of them, or of ``slice``.
  public var elements: Int
  /// The elements of its only tensor that it holds; nil if all.
  public var slice: Range<Int>?
  /// Where exchanges are admitted, or messages sent, by urgency: smaller goes first.
  public var priority: Int32
  /// How long it waits after its last gradient is ready, such as for the next cycle of a library that
  /// only looks now and then.
  public var hold: SimDuration

  public init(
    tensors: [TensorID], elements: Int, slice: Range<Int>? = nil, priority: Int32 = 0,
    hold: SimDuration = .zero
  ) {
    precondition(slice == nil || tensors.count == 1, "a slice is one of a single tensor")
    self.tensors = tensors
    self.elements = elements
    self.slice = slice
    self.priority = priority
    self.hold = hold
  }
}

/// What a schedule may know: the tensors in forward order.
public struct ScheduleInput: Sendable {
  /// Elements of each tensor.
  public var elements: [Int]
  /// Bytes of one element on the wire before compression.
  public var bytesPerElement: Int
  /// When each tensor's gradient is ready after backward began.
  public var readyOffsets: [SimDuration]
  /// When the forward pass first needs each tensor, after forward began.
  public var neededOffsets: [SimDuration]
  /// The whole forward pass.
  public var forward: SimDuration
  /// What moving a message costs, for schedules that plan with it.
  public var cost: TransferCost

  public init(
    elements: [Int], bytesPerElement: Int, readyOffsets: [SimDuration],
    neededOffsets: [SimDuration]? = nil, forward: SimDuration = .zero,
    cost: TransferCost = TransferCost(startup: .zero, picosecondsPerByte: 0)
  ) {
    self.elements = elements
    self.bytesPerElement = bytesPerElement
    self.readyOffsets = readyOffsets
    self.neededOffsets = neededOffsets ?? Array(repeating: .zero, count: elements.count)
    self.forward = forward
    self.cost = cost
  }

  /// The tensors in the order their gradients become ready; ties go to the later layer.
  public var readyOrder: [Int] {
    elements.indices.sorted { (readyOffsets[$0], $1) < (readyOffsets[$1], $0) }
  }

  /// What `count` elements take on the wire before compression.
  func bytes(_ count: Int) -> ByteCount { ByteCount(Int64(count) * Int64(bytesPerElement)) }

  /// Each tensor whole, or in slices of at most `limit` elements, with the position in forward order
  /// as its priority; in ready order.
  func slices(of limit: Int) -> [CommunicationUnit] {
    var units: [CommunicationUnit] = []
    for index in readyOrder {
      let count = elements[index]
      if count <= limit {
        units.append(
          CommunicationUnit(
            tensors: [TensorID(index)], elements: count, priority: Int32(clamping: index)))
        continue
      }
      for lower in stride(from: 0, to: count, by: limit) {
        let slice = lower..<min(count, lower + limit)
        units.append(
          CommunicationUnit(
            tensors: [TensorID(index)], elements: slice.count, slice: slice,
            priority: Int32(clamping: index)))
      }
    }
    return units
  }
}

/// In which order a worker admits exchanges whose payloads exist.
public enum AdmissionOrder: Sendable, Equatable {
  /// That of the units; a late one blocks those behind it, as DDP's buckets do.
  case fixed
  /// First come, first served.
  case arrival
  /// The smallest ``CommunicationUnit/priority`` of those that are there; ties in arrival order.
  case priority
  /// At random among those that are there, anew for each worker and iteration.
  case random
}

/// How much a worker may have in flight: exchanges it has started and not finished, or with servers,
/// not yet pushed.
public enum FlightLimit: Sendable, Equatable {
  /// So many exchanges.
  case exchanges(Int)
  /// Exchanges of so many bytes before compression.
  ///
  /// With `overshoot` one more starts while any credit is left, as in ByteScheduler; without, one
  /// starts only if it fits, as in BytePS, or if nothing is in flight.
  case credit(ByteCount, overshoot: Bool)

  /// No limit at all.
  public static var unlimited: FlightLimit { .exchanges(.max) }
}

/// The pure plan of a schedule: what travels together, in which order it is admitted, how much may be
/// in flight on a worker.
public struct SchedulePlan: Sendable, Equatable {
  /// Units in ready order, which is also that of ``AdmissionOrder/fixed``.
  public var units: [CommunicationUnit]
  public var order: AdmissionOrder
  public var limit: FlightLimit
  /// Whether a layer's forward waits only for its own parameters instead of for all.
  public var overlapsForward: Bool

  public init(
    units: [CommunicationUnit], order: AdmissionOrder = .fixed,
    limit: FlightLimit = .exchanges(1), overlapsForward: Bool = false
  ) {
    self.units = units
    self.order = order
    self.limit = limit
    self.overlapsForward = overlapsForward
  }

  /// As above, with at most `window` exchanges in flight in the order of `units`.
  public init(units: [CommunicationUnit], window: Int) {
    self.init(units: units, limit: .exchanges(window))
  }
}

/// Decides what is communicated together and when.
public protocol CommunicationSchedule: Sendable {
  /// The name under which it is registered.
  var name: String { get }
  /// The bytes of the largest part of a tensor that travels as one, where tensors are cut; nil if they
  /// are not, or only into few parts.
  func largestSlice(bytesPerElement: Int) -> ByteCount?
  /// Whether it looks at operations that a program has not reached yet, which eager execution does not
  /// let it.
  var needsWholeGraph: Bool { get }
  /// Whether it goes by how long operations take.
  var needsDurations: Bool { get }
  /// The plan for one iteration.
  func plan(_ input: ScheduleInput) -> SchedulePlan
}

extension CommunicationSchedule {
  public var needsWholeGraph: Bool { false }
  public var needsDurations: Bool { false }
  public func largestSlice(bytesPerElement: Int) -> ByteCount? { nil }

  /// More parts than this are a slip of the scenario, and would not fit into memory.
  static var mostSlices: Int { 100_000 }

  /// Why tensors of so many elements cannot be cut this way; nil if they can.
  func refusal(of elements: [Int], bytesPerElement: Int) -> String? {
    guard let slice = largestSlice(bytesPerElement: bytesPerElement) else { return nil }
    let limit = max(1, Int(slice.bytes) / bytesPerElement)
    let count = elements.reduce(0) { $0 + ($1 + limit - 1) / limit }
    if count <= Self.mostSlices { return nil }
    let total = elements.reduce(0, +)
    return "\(name) would cut the gradient into \(count) parts of at most \(limit) elements; "
      + "at most \(Self.mostSlices) are possible; take parts of \(total / (Self.mostSlices / 2)) "
      + "elements or more"
  }
}
