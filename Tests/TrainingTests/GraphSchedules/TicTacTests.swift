import SimKernel
import Testing
import Training

@Suite("orders of receives")
struct TicTacTests {
  @Test("figure 1a: M+ ties at two receives, TAC takes r1 first")
  func figure1a() throws {
    let graph = try GraphFixtures.figure1a()
    #expect(TransferOrder.impendingLoads(of: graph).map(\.load) == [2, 2])
    let tic = TransferOrder.tic(graph)
    #expect(tic.numbers.prefix(2) == [0, 0])
    #expect(tic.hasTies)
    let tac = TransferOrder.tac(graph)
    #expect(GraphFixtures.names(graph, tac) == ["r1", "r2"])
    #expect(GraphFixtures.run(graph, tac).makespan == GraphFixtures.steps(6))
  }

  @Test("figure 4a: TAC takes A first")
  func figure4a() throws {
    let graph = try GraphFixtures.figure4a()
    let tac = TransferOrder.tac(graph)
    #expect(GraphFixtures.names(graph, tac) == ["A", "B"])
    #expect(GraphFixtures.run(graph, tac).makespan == GraphFixtures.steps(8))
  }

  @Test("receives that nothing uses with another come last in TIC and share a number")
  func unused() throws {
    var builder = OperationGraphBuilder(name: "unused")
    let (nic, processor) = (builder.resource("nic"), builder.resource("processor"))
    let ids = (0..<5).map { builder.add("r\($0)", .receive, on: nic, for: .microseconds(1)) }
    builder.add("join", .compute, on: processor, for: .zero, after: [ids[2], ids[4]])
    builder.add("alone", .compute, on: processor, for: .zero, after: [ids[0]])
    let graph = try builder.build()
    #expect(
      TransferOrder.impendingLoads(of: graph).map(\.load) == [nil, nil, 2, nil, 2])
    #expect(TransferOrder.tic(graph).numbers.prefix(5) == [2, 2, 0, 2, 0])
  }

  /// The properties by their definitions: a set for each operation, a pass over all for each receive.
  private func reference(_ graph: OperationGraph, timed: Bool) -> [[Int64]] {
    let receives = graph.operations(of: .receive).map(\.index)
    func time(_ index: Int) -> Int64 {
      if timed { return graph.operations[index].duration.picoseconds }
      return graph.operations[index].kind == .receive ? 1 : 0
    }
    var dependencies = [Set<Int>](repeating: [], count: graph.count)
    for index in graph.order.map(Int.init) {
      for predecessor in graph.predecessors(of: index) {
        dependencies[index].formUnion(dependencies[Int(predecessor)])
      }
      if graph.operations[index].kind == .receive { dependencies[index].insert(index) }
    }
    var outstanding = Set(receives)
    var ranking: [Int] = []
    var impendings: [[Int64]] = []
    while !outstanding.isEmpty {
      var direct = [Int: Int64](), impending = [Int: Int64]()
      for index in 0..<graph.count where graph.operations[index].kind == .compute {
        let waits = dependencies[index].intersection(outstanding)
        if waits.count == 1 { direct[waits.first!, default: 0] += time(index) }
        if waits.count > 1 {
          let load = waits.reduce(0) { $0 + time($1) }
          for receive in waits { impending[receive] = min(impending[receive] ?? .max, load) }
        }
      }
      impendings.append(receives.map { impending[$0] ?? .max })
      var best: Int?
      for a in receives where outstanding.contains(a) {
        guard let b = best else {
          best = a
          continue
        }
        let x = min(direct[b] ?? 0, time(a))
        let y = min(direct[a] ?? 0, time(b))
        if x != y ? x < y : (impending[a] ?? .max) < (impending[b] ?? .max) { best = a }
      }
      ranking.append(best!)
      outstanding.remove(best!)
    }
    return [ranking.map(Int64.init), impendings.first ?? []]
  }

  @Test("properties kept up to date give what their definitions give")
  func definitions() throws {
    for seed in 0..<60 {
      let graph = try GraphFixtures.random(
        receives: 1 + seed % 70, operations: (seed * 11) % 130, seed: UInt64(seed) + 100)
      let tac = TransferOrder.tac(graph).ranking.map { Int64($0.index) }
      #expect(tac == reference(graph, timed: true)[0], "seed \(seed)")
      let loads = TransferOrder.impendingLoads(of: graph).map { $0.load.map(Int64.init) ?? .max }
      #expect(loads == reference(graph, timed: false)[1], "seed \(seed)")
    }
  }

  @Test("every order ranks every candidate exactly once", arguments: GraphOrder.allCases)
  func permutations(order: GraphOrder) throws {
    for seed in 0..<20 {
      let receives = order == .oracle ? seed % 6 : seed * 5
      let graph = try GraphFixtures.random(
        receives: receives, operations: 30 + seed, seed: UInt64(seed))
      let numbers = order.order(graph, stream: GraphRun.stream(seed: 9, iteration: seed))
      if order == .fifo {
        #expect(numbers == .none)
        continue
      }
      #expect(numbers.ranking.sorted() == TransferOrder.candidates(graph), "seed \(seed)")
      if [.random, .tac, .oracle].contains(order) {
        #expect(
          numbers.ranking.map { numbers.numbers[$0.index] } == Array(0..<Int32(receives)))
      }
    }
  }

  @Test("random orders are uniform over permutations")
  func uniform() throws {
    let graph = try GraphFixtures.random(receives: 3, operations: 4, seed: 1)
    var counts: [[Int]: Int] = [:]
    for iteration in 0..<6000 {
      let order = TransferOrder.random(
        graph, stream: GraphRun.stream(seed: 4, iteration: iteration))
      counts[order.ranking.map(\.index), default: 0] += 1
    }
    #expect(counts.count == 6)
    // 1,000 each, standard deviation 29.
    for count in counts.values { #expect((880...1120).contains(count)) }
  }

  /// All orders of `items`.
  private func permutations(_ items: [OperationID]) -> [[OperationID]] {
    if items.count < 2 { return [items] }
    return items.indices.flatMap { index -> [[OperationID]] in
      var rest = items
      let first = rest.remove(at: index)
      return permutations(rest).map { [first] + $0 }
    }
  }

  @Test("the oracle equals trying all orders, and no heuristic is shorter")
  func oracle() throws {
    for seed in 0..<40 {
      let graph = try GraphFixtures.random(
        receives: 1 + seed % 6, operations: 8, seed: UInt64(seed) + 7, channels: 1 + seed % 2,
        processors: 1 + seed % 2)
      guard case .optimal(let order, let best) = OracleBound.search(graph) else {
        Testing.Issue.record("seed \(seed): gave up")
        continue
      }
      #expect(GraphFixtures.run(graph, order).makespan == best)
      let all = permutations(TransferOrder.candidates(graph)).map {
        GraphFixtures.run(graph, TransferOrder(ranking: $0, of: graph)).makespan
      }
      #expect(best == all.min(), "seed \(seed)")
      for heuristic in GraphOrder.allCases {
        let numbers = heuristic.order(graph, stream: GraphFixtures.first)
        #expect(GraphFixtures.run(graph, numbers).makespan >= best, "seed \(seed), \(heuristic)")
      }
    }
  }

  @Test("the oracle says that it is only a bound where there are too many orders")
  func bound() throws {
    let graph = try GraphFixtures.random(receives: 40, operations: 80, seed: 2, processors: 2)
    switch OracleBound.search(graph, budget: 500) {
    case .lowerBound(let bound): #expect(bound == graph.makespanBound)
    case .optimal(_, let makespan): #expect(makespan == graph.makespanBound)
    }
    let tight = try GraphFixtures.residual().graph(
      .inference, channel: GraphChannel(bandwidth: .gigabitsPerSecond(10)))
    guard case .lowerBound(let bound) = OracleBound.search(tight, budget: 100) else { return }
    #expect(bound == tight.makespanBound)
  }

  @Test("layers rank by tensor, or by first use where an operation has none")
  func layers() throws {
    let profile = LayerProfile.chain(
      name: "chain",
      (0..<4).map {
        ("\($0)", GraphFixtures.steps(1), GraphFixtures.steps(1), .bytes($0 == 1 ? 0 : 1))
      })
    let graph = try profile.graph(.training, channel: GraphFixtures.channel)
    let names = GraphFixtures.names(graph, .layer(graph))
    #expect(
      names == ["receive 0", "send 0", "receive 2", "send 2", "receive 3", "send 3"])
    let figure = try GraphFixtures.figure4a()
    #expect(GraphFixtures.names(figure, .layer(figure)) == ["A", "B"])
  }
}
