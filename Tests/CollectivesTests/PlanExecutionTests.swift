import Collectives
import SimKernel
import Testing

@Suite("Plans executed on integer vectors")
struct PlanExecutionTests {
  @Test("every algorithm gives the exact result in any order", arguments: PlanCase.all)
  func exactResults(_ planCase: PlanCase) throws {
    for shape in planCase.shapes {
      let n = shape.rankCount
      // 0 and 1 element leave chunks empty; 61 is no multiple of anything.
      for (index, elements) in [0, 1, 61].enumerated() {
        let plan = try planCase.plan(shape, root: (n * 2 / 3 + index) % n)
        for seed in 0..<3 {
          checkOnIntegers(
            plan, elements: elements, unequal: !planCase.equalSizes,
            seed: UInt64(seed * 1000 + n),
            costPerElement: .picoseconds(seed == 1 ? 5 : 0))
        }
      }
    }
  }

  @Test("a stored copy of a plan gives the exact result too", arguments: PlanCase.all)
  func storedResults(_ planCase: PlanCase) throws {
    for shape in planCase.shapes {
      let plan = try planCase.plan(shape, root: shape.rankCount - 1).stored()
      #expect(!plan.isImplicit)
      for seed in 0..<2 {
        checkOnIntegers(
          plan, elements: 37, unequal: !planCase.equalSizes, seed: UInt64(seed),
          costPerElement: .picoseconds(Int64(seed * 3)))
      }
    }
  }

  @Test("hosts of different sizes work through leaders")
  func unevenHosts() throws {
    let algorithm = CollectiveAlgorithm(.hierarchical)
    for hosts in [[0, 0, 0, 1], [4, 9, 9, 9, 9, 9, 2], [1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4]] {
      let shape = GroupShape(hosts: hosts)
      let plan = try algorithm.makePlan(.allReduce, shape: shape, size: .bytes(1000)).get()
      #expect(plan.name == "hierarchical_leaders")
      for seed in 0..<20 {
        checkOnIntegers(
          plan, elements: 29, seed: UInt64(seed), costPerElement: .picoseconds(1))
      }
    }
  }

  @Test("parameter servers give every worker the exact sum")
  func pushPull() throws {
    let tensors = [0, 5, 1, 90, 33, 0, 12].enumerated().map {
      ServedTensor(key: $0.offset, elements: Int64($0.element))
    }
    let shardings: [ServerSharding] = [.hash, .split(from: 30), .slices(of: 10)]
    for workers in 1...9 {
      for servers in 1...5 {
        for placement in ParameterServers.Placement.allCases
        where placement == .dedicated || servers <= workers {
          for sharding in shardings {
            let plan = try ParameterServers(
              count: servers, placement: placement, sharding: sharding
            ).makePlan(workers: workers, tensors: tensors).get()
            checkOnIntegers(
              plan, elements: 141, seed: UInt64(workers),
              costPerElement: .picoseconds(servers % 2 == 0 ? 0 : 2))
          }
        }
      }
    }
  }

  @Test("payloads without elements, and tensors of nothing, go through")
  func nothing() throws {
    let plan = try ParameterServers(count: 2).makePlan(
      workers: 3, tensors: [ServedTensor(key: 4, elements: 0)]
    ).get()
    #expect(plan.stepCount == 0 && plan.chunkCount == 0)
    let driver = checkOnIntegers(plan, elements: 0, seed: 1)
    #expect(driver.finished.count == 3)
  }

  @Test("a sum is made in the same order whatever arrives first")
  func fixedOrderOfSums() throws {
    for name in [
      "ring", "recursive_doubling", "halving_doubling", "tree", "hierarchical",
      "double_binary_tree", "k_ary_tree",
    ] {
      let plan = try CollectiveAlgorithm.named(name)!.makePlan(
        .allReduce, shape: GroupShape(rankCount: 12, ranksPerHost: 4), size: .megabytes(1)
      ).get()
      let results = (0..<8).map { seed -> [String] in
        var algebra = TermAlgebra()
        let payloads = (0..<12).map { algebra.payload("\($0)") }
        var execution = CollectiveExecution(plan: plan, payloads: payloads)
        _ = RandomDriver(&execution, &algebra, seed: UInt64(seed))
        return execution.result(of: RankID(3)).map { algebra.terms[$0.payload.index] }
      }
      #expect(results.allSatisfy { $0 == results[0] }, "\(name)")
    }
  }
}

/// Payloads that record how they were combined.
private struct TermAlgebra: PayloadAlgebra {
  var terms: [String] = []
  mutating func payload(_ term: String) -> PayloadID {
    terms.append(term)
    return PayloadID(terms.count - 1)
  }
  mutating func slice(_ payload: PayloadID, part: Range<Int64>, of whole: Int64) -> PayloadID {
    self.payload("\(terms[payload.index])[\(part)]")
  }
  mutating func combine(
    _ local: PayloadID, with incoming: PayloadID, at rank: RankID
  ) -> PayloadID { payload("(\(terms[local.index])+\(terms[incoming.index]))") }
  func size(of payload: PayloadID) -> ByteCount { .bytes(8) }
  func combiningTime(
    of local: PayloadID, with incoming: PayloadID, at rank: RankID
  ) -> SimDuration { .picoseconds(1) }
}
