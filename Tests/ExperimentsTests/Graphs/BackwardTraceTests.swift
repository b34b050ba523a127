import Experiments
import Foundation
import SimKernel
import Testing
import Training

/// The measurements of Zhang et al.
///
/// (NetAI 2020) and what was computed from them.
@Suite("recorded backward passes")
struct BackwardTraceTests {
  private static let folder = "netai-training-bottleneck/"

  @Test(
    "the recorded passes have their events, bytes, times and flushes",
    arguments: [
      ("resnet50", 161, 102_228_128, 64.807, 12), ("resnet101", 314, 178_196_640, 106.407, 20),
      ("vgg16", 58, 553_463_968, 111.620, 15),
    ] as [(String, Int, Int64, Double, Int)])
  func contents(name: String, events: Int, bytes: Int64, milliseconds: Double, flushes: Int) throws
  {
    guard let path = SharedTraces.path(Self.folder + name + ".bk.log") else { return }
    let replay = try BackwardTraceFile.readBackward(path)
    #expect(replay.gradients.count == events)
    #expect(replay.size(of: 0..<events) == .bytes(bytes))
    #expect((replay.backward.seconds * 1e3 - milliseconds).magnitude < 0.001)
    #expect(replay.fused().count == flushes)
  }

  @Test(
    "MG-WFBP on ResNet-50 exposes what the reference computed, in as many messages",
    arguments: [
      ("C1", 9.72e-4, 1.97e-9, 293.63, 202.36, 144.22, 2),
      ("C2", 9.08e-4, 7.4e-10, 157.58, 76.56, 19.25, 3),
      ("C3", 2.36e-4, 4.06e-10, 15.25, 41.74, 0.25, 31),
    ])
  func merging(
    name: String, a: Double, b: Double, waitFree: Double, single: Double, merged: Double,
    count: Int
  ) throws {
    guard let path = SharedTraces.path(Self.folder + "resnet50.bk.log") else { return }
    let replay = try BackwardTraceFile.readBackward(path)
    let cost = TransferCost(startup: .seconds(a), picosecondsPerByte: b * 1e12)
    func exposed(_ messages: [Range<Int>]) -> Double {
      replay.exposedCommunication(messages, cost: cost.time).seconds * 1e3
    }
    let messages = replay.mgWFBP(cost)
    #expect((exposed(replay.waitFree) - waitFree).magnitude < 0.005)
    #expect((exposed(replay.oneMessage) - single).magnitude < 0.005)
    #expect((exposed(messages) - merged).magnitude < 0.005)
    #expect(messages.count == count)
    #expect(exposed(replay.leastExposed(cost)) <= exposed(messages))
    // The same through the graph.
    var run = GraphRun(try replay.graph(messages, cost: cost.time))
    let makespan = run.run(GraphRun.stream(seed: 1)).makespan
    #expect(((makespan - replay.backward).seconds * 1e3 - merged).magnitude < 0.005)
  }

  @Test("ResNet-50 in C2 runs 1.939 times as fast merged as alone, 1.389 times as at once")
  func speedup() throws {
    guard let path = SharedTraces.path(Self.folder + "resnet50.bk.log") else { return }
    let replay = try BackwardTraceFile.readBackward(path)
    let cost = TransferCost(startup: .seconds(9.08e-4), picosecondsPerByte: 740)
    func iteration(_ messages: [Range<Int>]) -> Double {
      0.12808580 + replay.exposedCommunication(messages, cost: cost.time).seconds
    }
    let merged = iteration(replay.mgWFBP(cost))
    #expect((iteration(replay.waitFree) / merged - 1.939).magnitude < 0.001)
    #expect((iteration(replay.oneMessage) / merged - 1.389).magnitude < 0.001)
  }

  @Test(
    "the replayed scaling factors of ResNet-50 are those of the reference within 0.005",
    arguments: [
      (16, 1.0, [0.0798, 0.5718, 0.9702, 0.9983, 0.9987]),
      (64, 1, [0.0760, 0.5397, 0.9103, 0.9943, 0.9946]),
      (16, 2, [0.1530, 0.8693, 0.9984, 0.9986, 0.9988]),
      (64, 2, [0.1453, 0.8169, 0.9944, 0.9946, 0.9947]),
      (16, 5, [0.3394, 0.9984, 0.9987, 0.9988, 0.9989]),
      (64, 5, [0.3216, 0.9944, 0.9947, 0.9947, 0.9948]),
    ])
  func scaling(workers: Int, compression: Double, expected: [Double]) throws {
    for (gigabits, factor) in zip([1, 10, 25, 40, 100] as [Double], expected) {
      let found = try self.factor(workers, gigabits, compression)
      guard let found else { return }
      #expect((found - factor).magnitude < 0.005, "\(gigabits) Gbps: \(found)")
    }
  }

  @Test(
    "the replayed scaling factors at 10 Gbps without compression",
    arguments: [(2, 0.8492), (4, 0.6669), (8, 0.6015)])
  func uncompressed(workers: Int, expected: Double) throws {
    guard let found = try factor(workers, 10, 1) else { return }
    #expect((found - expected).magnitude < 0.005, "\(found)")
  }

  private func factor(_ workers: Int, _ gigabits: Double, _ compression: Double) throws -> Double? {
    guard let path = SharedTraces.path(Self.folder + "resnet50.bk.log"),
      let additions = SharedTraces.path(Self.folder + "cuda_vec_add.log")
    else { return nil }
    let replay = try BackwardTraceFile.readBackward(path)
    let cost = RingReplayCost(
      workers: workers, bandwidth: .gigabitsPerSecond(gigabits), compression: compression,
      addition: try BackwardTraceFile.readAdditions(additions))
    return RingReplayCost.scalingFactor(
      batch: .seconds(0.12808580),
      exposed: replay.exposedCommunication(replay.fused(), cost: cost.time))
  }

  @Test("a small pass is read, and faults are told with their lines")
  func files() throws {
    let path = NSTemporaryDirectory() + "simnet-backward-\(UUID().uuidString).log"
    defer { try? FileManager.default.removeItem(atPath: path) }
    func read(_ text: String) throws -> BackwardReplay {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      return try BackwardTraceFile.readBackward(path)
    }
    let replay = try read("explanation\n1\n2\n12.5,4000\n3,8\n")
    #expect(replay.gradients.map(\.size) == [.bytes(4000), .bytes(8)])
    #expect(replay.backward == .microseconds(15.5))
    for (text, line) in [
      ("", 1), ("x\n1\n2\n1,1", 3), ("x\n1\n2\n1,1\n", 5), ("x\n1\n1\n1;1\n", 4),
      ("x\n1\n1\n-1,1\n", 4),
    ] {
      do {
        _ = try read(text)
        Testing.Issue.record("accepted: \(text)")
      } catch let error as InvalidInput {
        #expect("\(error)".contains(":\(line):1"), "\(error)")
      }
    }
    try Data("1,2\n1,3\n".utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: InvalidInput.self) { try BackwardTraceFile.readAdditions(path) }
    #expect(throws: InputError.self) { try BackwardTraceFile.readBackward(path + ".missing") }
  }
}
