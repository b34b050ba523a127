import Dispatch
import Foundation
import SimKernel
import Synchronization
import Training

/// Draws scenarios that nobody wrote from the schema of scenarios, and runs them.
///
/// Failures show assumptions that the schema does not state (Breck et al., Data Validation for
/// Machine Learning, SysML 2019, section 5). Scenario `k` of a seed is the same whatever else is
/// drawn, so that one that fails can be run alone.
public struct ScenarioFuzz: Sendable {
  /// What came of a scenario.
  public enum Outcome: Sendable, Equatable {
    /// It ran, and its results are as they must be.
    case passed
    /// It is invalid: after all repairs, or for a reason that shows only when it runs.
    case refused
    /// The simulation cannot proceed, and says why.
    case blocked(String)
    /// It was stopped when its time was over.
    case stopped
    /// Something no scenario may cause.
    case failed([String])
  }

  /// One scenario and what came of it.
  public struct Trial: Sendable {
    /// Its number.
    public var index: Int
    /// The scenario as it was run.
    public var scenario: JSONNode
    /// What came of it.
    public var outcome: Outcome
    /// The repairs it took until it was valid.
    public var repairs: Int
    /// Why it was refused as it was drawn, or late, a message for each issue.
    public var reasons: [String]
    /// What is wrong with it after all repairs, as messages.
    public var problems: [String] = []
    /// The rows it gave.
    public var table: ResultTable?
  }

  /// Keys every draw.
  public let seed: UInt64
  /// Seconds after which a scenario is stopped.
  public let limit: Double
  private let draw: SchemaDraw
  private let folder: FuzzFolder
  /// Whether the schema allows every model, so that a small one may stand for most.
  private let allowsAnyModel: Bool

  /// The most repairs of one scenario.
  private static let mostRepairs = 40
  /// How often a part of a valid scenario is drawn anew.
  private static let variations = 40
  private static let purpose = RandomPurpose("scenario fuzzing")

  /// Draws from `schema`, by default that of all scenarios.
  ///
  /// - Throws: `InvalidInput` if the schema describes no object, ``InputError`` if the files that
  ///   scenarios name cannot be written.
  public init(schema: JSONNode? = nil, seed: UInt64 = 1, limit: Double = 10) throws {
    self.seed = seed
    self.limit = limit
    let whole = SchemaDraw(try Self.scenarioSchema(), words: FuzzFolder.words)
    draw = schema.map { SchemaDraw($0, words: FuzzFolder.words) } ?? whole
    if let schema, schema["properties"]?.members == nil {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--schema"]), position: schema.position,
          problem: .invalid(
            found: "no JSON Schema of an object", expected: "narrow what simnet schema prints"))
      ])
    }
    let model = ["workload", "model"]
    let empty = JSONNode(.object([]))
    allowsAnyModel =
      draw.schema(at: model, of: empty)?.canonicalText
      == whole.schema(at: model, of: empty)?.canonicalText
    folder = try FuzzFolder()
  }

  /// The schema that `simnet schema` prints, made from the records that read a scenario: a setting
  /// is drawn from the day it is declared.
  public static func scenarioSchema() throws(JSONError) -> JSONNode {
    try JSONNode.parse(
      Scenario.description.schemaDocument(id: "scenario"), origin: "simnet schema")
  }

  // MARK: - Trials

  /// Draws, repairs, varies and runs scenario `index`, which is told to `announce` just before it
  /// runs.
  public func trial(_ index: Int, announce: (JSONNode) -> Void = { _ in }) -> Trial {
    var random = RandomStream(seed: seed, purpose: Self.purpose, entity: index)
    var root = draw.document(&random)
    let repair = ScenarioRepair(draw: draw)
    var reasons: [String] = []
    var problems: [String] = []
    for round in 0...Self.mostRepairs {
      makeSmall(&root, index)
      do throws(InvalidInput) {
        var runner = try check(root, index)
        vary(&root, &runner, index, &random)
        var trial = Trial(
          index: index, scenario: root, outcome: .passed, repairs: round, reasons: reasons)
        announce(root)
        run(runner, &trial)
        return trial
      } catch {
        problems = error.issues.map(\.description)
        if round == 0 { reasons = error.issues.map(Self.reason) }
        repair.apply(error.issues, to: &root, round: round, &random)
      }
    }
    return Trial(
      index: index, scenario: root, outcome: .refused, repairs: Self.mostRepairs,
      reasons: reasons, problems: problems)
  }

  private func check(_ root: JSONNode, _ index: Int) throws(InvalidInput) -> SweepRunner {
    try SweepRunner(
      ScenarioFile(root: root, origin: "scenario \(index)", directory: folder.url),
      comparing: false)
  }

  /// Draws parts of a valid scenario anew and keeps what leaves it valid: repairs alone would leave
  /// out most of what can conflict, and with it most of what is worth trying.
  private func vary(
    _ root: inout JSONNode, _ runner: inout SweepRunner, _ index: Int,
    _ random: inout RandomStream
  ) {
    for _ in 0..<Self.variations {
      let places = draw.places(in: root)
      // Where there is more to choose from, more is to be tried.
      let weights = places.map { SchemaDraw.choices(of: $0.schema) }
      let total = weights.reduce(0, +)
      if total == 0 { return }
      var rest = random.index(below: total)
      var chosen = 0
      while rest >= weights[chosen] {
        rest -= weights[chosen]
        chosen += 1
      }
      let place = places[chosen]
      var changed = root
      guard changed.set(place.path, to: draw.value(of: place.schema, &random)) else { continue }
      makeSmall(&changed, index)
      guard let valid = try? check(changed, index) else { continue }
      root = changed
      runner = valid
    }
  }

  /// Runs a valid scenario twice, on one and on two threads.
  private func run(_ runner: SweepRunner, _ trial: inout Trial) {
    let stop = StopFlag()
    let watch = DispatchWorkItem { stop.raise(SIGALRM) }
    DispatchQueue.global(qos: .userInitiated).asyncAfter(deadline: .now() + limit, execute: watch)
    defer { watch.cancel() }
    do {
      let first = try runner.run(SweepOptions(jobs: 1, stop: stop))
      trial.table = first.table
      if let failure = first.failures.first { throw failure.error }
      let second = try runner.run(SweepOptions(jobs: 2, stop: stop))
      if first.isInterrupted || second.isInterrupted {
        trial.outcome = .stopped
        return
      }
      let jobs = trial.scenario["jobs"]?.elements ?? [trial.scenario]
      let isBetweenHosts = jobs.contains { job in
        if case .bool(true)? = job.get(["communication", "inter_node"])?.value {
          true
        } else {
          false
        }
      }
      var found = ResultInvariants.violations(
        of: first.table, isBetweenHosts: isBetweenHosts)
      if first.table.rows != second.table.rows { found.append("run again, the results differ") }
      if first.table.rows.isEmpty { found.append("there are no results") }
      if !found.isEmpty { trial.outcome = .failed(found) }
    } catch let invalid as InvalidInput {
      // What depends on encoded sizes, such as memory, can only be refused late.
      trial.outcome = .refused
      trial.problems = invalid.issues.map(\.description)
      trial.reasons += invalid.issues.map(Self.reason)
    } catch { trial.outcome = Self.outcome(of: error) }
  }

  /// A simulation may say that it cannot proceed, and then says who waits for whom; anything else
  /// is a fault.
  private static func outcome(of error: any Error) -> Outcome {
    switch error {
    case SimulationError.stuck(_, let waiting) where !waiting.isEmpty:
      return .blocked("the simulation cannot proceed")
    case SimulationError.givenUp: return .blocked("a job is given up")
    case SimulationError.timeOverflow: return .blocked("simulated time is over")
    default: return .failed(["\(error)"])
    }
  }

  // MARK: - Sizes

  /// Keeps scenarios small where a default, or a built-in model, would cost seconds each.
  private func makeSmall(_ root: inout JSONNode, _ index: Int) {
    let jobs = root["jobs"]?.elements?.indices.map { ["jobs", String($0)] } ?? [[]]
    for job in jobs where root.get(job)?.members != nil {
      let workload = job + ["workload"]
      if root.get(workload)?.members != nil {
        // One in 128 keeps a built-in model, of those whose gradients fit into memory many times:
        // some codecs encode all of it whatever the sample.
        let name = root.get(workload + ["model"])?.string
        let parameters = name.flatMap { ModelCatalog.table(named: $0)?.parameters } ?? .max
        if allowsAnyModel, index % 128 != 127 || parameters > 12_000_000 {
          _ = root.set(
            workload + ["model"],
            to: JSONNode(.object([JSONMember("file", JSONNode(.string("model.csv")))])))
        }
        if root.get(workload + ["iterations"]) == nil {
          _ = root.set(workload + ["iterations"], to: 2)
        }
      }
      let gradients = job + ["gradients"]
      if root.get(gradients)?.members == nil {
        _ = root.set(
          gradients, to: JSONNode(.object([JSONMember("source", JSONNode(.string("synthetic")))])))
      }
      if root.get(gradients + ["source"])?.string == "synthetic",
        root.get(gradients + ["sample"]) == nil
      {
        _ = root.set(gradients + ["sample"], to: 1024)
      }
      let study = gradients + ["study"]
      if root.get(study)?.members == nil { _ = root.set(study, to: JSONNode(.object([]))) }
      for (key, value) in [("steps", 2), ("seeds", 2), ("sample", 1024)]
      where root.get(study + [key]) == nil {
        _ = root.set(study + [key], to: JSONNode(integerLiteral: value))
      }
    }
  }

  // MARK: - Reasons

  /// The message of `issue` without its place and with numbers and quotations left out, so that the
  /// same reason counts as one.
  private static func reason(_ issue: Issue) -> String {
    var text = ""
    var isQuoted = false
    for character in issue.message {
      if character == "\"" {
        if !isQuoted { text += "\"...\"" }
        isQuoted.toggle()
      } else if isQuoted {
        continue
      } else if character.isASCII, character.isNumber {
        if text.last != "#" { text.append("#") }
      } else {
        text.append(character)
      }
    }
    let key = issue.path.parts.last { Int($0) == nil } ?? ""
    return key.isEmpty ? text : "\(key): \(text)"
  }
}
