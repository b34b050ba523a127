import Compression
import SimKernel
import Training

extension Benchmark {
  /// Every codec on the gradient of ResNet-50, against a copy of the same bytes.
  static var codecs: Benchmark {
    Benchmark(
      name: "codecs",
      summary: "encode and decode a synthetic ResNet-50 gradient, against memcpy of the input"
    ) { extent, report in
      let job = BenchmarkScenario.job(BenchmarkScenario.text(workers: 2, iterations: 1)).job
      let source = SyntheticGradients(tensors: job.tensors, seed: 1)
      let gradient = source.gradient(worker: 0, iteration: 0)
      var offset = 0
      let tensors = job.tensors.map { tensor in
        defer { offset += tensor.elements }
        return TensorRange(
          name: tensor.name, offset: offset, count: tensor.elements, shape: tensor.shape)
      }
      for (text, scope) in pipelines() {
        measureCodec(text, scope, gradient, tensors, extent, report)
      }
    }
  }
}

/// Every codec of the catalogue with its defaults, and the settings studies use most.
private func pipelines() -> [(String, CodecScope)] {
  let all = CodecCatalog.registry.names.map { name -> (String, CodecScope) in
    // Sparsifiers have no default ratio.
    let needsRatio = name == "top_k" || name == "random_k"
    return (needsRatio ? "\(name):ratio=0.01" : name, .model)
  }
  return all + [
    ("qsgd:s=127", .bucket(512)), ("zstd:level=1", .model),
    ("top_k:ratio=0.01|fp16|zstd", .model),
  ]
}

private func measureCodec(
  _ text: String, _ scope: CodecScope, _ gradient: [Float], _ tensors: [TensorRange],
  _ extent: Benchmark.Extent, _ report: (Measurement) -> Void
) {
  let issues = IssueCollector()
  let pipeline = CompressionPipeline.read(text, issues: issues)
  precondition(issues.errors.isEmpty, "the benchmark's pipelines are valid: \(issues.issues)")
  let random = RandomStream(seed: 1, purpose: RandomPurpose("codec benchmark"))
  var scratch = CodecScratch()
  var encoded = EncodedGradient()
  var decoded = [Float](repeating: 0, count: gradient.count)
  let bytes = gradient.count * 4
  func encode() {
    gradient.withUnsafeBufferPointer { values in
      do throws(CodecError) {
        try pipeline.encode(
          values, tensors: tensors, scope: scope, random: random, scratch: &scratch,
          into: &encoded)
      } catch { preconditionFailure("finite gradients are encoded: \(error)") }
    }
  }
  func decode() {
    decoded.withUnsafeMutableBufferPointer { target in
      do throws(CodecError) {
        try pipeline.decode(encoded, into: target, scratch: &scratch)
      } catch { preconditionFailure("what was encoded is decoded: \(error)") }
    }
  }
  // The first round also touches the memory that later ones reuse.
  encode()
  decode()
  let contest = Contest(
    rounds: extent.pick(1, 5),
    [
      { ThreadClock.measure(encode) }, { ThreadClock.measure(decode) },
      { Ceilings.copySeconds(bytes: bytes) },
    ])
  let rates = contest.best.map { Double(bytes) / $0 / 1e9 }
  let label = scope == .model ? text : "\(text) \(scope)"
  for (verb, rate) in zip(["encode", "decode"], rates) {
    report(
      Measurement(
        what: "\(verb) \(label)", n: gradient.count, rate: rate, unit: "GB/s", ceiling: "memcpy",
        ceilingRate: rates[2]))
  }
}
