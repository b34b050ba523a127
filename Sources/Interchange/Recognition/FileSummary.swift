import SimKernel

/// What a file holds, in words and numbers that fit on a screen.
public struct FileSummary: Sendable {
  public var path: String
  public var format: FileFormat
  /// Facts, by snake_case names with units.
  public var facts: [JSONMember]
  /// What simnet does not keep of it, one sentence each.
  public var notKept: [String]

  init(_ path: String, _ format: FileFormat) {
    self.path = path
    self.format = format
    facts = []
    notKept = []
  }

  /// Reads all of the file or folder at `path` and says what it holds.
  ///
  /// - Throws: `InterchangeError` if it cannot be read, or is none of the formats simnet knows.
  public init(path: String) throws(InterchangeError) {
    self.init(path, try FileFormat.recognise(path: path))
    switch format {
    case .kineto: try addKineto()
    case .pyTorchTrace: try addPyTorch()
    case .chakra: try addChakra(try ChakraFile.read(path: path))
    case .chakraJSON: try addChakra(try ChakraJSON.read(path: path))
    case .goal: add(try TraceGraph(goal: path).summary)
    case .layerWorkload: try addWorkload()
    case .analyticalNetwork, .systemConfiguration, .logicalTopology, .remoteMemory,
      .ns3Configuration, .busBandwidths, .efficiencyTable, .htsimTopology, .htsimConnections:
      try addConfiguration()
    case .ncclTests, .deepBench, .pipeDream, .netAIBackward, .vectorAdd: try addTable()
    case .safetensors, .npy, .npyFolder, .rawFloats: try addGradient()
    case .scenario: fact("next", "simnet validate \(path)")
    }
    if !facts.contains(where: { $0.key == "next" }) { fact("next", format.use(of: path)) }
  }

  /// All of it as one object.
  public var json: JSONNode {
    JSONNode(
      .object(
        [
          JSONMember("path", JSONNode(.string(path))),
          JSONMember("format", JSONNode(.string(format.rawValue))),
          JSONMember("title", JSONNode(.string(format.title))),
        ] + facts + [
          JSONMember("not_kept", JSONNode(.array(notKept.map { JSONNode(.string($0)) })))
        ]))
  }

  /// All of it as lines.
  public var text: String {
    var text = "\(path): \(format.title)\n"
    for fact in facts { Self.append(fact, indent: "  ", to: &text) }
    for sentence in notKept { text += "  not kept: \(sentence)\n" }
    return text
  }

  private static func append(_ fact: JSONMember, indent: String, to text: inout String) {
    let name = fact.key.split(separator: "_").joined(separator: " ")
    if let rows = fact.node.elements, rows.contains(where: { $0.members != nil }) {
      text += "\(indent)\(name):\n"
      for row in rows {
        let cells = (row.members ?? []).map { "\($0.key) \(scalar($0.node))" }
        text += "\(indent)  \(cells.joined(separator: ", "))\n"
      }
    } else if let members = fact.node.members {
      text += "\(indent)\(name):\n"
      for member in members { append(member, indent: indent + "  ", to: &text) }
    } else {
      text += "\(indent)\(name): \(scalar(fact.node))\n"
    }
  }

  private static func scalar(_ node: JSONNode) -> String {
    switch node.value {
    case .string(let text): text
    case .number(let number): number.text
    case .bool(let flag): flag ? "yes" : "no"
    case .null: "none"
    case .array(let nodes): nodes.map(scalar).joined(separator: ", ")
    case .object: node.compactText
    }
  }

  // MARK: - Facts

  mutating func fact(_ name: String, _ text: String?) {
    if let text { facts.append(JSONMember(name, JSONNode(.string(text)))) }
  }
  mutating func fact(_ name: String, _ number: Int?) {
    if let number { facts.append(JSONMember(name, JSONNode(.number(JSONNumber(number))))) }
  }
  mutating func fact(_ name: String, _ number: Double) {
    facts.append(JSONMember(name, JSONNode(.number(JSONNumber(number)))))
  }
  /// In microseconds, as traces count; nothing where it is not known.
  mutating func fact(_ name: String, _ duration: SimDuration?) {
    if let duration { fact(name + "_us", Double(duration.picoseconds) / 1e6) }
  }
  mutating func fact(_ name: String, _ texts: [String]) {
    facts.append(JSONMember(name, JSONNode(.array(texts.map { JSONNode(.string($0)) }))))
  }
  mutating func rows(_ name: String, _ rows: [[JSONMember]]) {
    if rows.isEmpty { return }
    facts.append(JSONMember(name, JSONNode(.array(rows.map { JSONNode(.object($0)) }))))
  }
  static func cell(_ name: String, _ text: String) -> JSONMember {
    JSONMember(name, JSONNode(.string(text)))
  }
  static func cell(_ name: String, _ number: Int) -> JSONMember {
    JSONMember(name, JSONNode(.number(JSONNumber(number))))
  }
  static func cell(_ name: String, _ duration: SimDuration) -> JSONMember {
    JSONMember(name + "_us", JSONNode(.number(JSONNumber(Double(duration.picoseconds) / 1e6))))
  }
  static func cell(_ name: String, _ bandwidth: Bandwidth) -> JSONMember {
    JSONMember(
      name + "_gbps", JSONNode(.number(JSONNumber(Double(bandwidth.bitsPerSecond) / 1e9))))
  }

  /// The operations of a graph.
  mutating func add(_ summary: TraceSummary) {
    fact("ranks", summary.ranks)
    fact("dependencies", summary.edges)
    fact("span", summary.span)
    rows(
      "operations",
      summary.rows.map { row in
        var cells = [Self.cell("kind", row.kind), Self.cell("count", row.count)]
        if row.bytes > .zero { cells.append(Self.cell("bytes", Int(row.bytes.bytes))) }
        if row.duration > .zero { cells.append(Self.cell("duration", row.duration)) }
        if row.withoutBytes > 0 { cells.append(Self.cell("without_bytes", row.withoutBytes)) }
        return cells
      })
  }
}
