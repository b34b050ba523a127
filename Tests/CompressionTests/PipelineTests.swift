import Compression
import SimKernel
import Testing

/// Chains: what is accepted, how it is spelled, what it declares.
struct PipelineTests {
  private func issues(_ text: String) -> [String] {
    let issues = IssueCollector()
    _ = CompressionPipeline.read(text, issues: issues)
    return issues.errors.map(\.description)
  }

  @Test("every registered codec has a chain in these tests")
  func coverage() {
    for name in CodecCatalog.registry.names {
      #expect(
        Chains.each.contains { $0 == name || $0.hasPrefix(name + ":") }, "\(name) is not tested")
    }
  }

  @Test("every codec says what it is and every field is documented")
  func documentation() throws {
    for description in CodecCatalog.registry.descriptions {
      #expect(!description.summary.isEmpty)
      for field in description.fields { #expect(!field.doc.isEmpty) }
    }
    for text in Chains.each {
      let traits = try Support.pipeline(text).stages[0].traits
      #expect(!traits.payloadFormula.isEmpty && !traits.citation.isEmpty)
    }
  }

  @Test("impossible chains are refused with the reason, all of them in one pass")
  func impossible() {
    #expect(
      issues("fp16|top_k:ratio=0.1") == [
        "--pipeline[1]: top_k works on float32 values but fp16 leaves float16 values; "
          + "put top_k before fp16"
      ])
    #expect(issues("top_k:ratio=0.1|random_k:ratio=0.1")[0].contains("has already selected"))
    #expect(issues("zstd|fp16")[0].contains("opaque bytes"))
    #expect(issues("zstd|zstd")[0].contains("already compressed"))
    #expect(issues("int8|qsgd")[0].contains("scaled codes"))
    #expect(issues("top_k:ratio=0.1|int8:shared_range=true")[0].contains("must be gathered"))
    #expect(issues("zstd|fp16|zstd|int8").count == 3)
  }

  @Test("a text becomes the list a scenario would hold")
  func parsing() throws {
    let node = try CompressionPipeline.parse(
      "top_k:ratio=0.01,index=rice| fp16 |zstd:level=-3,shuffle=auto"
    ).get()
    let expected = #"""
      [{"codec":"top_k","ratio":0.01,"index":"rice"},{"codec":"fp16"},\#
      {"codec":"zstd","level":-3,"shuffle":"auto"}]
      """#
    #expect(node.compactText == expected)
    let flag = try CompressionPipeline.parse("random_k:ratio=1e-3,scaled=false").get()
    #expect(
      flag.compactText == #"[{"codec":"random_k","ratio":0.001,"scaled":false}]"#)
  }

  @Test("what is misspelled is named, with what was meant")
  func misspelled() {
    #expect(issues("top_k:ratoi=0.01").contains { $0.contains("did you mean \"ratio\"") })
    #expect(issues("topk:ratio=0.01")[0].contains("did you mean \"top_k\""))
    #expect(issues("top_k:ratio=1.5")[0].contains("found 1.5, expected 0 < fraction <= 1"))
    #expect(issues("top_k:ratio=nan")[0].contains("expected 0 < fraction <= 1"))
    #expect(issues("top_k").contains { $0.contains("missing") })
    #expect(issues("fp16||zstd")[0].contains("a stage without a name"))
    #expect(issues("")[0].contains("a stage without a name"))
    #expect(issues("zstd:level")[0].contains("is not a parameter"))
    #expect(issues("zstd:level=")[0].contains("is not a parameter"))
    #expect(issues("zstd:level=1,level=2")[0].contains("given twice"))
    #expect(issues("zstd:level=99")[0].contains("-7...22"))
  }

  @Test("a label reads back as the same chain", arguments: Chains.all)
  func labels(chain: String) throws {
    let pipeline = try Support.pipeline(chain)
    #expect(try Support.pipeline(pipeline.label).label == pipeline.label)
  }

  @Test("payloads say how they aggregate")
  func aggregation() throws {
    let summable = [
      "none", "fp16", "bf16", "random_k:ratio=0.1", "random_k:ratio=0.1|fp16",
      "int8:shared_range=true", "random_k:ratio=0.1|int8:shared_range=true",
    ]
    for chain in Chains.all {
      let expected: Aggregation =
        summable.contains(chain) || chain == "none|fp16" || chain.hasSuffix("1,scaled=false")
          || chain.contains("shared_range=true")
          || (chain.hasPrefix("count_sketch") || chain.hasPrefix("powersgd")
            || chain.hasPrefix("scalecom") && !chain.contains("qsgd")) && !chain.hasSuffix("zstd")
        ? .summable : .gather
      #expect(try Support.pipeline(chain).aggregation == expected, "\(chain)")
    }
  }

  @Test("lossless chains give every bit back, and only those say so")
  func lossless() throws {
    #expect(CompressionPipeline.identity.isIdentity)
    for chain in Chains.all {
      let pipeline = try Support.pipeline(chain)
      #expect(pipeline.isIdentity == (chain == "none"))
      if pipeline.isLossless {
        let decoded = try Support.roundTrip(chain, Support.digits).decoded
        #expect(decoded.map(\.bitPattern) == Support.digits.map(\.bitPattern), "\(chain)")
      }
    }
    #expect(try Support.pipeline("zstd").isLossless)
    #expect(try !Support.pipeline("fp16|zstd").isLossless)
  }

  @Test("no payload exceeds the declared worst case", arguments: Chains.all)
  func worstCase(chain: String) throws {
    let pipeline = try Support.pipeline(chain)
    var scratch = CodecScratch()
    for count in [0, 1, 2, 3, 17, 100, 3000] {
      let tensors = Support.tensors([("a", count / 2), ("b", count - count / 2)])
      let inputs = [
        Support.synthetic(count), [Float](repeating: 0, count: count),
        [Float](repeating: 1, count: count), (0..<count).map { Float($0) },
      ]
      for values in inputs {
        for scope in Chains.scopes {
          let encoded = try pipeline.encode(
            values, tensors: tensors, scope: scope, random: Support.random(), scratch: &scratch)
          let bits = pipeline.worstCasePayloadBits(
            elementCount: count, scope: scope, tensors: tensors)
          let bytes = pipeline.worstCaseBytes(elementCount: count, scope: scope, tensors: tensors)
          #expect(encoded.payloadBits <= bits, "\(chain), \(count) elements, \(scope)")
          #expect(encoded.encodedBytes <= bytes, "\(chain), \(count) elements, \(scope)")
        }
      }
    }
  }

  @Test("costs add up along a chain and name their source")
  func costs() throws {
    let plain = try Support.pipeline("fp16").declaration
    #expect(plain.encode.kernels == 1 && plain.encode.bytesPerElement == 6)
    #expect(plain.expectedBytesPerElement == 2)
    let chain = try Support.pipeline("top_k:ratio=0.01|fp16|zstd").declaration
    #expect(chain.encode.kernels == 5)
    #expect(chain.encode.cpuSecondsPerElement > 0)
    #expect(chain.encode.source.contains("zstd 1.5.4"))
    #expect(chain.bias == .biased)
    #expect(chain.sampleScaling == .needsFullTensor)
    for text in Chains.all where text != "none" {
      let declaration = try Support.pipeline(text).declaration
      #expect(!declaration.encode.source.isEmpty && !declaration.decode.source.isEmpty)
    }
  }

  @Test("framing adds little to a payload", arguments: Chains.all)
  func framing(chain: String) throws {
    let encoded = try Support.roundTrip(chain, Support.digits).encoded
    let extra = encoded.encodedBytes.bytes - encoded.payloadBytes.bytes
    #expect(extra > 8 && extra < 100, "\(chain): \(extra) bytes of framing")
  }
}
