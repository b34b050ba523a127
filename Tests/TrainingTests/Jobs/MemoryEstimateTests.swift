import Compression
import SimKernel
import Testing
import Training

/// What a worker's accelerator keeps, for one unit of a 200 x 100 matrix: 20,000 elements.
@Suite struct MemoryEstimateTests {
  private func memory(_ communication: String, workload: String = "") throws -> MemoryEstimate {
    var scene = Scene()
    if !workload.isEmpty { scene.workload += ", " + workload }
    scene.communication =
      #""schedule": "one_shot""# + (communication.isEmpty ? "" : ", ")
      + communication
    scene.model = ModelTable(
      name: "toy", sample: "a row", source: "made for tests",
      tensors: [
        ModelTensor(
          name: "w", layer: "l", kind: "linear", shape: [200, 100], elements: 20_000,
          forwardMACs: 20_000, layerIndex: 0)
      ])
    return try scene.plan().report.memory
  }

  @Test("plain gradients take parameters, gradients and optimizer state alone")
  func model() throws {
    let n: Int64 = 20_000
    #expect(try memory("").compression == .zero)
    for (optimizer, vectors) in [("sgd", 2), ("sgd_momentum", 3), ("adam", 4)] as [(String, Int64)]
    {
      let workload = #""optimizer": "\#(optimizer)""#
      #expect(try memory("", workload: workload).model == ByteCount(4 * vectors * n))
      #expect(
        try memory("", workload: workload + #", "precision": "fp16""#).model
          == ByteCount(4 * vectors * n + 4 * n))
    }
  }

  @Test(
    "residuals, momenta and what codecs remember stay; payloads and the decoded sum come and go")
  func compression() throws {
    let n: Int64 = 20_000
    let sign = #""strategy": "all_gather", "compression": "ef_sign""#
    let bare = try memory(sign).compression.bytes
    // Its own payload and four received ones of n bits and a scale, framed, and the sum.
    #expect(bare >= 5 * (n / 8 + 4) + 4 * n && bare < 5 * (n / 8 + 200) + 4 * n)
    #expect(try memory(sign + #", "error_feedback": true"#).compression.bytes == bare + 4 * n)
    #expect(try memory(sign + #", "momentum_correction": true"#).compression.bytes == bare + 8 * n)
    let signum = #""strategy": "all_gather", "compression": "signum""#
    let signs = #""strategy": "all_gather", "compression": "signsgd""#
    #expect(
      try memory(signum).compression.bytes == memory(signs).compression.bytes + 4 * n)
    let power = #""compression": "powersgd:rank=2"#
    // A right factor of 100 rows.
    #expect(
      try memory(power + #"""#).compression.bytes
        == memory(power + #",warm_start=false""#).compression.bytes + 4 * 2 * 100)
    #expect(
      try memory(sign + #", "error_feedback": true, "streams": {"encode": "cpu"}"#).compression
        == .zero)
  }

  @Test("what does not fit is refused with what it needs and what there is")
  func refusal() throws {
    var scene = Scene()
    scene.topology = Lab.star(256)
    // 256 payloads of about a quarter of a gigabyte.
    scene.model = ModelCatalog.table(named: "alexnet")!
    scene.gradients = #""source": "synthetic", "sample": 4096, "study": {"steps": 0}"#
    scene.communication =
      #""strategy": "all_gather", "compression": "top_k:ratio=0.5", "schedule": "one_shot""#
    let message = TrainingTests.refusal { _ = try scene.plan() }
    #expect(message.contains("communication: a worker needs"), "\(message)")
    #expect(message.contains("a v100 has"), "\(message)")
  }
}
