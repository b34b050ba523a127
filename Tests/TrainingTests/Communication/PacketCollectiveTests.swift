import Collectives
import Networks
import SimKernel
import Testing
import Training

/// Collectives over packets, against the models without packets.
@Suite struct PacketCollectiveTests {
  @Test(
    "a ring all-reduce takes as long under all models, up to headers and the first packet",
    arguments: ["fixed", "reno", "dctcp", "dcqcn", "ndp"], [2, 4, 8])
  func ring(control name: String, ranks: Int) throws {
    let control = FieldReader.placeholder(of: CongestionControl.registry[name]!)
    let packet = PacketSettings(congestionControl: control)
    // The fluid models have the packets' headers as goodput.
    let transport = Transport(name: "headers", goodput: packet.payloadShare)
    let times = try [NetworkModelKind.alphaBeta, .flow, .packet].map { model in
      try CollectiveTiming(
        topology: Lab.star(ranks, .gigabitsPerSecond(10), latency: us(1)),
        network: NetworkSettings(model: model, transport: transport, packet: packet),
        operation: .allReduce, algorithm: CollectiveAlgorithm.named("ring")!, reductionRate: nil
      ).time(size: ByteCount(16_000_000), ranks: ranks).time.seconds
    }
    #expect(times[0] == times[1])
    // Acknowledgements of 84 bytes for each packet of 1538 share the links with the data of the next
    // rank, and NDP's pulls are as many again. Beyond that 1 %: a packet stored and forwarded each of
    // 2(n - 1) steps, and round trips of windows that begin at ten packets.
    let share = (name == "ndp" ? 168.0 : 84) / 1538
    #expect(abs(times[2] / times[1] - 1 - share) < 0.01, "\(times)")
  }
}
