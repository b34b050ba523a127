import SimKernel
import Testing
import Training

@Suite("merged gradients")
struct MergingTests {
  private static let rules: [(String, @Sendable (BackwardReplay) -> [Range<Int>])] = [
    ("wait-free", { $0.waitFree }), ("one message", { $0.oneMessage }),
    ("mg_wfbp", { $0.mgWFBP(cost) }),
    ("least exposed", { $0.leastExposed(cost) }),
    ("fused", { $0.fused(threshold: .bytes(20), cycle: .microseconds(9)) }),
  ]
  private static let cost = TransferCost(
    startup: .microseconds(5), picosecondsPerByte: 1_000_000)

  private func random(_ count: Int, _ seed: UInt64) -> BackwardReplay {
    var stream = RandomStream(seed: seed, purpose: RandomPurpose("merging"))
    return BackwardReplay(
      (0..<count).map { _ in
        .init(
          wait: .microseconds(Double(stream.index(below: 8))),
          size: .bytes(Int64(stream.index(below: 9))))
      })
  }

  @Test("four gradients: the rule by hand")
  func byHand() {
    // Ready at 2, 4, 12 and 13; a = 5, a byte takes 1. The second is ready 2 < 5 after the first could
    // start: merged, start 4, ends 4 + 5 + 2 = 11; 12 - 4 = 8 is no less than 5. The third could start
    // at 12, the fourth is ready 1 later: merged.
    let replay = BackwardReplay(
      [2, 2, 8, 1].map { .init(wait: .microseconds($0), size: .bytes(1)) })
    let messages = replay.mgWFBP(Self.cost)
    #expect(messages == [0..<2, 2..<4])
    // 13 + 5 + 2 = 20, backward ends at 13.
    #expect(
      replay.exposedCommunication(messages, cost: Self.cost.time) == .microseconds(7))
    // Alone: 2..8, 8..14, 14..20, 20..26.
    #expect(
      replay.exposedCommunication(replay.waitFree, cost: Self.cost.time) == .microseconds(13))
    #expect(
      replay.exposedCommunication(replay.oneMessage, cost: Self.cost.time) == .microseconds(9))
  }

  @Test("without a start-up cost nothing is merged that does not wait")
  func free() {
    let replay = BackwardReplay(
      (0..<9).map { _ in .init(wait: .microseconds(4), size: .bytes(3)) })
    let free = TransferCost(startup: .zero, picosecondsPerByte: 1_000_000)
    #expect(replay.mgWFBP(free) == replay.waitFree)
  }

  @Test("rules cut all gradients, and their graphs run as long as their formula says")
  func graphs() throws {
    for count in [0, 1, 2, 3, 20, 60] {
      let replay = random(count, UInt64(count))
      for (name, rule) in Self.rules {
        let messages = rule(replay)
        #expect(messages.flatMap { Array($0) } == Array(0..<count), "\(name), \(count)")
        let exposed = replay.exposedCommunication(messages, cost: Self.cost.time)
        let graph = try replay.graph(messages, cost: Self.cost.time)
        let makespan = GraphFixtures.run(graph).makespan
        #expect(makespan == replay.backward + exposed, "\(name), \(count)")
      }
    }
  }

  /// All cuts of `count` gradients into messages.
  private func cuts(_ count: Int) -> [[Range<Int>]] {
    (0..<(1 << max(0, count - 1))).map { mask in
      var messages: [Range<Int>] = []
      var first = 0
      for index in 0..<count where index == count - 1 || mask >> index & 1 == 1 {
        messages.append(first..<(index + 1))
        first = index + 1
      }
      return messages
    }
  }

  @Test("the least exposed cut is the best of all; MG-WFBP beats alone and at once, not always it")
  func best() {
    var isBeaten = false
    for seed in 0..<100 as Range<UInt64> {
      let replay = random(Int(seed % 10), seed)
      func exposed(_ messages: [Range<Int>]) -> SimDuration {
        replay.exposedCommunication(messages, cost: Self.cost.time)
      }
      let least = exposed(replay.leastExposed(Self.cost))
      #expect(least == cuts(replay.gradients.count).map(exposed).min(), "seed \(seed)")
      let merged = exposed(replay.mgWFBP(Self.cost))
      #expect(merged <= exposed(replay.waitFree), "seed \(seed)")
      #expect(merged <= exposed(replay.oneMessage), "seed \(seed)")
      #expect(merged >= least, "seed \(seed)")
      isBeaten = isBeaten || merged > least
    }
    #expect(isBeaten)
  }

  @Test("a buffer is sent when it is old or full, with the gradient that made it so")
  func fusion() {
    let replay = BackwardReplay(
      [(2, 1), (3, 1), (1, 30), (1, 70), (1, 100), (2, 5), (2, 5)].map {
        .init(wait: .milliseconds($0.0), size: .mebibytes($0.1))
      })
    // 5 ms; 100 MiB after 2 ms; 100 MiB at once; the rest.
    #expect(replay.fused() == [0..<2, 2..<4, 4..<5, 5..<7])
    #expect(
      replay.fused(threshold: .mebibytes(1000), cycle: .milliseconds(100)) == [0..<7])
    #expect(replay.fused(threshold: .bytes(1)) == replay.waitFree)
  }

  @Test("gradients of tensors come in the order they become ready")
  func tensors() {
    let replay = BackwardReplay(
      sizes: [.bytes(1), .bytes(2), .bytes(3)],
      readyOffsets: [.microseconds(9), .microseconds(4), .microseconds(4)])
    #expect(replay.gradients.map(\.size) == [.bytes(3), .bytes(2), .bytes(1)])
    #expect(
      replay.gradients.map(\.wait) == [.microseconds(4), .zero, .microseconds(5)])
    #expect(replay.backward == .microseconds(9))
  }

  @Test("costs of all-reduces follow the paper's table", arguments: [1, 2, 3, 8, 64])
  func costs(workers: Int) {
    let n = Double(workers)
    let steps = [1: 0, 2: 1, 3: 2, 8: 3, 64: 6][workers]!
    let expected: [TransferCost.AllReduce: (Int, Double)] = [
      .ring: (2 * (workers - 1), 2 * (n - 1) / n * 800 + (n - 1) / n * 10),
      .recursiveDoubling: (steps, 810 * Double(steps)),
      .halvingDoubling: (2 * steps, workers == 1 ? 0 : 1600 - 1610 / n + 10),
      .binaryTree: (2 * steps, 1610 * Double(steps)),
      .doubleBinaryTree: (2 * steps, workers == 1 ? 0 : 810),
    ]
    for algorithm in TransferCost.AllReduce.allCases {
      let cost = TransferCost.allReduce(
        algorithm, workers: workers, latency: .microseconds(3), picosecondsPerByte: 800,
        additionPerByte: 10)
      #expect(cost.startup == .microseconds(3) * expected[algorithm]!.0)
      #expect((cost.picosecondsPerByte - expected[algorithm]!.1).magnitude < 1e-9)
    }
  }

  @Test("interpolated times are exact at the points, straight between, flat beyond")
  func interpolation() {
    let times = InterpolatedTimes([(10, 1), (20, 3), (40, 2)])
    let expected: [(Double, Double)] = [
      (0, 1), (10, 1), (15, 2), (20, 3), (30, 2.5), (40, 2), (100, 2),
    ]
    for (size, seconds) in expected { #expect(times.seconds(at: size) == seconds) }
    let cost = RingReplayCost(
      workers: 4, bandwidth: .gigabitsPerSecond(8), compression: 2, addition: times)
    // 2 x 40 B x 3/4 / 1 GB/s / 2 = 30 ns and 3 additions of 10 B.
    #expect(cost.time(.bytes(40)) == .nanoseconds(30) + .seconds(3))
  }
}
