import Collectives
import Networks
import SimKernel
import Testing
import Training

/// Streams of slots through one switch, on links that are shared.
@Suite struct InNetworkTimingTests {
  private func time(
    _ network: NetworkSettings, slots: Int, bytes: Int64, workers: Int = 4,
    latency: SimDuration = .microseconds(1)
  ) throws -> SimDuration {
    // 1,000 B in a microsecond.
    let link = LinkSpecification(bandwidth: .gigabitsPerSecond(8), latency: latency)
    return try CollectiveTiming(
      topology: StarTopology(hosts: workers, link: link).makeTopology(), network: network,
      operation: .allReduce,
      algorithm: CollectiveAlgorithm(.inNetwork, slots: slots, slotSize: .bytes(1000))
    ).time(size: .bytes(bytes), ranks: workers).time
  }
  private func settings(_ model: NetworkModelKind) -> NetworkSettings {
    NetworkSettings(model: model, transport: .ideal)
  }

  @Test(
    "a pool that holds a round trip streams: (K + 1) D + 2 alpha",
    arguments: [NetworkModelKind.flow, .loggp])
  func streams(_ model: NetworkModelKind) throws {
    for slots in [8, 16, 64] {
      for workers in [2, 4, 9] {
        let found = try time(settings(model), slots: slots, bytes: 60_000, workers: workers)
        #expect(found == .microseconds(61 + 2))
      }
    }
  }

  @Test(
    "a pool that does not is a round trip a pool: each slot goes again when its sum is back",
    arguments: [NetworkModelKind.flow, .loggp])
  func waits(_ model: NetworkModelKind) throws {
    for slots in [1, 2, 4, 6] {
      // 2 (10 + 1) us there and back, more than 6 us of packets.
      let found = try time(
        settings(model), slots: slots, bytes: 12_000, latency: .microseconds(10))
      let pools = 12 / slots
      #expect(found == .microseconds(Double(22 * pools + slots - 1)))
    }
  }

  @Test("more slots never take longer, and many take S/B and a round trip")
  func moreSlots() throws {
    var last = SimDuration.unbounded
    for slots in [1, 4, 16, 64, 256, 1024, 1 << 20] {
      let found = try time(settings(.flow), slots: slots, bytes: 1_000_000)
      // Batches of several packets take longer to pass a hop than one.
      #expect(found <= last.scaled(by: 1.02))
      last = found
    }
    #expect(last >= .microseconds(1003) && last <= .microseconds(1003 + 20))
  }

  @Test("a switch has no CPU and no port that messages of two workers share")
  func switches() throws {
    var network = settings(.loggp)
    network.loggp = LogGPSettings(common: .init(gap: .microseconds(1)))
    // A worker rests a microsecond after each packet, which costs as much as one; the switch never.
    for workers in [2, 16] {
      let found = try time(network, slots: 64, bytes: 60_000, workers: workers)
      #expect(found <= .microseconds(2 * 60 + 4))
      #expect(found >= .microseconds(2 * 60))
    }
  }
}
