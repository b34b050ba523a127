import Networks
import SimKernel
import Training

/// Plays a table of flows on any network, with faults of links, on one thread.
///
/// At an instant, starts come first in the order of the table, then what the network reports, until
/// nothing changes. Transfer i is flow i, with tag i; receives are posted when a flow starts.
public struct FlowSimulation: ~Copyable {
  /// What became of every flow.
  public struct Outcome: Sendable {
    /// When each started, in picoseconds; -1 if it did not.
    public internal(set) var starts: [Int64]
    /// When the last byte of each arrived, in picoseconds; -1 if it did not.
    public internal(set) var ends: [Int64]
    /// Packets of each that were sent again, and bytes lost; empty if the model knows neither.
    public internal(set) var losses: [TransferLosses] = []
    /// Flows that arrived.
    public internal(set) var delivered = 0
    /// Flows that the network gave up.
    public internal(set) var lost = 0
    /// Times a flow went on over another path.
    public internal(set) var reroutes = 0
    /// The last instant at which anything happened.
    public internal(set) var end = SimTime.zero
    /// What every link carried.
    public internal(set) var usage: [LinkUsage] = []
    /// What happened at the port that feeds each link; empty if the model has no ports.
    public internal(set) var ports: [PortReport] = []
    /// Why it stopped before the end; nil if it did not.
    public internal(set) var failure: SimulationError?
  }

  private enum Event: BitwiseCopyable {
    case start(Int32)
    case fault(Int32)
  }

  private let flows: FlowTable
  private let scene: FlowScene
  private let stop: any StopSignal
  private var network: any NetworkModel & ~Copyable
  private var queue = EventQueue<Event>()
  private var gates: [FlowGate]
  private var outcome: Outcome
  /// Flows whose start would lie past the end of time.
  private var isPastTime = false

  /// A run of `flows`, which are sealed, that has not begun.
  public init(_ flows: FlowTable, scene: FlowScene, stop: any StopSignal = NoStopSignal()) {
    self.flows = flows
    self.scene = scene
    self.stop = stop
    network = scene.network.makeNetwork(scene.topology)
    gates = flows.gates
    outcome = Outcome(
      starts: [Int64](repeating: -1, count: flows.count),
      ends: [Int64](repeating: -1, count: flows.count))
  }

  /// Runs until every flow has ended, nothing more can happen, or somebody asks to stop.
  ///
  /// - Complexity: O(log) a flow beside what the network needs; 16 bytes a flow beside the table.
  public consuming func run() -> Outcome {
    for (index, fault) in scene.faults.enumerated() {
      queue.schedule(.fault(Int32(index)), at: fault.time)
    }
    for flow in 0..<flows.count where flows.gateOfFlow[flow] < 0 {
      queue.schedule(.start(Int32(flow)), at: .zero + flows.starts[flow])
    }
    var now = SimTime.zero
    var notices: [Notice] = []
    while true {
      settle(at: now, &notices)
      if outcome.delivered + outcome.lost == flows.count { break }
      // An instant may solve for a hundred thousand flows: somebody who asks to stop gets it soon.
      if stop.isRaised {
        outcome.failure = .interrupted(at: now)
        break
      }
      let next = network.advance(until: queue.nextTime)
      if next == .never {
        outcome.failure = .stuck(at: now, waiting: waiting())
        break
      }
      now = next
      queue.advance(to: now)
    }
    outcome.end = now
    outcome.usage.reserveCapacity(scene.topology.links.count)
    for link in scene.topology.links.indices {
      outcome.usage.append(network.usage(of: LinkID(link)))
      if let port = network.portReport(of: LinkID(link)) { outcome.ports.append(port) }
    }
    return outcome
  }

  private mutating func settle(at now: SimTime, _ notices: inout [Notice]) {
    var isChanging = true
    while isChanging {
      isChanging = false
      while let event = queue.popDue() {
        isChanging = true
        switch event {
        case .start(let flow): start(Int(flow), at: now)
        case .fault(let index):
          let fault = scene.faults[Int(index)]
          network.change(link: fault.link, bandwidth: fault.bandwidth, up: fault.isUp, at: now)
        }
      }
      notices.removeAll(keepingCapacity: true)
      network.drain(into: &notices)
      for notice in notices {
        switch notice.kind {
        case .delivered: end(Int(notice.transfer.sequence), at: now)
        case .lost: outcome.lost += 1
        case .rerouted: outcome.reroutes += 1
        case .senderFree, .hostBusy, .blocked: break
        }
      }
      if !notices.isEmpty { isChanging = true }
    }
  }

  private mutating func start(_ flow: Int, at now: SimTime) {
    outcome.starts[flow] = now.picoseconds
    let tag = Int32(truncatingIfNeeded: flow)
    let (source, destination) = (flows.sources[flow], flows.destinations[flow])
    network.postReceive(source: source, destination: destination, tag: tag, at: now)
    network.send(
      Transfer(
        id: TransferID(job: JobID(0), sequence: Int64(flow)), source: source,
        destination: destination, size: flows.sizes[flow], tag: tag), at: now)
  }

  private mutating func end(_ flow: Int, at now: SimTime) {
    outcome.ends[flow] = now.picoseconds
    outcome.delivered += 1
    if let losses = network.losses(of: TransferID(job: JobID(0), sequence: Int64(flow))) {
      if outcome.losses.isEmpty {
        outcome.losses = [TransferLosses](
          repeating: TransferLosses(retransmissions: 0, lost: .zero), count: flows.count)
      }
      outcome.losses[flow] = losses
    }
    for index in flows.knockStarts[flow]..<flows.knockStarts[flow + 1] {
      for member in gates[Int(flows.knocks[Int(index)])].knock() {
        let next = Int(flows.members[Int(member)])
        let time = now + flows.starts[next]
        if time == .never {
          isPastTime = true
        } else {
          queue.schedule(.start(Int32(next)), at: time)
        }
      }
    }
  }

  /// Who waits for what.
  private mutating func waiting() -> [String] {
    var lines = network.waiting.map { found in
      let number = Int(found.transfer.id.sequence)
      let head = "transfer \(number) "
      return
        "flow \(flows.ids[number]), \(found.description(in: scene.topology).dropFirst(head.count))"
    }
    for flow in 0..<flows.count where outcome.starts[flow] < 0 {
      // Looking up what a flow waits for takes a pass over all; a few say all there is to say.
      if lines.count > 64 {
        lines.append("flow \(flows.ids[flow]) has not started")
        continue
      }
      let names = flows.predecessors(of: flow).filter { outcome.ends[$0] < 0 }.prefix(4)
        .map { flows.ids[$0] }.joined(separator: ", ")
      lines.append(
        "flow \(flows.ids[flow]) waits for the end of "
          + (names.isEmpty && isPastTime ? "simulated time (106 days)" : "flow \(names)"))
    }
    return lines
  }
}
