import Networks
import SimKernel

/// Picks the concrete network of a run, so that the loop is compiled for each.
public enum NetworkRun {
  /// What a run left behind.
  public struct Outcome: Sendable {
    public var jobs: [JobOutcome]
    /// What each link carried.
    public var usage: [LinkUsage]
    /// What happened at the port that feeds each link; empty if the model has no ports.
    public var ports: [PortReport] = []
    /// How the run was folded, or why it was not, for results.
    public var folded = ""
  }

  /// Runs `jobs` over `topology` to their end.
  ///
  /// With ``Folding/auto`` a job whose workers are alike is folded: the outcome is the same, to the
  /// picosecond and the byte.
  public static func run(
    topology: Topology, network: NetworkSettings, jobs: [JobPlan], faults: [LinkFault],
    crashes: HostCrashes = .none, stop: any StopSignal, recorder: (any TimelineRecorder)?,
    folding: Folding = .off
  ) throws(SimulationError) -> Outcome {
    let refusal: String
    switch folding.job(
      jobs, topology: topology, network: network, hasFaults: !faults.isEmpty || !crashes.isEmpty,
      isRecorded: recorder != nil)
    {
    case .success(let folded):
      if let outcome = try folded.run(linkCount: topology.links.count, stop: stop) {
        return Outcome(
          jobs: [outcome.job], usage: outcome.usage, folded: folded.description(of: outcome))
      }
      refusal = "time leaves its range"
    case .failure(let reason): refusal = reason.reason
    }
    var outcome = try runUnfolded(
      topology: topology, network: network, jobs: jobs, faults: faults, crashes: crashes,
      stop: stop, recorder: recorder)
    outcome.folded = refusal
    return outcome
  }

  private static func runUnfolded(
    topology: Topology, network: NetworkSettings, jobs: [JobPlan], faults: [LinkFault],
    crashes: HostCrashes, stop: any StopSignal, recorder: (any TimelineRecorder)?
  ) throws(SimulationError) -> Outcome {
    switch network.model {
    case .alphaBeta:
      return try run(
        AlphaBetaNetwork(topology, transport: network.transport), topology, jobs, faults, crashes,
        stop,
        recorder)
    case .loggp:
      return try run(
        LogGPNetwork(topology, transport: network.transport, settings: network.loggp), topology,
        jobs, faults, crashes, stop, recorder)
    case .flow:
      return try run(
        FlowNetwork(topology, transport: network.transport, sharing: network.sharing), topology,
        jobs, faults, crashes, stop,
        recorder)
    case .packet:
      return try run(
        PacketNetwork(topology, transport: network.transport, settings: network.packet), topology,
        jobs, faults, crashes, stop, recorder)
    }
  }

  private static func run<Network: NetworkModel & ~Copyable>(
    _ network: consuming Network, _ topology: Topology, _ jobs: [JobPlan], _ faults: [LinkFault],
    _ crashes: HostCrashes, _ stop: any StopSignal, _ recorder: (any TimelineRecorder)?
  ) throws(SimulationError) -> Outcome {
    var simulation = Simulation(
      network: network, topology: topology, jobs: jobs, faults: faults, crashes: crashes,
      stop: stop, recorder: recorder)
    let outcomes = try simulation.run()
    var outcome = Outcome(jobs: outcomes, usage: [])
    for link in topology.links.indices {
      outcome.usage.append(simulation.usage(of: LinkID(link)))
      if let port = simulation.portReport(of: LinkID(link)) { outcome.ports.append(port) }
    }
    return outcome
  }
}
