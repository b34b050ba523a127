import SimKernel

/// What `simnet list models` says about a model, without reading its tensors.
public struct ModelSummary: Sendable, Equatable {
  public var name: String
  /// Further names under which it is found.
  public var aliases: [String]
  public var modelClass: ModelClass
  public var parameters: Int
  /// The number of tensors.
  public var tensors: Int
  /// Multiply-accumulates of weight matrices in one sample's forward pass.
  public var forwardMACsPerSample: Int
  /// Multiply-accumulates of attention scores, which come on top.
  public var attentionScoreMACs: Int
  public var sample: String
  public var source: String
}

/// The models whose parameter tables are carried inside the binary.
///
/// Tensors, shapes and multiply-accumulates are exact: they were recorded by instantiating each
/// model and following one forward pass. Only the table that is asked for is read.
public enum ModelCatalog {
  /// The names, aliases excluded, in the order they are listed.
  public static let names: [String] = summaries.map(\.name)

  /// One line a model.
  public static let summaries: [ModelSummary] = {
    var lines = EmbeddedLines.modelTables
    var summaries: [ModelSummary] = []
    while let line = lines.next() {
      guard line.first == UInt8(ascii: "=") else { continue }
      summaries.append(summary(line, &lines))
    }
    return summaries
  }()

  /// The summary of the model called `name`, or an alias of it.
  public static func summary(named name: String) -> ModelSummary? {
    summaries.first { $0.name == name || $0.aliases.contains(name) }
  }

  /// The table called `name`, or an alias of it; nil if there is none.
  ///
  /// - Complexity: one scan over the embedded text, 130 kB, and the tensors of this model.
  public static func table(named name: String) -> ModelTable? {
    guard let summary = summary(named: name) else { return nil }
    let header = "=" + summary.name
    var lines = EmbeddedLines.modelTables
    while let line = lines.next() {
      guard line.first == UInt8(ascii: "="),
        line.elementsEqual(header.utf8) || line.starts(with: (header + " ").utf8)
      else { continue }
      return table(summary, &lines)
    }
    return nil
  }

  /// What to say about a name that is not a model.
  public static func unknown(_ name: String) -> Issue.Problem {
    let all = summaries.flatMap { [$0.name] + $0.aliases }
    return .unknownName(
      noun: "model", found: name, suggestion: Spelling.suggestion(for: name, among: all),
      known: names)
  }

  // MARK: - Reading

  private static func summary(
    _ line: Slice<UnsafeBufferPointer<UInt8>>, _ lines: inout EmbeddedLines
  ) -> ModelSummary {
    let names = String(decoding: line.dropFirst(), as: UTF8.self).split(separator: " ").map(
      String.init)
    func words() -> EmbeddedWords {
      guard let line = lines.next() else { preconditionFailure("the embedded data ends early") }
      var words = EmbeddedWords(line)
      _ = words.word()
      return words
    }
    var kind = words()
    guard let modelClass = ModelClass(rawValue: kind.remainder()) else {
      preconditionFailure("an unknown class in the embedded data")
    }
    var totals = words()
    let parameters = totals.integer()
    let tensors = totals.integer()
    let macs = totals.integer()
    let attention = totals.integer()
    var sample = words()
    var source = words()
    return ModelSummary(
      name: names[0], aliases: Array(names.dropFirst()), modelClass: modelClass,
      parameters: parameters, tensors: tensors, forwardMACsPerSample: macs,
      attentionScoreMACs: attention, sample: sample.remainder(), source: source.remainder())
  }

  private static func table(_ summary: ModelSummary, _ lines: inout EmbeddedLines) -> ModelTable {
    var tensors: [ModelTensor] = []
    tensors.reserveCapacity(summary.tensors)
    var tied: [TiedLayer] = []
    var layer = ""
    var kind = ""
    var layerIndex = -1
    var macs = 0
    var activation = 0
    for _ in 0..<4 { _ = lines.next() }
    while tensors.count < summary.tensors, let line = lines.next() {
      var words = EmbeddedWords(line)
      let first = words.word()
      switch first {
      case "L":
        layer = words.word()
        kind = words.word()
        macs = words.integer()
        activation = words.integer()
        layerIndex += 1
      case "tied":
        let name = words.word()
        tied.append(TiedLayer(layer: name, forwardMACs: words.integer()))
      default:
        let shape = words.shape()
        tensors.append(
          ModelTensor(
            name: layer + "." + first, layer: layer, kind: kind, shape: shape,
            elements: shape.reduce(1, *), forwardMACs: macs, layerIndex: layerIndex,
            activationElements: activation, isExecuted: words.word().isEmpty))
        macs = 0
        activation = 0
      }
    }
    return ModelTable(
      name: summary.name, sample: summary.sample, source: summary.source, tensors: tensors,
      tied: tied, attentionScoreMACs: summary.attentionScoreMACs)
  }
}

extension FieldKind where Value == String {
  /// The name of a model of ``ModelCatalog``.
  public static var modelName: FieldKind<String> {
    let names = ModelCatalog.summaries.flatMap { [$0.name] + $0.aliases }
    return FieldKind(
      expectation: "a model: " + ModelCatalog.names.joined(separator: ", "),
      example: #""resnet50""#,
      schema: #"{"enum":[\#(names.map(JSONNode.quoted).joined(separator: ","))]}"#,
      placeholder: { "resnet50" },
      read: { node in
        guard let text = node.string else {
          return .failure(.wrongType(node, "the name of a model", #""resnet50""#))
        }
        guard names.contains(text) else { return .failure(.init(ModelCatalog.unknown(text))) }
        return .success(text)
      },
      show: { JSONNode.quoted($0) })
  }
}
