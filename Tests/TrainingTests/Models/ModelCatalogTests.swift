import SimKernel
import Testing
import Training

@Suite("Model catalogue")
struct ModelCatalogTests {
  /// Parameters, tensors and forward GMACs a sample, as counted by the models' own frameworks.
  static let facts: [(name: String, parameters: Int, tensors: Int, gigaMACs: Double)] = [
    ("resnet18", 11_689_512, 62, 1.814), ("resnet50", 25_557_032, 161, 4.089),
    ("resnet101", 44_549_160, 314, 7.801), ("vgg16", 138_357_544, 32, 15.470),
    ("vgg19", 143_667_240, 38, 19.632), ("inception_v3", 27_161_264, 292, 5.719),
    ("alexnet", 61_100_840, 16, 0.714), ("bert_large_seq128", 336_226_108, 398, 42.79),
    ("bert_large_seq512", 336_226_108, 398, 171.16), ("gpt2_small", 124_439_808, 148, 126.5),
    ("gpt2_medium", 354_823_168, 292, 361.9), ("gpt2_xl", 1_557_611_200, 580, 1592.3),
    ("transformer_base", 63_084_544, 185, 2.015), ("transformer_big", 214_249_472, 185, 6.850),
  ]

  @Test("parameters, tensors and multiply-accumulates are the frameworks'", arguments: facts)
  func counts(name: String, parameters: Int, tensors: Int, gigaMACs: Double) throws {
    let table = try #require(ModelCatalog.table(named: name))
    #expect(table.name == name)
    #expect(table.parameters == parameters)
    #expect(table.tensors.count == tensors)
    #expect(abs(Double(table.forwardMACsPerSample) / 1e9 - gigaMACs) < 0.0005 * gigaMACs + 0.0005)
    #expect(table.gradientSize().bytes == Int64(parameters) * 4)
    let summary = try #require(ModelCatalog.summary(named: name))
    #expect(summary.parameters == parameters)
    #expect(summary.tensors == tensors)
    #expect(summary.forwardMACsPerSample == table.forwardMACsPerSample)
    #expect(summary.attentionScoreMACs == table.attentionScoreMACs)
    #expect(summary.modelClass == table.modelClass)
    #expect(summary.source == table.source && !table.source.isEmpty)
    #expect(summary.sample == table.sample && !table.sample.isEmpty)
  }

  @Test("every listed model has facts above") func listed() {
    #expect(ModelCatalog.names == Self.facts.map(\.name))
  }

  @Test(
    "elements are the product of the extents and names are unique", arguments: ModelCatalog.names)
  func tensors(name: String) throws {
    let table = try #require(ModelCatalog.table(named: name))
    var layer = -1
    for tensor in table.tensors {
      #expect(tensor.elements == tensor.shape.reduce(1, *))
      #expect(tensor.elements > 0)
      #expect(tensor.name.hasPrefix(tensor.layer + "."))
      #expect(!tensor.kind.isEmpty && tensor.isExecuted && tensor.times == nil)
      if tensor.layerIndex == layer {
        #expect(tensor.forwardMACs == 0 && tensor.activationElements == 0)
      } else {
        #expect(tensor.layerIndex == layer + 1)
        layer += 1
      }
    }
    #expect(Set(table.tensors.map(\.name)).count == table.tensors.count)
    #expect(table.layers == layer + 1)
  }

  @Test("a first and a last tensor are as the framework prints them") func spots() throws {
    let table = try #require(ModelCatalog.table(named: "resnet50"))
    #expect(table.tensors[0].name == "conv1.weight")
    #expect(table.tensors[0].shape == [64, 3, 7, 7])
    #expect(table.tensors[0].forwardMACs == 112 * 112 * 64 * 3 * 7 * 7)
    #expect(table.tensors[160].name == "fc.bias")
    #expect(table.tensors[160].shape == [1000])
    let gpt2 = try #require(ModelCatalog.table(named: "gpt2_small"))
    #expect(gpt2.tied == [TiedLayer(layer: "lm_head", forwardMACs: 1024 * 768 * 50257)])
  }

  @Test("aliases name the same table", arguments: ModelCatalog.summaries)
  func aliases(summary: ModelSummary) {
    for alias in summary.aliases {
      #expect(ModelCatalog.table(named: alias)?.name == summary.name)
    }
  }

  @Test("bert_large is the model at 128 tokens") func bert() {
    #expect(ModelCatalog.table(named: "bert_large")?.name == "bert_large_seq128")
  }

  @Test("an unknown name gets a suggestion") func unknown() {
    #expect(ModelCatalog.table(named: "resnet") == nil)
    #expect(ModelCatalog.table(named: "") == nil)
    #expect(ModelCatalog.table(named: "class") == nil)
    guard case .unknownName(_, _, let suggestion, let known) = ModelCatalog.unknown("resnet5O")
    else {
      Issue.record("not an unknown name")
      return
    }
    #expect(suggestion == "resnet50")
    #expect(known == ModelCatalog.names)
    #expect(throws: InvalidInput.self) {
      try QuantityText.parse("vgg61x", as: .modelName, option: "--model")
    }
  }
}
