import Collectives
import Networks
import SimKernel
import Testing
import Training

@Suite struct CollectiveTimingTests {
  static func timing(
    _ operation: CollectiveOperation, _ algorithm: String, hosts: Int, gbps: Double = 10,
    latency: Int64 = 10, model: NetworkModelKind = .flow, rate: Bandwidth? = nil
  ) -> CollectiveTiming {
    CollectiveTiming(
      topology: Lab.star(hosts, .gigabitsPerSecond(gbps), latency: us(latency)),
      network: NetworkSettings(model: model, transport: .ideal), operation: operation,
      algorithm: CollectiveAlgorithm.named(algorithm)!, reductionRate: rate)
  }

  @Test("a ring of 512 ranks moves 102.4 MB at 10 Gb/s and 2 x 10 us in 183.96 ms")
  func large() throws {
    // 2 * 511 steps of 200 kB: 160 us on the link and 20 us on the way.
    let result = try Self.timing(.allReduce, "ring", hosts: 512)
      .time(size: ByteCount(102_400_000), ranks: 512)
    #expect(isClose(result.time, .nanoseconds(183_960_000), within: 1022))
    #expect(result.algorithm == "ring")
  }

  @Test("bus bandwidth is the algorithm's times the share a link must carry", arguments: [2, 3, 8])
  func busBandwidth(ranks: Int) throws {
    let n = Double(ranks)
    for (operation, factor) in [
      (CollectiveOperation.allReduce, 2 * (n - 1) / n), (.reduceScatter, (n - 1) / n),
      (.allGather, (n - 1) / n), (.broadcast, 1), (.allToAll, (n - 1) / n),
      (.scatter, (n - 1) / n), (.gather, (n - 1) / n),
    ] {
      let size = ByteCount(24_000_000)
      let algorithm =
        switch operation {
        case .allToAll: "pairwise"
        case .scatter, .gather: "direct"
        default: "ring"
        }
      let result = try Self.timing(operation, algorithm, hosts: ranks, latency: 0)
        .time(size: size, ranks: ranks)
      #expect(result.size == size)
      #expect(abs(result.algorithmBandwidth - 24e6 / result.time.seconds) < 1)
      #expect(abs(result.busBandwidth - factor * result.algorithmBandwidth) < 1)
      // Without latency these keep every link (or the root's) busy, so the bus bandwidth is the line's; a
      // pipelined broadcast fills and drains.
      if operation != .broadcast { #expect(abs(result.busBandwidth / 1.25e9 - 1) < 1e-6) }
    }
  }

  @Test("an all-to-all-v takes as long as the links of the rank that sends or receives most")
  func unevenBlocks() throws {
    var timing = Self.timing(.allToAllV, "direct", hosts: 3, latency: 0)
    timing.shares = BlockSizes(
      rankCount: 3, sizes: [9, 0, 4, 8, 0, 0, 2, 6, 0].map { .bytes($0) })
    // The largest payload, 13 parts with the rank's own, has the size; 10 parts arrive at rank 0.
    let result = try timing.time(size: .bytes(13_000_000), ranks: 3)
    #expect(isClose(result.time, .milliseconds(8), within: 2))
    #expect(refusal { _ = try timing.time(size: .zero, ranks: 2) }.hasPrefix("--blocks: 3 lines"))
  }

  @Test("a switch that sums needs about half the time of a ring")
  func inNetwork() throws {
    // 2,048 batches of 8 KiB, each of 6.5536 us, one more to pass the switch, and two hops of 1 us.
    let size = ByteCount(2048 * 8192)
    let summed = try Self.timing(.allReduce, "in_network", hosts: 8, latency: 1)
      .time(size: size, ranks: 8)
    #expect(isClose(summed.time, .nanoseconds(6553.6) * 2049 + us(2), within: 2049))
    #expect(summed.algorithm == "in_network")
    let ring = try Self.timing(.allReduce, "ring", hosts: 8, latency: 1).time(size: size, ranks: 8)
    let ratio = summed.time.seconds / ring.time.seconds
    #expect(ratio > 0.55 && ratio < 0.62)
  }

  @Test("a barrier carries nothing and takes ceil(log2 n) latencies")
  func barrier() throws {
    let result = try Self.timing(.barrier, "auto", hosts: 5).time(size: .megabytes(1), ranks: 5)
    #expect(result.time == us(60) && result.size == .zero && result.busBandwidth == 0)
    #expect(result.algorithm == "dissemination")
  }

  @Test("summing costs one chunk's reduction a step of reduce-scatter")
  func reduction() throws {
    let size = ByteCount(1_000_000)
    let plain = try Self.timing(.allReduce, "ring", hosts: 4).time(size: size, ranks: 4).time
    let rate = Bandwidth.gigabytesPerSecond(5)
    let summed = try Self.timing(.allReduce, "ring", hosts: 4, rate: rate)
      .time(size: size, ranks: 4).time
    #expect(isClose(summed, plain + us(50) * 3, within: 16))
  }

  @Test("auto takes few steps for small messages and little traffic for large ones")
  func automatic() throws {
    let timing = Self.timing(.allReduce, "auto", hosts: 16)
    #expect(try timing.time(size: ByteCount(1000), ranks: 16).algorithm == "recursive_doubling")
    #expect(try timing.time(size: ByteCount(10_000_000), ranks: 16).algorithm == "ring")
    // 2 log2 n steps against 2(n - 1).
    let ring = Self.timing(.allReduce, "ring", hosts: 16)
    let small = ByteCount(1000)
    #expect(
      try timing.time(size: small, ranks: 16).time < ring.time(size: small, ranks: 16).time)
  }

  @Test("one rank, or no bytes between two, cost next to nothing")
  func small() throws {
    let one = try Self.timing(.allReduce, "ring", hosts: 2).time(size: .megabytes(1), ranks: 1)
    #expect(one.time == .zero && one.algorithmBandwidth == 0 && one.busBandwidth == 0)
    let none = try Self.timing(.allReduce, "ring", hosts: 2).time(size: .zero, ranks: 2)
    #expect(none.time == us(40))
  }

  @Test("what cannot be timed is refused")
  func refusals() {
    let timing = Self.timing(.allReduce, "ring", hosts: 4)
    for ranks in [0, 5] {
      #expect(
        refusal { _ = try timing.time(size: .megabytes(1), ranks: ranks) }
          == "--ranks: \(ranks) ranks do not fit star(4), which has 4 accelerators")
    }
    let bruck = Self.timing(.allReduce, "bruck", hosts: 4)
    #expect(
      refusal { _ = try bruck.time(size: .megabytes(1), ranks: 4) }.hasPrefix("--algorithm: "))
  }
}
