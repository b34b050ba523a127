import SimKernel

/// A slice of the gradient that is encoded and exchanged as one.
public struct CommunicationUnit: Sendable, Equatable {
  /// The tensors it holds, in the order their gradients become ready.
  public var tensors: [TensorID]
  /// Elements over all of them.
  public var elements: Int
  public init(tensors: [TensorID], elements: Int) {
    self.tensors = tensors
    self.elements = elements
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

  public init(elements: [Int], bytesPerElement: Int, readyOffsets: [SimDuration]) {
    self.elements = elements
    self.bytesPerElement = bytesPerElement
    self.readyOffsets = readyOffsets
  }

  /// The tensors in the order their gradients become ready; ties go to the later layer.
  public var readyOrder: [Int] {
    elements.indices.sorted { (readyOffsets[$0], $1) < (readyOffsets[$1], $0) }
  }
}

/// The pure plan of a schedule: what travels together, in which order it is admitted, how many
/// exchanges may be in flight on a worker.
public struct SchedulePlan: Sendable, Equatable {
  /// Units in the order in which they are admitted.
  public var units: [CommunicationUnit]
  /// Exchanges a worker may have in flight.
  public var window: Int
  public init(units: [CommunicationUnit], window: Int) {
    self.units = units
    self.window = window
  }
}

/// Decides what is communicated together and when.
public protocol CommunicationSchedule: Sendable {
  /// The name under which it is registered.
  var name: String { get }
  /// The plan for one iteration.
  func plan(_ input: ScheduleInput) -> SchedulePlan
}

/// The state of one worker's schedule during an iteration.
///
/// Admits exchanges in plan order, at most `window` at a time. A late exchange blocks those behind
/// it, as DDP's bucket order does.
public struct AdmissionQueue: Sendable {
  private var isReady: [Bool]
  private var next = 0
  private var end: Int
  private var inFlight = 0
  private let window: Int

  /// A queue of `count` exchanges, none of them ready.
  public init(count: Int, window: Int) {
    isReady = Array(repeating: false, count: count)
    end = count
    self.window = window
  }
  /// Forgets an iteration and begins one that takes the exchanges in `range`.
  public mutating func reset(to range: Range<Int>) {
    for index in range { isReady[index] = false }
    next = range.lowerBound
    end = range.upperBound
    inFlight = 0
  }
  /// Exchange `index` could start as far as its data is concerned.
  public mutating func ready(_ index: Int) { isReady[index] = true }
  /// An admitted exchange has ended.
  public mutating func complete() { inFlight -= 1 }
  /// The next exchange that may start now, or nil.
  public mutating func admit() -> Int? {
    guard next < end, isReady[next], inFlight < window else { return nil }
    inFlight += 1
    next += 1
    return next - 1
  }
}
