import SimKernel

/// A known cluster: a topology written out for any number of hosts, with where its figures come from.
///
///     TopologyPresets.named("10gbe")?.specification(hosts: 4)
///     // {"kind":"star","hosts":4,"link":{"bandwidth":"10 Gbps","latency":"1 us"}}
public struct TopologyPreset: Sendable {
  /// What a scenario calls it.
  public let name: String
  /// One sentence.
  public let summary: String
  /// The documents that the figures are from, and what is assumed.
  public let source: String
  /// How many hosts it has unless told otherwise.
  public let typicalHosts: Int
  /// The hosts that it describes: beyond the last one the figures say nothing.
  public let hosts: ClosedRange<Int>
  private let text: @Sendable (Int) -> String

  init(
    _ name: String, _ summary: String, source: String, typicalHosts: Int,
    hosts: ClosedRange<Int> = 1...65536, _ text: @escaping @Sendable (Int) -> String
  ) {
    self.name = name
    self.summary = summary
    self.source = source
    self.typicalHosts = typicalHosts
    self.hosts = hosts
    self.text = text
  }

  /// The JSON that the preset stands for, as a scenario could hold it instead.
  ///
  /// - Precondition: `count` is among ``hosts``.
  public func specification(hosts count: Int) -> JSONNode {
    precondition(hosts.contains(count), "a preset describes \(hosts) hosts")
    do {
      return try JSONNode.parse(text(count), origin: "preset \(name)")
    } catch {
      preconditionFailure("preset \(name) is no JSON: \(error)")
    }
  }
}

/// A topology of ``TopologyPresets``: exactly what its JSON describes.
public struct PresetTopology: TopologySpecification {
  public let preset: TopologyPreset
  public let hosts: Int
  /// What the preset stands for.
  public let expanded: any TopologySpecification

  /// - Precondition: `hosts` is among the preset's.
  public init(_ preset: TopologyPreset, hosts: Int) {
    let issues = IssueCollector()
    self.init(preset, hosts: hosts, issues)
    precondition(issues.errors.isEmpty, issues.errors.map(\.description).joined(separator: "; "))
  }

  private init(_ preset: TopologyPreset, hosts: Int, _ issues: IssueCollector) {
    self.preset = preset
    self.hosts = hosts
    expanded = FieldReader.member(
      of: TopologyCatalog.registry, preset.specification(hosts: hosts),
      path: FieldPath(["preset \(preset.name)"]), issues: issues)
  }

  public init(_ fields: inout FieldReader) {
    let preset = fields.required(
      "preset", .topologyPreset, doc: "which one; simnet list presets shows what each stands for")
    let given = fields.optional(
      "hosts", .integer(1...65536), doc: "hosts; as many as the list of presets shows if absent")
    if let given, !preset.hosts.contains(given) {
      fields.report(
        "hosts",
        .outOfRange(
          found: String(given),
          expected: "\(preset.hosts.lowerBound)...\(preset.hosts.upperBound) for \(preset.name)"))
    }
    let hosts = given.map {
      min(max($0, preset.hosts.lowerBound), preset.hosts.upperBound)
    }
    self.init(preset, hosts: hosts ?? preset.typicalHosts)
  }

  public var acceleratorCount: Int { expanded.acceleratorCount }
  public func makeTopology() -> Topology { expanded.makeTopology() }
}

extension FieldKind where Value == TopologyPreset {
  /// The name of a preset.
  static var topologyPreset: FieldKind<TopologyPreset> {
    @Sendable func names() -> [String] { TopologyPresets.all.map(\.name) }
    @Sendable func expectation() -> String { "one of " + names().joined(separator: ", ") }
    let first = TopologyPresets.all[0]
    return FieldKind(
      expectation: expectation(), example: JSONNode.quoted(first.name),
      schema: #"{"enum":[\#(names().map(JSONNode.quoted).joined(separator: ","))]}"#,
      placeholder: { first },
      read: { node in
        guard let text = node.string else {
          return .failure(.wrongType(node, expectation(), JSONNode.quoted(first.name)))
        }
        guard let preset = TopologyPresets.named(text) else {
          let known = names()
          return .failure(
            .init(
              .unknownName(
                noun: "preset", found: text,
                suggestion: Spelling.suggestion(for: text, among: known), known: known)))
        }
        return .success(preset)
      },
      show: { JSONNode.quoted($0.name) })
  }
}
