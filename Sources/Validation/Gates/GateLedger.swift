import SimKernel

/// The commits that one set of replicates has judged, as the lines of a file.
///
/// Each line is one step: the gate, hashes of the results it compared, and the verdict. The file
/// only grows; what a line says of the gate must be what the first one says.
public struct GateLedger: Sendable, Equatable {
  /// The version of a line.
  public static let formatVersion = 1

  /// One step.
  public struct Entry: Sendable, Equatable {
    /// Names the results of the old build.
    public var baseline: String
    /// Names the results of the new build.
    public var candidate: String
    /// The replicates they have.
    public var replicates: Int
    /// The conjunction of the clauses.
    public var truth: TruthValue
    /// What the mode made of it.
    public var passes: Bool

    /// The step that compared `candidate` with `baseline`.
    public init(
      baseline: String, candidate: String, replicates: Int, truth: TruthValue, passes: Bool
    ) {
      self.baseline = baseline
      self.candidate = candidate
      self.replicates = replicates
      self.truth = truth
      self.passes = passes
    }
  }

  /// What the gate was when it was recorded, by the names of its parts; nil before the first step.
  private var gate: [JSONMember]?
  /// The steps in their order.
  public private(set) var entries: [Entry] = []

  /// The record of a gate that has judged nothing.
  public init() {}

  public static func == (left: GateLedger, right: GateLedger) -> Bool { left.text == right.text }

  /// The step that compared the same results before, counted from 1.
  public func step(baseline: String, candidate: String) -> Int? {
    entries.firstIndex { $0.baseline == baseline && $0.candidate == candidate }.map { $0 + 1 }
  }

  /// The replicates as the steps so far left them.
  ///
  /// - Throws: `GateError.changed` if `plan` is not of the gate that was recorded.
  public func testSet(for plan: GatePlan) throws(GateError) -> GateTestSet {
    if let gate {
      for (found, recorded) in zip(Self.members(of: plan), gate)
      where found.node.compactText != recorded.node.compactText {
        throw .changed(
          what: found.key, found: found.node.compactText, recorded: recorded.node.compactText)
      }
    }
    return GateTestSet(
      plan, stepsUsed: entries.count, hasPassed: entries.contains(where: \.passes))
  }

  /// Records a step of `plan`, whose test set it was taken from.
  public mutating func append(_ entry: Entry, of plan: GatePlan) {
    gate = gate ?? Self.members(of: plan)
    entries.append(entry)
  }

  // MARK: - Text

  /// The file: a JSON object a line.
  public var text: String {
    entries.enumerated().map { index, entry in
      let members =
        [
          JSONMember("simnet_gate", JSONNode(integerLiteral: Self.formatVersion)),
          JSONMember("step", JSONNode(integerLiteral: index + 1)),
        ] + (gate ?? []) + [
          JSONMember("baseline", JSONNode(.string(entry.baseline))),
          JSONMember("candidate", JSONNode(.string(entry.candidate))),
          JSONMember("replicates", JSONNode(integerLiteral: entry.replicates)),
          JSONMember("truth", JSONNode(.string(entry.truth.rawValue))),
          JSONMember("verdict", JSONNode(.string(entry.passes ? "pass" : "fail"))),
        ]
      return JSONNode(.object(members)).compactText + "\n"
    }.joined()
  }

  /// The parts of a gate that its guarantee depends on.
  private static func members(of plan: GatePlan) -> [JSONMember] {
    let specification = plan.specification
    let range = plan.metric.range.map { range in
      JSONNode(
        .array([range.lowerBound, range.upperBound].map { JSONNode(.number(JSONNumber($0))) }))
    }
    func text(_ value: String) -> JSONNode { JSONNode(.string(value)) }
    return [
      JSONMember("condition", text(specification.condition.description)),
      JSONMember("reliability", JSONNode(.number(JSONNumber(specification.reliability)))),
      JSONMember("mode", text(specification.mode.rawValue)),
      JSONMember("adaptivity", text(specification.adaptivity.rawValue)),
      JSONMember("steps", JSONNode(integerLiteral: specification.steps)),
      JSONMember("bound", text(specification.bound.rawValue)),
      JSONMember("metric", text(plan.metric.name)),
      JSONMember("range", range ?? JSONNode(.null)),
    ]
  }

  /// Reads the record in `text`.
  ///
  /// - Throws: `JSONError` for a line that is no JSON, `InvalidInput` for one that is no step, is not
  ///   the next one, or speaks of another gate than the first: a step that is lost would be judged
  ///   again, and the guarantee with it.
  public static func parse(_ text: String, origin: String) throws -> GateLedger {
    var ledger = GateLedger()
    var rest = text[...]
    var number = 0
    while !rest.isEmpty {
      let line = rest.prefix { $0 != "\n" }
      rest = rest[line.endIndex...].dropFirst()
      number += 1
      if line.isEmpty { continue }
      // Named by its line: positions inside it count from its own first line.
      let node = try JSONNode.parse(String(line), origin: "\(origin), line \(number)")
      let issues = IssueCollector()
      FieldReader.read(node, path: FieldPath(["step \(number)"]), issues: issues) {
        ledger.read(&$0)
      }
      try issues.throwIfInvalid()
    }
    return ledger
  }

  private mutating func read(_ fields: inout FieldReader) {
    let version = Self.formatVersion
    _ = fields.required("simnet_gate", .integer(version...version), doc: "the version of a line: 1")
    let next = entries.count + 1
    _ = fields.required("step", .integer(next...next), doc: "counted from 1")
    var own: [JSONMember] = []
    for key in [
      "condition", "reliability", "mode", "adaptivity", "steps", "bound", "metric", "range",
    ] {
      let node =
        key == "range"
        ? fields.optional(key, .any("a range", example: "[0,1]"), doc: "")
        : fields.required(key, .any("a part of the gate", example: "\"n > 0 +/- 1\""), doc: "")
      own.append(JSONMember(key, node ?? JSONNode(.null)))
    }
    if let gate {
      for (found, recorded) in zip(own, gate)
      where found.node.compactText != recorded.node.compactText {
        fields.report(
          found.key,
          .conflict(
            "\(found.node.compactText) is not the \(recorded.node.compactText) of the steps before"
          ))
      }
    } else {
      gate = own
    }
    let verdict = fields.required("verdict", FieldKind<Verdict>.choice("verdict"), doc: "")
    entries.append(
      Entry(
        baseline: fields.required("baseline", .text("a hash"), doc: ""),
        candidate: fields.required("candidate", .text("a hash"), doc: ""),
        replicates: fields.required("replicates", .count(0), doc: ""),
        truth: fields.required("truth", .choice("truth"), doc: ""), passes: verdict == .pass))
  }

  private enum Verdict: String, CaseIterable, Sendable { case pass, fail }
}
