import SimKernel

/// The flows of a link that share it among themselves and nobody else, as at a server under incast.
///
/// Whoever comes or goes changes all their rates alike. So the rates are written down once, for the
/// link, and a flow reads them up when it is about to end. Who ends first does not depend on them: by
/// the work that one unit of weight has seen, flow i joined at `p` ends at `p` + bytes / weight. That
/// order is kept in doubles; the flows within their rounding of the first, the ``front``, are followed
/// to the bit, so that times are those of flows followed one by one.
struct FlowCrowd {
  struct Member: BitwiseCopyable {
    /// The ``progress`` at which it ends, but for rounding.
    var key: Double
    var flow: Int32
    /// How many of ``steps`` it has read.
    var step: Int32
  }

  /// A rate from some instant on.
  struct Step: BitwiseCopyable {
    var since: Int64
    /// Bits per second for a weight of one.
    var quotient: Double
  }

  var link: Int
  /// The largest share that its flows may have before the other links on their ways are asked again.
  var licence: Double
  /// Bytes that a unit of weight has seen since the keys were last counted from zero.
  private(set) var progress = 0.0
  private var since: Int64
  private(set) var quotient: Double
  private(set) var steps: [Step] = []
  /// Those that may end first; they have no steps left to read.
  var front: [Member] = []
  /// All others, a binary heap by key.
  private(set) var others: [Member] = []

  init(link: Int, licence: Double, quotient: Double, at now: SimTime) {
    self.link = link
    self.licence = licence
    self.quotient = quotient
    since = now.picoseconds
  }

  var count: Int { front.count + others.count }

  /// The key of the flow that ends first, but for rounding.
  var firstKey: Double {
    var first = Double.infinity
    for member in front { first = min(first, member.key) }
    return first
  }

  /// The largest key of a flow that may end before one with `key`: by what sums of some hundred
  /// thousand rates may be off, and two picoseconds.
  func limit(_ key: Double) -> Double {
    key + key * 0x1p-32 + FluidArithmetic.volume(at: quotient, for: 2)
  }

  /// Steps that would take longer to read than the flows take to look at.
  var isWorn: Bool { steps.count > 4 * count + 256 }

  /// Gives a unit of weight `quotient` from now on.
  mutating func append(quotient: Double, at now: SimTime) {
    progress += FluidArithmetic.volume(at: self.quotient, for: now.picoseconds - since)
    since = now.picoseconds
    self.quotient = quotient
    steps.append(Step(since: since, quotient: quotient))
  }

  /// Counts from zero again, with all members of the heap read up; `key` gives the new keys.
  mutating func restart(at now: SimTime, key: (Int) -> Double) {
    progress = 0
    since = now.picoseconds
    steps.removeAll(keepingCapacity: true)
    for index in front.indices {
      front[index].key = key(Int(front[index].flow))
      front[index].step = 0
    }
    for index in others.indices {
      others[index].key = key(Int(others[index].flow))
      others[index].step = 0
    }
    for index in stride(from: others.count / 2 - 1, through: 0, by: -1) {
      siftDown(index, others[index])
    }
  }

  // MARK: - The heap

  mutating func push(_ member: Member) {
    others.append(member)
    siftUp(others.count - 1, member)
  }

  mutating func popFirst() -> Member? {
    guard let first = others.first, let last = others.popLast() else { return nil }
    if !others.isEmpty { siftDown(0, last) }
    return first
  }

  /// Takes a flow out, wherever it is.
  ///
  /// - Complexity: O(members), which only those pay that leave before their end.
  mutating func remove(_ flow: Int32) {
    if let index = front.firstIndex(where: { $0.flow == flow }) {
      front.swapAt(index, front.count - 1)
      front.removeLast()
      return
    }
    guard let index = others.firstIndex(where: { $0.flow == flow }), let last = others.popLast(),
      index < others.count
    else { return }
    siftDown(index, last)
    siftUp(index, others[index])
  }

  private mutating func siftUp(_ start: Int, _ member: Member) {
    var index = start
    while index > 0 {
      let parent = (index - 1) / 2
      if others[parent].key <= member.key { break }
      others[index] = others[parent]
      index = parent
    }
    others[index] = member
  }

  private mutating func siftDown(_ start: Int, _ member: Member) {
    var index = start
    while true {
      var child = 2 * index + 1
      if child >= others.count { break }
      if child + 1 < others.count, others[child + 1].key < others[child].key { child += 1 }
      if others[child].key >= member.key { break }
      others[index] = others[child]
      index = child
    }
    others[index] = member
  }
}
