/// What one worker's codecs remember of one tensor group from one iteration to the next.
///
/// A codec finds its numbers under the index of its stage: PowerSGD its right factors, signum its
/// momentum. Without a memory every encode starts cold, as in the first iteration. An encode, or a
/// conversation, with a memory is a step of the codec: doing it twice takes two steps.
///
/// One memory belongs to one worker and one group of one pipeline; it serves one thread.
public final class CodecMemory {
  private var slots: [[Float]] = []

  /// Remembers nothing yet.
  public init() {}

  /// The numbers of stage `stage`; empty if it has none yet.
  public subscript(stage: Int) -> [Float] {
    get { stage < slots.count ? slots[stage] : [] }
    set {
      while slots.count <= stage { slots.append([]) }
      slots[stage] = newValue
    }
  }

  /// All numbers that are kept, for estimates of device memory.
  public var floatCount: Int { slots.reduce(0) { $0 + $1.count } }

  /// A memory of its own with the same content.
  public func copy() -> CodecMemory {
    let result = CodecMemory()
    result.slots = slots
    return result
  }

  /// Calls `body` with the `count` numbers of `stage`, which are zeros if it had another number.
  ///
  /// The numbers change in place, so that a steady state allocates nothing.
  func withValues<Value>(
    _ stage: Int, count: Int, _ body: (UnsafeMutableBufferPointer<Float>) -> Value
  ) -> Value {
    if self[stage].count != count { self[stage] = [Float](repeating: 0, count: count) }
    return slots[stage].withUnsafeMutableBufferPointer { body($0) }
  }
}
