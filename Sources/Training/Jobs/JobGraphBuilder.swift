import SimKernel

/// Builds the operations of one iteration of a worker, one phase after the other.
///
/// Micro-batches that only accumulate, a last forward, backward cut where units become ready, and for
/// each unit: the schedule's wait, the sum inside the host, encode, copy, exchanges, copy, decode, and
/// the gather inside the host; then the update. Where forward overlaps, it is cut where it needs other
/// units, each part waits for those of the iteration before, and every unit is updated by itself.
struct JobGraphBuilder {
  let compute: ComputeTimes
  let streams: StreamSettings
  let accumulationSteps: Int
  let copyRate: Bandwidth?
  let overlapsForward: Bool
  /// Whether workers update their parameters themselves.
  let updates: Bool
  /// Whether operations of no length are kept, so that the graphs of several devices are alike.
  let keepsEmpty: Bool
  private(set) var graph = JobGraph()

  init(
    compute: ComputeTimes, streams: StreamSettings, accumulationSteps: Int, copyRate: Bandwidth?,
    overlapsForward: Bool, updates: Bool, keepsEmpty: Bool = false
  ) {
    self.compute = compute
    self.streams = streams
    self.accumulationSteps = accumulationSteps
    self.copyRate = copyRate
    self.overlapsForward = overlapsForward
    self.updates = updates
    self.keepsEmpty = keepsEmpty
  }

  /// The graph of all phases.
  consuming func finished() -> JobGraph {
    graph.finish()
    return graph
  }

  /// Adds an iteration that exchanges `units`.
  mutating func add(_ units: [UnitPlan]) {
    let overlaps = overlapsForward && units.contains { !$0.exchanges.isEmpty }
    var (last, gates) = overlaps ? addForward(units) : ([addForward()], [])
    for _ in 1..<accumulationSteps {
      last = [graph.add(.backward, on: .compute, for: compute.backward, after: last)]
      last = [graph.add(.forward, on: .compute, for: compute.forward, after: last)]
    }
    let ends = addBackward(units, after: &last)
    if !overlaps {
      let waiting = ends.flatMap { $0 } + last
      graph.add(
        .optimizer, on: .compute, for: updates ? compute.optimizer : .zero,
        after: Array(Set(waiting)).sorted())
      return
    }
    let updated = addUpdates(units, after: ends)
    for gate in gates {
      for unit in gate.units {
        for end in updated[unit] { graph.carry(from: end, to: gate.operation) }
      }
    }
  }

  /// Adds an iteration of `model`, whose operations take `factor` times as long, that exchanges `units`
  /// of these tensors.
  ///
  /// - Precondition: the units do not wait for one another.
  mutating func add(
    _ units: [UnitPlan], of tensors: [[TensorID]], in model: GraphModel, factor: Double
  ) {
    guard let nodes = model.nodes(tensors) else {
      preconditionFailure("schedules that join too much are refused")
    }
    let source = model.graph
    /// What ends each operation.
    var ends = [[Int]](repeating: [], count: source.count)
    func start(_ operation: Int) -> [Int] {
      Array(Set(source.predecessors(of: operation).flatMap { ends[Int($0)] })).sorted()
    }
    for node in nodes {
      switch node {
      case .unit(let unit):
        let members = tensors[unit].map { model.tensors[$0.index].index }
        let tail = addUnit(
          units[unit], unit, after: Array(Set(members.flatMap { start($0) })).sorted())
        for member in members { ends[member] += tail }
      case .operation(let index):
        let operation = source.operations[index]
        let after = start(index)
        if operation.kind == .collective {
          // It moves nothing: a point at which everything before it is over.
          ends[index] = after
          continue
        }
        let duration =
          factor == 1 ? operation.duration : operation.duration.scaled(by: factor)
        let isCompute = operation.kind == .compute
        ends[index] = [
          graph.add(
            isCompute ? .compute : .copy, on: isCompute ? .compute : .cpu, for: duration,
            after: after)
        ]
      }
    }
    graph.add(.optimizer, on: .compute, after: Array(Set(ends.joined())).sorted())
  }

  private mutating func addForward() -> Int {
    graph.add(.forward, on: .compute, for: compute.forward)
  }

  /// Forward in parts, and the units whose parameters each part is the first to need.
  private mutating func addForward(
    _ units: [UnitPlan]
  ) -> (last: [Int], gates: [(operation: Int, units: [Int])]) {
    // Times go by the order of tensors, which is the same on every device.
    let needed = units.indices.sorted {
      keepsEmpty
        ? (units[$0].lastTensor, $0) < (units[$1].lastTensor, $1)
        : (units[$0].needed, $0) < (units[$1].needed, $1)
    }
    var starts: [(offset: SimDuration, units: [Int])] = []
    for unit in needed where !units[unit].exchanges.isEmpty {
      if !keepsEmpty, let open = starts.last, open.offset == units[unit].needed {
        starts[starts.count - 1].units.append(unit)
      } else {
        starts.append((units[unit].needed, [unit]))
      }
    }
    var last: [Int] = []
    if let first = starts.first, first.offset > .zero || keepsEmpty {
      last = [graph.add(.forward, on: .compute, for: first.offset)]
    }
    var gates: [(operation: Int, units: [Int])] = []
    for (index, start) in starts.enumerated() {
      let end = index + 1 < starts.count ? starts[index + 1].offset : compute.forward
      let part = graph.add(.forward, on: .compute, for: end - start.offset, after: last)
      gates.append((part, start.units))
      last = [part]
    }
    return (last, gates)
  }

  /// Backward and what becomes of each unit; returns the last operations of each.
  private mutating func addBackward(_ units: [UnitPlan], after last: inout [Int]) -> [[Int]] {
    var ends = Array(repeating: [Int](), count: units.count)
    var reached = SimDuration.zero
    let order = units.indices.sorted {
      keepsEmpty
        ? (-units[$0].lastTensor, $0) < (-units[$1].lastTensor, $1)
        : (units[$0].ready, $0) < (units[$1].ready, $1)
    }
    for index in order {
      let unit = units[index]
      if unit.ready > reached || keepsEmpty {
        last = [graph.add(.backward, on: .compute, for: unit.ready - reached, after: last)]
        reached = unit.ready
      }
      ends[index] = addUnit(unit, index, after: last)
    }
    if compute.backward > reached || keepsEmpty {
      last = [graph.add(.backward, on: .compute, for: compute.backward - reached, after: last)]
    }
    return ends
  }

  private mutating func addUnit(_ unit: UnitPlan, _ index: Int, after start: [Int]) -> [Int] {
    var tail = start
    if unit.hold > .zero, !unit.exchanges.isEmpty {
      tail = [graph.add(.hold, on: .communication, for: unit.hold, unit: index, after: tail)]
    }
    var exchange = unit.firstExchange
    move(unit.before.count, unit: index, exchange: &exchange, tail: &tail)
    tail = add(.encode, unit.encode, on: streams.encode, unit: index, after: tail)
    if !unit.between.isEmpty {
      tail = addCopy(unit, index, after: tail)
      move(unit.between.count, unit: index, exchange: &exchange, tail: &tail)
      tail = addCopy(unit, index, after: tail)
      tail = add(.decode, unit.decode, on: streams.decode, unit: index, after: tail)
    }
    move(unit.after.count, unit: index, exchange: &exchange, tail: &tail)
    return tail
  }

  private mutating func move(
    _ count: Int, unit: Int, exchange: inout Int, tail: inout [Int]
  ) {
    for _ in 0..<count {
      tail = [
        graph.add(.exchange, on: .communication, exchange: exchange, unit: unit, after: tail)
      ]
      exchange += 1
    }
  }

  private mutating func addCopy(_ unit: UnitPlan, _ index: Int, after tail: [Int]) -> [Int] {
    guard let copyRate, unit.payload > .zero else { return tail }
    return [
      graph.add(
        .copy, on: .cpu, for: copyRate.time(toSend: unit.payload), unit: index, after: tail)
    ]
  }

  /// Adds the accelerator's and the CPU's part of an encode or decode, the CPU's on its own stream.
  private mutating func add(
    _ kind: OperationKind, _ cost: CodecTiming.Cost, on placement: CodecPlacement, unit: Int,
    after predecessors: [Int]
  ) -> [Int] {
    var tail = predecessors
    let parts: [(StreamKind, SimDuration)] = [
      (placement.stream, cost.accelerator), (.cpu, cost.cpu),
    ]
    // A host stage comes after the accelerator's when encoding, and before it when decoding.
    for (stream, duration) in kind == .encode ? parts : parts.reversed() where duration > .zero {
      tail = [graph.add(kind, on: stream, for: duration, unit: unit, after: tail)]
    }
    return tail
  }

  /// The update of each unit by itself, its share of the whole by elements; shares add up exactly.
  private mutating func addUpdates(_ units: [UnitPlan], after ends: [[Int]]) -> [[Int]] {
    if !updates || compute.optimizer == .zero { return ends }
    let total = Double(max(1, units.reduce(0) { $0 + $1.elements }))
    var done = 0
    var spent = SimDuration.zero
    var updated = ends
    for (index, unit) in units.enumerated() where !unit.exchanges.isEmpty {
      done += unit.elements
      let until = min(compute.optimizer, compute.optimizer.scaled(by: Double(done) / total))
      updated[index] = [
        graph.add(
          .optimizer, on: .compute, for: until - spent, unit: index, after: ends[index])
      ]
      spent = until
    }
    return updated
  }
}

/// What one communication unit of one phase does in an iteration.
struct UnitPlan {
  /// When its last gradient is ready, after backward began.
  var ready = SimDuration.zero
  /// When forward first needs one of its parameters, after forward began.
  var needed = SimDuration.zero
  /// Of its tensors, the one whose gradient is ready last and whose value is needed first.
  var lastTensor = 0
  var hold = SimDuration.zero
  var elements = 0
  var encode = CodecTiming.Cost()
  var decode = CodecTiming.Cost()
  /// What a worker hands to its exchanges.
  var payload = ByteCount.zero
  /// Plain sums inside hosts, before anything is encoded.
  var before: [PlannedExchange] = []
  /// The exchanges of what was encoded.
  var between: [PlannedExchange] = []
  /// Plain gathers inside hosts.
  var after: [PlannedExchange] = []
  /// Where the exchanges begin in the job's.
  var firstExchange = 0
  var exchanges: [PlannedExchange] { before + between + after }
}
