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
    // Chunks of 2 to 8 MB, 2(n - 1) steps: a store-and-forward packet of 1.2 us a step, and for the
    // windows that begin at ten packets a few round trips.
    #expect(abs(times[2] / times[1] - 1) < 0.02, "\(times)")
  }
}
