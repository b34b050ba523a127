import SimKernel
import Testing
import Training

@Suite struct SettingsTests {
  static func communication(_ members: String) -> [String] {
    problems("{\(members)}") { CommunicationSettings(&$0) }
  }

  @Test("payloads that do not add are refused under all_reduce, with the way out")
  func gatherUnderSum() {
    for codec in ["top_k:ratio=0.01", "zstd:level=3", "ef_sign", "qsgd:s=127"] {
      let found = Self.communication(#""compression": "\#(codec)""#)
      #expect(found.count == 1, "\(found)")
      #expect(found[0].hasPrefix("compression: payloads of "), "\(found)")
      #expect(found[0].contains(#"use "strategy": "all_gather" or "parameter_server""#))
      #expect(Self.communication(#""strategy": "all_gather", "compression": "\#(codec)""#).isEmpty)
      #expect(
        Self.communication(#""strategy": "parameter_server", "compression": "\#(codec)""#).isEmpty)
    }
    #expect(Self.communication(#""layers": {"fc*": "top_k:ratio=0.5"}"#).count == 1)
    for codec in ["none", "fp16", "bf16", "int8:shared_range=true", "random_k:ratio=0.1"] {
      #expect(Self.communication(#""compression": "\#(codec)""#).isEmpty, "\(codec)")
    }
  }

  @Test("servers without their strategy are refused")
  func servers() {
    let found = Self.communication(#""servers": {"count": 2}"#)
    #expect(
      found == [
        "servers: there are servers only under strategy parameter_server; remove one of the two"
      ])
    #expect(
      Self.communication(#""strategy": "parameter_server", "servers": {"count": 0}"#).count == 1)
  }

  @Test("names, types and bounds are checked, all in one pass")
  func bounds() {
    let found = Self.communication(
      #""strategy": "all_reduse", "schedule": {"policy": "buckets", "bucket": 25}, "#
        + #""streams": {"encode": "gpu", "overlap_slowdown": 0.5}, "windows": 3"#)
    #expect(found.count == 5, "\(found)")
    for part in ["all_reduce", "schedule.bucket", "streams.encode", "overlap_slowdown", "windows"] {
      #expect(found.contains { $0.contains(part) }, "\(part): \(found)")
    }
  }

  @Test("an algorithm that cannot move the payloads is refused when the job is built")
  func algorithm() throws {
    var scene = Scene()
    scene.communication = #""algorithm": "bruck""#
    let message = refusal { _ = try scene.plan() }
    #expect(message.hasPrefix("communication.algorithm: "), "\(message)")
    #expect(message.contains("bruck"), "\(message)")
    scene.communication = #""algorithm": "bruck", "strategy": "all_gather""#
    #expect(try scene.plan().report.algorithms == ["bruck"])
  }

  @Test("auto names what it picked")
  func automatic() throws {
    var scene = Scene()
    scene.model = Scene.table([40_000, 100])
    scene.communication = #""schedule": "per_tensor""#
    #expect(try scene.plan().report.algorithms == ["recursive_doubling", "ring"])
  }

  @Test("a workload needs its model, and refuses what cannot be simulated")
  func workload() {
    func found(_ members: String) -> [String] {
      problems("{\(members)}") { WorkloadSettings(&$0) }
    }
    #expect(found(#""model": "resnet50""#).isEmpty)
    #expect(found("").count == 1)
    #expect(found(#""model": "resnet5""#)[0].contains("resnet50"))
    #expect(found(#""model": {"file": "a.csv"}"#).isEmpty)
    #expect(found(#""model": {"path": "a.csv"}"#).count == 1)
    for bad in [
      #""iterations": 0"#, #""warmup": -1"#, #""batch_per_worker": 0"#, #""workers": 0"#,
      #""accumulation_steps": 0"#, #""gradient_type": "fp8""#, #""precision": "fp12""#,
      #""compute": {"forward": 3}"#,
    ] {
      #expect(found(#""model": "vgg16", "# + bad).count == 1, "\(bad)")
    }
  }

  @Test("gradients are synthetic or files")
  func gradients() {
    func found(_ text: String) -> [String] {
      problems("{\"g\": \(text)}") {
        $0.variant("g", GradientCatalog.registry, default: "synthetic", doc: "")
      }
    }
    #expect(found(#""synthetic""#).isEmpty)
    #expect(found(#"{"source": "files", "files": ["a.npy"]}"#).isEmpty)
    #expect(found(#"{"source": "files"}"#).count == 1)
    #expect(found(#"{"source": "files", "files": []}"#).count == 1)
    #expect(found(#"{"source": "synthetic", "sample": 10}"#).count == 1)
    #expect(found(#"{"source": "synthetic", "stage": "last"}"#).count == 1)
    #expect(found(#"{"source": "learner"}"#).count == 1)
  }
}
