import Compression
import SimKernel
import Testing

/// The keys under `communication`, and what they do to a gradient.
struct SettingsTests {
  private func read(_ json: String) throws -> CompressionSettings {
    let issues = IssueCollector()
    let node = try JSONNode.parse(json, origin: "test")
    let settings = FieldReader.read(node, issues: issues) { CompressionSettings(&$0) }
    try issues.throwIfInvalid()
    return settings
  }
  private func problems(_ json: String) throws -> [String] {
    let issues = IssueCollector()
    let node = try JSONNode.parse(json, origin: "test")
    _ = FieldReader.read(node, issues: issues) { CompressionSettings(&$0) }
    return issues.errors.map(\.description)
  }

  @Test("a list, a text and a single codec are read alike")
  func forms() throws {
    let list = try read(#"{"compression":[{"codec":"top_k","ratio":0.01},"fp16"]}"#)
    let text = try read(#"{"compression":"top_k:ratio=0.01|fp16"}"#)
    #expect(list.pipeline.label == "top_k:ratio=0.01|fp16")
    #expect(text.pipeline.label == list.pipeline.label)
    #expect(try read(#"{"compression":{"codec":"fp16"}}"#).pipeline.label == "fp16")
    #expect(try read("{}").pipeline.isIdentity)
  }

  @Test("error feedback is a switch or a decay")
  func feedback() throws {
    #expect(try read("{}").errorFeedback == nil)
    #expect(try read(#"{"error_feedback":false}"#).errorFeedback == nil)
    #expect(try read(#"{"error_feedback":true}"#).errorFeedback?.decay == 1)
    #expect(try read(#"{"error_feedback":{"decay":0.9}}"#).errorFeedback?.decay == 0.9)
    #expect(try problems(#"{"error_feedback":{"decay":2}}"#)[0].contains("error_feedback.decay"))
    #expect(try problems(#"{"error_feedback":{"deacy":1}}"#)[0].contains("did you mean"))
    #expect(try problems(#"{"error_feedback":3}"#)[0].contains("found a number"))
  }

  @Test("overrides go by the first pattern that fits, small tensors stay plain")
  func overrides() throws {
    let settings = try read(
      #"""
      {"compression":"top_k:ratio=0.1","minimum_tensor":100,"scope":"bucket:64",
       "layers":{"fc*":"none","emb.?eight":["fp16"],"head*":{"compression":"int8","scope":"layer"}}}
      """#)
    #expect(settings.scope == .bucket(64))
    #expect(settings.pipeline(forTensor: "fc1.weight", elements: 500).isIdentity)
    #expect(settings.pipeline(forTensor: "emb.weight", elements: 500).label == "fp16")
    #expect(settings.pipeline(forTensor: "emb.bias", elements: 500).label == "top_k:ratio=0.1")
    #expect(settings.pipeline(forTensor: "emb.weight", elements: 99).isIdentity)
    #expect(settings.treatment(ofTensor: "head.w", elements: 500).scope == .layer)
  }

  @Test("what is wrong is reported where it stands")
  func invalid() throws {
    #expect(try problems(#"{"scope":"bucket:0"}"#)[0].contains("is not a scope"))
    #expect(try problems(#"{"minimum_tensor":-1}"#)[0].contains("minimum_tensor"))
    let nested = try problems(#"{"layers":{"fc*":"topk"}}"#)[0]
    #expect(nested.contains("layers.fc*") && nested.contains("did you mean \"top_k\""))
    #expect(try problems(#"{"compression":"fp16|int8"}"#)[0].contains("put int8 before fp16"))
    #expect(try problems(#"{"layers":{"a":{"scope":"layer"}}}"#)[0].contains("missing"))
  }

  @Test(
    "names fit patterns",
    arguments: [
      ("fc*", "fc1.weight", true), ("fc*", "xfc", false), ("*", "", true), ("", "", true),
      ("", "a", false), ("*.bias", "a.b.bias", true), ("a?c", "abc", true), ("a?c", "ac", false),
      ("*a*b*", "xxaxxbxx", true), ("*a*b", "abab", true), ("*a*b", "aba", false),
    ])
  func patterns(pattern: String, name: String, fits: Bool) {
    #expect(NamePattern(pattern).matches(name) == fits)
  }

  @Test("a plan encodes every tensor by its own rule")
  func plan() throws {
    let settings = try read(
      #"{"compression":"top_k:ratio=0.01","minimum_tensor":65,"layers":{"fc2*":"fp16"}}"#)
    let plan = CompressionPlan(settings: settings, tensors: Support.digitTensors)
    #expect(plan.groups.map(\.pipeline.label) == ["top_k:ratio=0.01", "fp16", "none"])
    let elements: [Int] = [8192 + 128 + 640, 8192, 64 + 10]
    #expect(plan.groups.map(\.elementCount) == elements)
    var scratch = CodecScratch()
    let encoded = try Support.digits.withUnsafeBufferPointer {
      try plan.encode($0, random: Support.random(), scratch: &scratch)
    }
    let expected: [Int64] = [64 * 89, 16 * 8192, 32 * 74]
    #expect(encoded.map(\.payloadBits) == expected)
    var decoded = [Float](repeating: 9, count: Support.digits.count)
    try decoded.withUnsafeMutableBufferPointer {
      try plan.decode(encoded, into: $0, scratch: &scratch)
    }
    #expect(decoded[16512..<16576] == Support.digits[16512..<16576])
    #expect(decoded[17216...] == Support.digits[17216...])
    #expect(decoded[0..<8192].filter { $0 != 0 }.count <= 89)
    let result = try plan.aggregate(
      [Support.digits, Support.digits], random: Support.random(), scratch: &scratch)
    #expect(result.mean == decoded)
  }

  @Test(
    "error feedback keeps the sum of what was sent and what is left",
    arguments: [
      "top_k:ratio=0.01", "ef_sign", "qsgd:s=4", "random_k:ratio=0.1,scaled=false", "int8",
    ])
  func bookkeeping(chain: String) throws {
    let pipeline = try Support.pipeline(chain)
    var scratch = CodecScratch()
    let count = 2000
    var feedback = ErrorFeedback(elementCount: count)
    var sent = [Double](repeating: 0, count: count)
    var given = sent
    for step in 0..<30 {
      var gradient = Support.synthetic(count, seed: step)
      for index in 0..<count { given[index] += Double(gradient[index]) }
      feedback.apply(to: &gradient)
      let encoded = try pipeline.encode(
        gradient, random: Support.random(step), scratch: &scratch)
      let decoded = try pipeline.decode(encoded, count: count, scratch: &scratch)
      feedback.update(corrected: gradient, decoded: decoded)
      for index in 0..<count { sent[index] += Double(decoded[index]) }
    }
    for index in 0..<count {
      let total = sent[index] + Double(feedback.residual[index])
      #expect((total - given[index]).magnitude < 1e-4 * max(1, given[index].magnitude))
    }
  }

  @Test("a residual decays")
  func decay() {
    var feedback = ErrorFeedback(elementCount: 2, settings: .init(decay: 0.5))
    feedback.update(corrected: [4, 2], decoded: [0, 2])
    var gradient: [Float] = [1, 1]
    feedback.apply(to: &gradient)
    #expect(gradient == [3, 1])
  }

  @Test("errors of simple vectors are known")
  func errors() {
    let error = GradientError.compare(original: [3, 4, 0, 0, 0], decoded: [3, 0, 0, 0, 0])
    #expect(error.relativeL2 == 0.8 && error.cosine == 0.6)
    #expect(error.maxAbsolute == 4 && error.originalNorm == 5 && error.decodedNorm == 3)
    let nothing = GradientError.compare(original: [0, 0], decoded: [0, 0])
    #expect(nothing.relativeL2 == 0 && nothing.cosine == 1)
    #expect(GradientError.compare(original: [0], decoded: [1]).relativeL2 == .infinity)
    #expect(GradientError.compare(original: [1], decoded: [0]).cosine == 0)
    #expect(GradientError.compare(original: [], decoded: []).relativeL2 == 0)
  }
}
