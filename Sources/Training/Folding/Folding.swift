import Collectives
import Networks
import SimKernel

/// Whether a run may be folded: the scenario key `folding`.
public enum Folding: String, Sendable, CaseIterable {
  /// Wherever that gives the same numbers; with more than ``roundedWorkers`` workers, the chunks of a
  /// ring that differ by an element are all taken for the largest.
  case auto
  /// Only where that gives the same numbers.
  case exact
  /// Every message of every iteration is simulated.
  case off

  /// Rings of more workers are rounded: what they take is then too long by at most the time of an
  /// element for every hop.
  ///
  /// With unequal chunks no two ranks are finished at the same picosecond, so that all of them must be
  /// followed.
  static var roundedWorkers: Int { 4096 }
}

extension Folding {
  /// The only one of `jobs`, folded; or why it is not.
  func job(
    _ jobs: [JobPlan], topology: Topology, network: NetworkSettings, hasFaults: Bool,
    isRecorded: Bool
  ) -> Result<FoldedJob, FoldingRefusal> {
    do throws(FoldingRefusal) {
      return .success(
        try FoldedJob(
          jobs, topology: topology, network: network, hasFaults: hasFaults, isRecorded: isRecorded,
          folding: self))
    } catch { return .failure(error) }
  }
}

/// Why a run is not folded, in a few words.
struct FoldingRefusal: Error, Equatable {
  var reason: String
  init(_ reason: String) { self.reason = reason }
}

/// A job whose workers are alike: to the network, in what they compute and in what they exchange.
///
/// Its exchanges are solved at once and not message by message, which takes O(workers) for each
/// instead of O(workers²); and since nothing but their exchanges lets workers get out of step, an
/// iteration that begins as the one before did is like it, and need not be run.
struct FoldedJob {
  let plan: JobPlan
  let exchanges: [SolvedExchange]
  let cables: StarCables

  /// Checks everything that could make workers, messages or iterations differ.
  init(
    _ jobs: [JobPlan], topology: Topology, network: NetworkSettings, hasFaults: Bool,
    isRecorded: Bool, folding: Folding
  ) throws(FoldingRefusal) {
    if folding == .off { throw FoldingRefusal("off") }
    guard let plan = jobs.first, jobs.count == 1 else { throw FoldingRefusal("several jobs") }
    if isRecorded { throw FoldingRefusal("recorded") }
    if plan.workers == 1 { throw FoldingRefusal("one worker") }
    if hasFaults { throw FoldingRefusal("faults") }
    try Self.check(network)
    try Self.check(plan)
    guard let cables = topology.starCables(of: plan.nodes) else {
      throw FoldingRefusal("workers are not alone around one switch")
    }
    self.plan = plan
    self.cables = cables
    var timing = MessageTiming(cables.pair, network: network)
    exchanges = try Self.solve(
      plan, &timing, rounds: folding == .auto && plan.workers > Folding.roundedWorkers)
  }

  private static func check(_ network: NetworkSettings) throws(FoldingRefusal) {
    switch network.model {
    case .alphaBeta, .flow: break
    case .loggp, .packet: throw FoldingRefusal("\(network.model.rawValue) network")
    }
    if !network.background.isEmpty { throw FoldingRefusal("background traffic") }
    if network.sharing != .maxMin { throw FoldingRefusal("\(network.sharing.rawValue) sharing") }
  }

  private static func check(_ plan: JobPlan) throws(FoldingRefusal) {
    if !plan.stragglers.isConstant { throw FoldingRefusal("stragglers") }
    if !plan.durations.isEmpty { throw FoldingRefusal("several devices") }
    if plan.nodes.count != plan.workers || plan.holdsReplies { throw FoldingRefusal("servers") }
    if plan.recovery.every != nil { throw FoldingRefusal("checkpoints") }
    if !(plan.progress is BulkSynchronous) { throw FoldingRefusal("not bulk-synchronous") }
    if plan.graph.overlapsIterations { throw FoldingRefusal("iterations overlap") }
    if plan.admission.order != .fixed { throw FoldingRefusal("order of exchanges varies") }
    if plan.admission.limit != .exchanges(1) { throw FoldingRefusal("several exchanges in flight") }
    var sending = SendingSettings()
    sending.copyRate = plan.sending.copyRate
    if plan.sending != sending { throw FoldingRefusal("sending settings") }
    // Only exchanges hold workers together.
    if plan.phases.contains(where: \.exchanges.isEmpty) {
      throw FoldingRefusal("iterations without exchanges")
    }
  }

  /// The exchanges, all of them in one of two ways: rings may leave ranks out of step, others must
  /// find and leave them in step.
  private static func solve(
    _ plan: JobPlan, _ timing: inout MessageTiming, rounds: Bool
  ) throws(FoldingRefusal) -> [SolvedExchange] {
    var all: [SolvedExchange] = []
    var refusal: FoldingRefusal?
    var breaksStep: String?
    for exchange in plan.exchanges {
      guard exchange.groups.isEmpty else { throw FoldingRefusal("exchanges inside hosts") }
      guard let chunks = exchange.denseChunks(of: exchange.sizes, workers: plan.workers) else {
        throw FoldingRefusal("payloads change on their way")
      }
      var isStuck = false
      func message(_ size: ByteCount) -> MessageTime {
        if let time = timing.time(size) { return time }
        isStuck = true
        return MessageTime(leaving: .zero, arriving: .zero)
      }
      let rate = exchange.combining.rate
      if let lockstep = exchange.plan.lockstepTime(
        chunkSizes: chunks, reductionRate: rate, message: message)
      {
        all.append(.lockstep(lockstep))
      } else if let ring = RingTimes(
        exchange.plan, chunkSizes: chunks, reductionRate: rate, message: message)
      {
        let largest = chunks.max() ?? .zero
        if rounds,
          let lockstep = exchange.plan.lockstepTime(
            chunkSizes: Array(repeating: largest, count: chunks.count), reductionRate: rate,
            message: message)
        {
          all.append(.rounded(lockstep, ring))
        } else {
          all.append(.ring(ring))
          breaksStep = exchange.plan.name
        }
      } else {
        refusal = refusal ?? FoldingRefusal("ranks of \(exchange.plan.name) differ")
      }
      if isStuck { throw FoldingRefusal("messages do not arrive") }
    }
    if let refusal { throw refusal }
    guard breaksStep != nil else { return all }
    // A ring among others: all must be rings, then.
    for (index, exchange) in plan.exchanges.enumerated() where all[index].lockstep != nil {
      guard
        let ring = RingTimes(
          exchange.plan,
          chunkSizes: exchange.denseChunks(of: exchange.sizes, workers: plan.workers) ?? [],
          reductionRate: exchange.combining.rate,
          message: { timing.time($0) ?? MessageTime(leaving: .zero, arriving: .zero) })
      else { throw FoldingRefusal("chunks of a ring differ before \(exchange.plan.name)") }
      all[index] = .ring(ring)
    }
    return all
  }
}
