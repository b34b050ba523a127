import Networks
import SimKernel

/// A list of flows between named places, and what they wait for: flat arrays, one entry a flow.
///
/// A flow starts at its ``starts``, or so long after its *gate* opens. A gate counts ends of flows:
/// that is how one flow runs after another, and what htsim's triggers are.
public struct FlowTable: Sendable {
  /// Names, unique.
  public private(set) var ids: [String] = []
  public private(set) var sources: [NodeID] = []
  public private(set) var destinations: [NodeID] = []
  public private(set) var sizes: [ByteCount] = []
  /// The start since time zero, or since the gate of the flow opened.
  public private(set) var starts: [SimDuration] = []
  /// The line of the file each came from.
  public private(set) var lines: [Int32] = []
  /// The gate a flow waits for, or -1.
  private(set) var gateOfFlow: [Int32] = []
  private(set) var gates: [FlowGate] = []
  /// Members of gates, gate after gate, in the order in which they start.
  private(set) var members: [Int32] = []
  /// Gates that the end of flow f counts for: `knocks[knockStarts[f]..<knockStarts[f + 1]]`.
  private(set) var knocks: [Int32] = []
  private(set) var knockStarts: [Int32] = []
  /// (flow, gate) in the order given, until ``seal()``.
  private var pairs: [(flow: Int32, gate: Int32)] = []

  public init() {}

  /// The number of flows.
  public var count: Int { ids.count }

  /// Adds a flow that waits for nothing and returns its index.
  @discardableResult
  public mutating func add(
    id: String, from source: NodeID, to destination: NodeID, size: ByteCount, start: SimDuration,
    line: Int = 0
  ) -> Int {
    ids.append(id)
    sources.append(source)
    destinations.append(destination)
    sizes.append(size)
    starts.append(start)
    lines.append(Int32(clamping: line))
    gateOfFlow.append(-1)
    return ids.count - 1
  }

  /// Adds a gate and returns its number.
  mutating func addGate(_ gate: FlowGate) -> Int32 {
    gates.append(gate)
    return Int32(gates.count - 1)
  }
  /// Lets `flow` wait for `gate`.
  mutating func hold(_ flow: Int, behind gate: Int32) { gateOfFlow[flow] = gate }
  /// Lets the end of `flow` count for `gate`.
  mutating func knock(_ flow: Int, at gate: Int32) { pairs.append((Int32(flow), gate)) }

  /// Lets `flow` start its delay after all of `others` have ended.
  public mutating func run(_ flow: Int, after others: [Int]) {
    let gate = addGate(FlowGate(.all, needed: others.count))
    hold(flow, behind: gate)
    for other in others { knock(other, at: gate) }
  }

  /// Files gates and knocks for lookup, after the last flow has been added.
  ///
  /// - Complexity: O(flows + knocks).
  public mutating func seal() {
    knockStarts = [Int32](repeating: 0, count: count + 1)
    for pair in pairs { knockStarts[Int(pair.flow) + 1] += 1 }
    for flow in 0..<count { knockStarts[flow + 1] += knockStarts[flow] }
    knocks = [Int32](repeating: 0, count: pairs.count)
    var next = knockStarts
    for pair in pairs {
      knocks[Int(next[Int(pair.flow)])] = pair.gate
      next[Int(pair.flow)] += 1
    }
    var sizes = [Int](repeating: 0, count: gates.count)
    for gate in gateOfFlow where gate >= 0 { sizes[Int(gate)] += 1 }
    var first = 0
    for gate in gates.indices {
      gates[gate].first = Int32(first)
      gates[gate].end = Int32(first)
      first += sizes[gate]
    }
    members = [Int32](repeating: 0, count: first)
    for (flow, gate) in gateOfFlow.enumerated() where gate >= 0 {
      members[Int(gates[Int(gate)].end)] = Int32(flow)
      gates[Int(gate)].end += 1
    }
  }

  // MARK: - Flows that can never start

  /// The flows that wait in a circle, or for one that does, whatever the network; nil if none.
  ///
  /// The result is one circle as indices, the first repeated at the end, or a single flow whose gate
  /// gets too few knocks.
  /// - Precondition: the table is sealed.
  /// - Complexity: O(flows + knocks).
  func neverStarting() -> [Int]? {
    var state = gates
    var isReleased = [Bool](repeating: false, count: count)
    var queue: [Int32] = []
    for flow in 0..<count where gateOfFlow[flow] < 0 {
      isReleased[flow] = true
      queue.append(Int32(flow))
    }
    var head = 0
    while head < queue.count {
      let flow = Int(queue[head])
      head += 1
      for index in knockStarts[flow]..<knockStarts[flow + 1] {
        for member in state[Int(knocks[Int(index)])].knock() {
          isReleased[Int(members[Int(member)])] = true
          queue.append(members[Int(member)])
        }
      }
    }
    guard let first = isReleased.firstIndex(of: false) else { return nil }
    // Every flow that waits for one that waits leads on to another; sooner or later one repeats.
    var blocker = [Int32](repeating: -1, count: gates.count)
    for pair in pairs where !isReleased[Int(pair.flow)] && blocker[Int(pair.gate)] < 0 {
      blocker[Int(pair.gate)] = pair.flow
    }
    var place = [Int](repeating: -1, count: count)
    var way: [Int] = []
    var flow = first
    while place[flow] < 0 {
      place[flow] = way.count
      way.append(flow)
      let next = blocker[Int(gateOfFlow[flow])]
      if next < 0 { return [flow] }
      flow = Int(next)
    }
    return Array(way[place[flow]...]) + [flow]
  }

  /// The flows that have to end before `flow` starts, in the order given.
  func predecessors(of flow: Int) -> [Int] {
    let gate = gateOfFlow[flow]
    return gate < 0 ? [] : pairs.filter { $0.gate == gate }.map { Int($0.flow) }
  }
}

/// What starts flows when others end.
struct FlowGate: Sendable, BitwiseCopyable {
  enum Kind: UInt8, Sendable, BitwiseCopyable {
    /// All members at the last knock that is needed; later ones do nothing.
    case all
    /// The next member at every knock (htsim's multishot).
    case next
  }
  var kind: Kind
  /// Knocks still to come before it opens.
  var needed: Int32
  /// Members that have not started, as positions in ``FlowTable/members``.
  var first: Int32 = 0
  var end: Int32 = 0

  init(_ kind: Kind, needed: Int = 1) {
    self.kind = kind
    self.needed = Int32(clamping: needed)
  }

  /// Counts an end and returns the members that start.
  mutating func knock() -> Range<Int32> {
    switch kind {
    case .all:
      needed -= 1
      if needed != 0 { return first..<first }
      defer { first = end }
      return first..<end
    case .next:
      if first == end { return first..<first }
      first += 1
      return first - 1..<first
    }
  }
}
