import ArgumentParser
import Collectives
import Compression
import Experiments
import Networks
import Reporting
import SimKernel
import Training

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Show what there is to choose from, with parameters and sources.",
    discussion: """
      Example: simnet list codecs
      Example: simnet list devices --format json
      Example: simnet list presets --hosts 64
      """)

  /// The families that can be listed.
  enum Family: String, ExpressibleByArgument, CaseIterable {
    case codecs, topologies, presets, collectives, models, devices, schedules, transports, gradients
    case stragglers, columns
  }

  @Argument(help: "What to list.")
  var family: Family

  @Option(help: "table or json.")
  var format: ListFormat = .table

  @Option(help: "With presets: for how many hosts they are spelled out.")
  var hosts: Int?

  func validate() throws {
    if let hosts, family != .presets || hosts < 1 {
      throw ValidationError("--hosts belongs to presets and is at least 1, not \(hosts)")
    }
  }

  /// As wide as a terminal; what is not for one keeps its lines.
  private var width: Int { Terminal.width(fallback: .max) }

  enum ListFormat: String, ExpressibleByArgument, CaseIterable { case table, json }

  func run() throws {
    switch family {
    case .codecs: show(CodecCatalog.registry) { CodecNotes.lines(for: $0) }
    case .topologies: show(TopologyCatalog.registry)
    case .presets: showPresets()
    case .collectives: show(CollectiveAlgorithm.registry) { CollectiveNotes.lines(for: $0) }
    case .schedules: show(ScheduleCatalog.registry)
    case .transports: show(TransportCatalog.registry) { TransportNotes.lines(for: $0) }
    case .gradients: show(GradientCatalog.registry)
    case .stragglers: show(StragglerCatalog.registry)
    case .models: showModels()
    case .devices: showDevices()
    case .columns: showColumns()
    }
  }

  private func show<Value>(
    _ registry: Registry<Value>, notes: (Registry<Value>.Entry) -> [String] = { _ in [] }
  ) {
    let members = registry.descriptions
    switch format {
    case .table:
      let pages = zip(members, registry.entries).map { member, entry in
        Documentation.member(member, width: width)
          + notes(entry).flatMap {
            WrappedText.lines($0, head: "    ", indent: 6, width: width)
          }.map { $0 + "\n" }.joined()
      }
      Terminal.print(pages.joined(separator: "\n"))
    case .json:
      let entries = zip(members, registry.entries).map { member, entry in
        JSONNode(
          .object([
            JSONMember("name", JSONNode(.string(member.name))),
            JSONMember("summary", JSONNode(.string(member.summary))),
            JSONMember("parameters", JSONNode(.array(member.fields.map(Documentation.json)))),
            JSONMember("notes", JSONNode(.array(notes(entry).map { JSONNode(.string($0)) }))),
          ]))
      }
      Terminal.print(JSONNode(.array(entries)).prettyText + "\n")
    }
  }

  /// Clusters with what they stand for, ready to be copied and changed.
  private func showPresets() {
    var text = ""
    var nodes: [JSONNode] = []
    for preset in TopologyPresets.all {
      // One that does not describe so many is shown as far as it goes.
      let count = min(
        max(hosts ?? preset.typicalHosts, preset.hosts.lowerBound), preset.hosts.upperBound)
      let specification = preset.specification(hosts: count)
      text += text.isEmpty ? "" : "\n"
      var lines = ["\(preset.name): \(preset.summary)"]
      lines += WrappedText.lines(
        preset.source, head: "    source: ", indent: 6, width: min(100, width))
      lines.append(
        "    of \(count) hosts (\(preset.hosts.lowerBound) to \(preset.hosts.upperBound)) it stands for"
      )
      lines += specification.prettyText.split(separator: "\n").map { "      \($0)" }
      text += lines.joined(separator: "\n") + "\n"
      nodes.append(
        JSONNode(
          .object([
            JSONMember("name", JSONNode(.string(preset.name))),
            JSONMember("summary", JSONNode(.string(preset.summary))),
            JSONMember("source", JSONNode(.string(preset.source))),
            JSONMember("hosts", JSONNode(.number(JSONNumber(count)))),
            JSONMember("topology", specification),
          ])))
    }
    text += "\nIn a scenario: \"topology\": {\"kind\": \"preset\", \"preset\": "
    text += "\"\(TopologyPresets.all[0].name)\", \"hosts\": 4}\n"
    Terminal.print(format == .table ? text : JSONNode(.array(nodes)).prettyText + "\n")
  }

  private func showModels() {
    var table = TextTable(
      [
        (title: "model", alignment: .left), (title: "parameters", alignment: .right),
        (title: "tensors", alignment: .right), (title: "GMACs/sample", alignment: .right),
        (title: "sample", alignment: .left), (title: "source", alignment: .left),
      ], isProse: true)
    var nodes: [JSONNode] = []
    for name in ModelCatalog.names {
      guard let model = ModelCatalog.table(named: name) else { continue }
      table.add([
        name, String(model.parameters), String(model.tensors.count),
        Numbers.fixed(Double(model.forwardMACsPerSample) / 1e9, 3), model.sample, model.source,
      ])
      nodes.append(
        JSONNode(
          .object([
            JSONMember("name", JSONNode(.string(name))),
            JSONMember("parameters", JSONNode(.number(JSONNumber(model.parameters)))),
            JSONMember("tensors", JSONNode(.number(JSONNumber(model.tensors.count)))),
            JSONMember(
              "forward_macs_per_sample", JSONNode(.number(JSONNumber(model.forwardMACsPerSample)))),
            JSONMember("sample", JSONNode(.string(model.sample))),
            JSONMember("source", JSONNode(.string(model.source))),
          ])))
    }
    Terminal.print(
      format == .table ? table.text(width: width) : JSONNode(.array(nodes)).prettyText + "\n")
  }

  private func showColumns() {
    var table = TextTable(
      [
        (title: "column", alignment: .left), (title: "better", alignment: .left),
        (title: "what stands in it", alignment: .left),
      ], isProse: true)
    var nodes: [JSONNode] = []
    let columns =
      ResultColumns.identificationColumns + ResultColumns.measurementColumns
      + ResultColumns.comparisonColumns
    for column in columns {
      let better = column.direction?.rawValue
      table.add([column.name, better ?? "", column.doc])
      nodes.append(
        JSONNode(
          .object([
            JSONMember("name", JSONNode(.string(column.name))),
            JSONMember("better", better.map { JSONNode(.string($0)) } ?? JSONNode(.null)),
            JSONMember("summary", JSONNode(.string(column.doc))),
          ])))
    }
    Terminal.print(
      format == .table ? table.text(width: width) : JSONNode(.array(nodes)).prettyText + "\n")
  }

  private func showDevices() {
    var text = ""
    var nodes: [JSONNode] = []
    let devices = DeviceCatalog.profiles
    for device in devices {
      text += text.isEmpty ? "" : "\n"
      text += DeviceNotes.text(of: device, width: width)
      let quality = DeviceReport.quality(of: device)
      var quantities: [JSONNode] = []
      for fact in DeviceNotes.facts(of: device) {
        quantities.append(
          JSONNode(
            .object([
              JSONMember("quantity", JSONNode(.string(fact.name))),
              JSONMember("value", JSONNode(.string(fact.value))),
              JSONMember("known", JSONNode(.string(fact.evidence.provenance.rawValue))),
              JSONMember("source", JSONNode(.string(fact.evidence.sentence))),
            ])))
      }
      nodes.append(
        JSONNode(
          .object([
            JSONMember("name", JSONNode(.string(device.name))),
            JSONMember("summary", JSONNode(.string(device.summary))),
            JSONMember("measured", JSONNode(.bool(device.measurement != nil))),
            JSONMember("quality", JSONNode(.array(quality.map { JSONNode(.string($0)) }))),
            JSONMember("facts", JSONNode(.array(quantities))),
          ])))
    }
    text += "\n"
    for line in WrappedText.lines(
      DeviceReport.coverage(of: devices), head: "", indent: 0, width: width)
    {
      text += line + "\n"
    }
    text += DeviceNotes.ownDevices
    Terminal.print(format == .table ? text : JSONNode(.array(nodes)).prettyText + "\n")
  }
}
