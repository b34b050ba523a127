import SimKernel

/// Collects the steps of a stored plan.
///
///     var builder = PlanBuilder()
///     let up = builder.append(PlanStep(source: RankID(1), destination: RankID(0), ...))
///     builder.append(PlanStep(source: RankID(0), destination: RankID(1), ...), departsAfter: [up])
public struct PlanBuilder {
  private var steps: [PlanStep] = []
  private var departureJoin: [Int32] = []
  private var applicationJoin: [Int32] = []
  private var memberOffsets: [Int32] = [0]
  private var members: [Int32] = []

  /// A builder without steps.
  public init() {}

  /// The number of steps so far, which is the index of the next one.
  public var count: Int { steps.count }

  /// Adds a step and returns its index.
  ///
  /// - Parameter departsAfter: steps that must be complete before it departs. They end at its
  ///   source, so that it sends what they brought, or left its source, to pace it.
  /// - Parameter appliesAfter: steps to its destination that must be complete before what it brings
  ///   is applied there.
  /// - Precondition: the step leaves one rank for another, and dependencies may come later in the
  ///   list than the step only if the whole has no cycle.
  @discardableResult
  public mutating func append(
    _ step: PlanStep, departsAfter: [Int] = [], appliesAfter: [Int] = []
  ) -> Int {
    precondition(step.source != step.destination, "a step connects two rank slots")
    steps.append(step)
    departureJoin.append(join(of: departsAfter))
    applicationJoin.append(join(of: appliesAfter))
    return steps.count - 1
  }

  /// The join that waits for `list`; steps in a row that wait for the same ones share it, which keeps
  /// "all pushes, then all pulls" linear.
  private mutating func join(of list: [Int]) -> Int32 {
    if list.isEmpty { return -1 }
    let joinCount = memberOffsets.count - 1
    if joinCount > 0 {
      let start = Int(memberOffsets[joinCount - 1])
      if members.count - start == list.count,
        (0..<list.count).allSatisfy({ Int(members[start + $0]) == list[$0] })
      {
        return Int32(joinCount - 1)
      }
    }
    for step in list { members.append(Int32(step)) }
    memberOffsets.append(Int32(members.count))
    return Int32(joinCount)
  }

  /// The steps as a plan.
  ///
  /// - Precondition: ranks and chunks are in range.
  public func plan(
    name: String, operation: CollectiveOperation, rankCount: Int, root: RankID = RankID(0),
    chunkCount: Int, cut: ChunkCut = .equal
  ) -> Plan {
    plan(
      name: name, operation: operation, rankCount: rankCount, workerCount: rankCount, root: root,
      chunkCount: chunkCount, cut: cut, serversAreColocated: false)
  }

  func plan(
    name: String, operation: CollectiveOperation, rankCount: Int, workerCount: Int, root: RankID,
    chunkCount: Int, cut: ChunkCut, serversAreColocated: Bool, sumsInNetwork: Bool = false
  ) -> Plan {
    for step in steps {
      precondition(
        step.source.index < rankCount && step.destination.index < rankCount && step.lower >= 0
          && step.lower < chunkCount && step.upper - step.lower <= chunkCount,
        "a step of a plan names ranks and chunks the plan has")
    }
    return Plan(
      name: name, operation: operation, rankCount: rankCount, workerCount: workerCount,
      root: root, chunkCount: chunkCount, cut: cut, serversAreColocated: serversAreColocated,
      sumsInNetwork: sumsInNetwork, program: .stored, stored: finish(rankCount: rankCount))
  }

  func finish(rankCount: Int) -> StoredSteps {
    StoredSteps(
      steps: steps, departureJoin: departureJoin, applicationJoin: applicationJoin,
      memberOffsets: memberOffsets, members: members, rankCount: rankCount)
  }
}
