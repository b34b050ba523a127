import Collectives
import SimKernel
import Testing

@Suite("NCCL's tuning model")
struct NCCLTuningTests {
  private let tuning = NCCLTuning(
    interconnect: .nvlink, busBandwidth: .gigabytesPerSecond(120), channels: 10)

  @Test("latencies are base + steps * link: ring 2(n-1), tree 2(n/nodes-1) and 2 log2 nodes")
  func latencies() {
    func latency(_ isTree: Bool, _ transfer: NCCLTuning.Transfer, _ nodes: Int) -> Double {
      tuning.microseconds(
        .allReduce, isTree: isTree, transfer, bytes: 0, ranks: 8 * nodes, nodes: nodes) ?? -1
    }
    #expect(abs(latency(false, .simple, 1) - (8.4 + 14 * 3.4)) < 1e-9)
    #expect(abs(latency(true, .ll, 1) - (4.4 + 14 * 0.52)) < 1e-9)
    #expect(abs(latency(true, .ll128, 4) - (4.4 + 2 * (7 * 1.2 + 2 * 8.5))) < 1e-9)
    // Low latency costs 1.8 times as much within nodes if there are several.
    #expect(abs(latency(false, .ll, 2) - (3.6 + 28 * 0.47 * 1.8 + 2 * 2.7)) < 1e-9)
  }

  @Test("the slope is n/(2(n-1)) of the bus for Simple rings, half of 0.9 of it for trees")
  func bandwidths() {
    func slope(_ isTree: Bool, _ transfer: NCCLTuning.Transfer) -> Double {
      // Both sizes are beyond the correction of trees.
      let times = [Int64(1) << 30, 1 << 31].map {
        tuning.microseconds(
          .allReduce, isTree: isTree, transfer, bytes: $0, ranks: 8, nodes: 1)!
      }
      return Double(1 << 30) / (times[1] - times[0]) / 1000
    }
    #expect(abs(slope(false, .simple) - 120 * 8 / 14) < 1e-6)
    #expect(abs(slope(false, .ll) - 120 * 8 / 14 / 4) < 1e-6)
    #expect(abs(slope(false, .ll128) - 0.92 * 120 * 8 / 14) < 1e-6)
    #expect(abs(slope(true, .simple) - 0.9 * 120 / 2) < 1e-6)
    #expect(abs(slope(true, .ll) - 0.9 * 120 / 2 / 3.8) < 1e-6)
  }

  @Test(
    "small messages take a protocol of low latency, large ones Simple; trees where nodes are many")
  func choices() {
    for nodes in [1, 2, 4, 16, 64] {
      let ranks = 8 * nodes
      let small = tuning.choice(.allReduce, bytes: 64, ranks: ranks, nodes: nodes)
      #expect(small.transfer == .ll)
      #expect(small.isTree == (nodes > 1))
      let large = tuning.choice(.allReduce, bytes: 1 << 33, ranks: ranks, nodes: nodes)
      #expect(large.transfer == .simple && !large.isTree)
      // The choice is the fastest of all.
      for log in stride(from: 0, through: 32, by: 2) {
        let bytes = Int64(1) << log
        let choice = tuning.choice(.allReduce, bytes: bytes, ranks: ranks, nodes: nodes)
        func time(_ isTree: Bool, _ transfer: NCCLTuning.Transfer) -> Double {
          tuning.microseconds(
            .allReduce, isTree: isTree, transfer, bytes: bytes, ranks: ranks, nodes: nodes)!
        }
        let chosen = time(choice.isTree, choice.transfer)
        for isTree in [true, false] {
          for transfer in NCCLTuning.Transfer.allCases {
            #expect(chosen <= time(isTree, transfer))
          }
        }
      }
    }
  }

  @Test("LL128 is not used between GPUs on PCI, and only all-reduce has trees")
  func limits() {
    let pci = NCCLTuning(
      interconnect: .pci, busBandwidth: .gigabytesPerSecond(10), channels: 1)
    for log in 0...32 {
      let choice = pci.choice(.allReduce, bytes: 1 << log, ranks: 8, nodes: 1)
      #expect(choice.transfer != .ll128)
      #expect(!tuning.choice(.broadcast, bytes: 1 << log, ranks: 8, nodes: 1).isTree)
    }
  }

  @Test("auto names the algorithm and protocol it chose")
  func names() throws {
    func name(_ operation: CollectiveOperation, _ bytes: Int64) throws -> String {
      try CollectiveAlgorithm(.auto, tuning: tuning).makePlan(
        operation, shape: GroupShape(rankCount: 32, ranksPerHost: 8), size: .bytes(bytes)
      ).get().name
    }
    #expect(try name(.allReduce, 64) == "tree/ll")
    #expect(try name(.allReduce, 1 << 33) == "ring/simple")
    #expect(try name(.allGather, 1 << 30) == "ring/simple")
    // NCCL has no algorithm for it: the rule of MPI libraries stays.
    #expect(try name(.allToAll, 1 << 30) == "pairwise")
  }

  @Test("the profile is read with what NCCL would have found itself")
  func records() throws {
    func read(_ text: String) throws -> (CollectiveAlgorithm, Int) {
      let issues = IssueCollector()
      let algorithm = FieldReader.member(
        of: CollectiveAlgorithm.registry, try JSONNode.parse(text, origin: "test"),
        path: FieldPath(["algorithm"]), issues: issues)
      return (algorithm, issues.issues.count)
    }
    let (auto, none) = try read(
      #"{"kind": "auto", "profile": "nccl", "bus_bandwidth": "120 GB/s", "channels": 10}"#)
    #expect(none == 0 && auto.tuning == tuning)
    #expect(try read(#"{"kind": "auto", "profile": "nccl"}"#).1 == 1)
    #expect(try read(#"{"kind": "auto", "channels": 2}"#).1 == 1)
    #expect(try read(#"{"kind": "auto"}"#).0.tuning == nil)
  }
}
