import Networks
import SimKernel
import Testing

@Suite struct PacketIncastTests {
  private static let link = LinkSpecification(
    bandwidth: .gigabitsPerSecond(10), latency: .microseconds(1))

  private func incast(
    _ senders: Int, _ bytes: Int64, _ settings: PacketSettings
  ) -> (ratio: Double, outcome: PacketOutcome) {
    let topology = StarTopology(hosts: senders + 1, link: Self.link).makeTopology()
    let requests = (1...senders).map { request(topology, $0, 0, bytes) }
    let outcome = runPackets(requests, on: topology, settings)
    return (Double(outcome.last) / Double(Int64(senders) * bytes * 800), outcome)
  }

  @Test("64 senders of 10 MB end within 10 % of 512 ms when the receiver pulls")
  func pulled() {
    let topology = FatTreeTopology(k: 8, link: Self.link).makeTopology()
    let requests = (1...64).map { request(topology, $0 * 127 / 64, 0, 10_000_000) }
    let settings = PacketSettings(congestionControl: .ndp(.init()))
    let outcome = runPackets(requests, on: topology, settings)
    #expect(outcome.last > 512_000_000_000 && outcome.last < 563_200_000_000)
    #expect(outcome.counters.timeouts == 0)
    #expect(outcome.drops == 0 && outcome.counters.trimmed > 0)
  }

  @Test("64 senders of 256 kB collapse under plain TCP and not under marks or pulls")
  func collapse() {
    // Phanishayee et al., FAST 2008: blocks of 256 kB, small buffers, a time-out of 200 ms.
    let small = ByteCount.bytes(64 * 1538)
    let reno = incast(
      64, 256_000, .init(buffer: small, congestionControl: .reno(.init())))
    // A tenth of the link or less: the tail waits for time-outs.
    #expect(reno.ratio > 10 && reno.outcome.counters.timeouts > 0)
    let marked = incast(
      64, 256_000,
      .init(
        buffer: .bytes(700_000), marking: .init(from: .bytes(30_000), to: .bytes(30_000)),
        congestionControl: .dctcp(.init())))
    #expect(marked.ratio < 2)
    let pulled = incast(64, 256_000, .init(congestionControl: .ndp(.init())))
    #expect(pulled.ratio < 1.15)
  }

  @Test("marks keep the queue near their threshold where plain TCP fills the buffer")
  func queueLength() {
    let reno = incast(2, 20_000_000, .init(congestionControl: .reno(.init())))
    let dctcp = incast(2, 20_000_000, .init(congestionControl: .dctcp(.init())))
    #expect(reno.outcome.highWater > 690_000)
    // Slow start overshoots once.
    #expect(dctcp.outcome.highWater < 400_000 && dctcp.outcome.counters.marked > 0)
    #expect(dctcp.outcome.drops == 0 && dctcp.ratio < 1.1)
  }

  @Test("notifications slow senders down before they are paused")
  func rates() {
    let settings = PacketSettings(pause: .init(), congestionControl: .dcqcn(.init()))
    let four = incast(4, 20_000_000, settings)
    #expect(four.outcome.counters.retransmitted == 0 && four.outcome.counters.marked > 0)
    #expect(four.ratio < 1.25, "\(four.ratio)")
    let unmarked = incast(
      4, 20_000_000,
      .init(
        marking: .init(from: .megabytes(1000), to: .megabytes(1000)), pause: .init(),
        congestionControl: .dcqcn(.init())))
    #expect(unmarked.outcome.counters.pauses > four.outcome.counters.pauses)
  }
}
