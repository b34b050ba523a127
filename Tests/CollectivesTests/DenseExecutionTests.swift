import Collectives
import SimKernel
import Testing

@Suite("Sizes known up front")
struct DenseExecutionTests {
  /// All actions of a run in which each batch of sends is delivered in order.
  private func trace(
    _ execution: inout CollectiveExecution, _ algebra: inout some PayloadAlgebra
  ) -> [CollectiveExecution.Action] {
    var actions: [CollectiveExecution.Action] = []
    for rank in (0..<execution.plan.rankCount).reversed() {
      execution.ready(RankID(rank), algebra: &algebra, actions: &actions)
    }
    var next = 0
    while next < actions.count {
      switch actions[next] {
      case .send(let step, _, _, _):
        execution.delivered(step: step, algebra: &algebra, actions: &actions)
      case .combine(let step, _, _):
        execution.combined(step: step, algebra: &algebra, actions: &actions)
      case .finished: break
      }
      next += 1
    }
    #expect(execution.isComplete)
    return actions
  }

  @Test("sizes and real byte payloads cause the same actions", arguments: PlanCase.all)
  func agree(_ planCase: PlanCase) throws {
    for shape in planCase.shapes {
      for rate in [nil, Bandwidth.gigabitsPerSecond(3)] {
        let plan = try planCase.plan(shape, root: shape.rankCount / 3)
        for plan in [plan, plan.stored()] {
          let size = ByteCount(40_007)
          var algebra = ByteAlgebra(unit: 4, reductionRate: rate)
          let sizes = (0..<plan.rankCount).map {
            rank -> ByteCount in
            if case .blocks(let blocks) = plan.cut { return blocks.payload(of: rank) }
            return planCase.equalSizes ? size : ByteCount(Int64(rank * 977 % 501))
          }
          let payloads = sizes.map { algebra.payload(of: $0) }
          var real = CollectiveExecution(plan: plan, payloads: payloads)
          let chunkSizes =
            planCase.equalSizes ? plan.chunkSizes(of: size, unit: 4) : sizes
          var dense = CollectiveExecution(
            plan: plan, chunkSizes: chunkSizes, reductionRate: rate)
          if plan.pads {
            // Real payloads first wait for one another; the size may also be given.
            real = CollectiveExecution(
              plan: plan, payloads: payloads, paddedSize: sizes.max())
          }
          let expected = trace(&real, &algebra)
          #expect(trace(&dense, &algebra) == expected, "\(plan.name) of \(plan.rankCount)")
          #expect(dense.result(of: RankID(0)).isEmpty)
        }
      }
    }
  }

  @Test("padding waits for every size and sends the largest everywhere")
  func padding() throws {
    var algorithm = CollectiveAlgorithm(.ring)
    algorithm.variableSize = .padded
    let plan = try algorithm.makePlan(
      .allGather, shape: GroupShape(rankCount: 4), size: .bytes(10), equalSizes: false
    ).get()
    #expect(plan.name == "ring+padded" && plan.pads)
    var algebra = ByteAlgebra()
    let payloads = [3, 900, 0, 17].map { algebra.payload(of: .bytes($0)) }
    var execution = CollectiveExecution(plan: plan, payloads: payloads)
    var actions: [CollectiveExecution.Action] = []
    for rank in 0..<3 { execution.ready(RankID(rank), algebra: &algebra, actions: &actions) }
    #expect(actions.isEmpty)
    #expect(
      execution.pendingDescription().contains(
        "rank 0 waits for the size of every other rank's payload"))
    execution.ready(RankID(3), algebra: &algebra, actions: &actions)
    #expect(actions.count == 4)
    let driver = trace(4, &execution, &algebra, actions)
    #expect(driver.allSatisfy { $0 == .bytes(900) } && driver.count == 12)
  }

  private func trace(
    _ ranks: Int, _ execution: inout CollectiveExecution, _ algebra: inout ByteAlgebra,
    _ started: [CollectiveExecution.Action]
  ) -> [ByteCount] {
    var actions = started
    var next = 0
    var sizes: [ByteCount] = []
    while next < actions.count {
      if case .send(let step, _, _, let size) = actions[next] {
        sizes.append(size)
        execution.delivered(step: step, algebra: &algebra, actions: &actions)
      }
      next += 1
    }
    return sizes
  }

  @Test("ideal and grouped gathers send every payload at its own size")
  func trueSizes() throws {
    for variableSize in [CollectiveAlgorithm.VariableSize.ideal, .groupedBroadcast] {
      var algorithm = CollectiveAlgorithm(.ring)
      algorithm.variableSize = variableSize
      let plan = try algorithm.makePlan(
        .allGather, shape: GroupShape(rankCount: 5), size: .bytes(10), equalSizes: false
      ).get()
      #expect(plan.name == (variableSize == .ideal ? "ring+ideal" : "grouped_broadcast"))
      let sizes = [3, 900, 0, 17, 80].map { ByteCount.bytes($0) }
      var execution = CollectiveExecution(plan: plan, chunkSizes: sizes)
      var none = ByteAlgebra()
      let driver = RandomDriver(&execution, &none, seed: 5)
      #expect(driver.wireBytes.reduce(0, +) == 4 * 1000)
    }
  }

  @Test("the size exchange gathers eight bytes from every rank")
  func sizeExchange() {
    for n in 1...9 {
      var execution = CollectiveExecution(
        plan: Plan.sizeExchange(rankCount: n), size: Plan.sizeExchangeBytes)
      var none = ByteAlgebra()
      let driver = RandomDriver(&execution, &none, seed: 1)
      #expect(execution.isComplete)
      #expect(driver.wireBytes.allSatisfy { $0 == Int64(8 * (n - 1)) })
    }
  }
}
