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
        for size in [0, 1, 5, 12_345, Int64(ranks * 999), Int64(ranks * 999 + 1), 1 << 20] {
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
        // The payload is cut for the largest power of two, 64 or 128 or 256.
        let isAnswered =
          kind == .ring || kind == .tree
          || kind == .halvingDoubling && size % 256 == 0
        #expect((symmetric != nil) == (ranks == 256 || isAnswered))
      }
    }
    for size in [Int64(ranks * 4096), Int64(ranks * 7 + 3), 11] {
      let (symmetric, followed) = try times(
        CollectiveAlgorithm(.ring), .allReduce, .flow, ranks: ranks, size: size)
      #expect(symmetric?.time == followed.time)
    }
  }

  /// Sizes that leave remainders of every kind, so that large blocks are anywhere.
  @Test(
    "blocks that differ by a byte are as slow as the largest, event by event",
    arguments: [
      CollectiveAlgorithm.Kind.ring, .halvingDoubling, .recursiveDoubling, .bruck, .hierarchical,
      .tree, .pairwise,
    ])
  func uneven(_ kind: CollectiveAlgorithm.Kind) throws {
    var random = RandomStream(seed: 11, purpose: RandomPurpose("uneven blocks"))
    var answered = 0
    for operation in CollectiveAlgorithm(kind).operations where operation != .allToAllV {
      for ranks in 2...33 {
        var algorithm = CollectiveAlgorithm(kind)
        if kind == .hierarchical {
          guard let factor = [4, 3, 2].first(where: { ranks % $0 == 0 }) else { continue }
          algorithm.factors = [factor, ranks / factor]
        }
        for model in [NetworkModelKind.alphaBeta, .flow] {
          let size = Int64(random.index(below: 40 * ranks))
          // A latency of 1.3 us keeps messages apart; a sum takes longer than a message.
          let rate = random.index(below: 2) == 0 ? nil : Bandwidth.gigabytesPerSecond(0.3)
          let (symmetric, followed) = try times(
            algorithm, operation, model, ranks: ranks, size: size, rate: rate)
          guard let symmetric else { continue }
          answered += 1
          #expect(
            symmetric.time == followed.time, "\(kind) \(operation) \(model) \(ranks) \(size)")
        }
      }
    }
    #expect(answered >= (kind == .pairwise ? 1 : 10), "\(answered) times by symmetry")
  }

  @Test("without latency unequal blocks meet at ranks whose neighbours change, and are followed")
  func meeting() throws {
    let link = LinkSpecification(bandwidth: .gigabitsPerSecond(7), latency: .zero)
    for (kind, isAnswered) in [(CollectiveAlgorithm.Kind.ring, true), (.halvingDoubling, false)] {
      for size in [Int64(1001), 4000, 4003] {
        let settings = NetworkSettings(model: .flow, transport: .ideal)
        var symmetric = SymmetricTiming(
          link: link, network: settings, operation: .allReduce,
          algorithm: CollectiveAlgorithm(kind))
        let followed = CollectiveTiming(
          topology: StarTopology(hosts: 8, link: link).makeTopology(), network: settings,
          operation: .allReduce, algorithm: CollectiveAlgorithm(kind))
        let time = try symmetric.time(size: .bytes(size), ranks: 8)
        if let time {
          #expect(try time.time == followed.time(size: .bytes(size), ranks: 8).time)
        }
        #expect((time != nil) == (isAnswered || size == 4000))
      }
    }
  }

  @Test(
    "a binomial broadcast, scatter or reduce on a star has log2 n rounds: its links are not shared")
  func binomial() throws {
    let message = SimDuration.nanoseconds(8000) + .nanoseconds(2600)
    for ranks in 2...33 {
      let log = Int.bitWidth - (ranks - 1).leadingZeroBitCount
      for model in [NetworkModelKind.alphaBeta, .flow] {
        let (symmetric, broadcast) = try times(
          CollectiveAlgorithm(.tree), .broadcast, model, ranks: ranks, size: 7000)
        #expect(broadcast.time == message * log && symmetric?.time == broadcast.time)
        if ranks & (ranks - 1) == 0 {
          let (symmetric, reduce) = try times(
            CollectiveAlgorithm(.tree), .reduce, model, ranks: ranks, size: 7000)
          #expect(reduce.time == message * log && symmetric?.time == reduce.time)
          // Halves of what is left: log2 n latencies and (n - 1)/n of the bytes.
          let (_, scatter) = try times(
            CollectiveAlgorithm(.tree), .scatter, model, ranks: ranks, size: Int64(ranks * 7000))
          #expect(
            scatter.time
              == .nanoseconds(2600) * log + .nanoseconds(8000) * (ranks - 1))
        }
        // With one chunk the children of a k-ary tree are served one after the other, too.
        let (_, star) = try times(
          CollectiveAlgorithm(.kAryTree, fanOut: ranks - 1), .broadcast, model, ranks: ranks,
          size: 7000)
        #expect(star.time == message * (ranks - 1))
      }
    }
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
    for model in [NetworkModelKind.alphaBeta, .flow] {
      var tree = SymmetricTiming(
        link: Self.link, network: NetworkSettings(model: model, transport: .ideal),
        operation: .allReduce, algorithm: CollectiveAlgorithm(.tree))
      let time = try #require(try tree.time(size: .bytes(7000), ranks: n)).time
      #expect(time == (.nanoseconds(8000) + .nanoseconds(2600)) * 40)
      // A gigabyte does not divide by 2^20: the largest block has 954 bytes.
      for kind in [CollectiveAlgorithm.Kind.ring, .halvingDoubling] {
        var uneven = SymmetricTiming(
          link: Self.link, network: NetworkSettings(model: model, transport: .ideal),
          operation: .allReduce, algorithm: CollectiveAlgorithm(kind))
        let time = try #require(try uneven.time(size: .bytes(1_000_000_000), ranks: n)).time
        if kind == .ring {
          let block = Bandwidth.gigabitsPerSecond(7).time(toSend: .bytes(954))
          #expect(time == (block + .nanoseconds(2600)) * (2 * (n - 1)))
        } else {
          #expect(time > .nanoseconds(2600) * 40 + .milliseconds(2285))
          #expect(time < .nanoseconds(2600) * 40 + .milliseconds(2286))
        }
      }
    }
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
