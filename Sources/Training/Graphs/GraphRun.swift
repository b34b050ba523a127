import SimKernel

/// Executes an ``OperationGraph``: every resource runs one operation at a time, never waits while
/// it has a ready one, and takes a ready one with the lowest priority number.
///
/// Operations without a number compete with those that have the lowest (the rule of Hashemi, Abdu
/// Jyothi, Campbell, TicTac, MLSys 2019): at random, or first come first. Nothing is pre-empted: a
/// transfer is pre-emptible exactly as far as it is sliced.
///
///     var run = GraphRun(graph, order: try TransferOrder.tac(graph))
///     let timeline = run.run(GraphRun.stream(seed: 1, worker: 0, iteration: 3))
///
/// Operations that end at one instant all end before any starts; one of no length still takes its
/// turn, and what it releases starts later at the same instant. Random numbers are drawn in that
/// order, so a timeline is a function of the graph, the order, the settings and the stream.
public struct GraphRun: Sendable {
  /// Who goes first among operations that the priority numbers do not tell apart.
  public enum Discipline: String, Sendable, CaseIterable {
    /// The one that was ready first; of those ready at one instant, the one added first.
    case fifo
    /// Any of them with the same probability.
    case random
  }

  /// How operations are executed.
  public struct Settings: Sendable, Equatable {
    public var discipline: Discipline
    /// What every receive, send and collective takes beside its duration.
    public var messageOverhead: SimDuration
    /// Durations are multiplied by exp(`noise` z) with a standard normal z for each operation; 0 for
    /// none.
    public var noise: Double

    /// - Precondition: `noise` is in 0...2.
    public init(
      discipline: Discipline = .fifo, messageOverhead: SimDuration = .zero, noise: Double = 0
    ) {
      precondition(noise >= 0 && noise <= 2, "noise is in 0...2")
      self.discipline = discipline
      self.messageOverhead = messageOverhead
      self.noise = noise
    }
  }

  public let graph: OperationGraph
  public let settings: Settings
  private var ready: ReadyQueues
  private var missing: [Int32]
  private var lengths: [Int64]

  /// Prepares executions of `graph` with the numbers of `order`.
  ///
  /// - Complexity: O(operations + edges + n log n) for n operations with a number.
  public init(
    _ graph: OperationGraph, order: TransferOrder = .none, settings: Settings = Settings()
  ) {
    precondition(
      order.numbers.isEmpty || order.numbers.count == graph.count,
      "an order has a number for each operation or none at all")
    self.graph = graph
    self.settings = settings
    ready = ReadyQueues(graph, numbers: order.numbers)
    missing = Array(repeating: 0, count: graph.count)
    lengths = graph.operations.map {
      ($0.duration + ($0.kind.isTransfer ? settings.messageOverhead : .zero)).picoseconds
    }
  }

  /// The random numbers of one worker in one iteration; those of others do not depend on how many
  /// were drawn.
  public static func stream(seed: UInt64, worker: Int = 0, iteration: Int = 0) -> RandomStream {
    RandomStream(seed: seed, purpose: RandomPurpose("operation graph"), entity: worker)
      .split(iteration)
  }

  /// One execution.
  ///
  /// Noise and choices have streams of their own, so that two orders under one `random` meet the
  /// same durations.
  ///
  /// - Complexity: O((operations + edges) log operations).
  public mutating func run(_ random: RandomStream) -> GraphTimeline {
    let count = graph.count
    var durations = lengths
    if settings.noise > 0 {
      var stream = random.split(0)
      for index in 0..<count {
        let factor = DeterministicMath.exp(settings.noise * stream.normal())
        durations[index] = SimDuration(picoseconds: durations[index]).scaled(by: factor).picoseconds
      }
    }
    var choices = random.split(1)
    var loads = [SimDuration](repeating: .zero, count: graph.resources.count)
    var readyAt = [SimTime](repeating: .zero, count: count)
    var starts = [SimTime](repeating: .never, count: count)
    var previous = [Int32](repeating: -1, count: count)
    // Of each resource: what it runs, and what it ran last.
    var running = [Int32](repeating: -1, count: graph.resources.count)
    var last = [Int32](repeating: -1, count: graph.resources.count)
    var queue = EventQueue<Int32>()
    var now = SimTime.zero
    var ended = 0
    var idle: [Int32] = []
    var released: [Int32] = []
    ready.reset()
    for index in 0..<count {
      missing[index] = graph.predecessorOffsets[index + 1] - graph.predecessorOffsets[index]
      if missing[index] == 0 { released.append(Int32(index)) }
    }
    while true {
      for operation in released {
        let resource = graph.operations[Int(operation)].resource.index
        readyAt[Int(operation)] = now
        ready.push(Int(operation), on: resource)
        idle.append(Int32(resource))
      }
      for resource in idle where running[Int(resource)] < 0 {
        let next =
          settings.discipline == .fifo
          ? ready.popFirst(Int(resource))
          : ready.pop(Int(resource)) { choices.index(below: $0) }
        guard let operation = next else { continue }
        running[Int(resource)] = Int32(operation)
        previous[operation] = last[Int(resource)]
        starts[operation] = now
        let duration = SimDuration(picoseconds: durations[operation])
        loads[Int(resource)] += duration
        queue.schedule(resource, at: now + duration)
      }
      if queue.isEmpty { break }
      now = queue.nextTime
      queue.advance(to: now)
      idle.removeAll(keepingCapacity: true)
      released.removeAll(keepingCapacity: true)
      while let resource = queue.popDue() {
        let operation = Int(running[Int(resource)])
        running[Int(resource)] = -1
        last[Int(resource)] = Int32(operation)
        idle.append(resource)
        ended += 1
        let row =
          Int(graph.successorOffsets[operation])..<Int(graph.successorOffsets[operation + 1])
        for edge in row {
          let successor = graph.successors[edge]
          missing[Int(successor)] -= 1
          if missing[Int(successor)] == 0 { released.append(successor) }
        }
      }
      if released.count > 1 { released.sort() }
    }
    precondition(ended == count, "a graph without circles runs to its end")
    return GraphTimeline(
      readyTimes: readyAt, starts: starts,
      durations: durations.map { SimDuration(picoseconds: $0) }, previous: previous, loads: loads,
      makespan: now - .zero)
  }
}
