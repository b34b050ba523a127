import SimKernel
import Testing
import Training

@Suite struct ExecutionSettingsTests {
  /// One tensor whose forward takes `forward` and backward `backward`.
  static func times(_ forward: SimDuration, _ backward: SimDuration) -> ComputeTimes {
    let evidence = Evidence(.overridden, "")
    return ComputeTimes(
      batch: 1, forward: forward, backward: backward, readyOffsets: [backward], optimizer: .zero,
      forwardEvidence: evidence, backwardEvidence: evidence, shapeEvidence: evidence,
      optimizerEvidence: evidence, warnings: [])
  }

  static func eager(_ dispatch: SimDuration, _ parts: Int) -> ExecutionSettings {
    ExecutionSettings(mode: .eager(dispatch: dispatch), operationsPerTensor: parts)
  }

  @Test("a chain of n operations takes n max(h, t) + min(h, t)", arguments: [1, 2, 3, 10, 1000])
  func chain(n: Int) {
    for (host, device) in [(5, 1), (1, 5), (3, 3), (0, 2), (7, 0)] as [(Int64, Int64)] {
      let times = Self.times(us(device) * n, .zero).executed(Self.eager(us(host), n))
      let exact = us(max(host, device)) * n + us(min(host, device))
      // Backward's operations take no time and wait for their dispatch.
      #expect(times.forward == (host == 0 ? us(device) * n : exact))
      #expect(times.forward + times.backward == max(exact, us(host) * (2 * n)))
    }
  }

  @Test("the ratio to staged execution goes to 1 for long operations and is 5 where t is h / 5")
  func ratio() {
    let staged = Self.times(us(100), us(200))
    let long = staged.executed(Self.eager(us(1), 4))
    #expect(long.step == staged.step + us(1))
    let short = staged.executed(Self.eager(us(125), 4))
    // Four operations of 25 us forward, four of 50 us backward.
    #expect(short.forward == us(4 * 125 + 25))
    #expect(short.step == us(8 * 125 + 50))
  }

  @Test(
    "ready times stay in order and staged execution changes nothing", arguments: [0, 1, 20, 400])
  func order(dispatch: Int64) throws {
    let model = try #require(ModelCatalog.table(named: "resnet50"))
    let device = try #require(DeviceCatalog.profile(named: "v100"))
    let plain = device.computeTimes(model: model, batch: 32, precision: .fp32)
    let eager = plain.executed(Self.eager(us(dispatch), 2))
    #expect(eager.readyOffsets[0] == eager.backward)
    #expect(zip(eager.readyOffsets, eager.readyOffsets.dropFirst()).allSatisfy { $0 >= $1 })
    #expect(eager.forward >= plain.forward)
    #expect(eager.step >= plain.step)
    #expect(eager.forward + eager.backward >= us(dispatch) * (4 * model.tensors.count))
    #expect(plain.executed(ExecutionSettings()).step == plain.step)
  }
}
