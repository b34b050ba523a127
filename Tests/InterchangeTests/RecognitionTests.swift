import Foundation
import Interchange
import Testing

@Suite struct RecognitionTests {
  /// What the README of the shared traces says each folder holds; nil is refused.
  private static func expected(_ name: String) -> FileFormat? {
    let file = name.split(separator: "/").last.map(String.init) ?? name
    if file.hasPrefix("LICENSE") || file == "README.md" { return nil }
    if name.hasSuffix(".et") { return .chakra }
    if name.hasPrefix("chakra/") { return .chakraJSON }
    if name.hasPrefix("kineto-hta/") || file.hasPrefix("kineto_") || file.hasPrefix("worker") {
      return .kineto
    }
    if file == "resnet_kineto.json.gz" { return .kineto }
    if name.hasPrefix("pytorch-et-param/") || file.hasPrefix("pytorch_et") { return .pyTorchTrace }
    if name.hasSuffix(".goal") { return .goal }
    if name.hasSuffix(".yml") { return .analyticalNetwork }
    if name.contains("/ns3/") { return .logicalTopology }
    if name.contains("/remote_memory/") { return .remoteMemory }
    if name.contains("astra-sim/system/") { return .systemConfiguration }
    if name.hasSuffix(".topo") { return .htsimTopology }
    if name.hasSuffix(".cm") { return .htsimConnections }
    if name.hasPrefix("nccl-tests/ib_traffic") { return nil }
    if name.hasPrefix("nccl-tests/") { return .ncclTests }
    if name.hasPrefix("deepbench/") { return .deepBench }
    if name.hasPrefix("pipedream-profiles/") { return .pipeDream }
    if name.hasSuffix(".bk.log") { return .netAIBackward }
    if name.hasSuffix("cuda_vec_add.log") { return .vectorAdd }
    switch file {
    case "SimAI.conf": return .ns3Configuration
    case "busbw.yaml": return .busBandwidths
    case "microAllReduce.txt", "workload_analytical.txt": return .layerWorkload
    case let file where file.hasSuffix("_ratio.csv"): return .efficiencyTable
    default: return nil
    }
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason))
  func everySharedFileIsToldByItsContent() throws {
    let files = SharedTraces.files()
    #expect(files.count > 250)
    for name in files {
      let format: FileFormat?
      do throws(InterchangeError) {
        format = try FileFormat.recognise(path: SharedTraces.path(name))
      } catch {
        format = nil
        #expect(
          error.expected.contains("it understands: PyTorch profiler")
            || error.expected.contains("simnet "), "\(error)")
      }
      #expect(format == Self.expected(name), "\(name)")
    }
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason))
  func everySharedFileIsReadOrRefusedForAReason() throws {
    for name in SharedTraces.files() where Self.expected(name) != nil {
      let summary = try FileSummary(path: SharedTraces.path(name))
      #expect(!summary.facts.isEmpty && summary.text.split(separator: "\n").count >= 2)
      #expect(summary.json["format"]?.string == Self.expected(name)?.rawValue)
    }
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason))
  func tenDamagedCopiesOfEachTextAreRefusedWithALine() throws {
    let folder = try ScratchFolder()
    for name in [
      "simai/microAllReduce.txt", "simai/SimAI.conf", "simai/busbw.yaml", "simai/nic_ratio.csv",
      "astra-network-analytical/input/Switch.yml", "htsim/test.topo", "htsim/perm_16n_16c_2MB.cm",
      "deepbench/allreduce.csv", "pipedream-profiles/vgg16.graph.txt",
      "netai-training-bottleneck/vgg16.bk.log", "netai-training-bottleneck/cuda_vec_add.log",
      "astra-sim/system/native_collectives/Ring_4chunks.json",
      "astra-sim/network/ns3/sample_8nodes_1D.json",
      "astra-sim/remote_memory/analytical/no_memory_expansion.json",
      "goal-loggopsim/schedules/allreduce_ring-n4-d8.goal",
    ] {
      let format = try FileFormat.recognise(path: SharedTraces.path(name))
      var refused = 0
      for (number, copy) in damagedCopies(of: try SharedTraces.bytes(name)).enumerated() {
        let path = try folder.file("copy", copy)
        do {
          try Self.read(format, path)
          // A text cut at the end of a statement may be a shorter text; a stretch of control
          // characters is none.
          #expect(number < 5, "\(name) \(number)")
        } catch let error as InterchangeError {
          refused += 1
          let hasLine = error.path.split(separator: ":").dropFirst().contains { Int($0) != nil }
          #expect(hasLine || error.byteOffset != nil, "\(error)")
        }
      }
      #expect(refused >= 5, "\(name)")
    }
  }

  private static func read(_ format: FileFormat, _ path: String) throws {
    switch format {
    case .layerWorkload: _ = try LayerWorkload(path: path)
    case .ns3Configuration: _ = try NS3Configuration(path: path)
    case .busBandwidths: _ = try BusBandwidths(path: path)
    case .efficiencyTable: _ = try EfficiencyTable(path: path)
    case .analyticalNetwork: _ = try AnalyticalNetwork(path: path)
    case .htsimTopology: _ = try HTSimTopology(path: path)
    case .htsimConnections: _ = try HTSimConnections(path: path)
    case .deepBench: _ = try DeepBenchTable(path: path)
    case .pipeDream: _ = try PipeDreamGraph(path: path)
    case .netAIBackward: _ = try NetAIBackwardLog(path: path)
    case .vectorAdd: _ = try VectorAddLog(path: path)
    case .systemConfiguration: _ = try SystemConfiguration(path: path)
    case .logicalTopology: _ = try LogicalTopology(path: path)
    case .remoteMemory: _ = try RemoteMemoryConfiguration(path: path)
    case .goal: _ = try TraceGraph(goal: path)
    default: Issue.record("no such format")
    }
  }

  @Test func unknownContentListsWhatIsUnderstood() throws {
    let folder = try ScratchFolder()
    for text in ["hello", "{\"a\": 1}", "\u{1}\u{2}\u{3}", "[1, 2]"] {
      let path = try folder.file("x", Array(text.utf8))
      let error = #expect(throws: InterchangeError.self) {
        _ = try FileFormat.recognise(path: path)
      }
      _ = error
    }
    #expect(throws: InterchangeError.self) {
      _ = try FileFormat.recognise(path: folder.path("none"))
    }
    #expect(throws: InterchangeError.self) {
      _ = try FileFormat.recognise(path: try folder.file("empty", []))
    }
  }

  @Test func aFolderOfArraysIsOneGradient() throws {
    let folder = try ScratchFolder()
    for name in ["grad_10.npy", "grad_2.npy"] {
      _ = try folder.file(
        name,
        npy(
          "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n",
          [UInt8](repeating: 0, count: 8)))
    }
    let summary = try FileSummary(path: folder.path)
    #expect(summary.format == .npyFolder)
    #expect(summary.json["tensors"]?.number == 2 && summary.json["elements"]?.number == 4)
  }
}
