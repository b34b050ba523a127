import Networks
import SimKernel

/// Reads lists of flows: CSV, or htsim's connection matrices (`.cm`).
public enum FlowFile {
  /// The flows in the file at `path`, between places of `topology`; `-` is CSV on standard input.
  ///
  /// - Throws: `InvalidInput` with the place of everything that is wrong (the first 20),
  ///   ``InputError`` if the file cannot be read.
  public static func read(_ path: String, topology: Topology) throws -> FlowTable {
    let flows =
      path.hasSuffix(".cm")
      ? try ConnectionMatrix.read(path, topology: topology)
      : try csv(path, names: PlaceNames(topology))
    try refuseCircles(flows, origin: path == "-" ? "<stdin>" : path)
    return flows
  }

  private static let columns = [
    RecordColumns.Column(name: "id", isRequired: true, doc: "a name for each flow"),
    RecordColumns.Column(
      name: "source", isRequired: true, doc: "the name of an accelerator, or its position from 0"),
    RecordColumns.Column(
      name: "destination", isRequired: true,
      doc: "the name of an accelerator, or its position from 0"),
    RecordColumns.Column(name: "bytes", isRequired: true, doc: "whole bytes"),
    RecordColumns.Column(
      name: "start_s", isRequired: false, doc: "seconds, after the flows of `after` if it has any"),
    RecordColumns.Column(
      name: "after", isRequired: false, doc: "ids of flows that must have ended, or nothing"),
  ]

  private static func csv(_ path: String, names: PlaceNames) throws -> FlowTable {
    var stream = try RecordStream(path: path)
    let columns = try RecordColumns(columns, of: &stream)
    let (id, source, destination) = (columns[0]!, columns[1]!, columns[2]!)
    let (bytes, start, after) = (columns[3]!, columns[4], columns[5])
    var issues = TableIssues()
    var flows = FlowTable()
    var numbers: [String: Int32] = [:]
    // Flows may wait for later ones, so ids are looked up at the end.
    var waits: [(flow: Int32, names: String, place: TextPosition)] = []
    while try stream.next() {
      if issues.isFull { break }
      if let mismatch = columns.mismatch(stream) {
        issues.report(mismatch)
        continue
      }
      let name = stream.text(id)
      if name.isEmpty {
        issues.report(
          "id", at: stream.place(id), .invalid(found: "no id", expected: "expected a name"))
      } else if let first = numbers.updateValue(Int32(flows.count), forKey: name) {
        issues.report(
          "id", at: stream.place(id),
          .invalid(
            found: "a second flow \"\(name)\"",
            expected: "the first is on line \(flows.lines[Int(first)])"))
      }
      func node(_ field: Int, _ column: String) -> NodeID {
        switch names.accelerator(stream.text(field)) {
        case .success(let node): return node
        case .failure(let found):
          issues.report(column, at: stream.place(field), found.problem)
          return NodeID(0)
        }
      }
      var delay = SimDuration.zero
      if let start, stream.has(start) {
        delay = seconds(stream.text(start)) ?? .unbounded
        if delay == .unbounded {
          issues.report(
            "start_s", at: stream.place(start),
            .outOfRange(
              found: "\"\(stream.text(start))\"",
              expected: "seconds, at least 0 and less than 106 days"))
        }
      }
      let size = wholeBytes(stream, bytes)
      if size == nil {
        issues.report(
          "bytes", at: stream.place(bytes),
          .outOfRange(
            found: "\"\(stream.text(bytes))\"", expected: "a whole number of bytes, at least 0"))
      }
      let flow = flows.add(
        id: name, from: node(source, "source"), to: node(destination, "destination"),
        size: .bytes(size ?? 0), start: delay, line: stream.line)
      if let after, stream.has(after) {
        waits.append((Int32(flow), stream.text(after), stream.place(after)))
      }
    }
    if flows.count == 0, issues.issues.isEmpty {
      issues.report(
        "record", at: stream.place(0),
        .invalid(found: "no flows", expected: "expected a line for each flow after the header"))
    }
    for wait in waits {
      if issues.isFull { break }
      // An id with blanks in it can be waited for alone.
      let ids =
        numbers[wait.names] != nil
        ? [wait.names] : wait.names.split(separator: " ").map(String.init)
      var others: [Int] = []
      for name in ids {
        if let number = numbers[name] {
          others.append(Int(number))
        } else {
          issues.report(
            "after", at: wait.place,
            .unknownName(
              noun: "flow", found: name,
              suggestion: flows.count > 4096
                ? nil : Spelling.suggestion(for: name, among: flows.ids), known: flows.ids))
        }
      }
      flows.run(Int(wait.flow), after: others)
    }
    try issues.throwIfInvalid()
    flows.seal()
    return flows
  }

  /// A size as people and their tools write it: `1000`, also `1000.0` and `1e3`.
  private static func wholeBytes(_ stream: borrowing RecordStream, _ field: Int) -> Int64? {
    if let value = stream.integer(field) { return value >= 0 ? value : nil }
    guard let value = Double(stream.text(field)) else { return nil }
    return value >= 0 && value < 0x1p63 && value == value.rounded() ? Int64(value) : nil
  }

  /// Seconds, or nil for what is none; unbounded if they are too many.
  private static func seconds(_ text: String) -> SimDuration? {
    guard let value = Double(text), value >= 0, value.isFinite else { return nil }
    return .seconds(value)
  }

  private static func refuseCircles(_ flows: FlowTable, origin: String) throws(InvalidInput) {
    guard let way = flows.neverStarting() else { return }
    let names = way.prefix(12).map { flows.ids[$0] }
    let position = TextPosition(origin: origin, line: Int(flows.lines[way[0]]), column: 1)
    let problem: Issue.Problem =
      way.count == 1
      ? .invalid(
        found: "flow \"\(names[0])\" never starts",
        expected: "too few flows activate the trigger that it waits for")
      : .invalid(
        found: "flows wait for one another: " + names.joined(separator: " after ")
          + (way.count > 12 ? " after ..." : ""),
        expected: "one of them has to start by itself")
    throw InvalidInput([Issue(path: FieldPath(["after"]), position: position, problem: problem)])
  }
}
