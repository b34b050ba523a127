import Collectives
import Networks
import SimKernel
import Testing
import Training

/// Exchanges among groups of workers, and iterations that are not all alike.
@Suite struct ExchangeGroupTests {
  /// A millisecond of backward, then one exchange.
  private let graph = Lab.graph {
    let backward = $0.add(.backward, on: .compute, for: us(1000))
    $0.add(.exchange, on: .communication, exchange: 0, unit: 0, after: [backward])
  }

  private func ring(_ ranks: Int, _ size: Int64, groups: [[Int]], workers: Int) -> PlannedExchange {
    PlannedExchange(
      plan: Lab.exchange(ranks: ranks, size: size).plan, groups: groups,
      sizes: Array(repeating: ByteCount(size), count: workers))
  }

  @Test("groups run side by side, each as if it were alone")
  func sideBySide() throws {
    let topology = Lab.star(6)
    let groups = [[0, 3], [5, 1], [2, 4]]
    let grouped = try Lab.run(
      [
        Lab.job(
          graph, [ring(2, 8000, groups: groups, workers: 6)], on: topology, workers: 6,
          iterations: 3)
      ], on: topology, .flow)
    let alone = try Lab.run(
      [Lab.job(graph, [Lab.exchange(ranks: 2, size: 8000)], on: topology, iterations: 3)],
      on: topology, .flow)
    #expect(grouped.jobs[0].mean == alone.jobs[0].mean)
    #expect(grouped.jobs[0].wireBytes.bytes == 3 * alone.jobs[0].wireBytes.bytes)
    // A ring of two sends half the payload twice.
    #expect(alone.jobs[0].wireBytes.bytes == 3 * 2 * 8000)
  }

  @Test("one group of all workers is no group at all")
  func oneGroup() throws {
    let topology = Lab.star(4)
    func mean(_ groups: [[Int]]) throws -> [IterationAccount] {
      try Lab.run(
        [
          Lab.job(
            graph, [ring(4, 8000, groups: groups, workers: 4)], on: topology, workers: 4,
            iterations: 4, warmup: 1)
        ], on: topology, .flow
      ).jobs[0].iterations
    }
    #expect(try mean([]) == mean([[0, 1, 2, 3]]))
    #expect(try mean([]) == mean([[2, 0, 3, 1]]))
  }

  @Test("a group waits only for its own slow worker")
  func slowWorker() throws {
    let topology = Lab.star(4)
    let factors = FactorTable { worker, _ in worker == 3 ? 2 : 1 }
    let outcome = try Lab.run(
      [
        Lab.job(
          graph, [ring(2, 8000, groups: [[0, 1], [2, 3]], workers: 4)], on: topology, workers: 4,
          stragglers: factors)
      ], on: topology)
    // Only worker 2 waits, a millisecond.
    #expect(outcome.jobs[0].iterations[0].stragglers == us(1000))
  }

  @Test("phases change what an iteration does, and exchanges of one do not meet those of another")
  func phases() throws {
    let topology = Lab.star(2)
    var both = JobGraph()
    func iteration(_ exchange: Int) -> Range<Int> {
      let first = both.operations.count
      let backward = both.add(.backward, on: .compute, for: us(100))
      both.add(.exchange, on: .communication, exchange: exchange, unit: 0, after: [backward])
      return first..<both.operations.count
    }
    let operations = [iteration(0), iteration(1), iteration(2)]
    both.finish()
    let sizes: [Int64] = [80_000, 8_000, 800]
    let starts = [0, 2, 5]
    let plan = JobPlan(
      name: "job", graph: both, exchanges: sizes.map { Lab.exchange(ranks: 2, size: $0) },
      phases: (0..<3).map {
        JobPhase(firstIteration: starts[$0], operations: operations[$0], exchanges: $0..<$0 + 1)
      }, workers: 2, nodes: Array(topology.accelerators.prefix(2)), iterations: 6, warmup: 1,
      stragglers: StragglerCatalog.none)
    let outcome = try Lab.run([plan], on: topology)
    // Iterations 1 to 6; a ring of two takes the time of its payload.
    let expected = [180, 108, 108, 108, 100.8, 100.8]
    for (account, time) in zip(outcome.jobs[0].iterations, expected) {
      #expect(account.total == .picoseconds(Int64(2 * time * 1e6)))
    }
  }

  // MARK: - Payloads that grow

  private func time(
    _ algorithm: String, _ cost: CombiningCost, ranks: Int = 4, size: Int64 = 1000
  ) throws -> SimDuration {
    let topology = Lab.star(ranks)
    var exchange = Lab.exchange(algorithm, ranks: ranks, size: size)
    exchange.combining = cost
    let graph = Lab.graph { $0.add(.exchange, on: .communication, exchange: 0) }
    let outcome = try Lab.run(
      [Lab.job(graph, [exchange], on: topology, workers: ranks)], on: topology)
    return outcome.jobs[0].end - .zero
  }
  private let ns: (Int64) -> SimDuration = { .picoseconds($0 * 1000) }

  @Test("supports that unite make later messages longer")
  func growth() throws {
    let united = CombiningCost(growth: [1, 1, 1.5, 1.75, 2])
    // One contribution, then two.
    #expect(try time("recursive_doubling", united) == ns(1000 + 1500))
    // Quarters of one contribution, then of four.
    #expect(try time("direct", united) == ns(250 + 500))
    // Up the tree one and two contributions, down twice all four.
    #expect(try time("tree", united) == ns(1000 + 1500 + 2000 + 2000))
    // Around the ring quarters of 1, 2 and 3, then three times of 4.
    #expect(try time("ring", united, size: 4000) == ns(1000 + 1500 + 1750 + 3 * 2000))
    let disjoint = CombiningCost(growth: [1, 1, 2, 3, 4, 5, 6, 7, 8])
    #expect(try time("recursive_doubling", disjoint, ranks: 8) == ns(1000 + 2000 + 4000))
    #expect(
      try time("halving_doubling", disjoint, ranks: 8, size: 800)
        == ns(400 + 400 + 400 + 800 + 1600 + 3200))
  }

  @Test("identical supports cost what a plain sum of that size costs")
  func noGrowth() throws {
    for algorithm in ["ring", "recursive_doubling", "halving_doubling", "tree", "direct"] {
      for ranks in [2, 3, 5, 8] {
        #expect(
          try time(algorithm, CombiningCost(growth: [1, 1]), ranks: ranks)
            == time(algorithm, CombiningCost(), ranks: ranks))
      }
    }
  }

  @Test("a ring that encodes again pays at every hop of its first half")
  func reencoding() throws {
    let hop = CombiningCost(perReduction: ns(70))
    for ranks in 2...5 {
      let rounds = Int64(ranks - 1)
      #expect(
        try time("ring", hop, ranks: ranks, size: 1000 * Int64(ranks))
          == ns(2 * rounds * 1000 + rounds * 70))
    }
    // Two merges lie on the way up a tree of four.
    #expect(try time("tree", hop) == ns(4 * 1000 + 2 * 70))
  }
}
