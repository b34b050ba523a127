import Collectives
import SimKernel
import Testing

@Suite("The structure of plans")
struct PlanStructureTests {
  @Test("an implicit plan is its stored copy", arguments: PlanCase.all)
  func implicitIsStored(_ planCase: PlanCase) throws {
    for shape in planCase.shapes {
      let plan = try planCase.plan(shape, root: shape.rankCount / 2)
      let stored = plan.stored()
      #expect(plan.stepCount == stored.stepCount)
      for index in 0..<plan.stepCount {
        #expect(plan.step(index) == stored.step(index))
        #expect(plan.departureDependencies(of: index) == stored.departureDependencies(of: index))
        #expect(
          plan.applicationDependencies(of: index) == stored.applicationDependencies(of: index))
        // Stored successors are found by inverting dependencies, implicit ones by formula.
        #expect(
          plan.successors(of: index) == stored.successors(of: index), "\(plan.name) \(index)")
      }
    }
  }

  @Test("steps stay in range, and dependencies end where they matter", arguments: PlanCase.all)
  func wellFormed(_ planCase: PlanCase) throws {
    for shape in planCase.shapes {
      let plan = try planCase.plan(shape)
      for index in 0..<plan.stepCount {
        let step = plan.step(index)
        #expect(step.source != step.destination)
        #expect((0..<plan.rankCount).contains(step.source.index))
        #expect((0..<plan.rankCount).contains(step.destination.index))
        if plan.operation == .barrier {
          #expect(step.chunks.isEmpty)
        } else {
          #expect((0..<Int32(plan.chunkCount)).contains(step.chunks.lowerBound))
          #expect((1...plan.chunkCount).contains(step.chunks.count))
          #expect(step.chunks.contains { step.carries(Int($0)) })
        }
        for dependency in plan.departureDependencies(of: index) {
          let earlier = plan.step(dependency)
          #expect(earlier.destination == step.source || earlier.source == step.source)
        }
        for dependency in plan.applicationDependencies(of: index) {
          #expect(plan.step(dependency).destination == step.destination)
        }
        #expect(
          plan.dependencies(of: index).allSatisfy { plan.successors(of: $0).contains(index) })
      }
    }
  }

  @Test("the textbook ring: rank r sends chunk r - k to r + 1 in round k, after it arrived")
  func textbookRing() throws {
    for n in 1...9 {
      let plan = try CollectiveAlgorithm(.ring).makePlan(
        .allReduce, shape: GroupShape(rankCount: n), size: .megabytes(1)
      ).get()
      var builder = PlanBuilder()
      for round in 0..<2 * (n - 1) {
        for rank in 0..<n {
          let chunk = Int32((rank - round + 2 * n) % n)
          builder.append(
            PlanStep(
              source: RankID(rank), destination: RankID((rank + 1) % n), chunks: chunk..<chunk + 1,
              action: round < n - 1 ? .reduce : .store),
            departsAfter: round == 0 ? [] : [(round - 1) * n + (rank + n - 1) % n],
            appliesAfter: round == 0 ? [] : [(round - 1) * n + rank])
        }
      }
      #expect(builder.count == plan.stepCount)
      let textbook = builder.plan(
        name: "textbook", operation: .allReduce, rankCount: n, chunkCount: n)
      for index in 0..<plan.stepCount {
        #expect(plan.step(index) == textbook.step(index))
        #expect(plan.dependencies(of: index) == textbook.dependencies(of: index))
      }
    }
  }

  @Test("every rank of a ring sends 2(n-1)/n of the payload, of half a ring (n-1)/n")
  func ringTraffic() throws {
    for n in 1...17 {
      let size = ByteCount(Int64(n) * 1000)
      let plan = try plan(.ring, .allReduce, n, size)
      #expect(plan.stepCount == 2 * (n - 1) * n)
      let half = try self.plan(.ring, .reduceScatter, n, size)
      #expect(half.stepCount == (n - 1) * n)
      for rank in 0..<n {
        #expect(traffic(plan, size)[rank] == Int64(2 * (n - 1) * 1000))
        #expect(traffic(half, size)[rank] == Int64((n - 1) * 1000))
      }
      // An all-gather passes on everybody else's payload once.
      let gather = try self.plan(.ring, .allGather, n, size)
      #expect(traffic(gather, size).allSatisfy { $0 == Int64(n - 1) * size.bytes })
    }
  }

  @Test("exchanges at distances of powers of two send what their papers say")
  func hypercubeTraffic() throws {
    for log in 0...4 {
      let n = 1 << log
      let size = ByteCount(Int64(n) * 960)
      let doubling = try plan(.recursiveDoubling, .allReduce, n, size)
      #expect(doubling.stepCount == n * log)
      #expect(traffic(doubling, size).allSatisfy { $0 == Int64(log) * size.bytes })
      let halving = try plan(.halvingDoubling, .allReduce, n, size)
      #expect(halving.stepCount == 2 * n * log)
      #expect(traffic(halving, size).allSatisfy { $0 == Int64(2 * (n - 1) * 960) })
      let scatter = try plan(.halvingDoubling, .reduceScatter, n, size)
      #expect(traffic(scatter, size).allSatisfy { $0 == Int64((n - 1) * 960) })
      for kind in [CollectiveAlgorithm.Kind.recursiveDoubling, .bruck, .direct] {
        let gather = try plan(kind, .allGather, n, size)
        #expect(traffic(gather, size).allSatisfy { $0 == Int64(n - 1) * size.bytes })
      }
    }
    for n in 2...17 {
      let rounds = Int.bitWidth - (n - 1).leadingZeroBitCount
      let bruck = try plan(.bruck, .allGather, n, .bytes(64))
      #expect(bruck.stepCount == n * rounds)
      #expect(traffic(bruck, .bytes(64)).allSatisfy { $0 == Int64(n - 1) * 64 })
      // Folding adds one message there and one back for each of n - 2^floor(log2 n) ranks.
      let power = 1 << (Int.bitWidth - 1 - n.leadingZeroBitCount)
      let folded = try plan(.recursiveDoubling, .allReduce, n, .bytes(64))
      #expect(
        folded.stepCount == power * power.trailingZeroBitCount + 2 * (n - power))
    }
  }

  @Test("trees, chains and direct exchanges have as many messages as they must")
  func messageCounts() throws {
    for n in 1...17 {
      #expect(try plan(.tree, .allReduce, n, .bytes(5)).stepCount == 2 * (n - 1))
      #expect(try plan(.tree, .reduce, n, .bytes(5)).stepCount == n - 1)
      #expect(try plan(.tree, .broadcast, n, .bytes(5)).stepCount == n - 1)
      #expect(try plan(.direct, .reduceScatter, n, .bytes(5)).stepCount == n * (n - 1))
      #expect(try plan(.direct, .allReduce, n, .bytes(5)).stepCount == 2 * n * (n - 1))
      let chain = try plan(.ring, .broadcast, n, .kibibytes(128 * 6))
      #expect(chain.chunkCount == (n == 1 ? 1 : 6))
      #expect(chain.stepCount == (n - 1) * chain.chunkCount)
    }
    #expect(try plan(.ring, .broadcast, 4, .megabytes(1_000_000)).chunkCount == 1024)
    #expect(try plan(.ring, .broadcast, 4, .zero).chunkCount == 1)
  }

  @Test("two levels: a host sends 2(H-1)/H of the payload to others, shared by its ranks")
  func twoLevelTraffic() throws {
    for (hosts, perHost) in [(1, 4), (4, 1), (2, 3), (4, 4), (3, 2)] {
      let n = hosts * perHost
      let size = ByteCount(Int64(n) * 1200)
      let plan = try CollectiveAlgorithm(.hierarchical).makePlan(
        .allReduce, shape: GroupShape(rankCount: n, ranksPerHost: perHost), size: size
      ).get()
      #expect(plan.stepCount == n * (2 * (perHost - 1) + 2 * (hosts - 1)))
      let sizes = plan.chunkSizes(of: size)
      var outside = Array(repeating: Int64(0), count: n)
      for index in 0..<plan.stepCount {
        let step = plan.step(index)
        if step.source.index / perHost != step.destination.index / perHost {
          outside[step.source.index] += step.chunks.reduce(0) { $0 + sizes[Int($1)].bytes }
        }
      }
      let share = size.bytes / Int64(perHost)
      #expect(outside.allSatisfy { $0 == 2 * Int64(hosts - 1) * share / Int64(hosts) })
      #expect(
        traffic(plan, size).allSatisfy {
          $0 == outside[0] + 2 * Int64(perHost - 1) * size.bytes / Int64(perHost)
        })
    }
  }

  @Test("a ring of 4,096 ranks has 33.5 million steps, none of them stored")
  func largeRing() throws {
    let n = 4096
    let plan = try plan(.ring, .allReduce, n, .megabytes(100))
    #expect(plan.isImplicit && plan.stepCount == 2 * 4095 * 4096)
    let last = plan.stepCount - 1
    #expect(plan.step(last).source == RankID(4095) && plan.step(last).destination == RankID(0))
    #expect(plan.dependencies(of: last) == [last - n - 1, last - n])
    #expect(plan.successors(of: last).isEmpty)
  }

  private func plan(
    _ kind: CollectiveAlgorithm.Kind, _ operation: CollectiveOperation, _ n: Int, _ size: ByteCount
  ) throws -> Plan {
    try CollectiveAlgorithm(kind).makePlan(
      operation, shape: GroupShape(rankCount: n), size: size
    ).get()
  }

  /// The bytes every rank sends when all payloads have `size`.
  private func traffic(_ plan: Plan, _ size: ByteCount) -> [Int64] {
    let sizes = plan.chunkSizes(of: size).map(\.bytes)
    var sent = Array(repeating: Int64(0), count: plan.rankCount)
    for index in 0..<plan.stepCount {
      let step = plan.step(index)
      for chunk in step.chunks where step.carries(Int(chunk)) {
        sent[step.source.index] += sizes[Int(chunk) % sizes.count]
      }
    }
    return sent
  }
}
