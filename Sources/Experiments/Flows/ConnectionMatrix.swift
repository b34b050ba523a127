import Foundation
import Networks
import SimKernel

/// Reads htsim's connection matrices as htsim does (csg-htsim, `sim/datacenter/connection_matrix.cpp`).
///
///     Nodes 16
///     Connections 2
///     Triggers 1
///     0->13 id 1 start 0 size 2000000 send_done_trigger 1
///     13->0 id 2 trigger 1 size 2000000
///     trigger id 1 oneshot
///
/// Traps: `start` is in **picoseconds**, although htsim's own writer prints microseconds; `size` is in
/// bytes of payload; hosts are numbered, here as positions among the accelerators; a connection
/// without an id gets `c` and its number. A trigger fires when connections that name it have ended -
/// at the receiver in both cases, since acknowledgements on their way back are not modelled:
/// `oneshot` starts all that wait for it, `barrier` does at the `count`th end, `multishot` starts
/// one at each. Priorities are read and not used; failures are refused.
enum ConnectionMatrix {
  /// The flows of the matrix at `path`.
  static func read(_ path: String, topology: Topology) throws -> FlowTable {
    let file = try ScenarioFile.text(path)
    var reader = ConnectionReader(origin: path, topology: topology)
    var number = 0
    for line in file.split(separator: 0x0A, omittingEmptySubsequences: false) {
      number += 1
      if reader.issues.isFull { break }
      reader.read(line, number: number)
    }
    return try reader.finish()
  }
}

extension ScenarioFile {
  /// The bytes of a text file.
  static func text(_ path: String) throws(InputError) -> [UInt8] {
    do {
      return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      throw InputError(path: path, reason: InputError.reason(error), advice: "check the path")
    }
  }
}

/// What has been read of one matrix.
private struct ConnectionReader {
  private struct Trigger {
    var gate: Int32
    var place: TextPosition
    var isDeclared = false
  }
  /// A connection's relation to triggers.
  private struct Mention {
    var flow: Int
    var trigger: Int
    var isStart: Bool
    var place: TextPosition
  }
  private struct Word {
    var text: String
    var column: Int
  }

  let origin: String
  let topology: Topology
  var issues = TableIssues()
  private var flows = FlowTable()
  private var numbers: [String: Int] = [:]
  private var gates: [Int: Int32] = [:]
  private var mentions: [Mention] = []
  private var triggerCount = 0
  /// What the header promised, and where.
  private var promised: [(key: String, value: Int, place: TextPosition)] = []

  init(origin: String, topology: Topology) {
    self.origin = origin
    self.topology = topology
  }

  private func place(_ line: Int, _ column: Int) -> TextPosition {
    TextPosition(origin: origin, line: line, column: column)
  }

  private static func words(_ line: ArraySlice<UInt8>) -> [Word] {
    var words: [Word] = []
    var start: Int?
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
    for index in line.startIndex...line.endIndex {
      if index < line.endIndex, !isBlank(line[index]) {
        start = start ?? index
      } else if let first = start {
        words.append(
          Word(
            text: String(decoding: line[first..<index], as: UTF8.self),
            column: first - line.startIndex + 1))
        start = nil
      }
    }
    return words
  }

  mutating func read(_ line: ArraySlice<UInt8>, number: Int) {
    let words = Self.words(line)
    guard let first = words.first, !first.text.hasPrefix("#") else { return }
    let here = place(number, first.column)
    switch first.text {
    case "Nodes", "Connections", "Triggers", "Failures":
      guard words.count == 2, let value = Int(words[1].text), value >= 0 else {
        issues.report(
          first.text, at: here,
          .invalid(found: "no number", expected: "write \(first.text) and how many"))
        return
      }
      promised.append((first.text, value, here))
      if first.text == "Nodes", value > topology.accelerators.count {
        issues.report(
          "Nodes", at: here,
          .outOfRange(
            found: "\(value)",
            expected: "at most \(topology.accelerators.count), the accelerators of \(topology.name)"
          ))
      }
    case "trigger": trigger(words, number)
    case "failure":
      issues.report(
        "failure", at: here,
        .invalid(
          found: "failures of switches are not read",
          expected: "write \"faults\" into a scenario and give it as --topology"))
    default: connection(words, number)
    }
  }

  private mutating func trigger(_ words: [Word], _ line: Int) {
    var id: Int?
    var count: Int?
    var kind: String?
    var index = 1
    while index < words.count {
      let word = words[index]
      switch word.text {
      case "oneshot", "multishot", "barrier": kind = word.text
      case "id", "count":
        let value = whole(words, index + 1, line, atLeast: 1)
        if word.text == "id" { id = value } else { count = value }
        index += 1
      default: unknown(word, line, ["id", "count", "oneshot", "multishot", "barrier"])
      }
      index += 1
    }
    guard let id, let kind, kind != "barrier" || count != nil else {
      issues.report(
        "trigger", at: place(line, 1),
        .invalid(
          found: "a trigger lacks its id, kind or count",
          expected: "write: trigger id 1 oneshot, or: trigger id 1 barrier count 4"))
      return
    }
    triggerCount += 1
    if gates[id] != nil {
      issues.report(
        "trigger", at: place(line, 1),
        .invalid(found: "a second trigger \(id)", expected: "triggers have an id of their own"))
      return
    }
    gates[id] = flows.addGate(
      kind == "multishot"
        ? FlowGate(.next) : FlowGate(.all, needed: kind == "barrier" ? count! : 1))
  }

  private mutating func connection(_ words: [Word], _ line: Int) {
    let ends = words[0].text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard ends.count == 2, ends[1].hasPrefix(">"), let source = Int(ends[0]),
      let destination = Int(ends[1].dropFirst())
    else {
      issues.report(
        "connection", at: place(line, words[0].column),
        .invalid(
          found: "\"\(words[0].text)\"",
          expected: "expected a connection such as 0->13, trigger, Nodes, Connections or Triggers"))
      return
    }
    for node in [source, destination] where !topology.accelerators.indices.contains(node) {
      issues.report(
        "connection", at: place(line, words[0].column),
        .outOfRange(
          found: "node \(node)",
          expected: "an accelerator of \(topology.name): 0...\(topology.accelerators.count - 1)"))
      return
    }
    var id: String?
    var size: Int?
    var start: Double?
    var isTriggered = false
    let flow = flows.count
    var index = 1
    while index < words.count {
      let word = words[index]
      let next = index + 1
      switch word.text {
      case "id": id = whole(words, next, line, atLeast: 1).map(String.init)
      case "size": size = whole(words, next, line, atLeast: 0)
      case "prio": _ = whole(words, next, line, atLeast: 0)
      case "start":
        start = next < words.count ? Double(words[next].text) : nil
        if start == nil || !(start! >= 0 && start! < 9e18) {
          issues.report(
            "start", at: place(line, word.column),
            .invalid(found: "no time", expected: "expected picoseconds, at least 0"))
          start = 0
        }
      case "trigger", "send_done_trigger", "recv_done_trigger":
        if let value = whole(words, next, line, atLeast: 1) {
          let isStart = word.text == "trigger"
          isTriggered = isTriggered || isStart
          mentions.append(
            Mention(
              flow: flow, trigger: value, isStart: isStart, place: place(line, words[next].column)))
        }
      default:
        unknown(
          word, line,
          ["id", "start", "size", "trigger", "send_done_trigger", "recv_done_trigger", "prio"])
      }
      index += 2
    }
    if (start == nil) != isTriggered {
      issues.report(
        "connection", at: place(line, words[0].column),
        .invalid(
          found: isTriggered ? "both a start and a trigger" : "neither a start nor a trigger",
          expected: "give one of them"))
    }
    if size == nil, !issues.isFull {
      issues.report(
        "connection", at: place(line, words[0].column),
        .invalid(found: "no size", expected: "write size and how many bytes"))
    }
    let name = id ?? "c\(flow + 1)"
    if let first = numbers.updateValue(flow, forKey: name) {
      issues.report(
        "id", at: place(line, words[0].column),
        .invalid(
          found: "a second connection \"\(name)\"",
          expected: "the first is on line \(flows.lines[first])"))
    }
    flows.add(
      id: name, from: topology.accelerators[source], to: topology.accelerators[destination],
      size: .bytes(Int64(size ?? 0)), start: .roundingUp(picoseconds: start ?? 0), line: line)
  }

  private mutating func whole(
    _ words: [Word], _ index: Int, _ line: Int, atLeast least: Int
  ) -> Int? {
    if index < words.count, let value = Int(words[index].text), value >= least { return value }
    let word = words[min(index, words.count - 1)]
    issues.report(
      words[index - 1].text, at: place(line, word.column),
      .outOfRange(
        found: index < words.count ? "\"\(word.text)\"" : "the end of the line",
        expected: "a whole number of at least \(least)"))
    return nil
  }

  private mutating func unknown(_ word: Word, _ line: Int, _ known: [String]) {
    issues.report(
      "connection", at: place(line, word.column),
      .unknownName(
        noun: "word", found: word.text,
        suggestion: Spelling.suggestion(for: word.text, among: known), known: known))
  }

  /// The flows, after what can only be checked at the end.
  mutating func finish() throws(InvalidInput) -> FlowTable {
    for mention in mentions {
      guard let gate = gates[mention.trigger] else {
        issues.report(
          "trigger", at: mention.place,
          .invalid(
            found: "trigger \(mention.trigger) is nowhere declared",
            expected: "add: trigger id \(mention.trigger) oneshot"))
        continue
      }
      if mention.isStart {
        flows.hold(mention.flow, behind: gate)
      } else {
        flows.knock(mention.flow, at: gate)
      }
    }
    for (key, value, place) in promised {
      let found = key == "Connections" ? flows.count : key == "Triggers" ? triggerCount : value
      if found != value, issues.issues.isEmpty {
        issues.report(
          key, at: place,
          .invalid(
            found: "the header promises \(value)", expected: "the file has \(found)"))
      }
    }
    if flows.count == 0, issues.issues.isEmpty {
      issues.report(
        "connection", at: place(1, 1),
        .invalid(
          found: "no connections", expected: "expected lines such as 0->13 start 0 size 1000"))
    }
    try issues.throwIfInvalid()
    flows.seal()
    return flows
  }
}
