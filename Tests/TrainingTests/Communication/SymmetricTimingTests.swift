import Collectives
import Networks
import SimKernel
import Testing
import Training

@Suite struct SymmetricTimingTests {
  static let link = LinkSpecification(
    bandwidth: .gigabitsPerSecond(7), latency: .nanoseconds(1_300))

  /// By symmetry and event by event.
  private func times(
    _ algorithm: CollectiveAlgorithm, _ operation: CollectiveOperation, _ model: NetworkModelKind,
    ranks: Int, size: Int64, rate: Bandwidth? = nil, transport: Transport = .ideal
  ) throws -> (CollectiveTiming.Result?, CollectiveTiming.Result) {
    let settings = NetworkSettings(model: model, transport: transport)
    var symmetric = SymmetricTiming(
      link: Self.link, network: settings, operation: operation, algorithm: algorithm,
      reductionRate: rate)
    let followed = CollectiveTiming(
      topology: StarTopology(hosts: ranks, link: Self.link).makeTopology(), network: settings,
      operation: operation, algorithm: algorithm, reductionRate: rate)
    return (
      try symmetric.time(size: .bytes(size), ranks: ranks),
      try followed.time(size: .bytes(size), ranks: ranks)
    )
  }

  private static let cases: [(CollectiveAlgorithm.Kind, CollectiveOperation)] =
    CollectiveAlgorithm.Kind.allCases.flatMap { kind in
      CollectiveAlgorithm(kind).operations.filter { $0 != .allToAllV }.map { (kind, $0) }
    }

  @Test(
    "what symmetry answers is what the events give, to the picosecond, for 1 to 64 ranks",
    arguments: cases)
  func small(_ kind: CollectiveAlgorithm.Kind, _ operation: CollectiveOperation) throws {
    for ranks in [1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 31, 32, 33, 64] {
      for model in [NetworkModelKind.alphaBeta, .flow] {
        // Some are multiples of the ranks, some leave chunks of two sizes, some leave empty ones.
        for size in [0, 5, 12_345, Int64(ranks * 999)] {
          for rate in [nil, Bandwidth.gigabytesPerSecond(1)] {
            let (symmetric, followed) = try times(
              CollectiveAlgorithm(kind), operation, model, ranks: ranks, size: size, rate: rate)
            guard let symmetric else { continue }
            #expect(
              symmetric.time == followed.time, "\(kind) \(operation) \(model) \(ranks) \(size)")
            #expect(symmetric.algorithm == followed.algorithm && symmetric.size == followed.size)
            #expect(symmetric.busBandwidth == followed.busBandwidth)
          }
        }
      }
    }
  }

  @Test("rings, trees and cubes of hundreds of ranks too", arguments: [100, 255, 256, 300])
  func hundreds(_ ranks: Int) throws {
    for kind in [CollectiveAlgorithm.Kind.ring, .tree, .halvingDoubling, .recursiveDoubling] {
      for size in [1000, Int64(ranks * 4096)] {
        let (symmetric, followed) = try times(
          CollectiveAlgorithm(kind), .allReduce, .alphaBeta, ranks: ranks, size: size,
          rate: .gigabytesPerSecond(3))
        if let symmetric { #expect(symmetric.time == followed.time) }
        let isAnswered = kind == .ring || kind == .tree || ranks == 256
        #expect(
          (symmetric != nil)
            == (isAnswered && (kind != .halvingDoubling || size % Int64(ranks) == 0)))
      }
    }
    let (symmetric, followed) = try times(
      CollectiveAlgorithm(.ring), .allReduce, .flow, ranks: ranks, size: Int64(ranks * 4096))
    #expect(symmetric?.time == followed.time)
  }

  @Test("a ring of 2^20 ranks takes 2(n-1)(2 alpha + S/(nB)), a tree 2 log n messages")
  func million() throws {
    let n = 1 << 20
    for model in [NetworkModelKind.alphaBeta, .flow] {
      var ring = SymmetricTiming(
        link: Self.link, network: NetworkSettings(model: model, transport: .ideal),
        operation: .allReduce, algorithm: CollectiveAlgorithm(.ring))
      // 7,000 B a chunk are 8 us.
      let time = try #require(try ring.time(size: .bytes(Int64(n) * 7000), ranks: n)).time
      #expect(time == (.nanoseconds(8000) + .nanoseconds(2600)) * (2 * (n - 1)))
    }
    var tree = SymmetricTiming(
      link: Self.link, network: NetworkSettings(model: .alphaBeta, transport: .ideal),
      operation: .allReduce, algorithm: CollectiveAlgorithm(.tree))
    let time = try #require(try tree.time(size: .bytes(7000), ranks: n)).time
    #expect(time == (.nanoseconds(8000) + .nanoseconds(2600)) * 40)
  }

  @Test("models with queues or overheads are followed event by event")
  func others() throws {
    for model in [NetworkModelKind.loggp, .packet] {
      var timing = SymmetricTiming(
        link: Self.link, network: NetworkSettings(model: model, transport: .ideal),
        operation: .allReduce, algorithm: CollectiveAlgorithm(.ring))
      #expect(try timing.time(size: .bytes(100), ranks: 4) == nil)
    }
  }
}
