import Foundation
import SimKernel

/// A published table or figure beside the simulation that is to reproduce it.
///
///     {
///       "simnet_paper": 1,
///       "paper": { "authors": "Jayarajan et al.", "title": "...", "venue": "MLSys 2019",
///                  "arxiv": "1905.03960" },
///       "figure": "figure 7",
///       "obtained": "digitised from the vector figure, +-0.3 images/s",
///       "not_modelled": ["..."],
///       "scenario": "p3-resnet50.scenario.json",
///       "measure": { "column": "samples_per_s", "divided_by": "workers" },
///       "published": {
///         "by": ["cluster.topology.link.bandwidth", "communication"],
///         "values": { "4 Gbps": { "baseline": 76.4, "slicing": 77.7, "p3": 96.6 } } },
///       "tolerance": { "kind": "relative", "within": 0.1 }
///     }
///
/// Everything that the numbers rest on is a required key, so that no reproduction goes without its
/// source and without what it leaves out.
public struct PaperFile: Sendable {
  /// The version of the format.
  public static let formatVersion = 1

  /// The file's name without its ending.
  public var name: String
  public var origin: String
  public var citation: PaperCitation
  public var figure: String
  public var obtained: String
  public var notModelled: [String]
  public var constants: [PaperConstant]
  /// Files of others that a checkout may lack, relative to this one; without them nothing is run.
  public var requires: [String]
  public var experiment: PaperExperiment
  public var measure: PaperMeasure
  public var published: PublishedTable
  public var tolerance: ToleranceBand
  public var explanations: [MissExplanation]
  /// Relative paths start here.
  public var directory: URL

  /// The paper file at `path`, with every case of the published table found among the points of its
  /// sweep.
  ///
  /// - Throws: `InvalidInput` with all problems, each with its line; `JSONError` where it is not JSON;
  ///   ``InputError`` if a file cannot be read.
  public static func read(_ path: String) throws -> PaperFile {
    let file = try ScenarioFile.read(path)
    let issues = IssueCollector()
    let draft = FieldReader.read(file.root, issues: issues) { PaperDraft(&$0) }
    try issues.throwIfInvalid()
    let experiment = try PaperExperiment(draft, in: file)
    let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    let paper = PaperFile(
      name: path == "-" ? "paper" : name, origin: file.origin, citation: draft.citation,
      figure: draft.figure, obtained: draft.obtained, notModelled: draft.notModelled,
      constants: draft.constants, requires: draft.requires, experiment: experiment,
      measure: draft.measure, published: draft.published, tolerance: draft.tolerance,
      explanations: draft.explanations, directory: file.directory)
    PaperCheck(paper, root: file.root).report(to: issues)
    try issues.throwIfInvalid()
    return paper
  }

  /// The format as documentation: for the schema and `explain`.
  public static var description: RecordDescription {
    RecordDescription.of(
      name: "paper", summary: "a published table beside the simulation that reproduces it"
    ) { _ = PaperDraft(&$0) }
  }

  /// The first of the files in ``requires`` that is not there.
  public var missingFile: String? {
    requires.first {
      !FileManager.default.fileExists(
        atPath: URL(fileURLWithPath: $0, relativeTo: directory).path)
    }
  }
}

/// Who published the numbers.
public struct PaperCitation: Sendable, Equatable {
  public var authors: String
  public var title: String
  public var venue: String
  public var arxiv: String?
  public var doi: String?

  /// Reads the record.
  public init(_ fields: inout FieldReader) {
    authors = fields.required("authors", .text("a name", example: "Shi et al."), doc: "who")
    title = fields.required("title", .text(), doc: "of the paper")
    venue = fields.required("venue", .text("a venue", example: "MLSys 2019"), doc: "where and when")
    arxiv = fields.optional("arxiv", .text("a number", example: "1905.03960"), doc: "its arXiv id")
    doi = fields.optional("doi", .text("a DOI", example: "10.1145/3341301.3359642"), doc: "its DOI")
  }

  /// `Shi et al., INFOCOM 2019, arXiv:1912.09268`.
  public var short: String {
    ([authors, venue] + (arxiv.map { ["arXiv:" + $0] } ?? doi.map { ["doi:" + $0] } ?? []))
      .joined(separator: ", ")
  }
}

/// A number that the paper does not give.
public struct PaperConstant: Sendable {
  public var name: String
  /// What was taken.
  public var value: String
  /// Where it stands in the scenario; nil if it is none of its keys.
  public var path: String?
  /// On which points it was fitted, and what they say; never on a point of this file's own table.
  public var fitted: String
  /// The paper file, relative to this one, on whose points the candidates are compared.
  public var fittedOn: String?
  /// What was tried.
  public var candidates: [JSONNode]

  /// Reads the record.
  public init(_ fields: inout FieldReader) {
    name = fields.required("name", .text(), doc: "what it is")
    value = fields.required("value", .text("a value", example: "1.4 GB/s"), doc: "what was taken")
    path = fields.optional("path", .text("a path", example: "a.b"), doc: "its key in the scenario")
    fitted = fields.required(
      "fitted", .text(), doc: "on which points it was fitted, and how well they determine it")
    fittedOn = fields.optional(
      "fitted_on", .text("a paper file", example: "other.json"),
      doc: "the paper file on whose points candidates are compared (--sensitivity)")
    candidates = fields.optional(
      "candidates", .list(of: .any("a value", example: "\"1 GB/s\"")), default: [],
      doc: "the values that were tried")
    if !candidates.isEmpty, path == nil {
      fields.report("candidates", .conflict("candidates need the \"path\" that they are set at"))
    }
  }
}

/// Why points miss their band.
public struct MissExplanation: Sendable {
  /// The cases it is about: for an axis, some of its labels; other axes do not matter.
  public var cases: JSONNode
  public var reason: String

  /// Reads the record.
  public init(_ fields: inout FieldReader) {
    cases = fields.optional(
      "where", .any("an object of axes with a label or several", example: "{}"),
      default: JSONNode(.object([])), doc: "the cases it is about; all without")
    reason = fields.required("because", .text(), doc: "what makes them miss")
  }

  /// Whether it is about the case with `labels` on `axes`.
  func covers(_ labels: [String], axes: [String]) -> Bool {
    (cases.members ?? []).allSatisfy { member in
      guard let axis = axes.firstIndex(of: member.key) else { return false }
      return (member.node.elements ?? [member.node]).contains {
        SweepAxis.label($0) == labels[axis]
      }
    }
  }
}

/// A paper file as written, before its table is held against its sweep.
struct PaperDraft {
  var citation: PaperCitation
  var figure: String
  var obtained: String
  var notModelled: [String]
  var constants: [PaperConstant]
  var requires: [String]
  var scenario: JSONNode?
  var replay: JSONNode?
  var graph: JSONNode?
  var measure: PaperMeasure
  var published: PublishedTable
  var tolerance: ToleranceBand
  var explanations: [MissExplanation]

  init(_ fields: inout FieldReader) {
    _ = fields.required(
      "simnet_paper", .integer(PaperFile.formatVersion...PaperFile.formatVersion),
      doc: "the version of this format: 1")
    _ = fields.optional("$schema", .text(), doc: "a JSON Schema for editors; ignored by simnet")
    citation = fields.record("paper", doc: "who published the numbers", PaperCitation.init)
    figure = fields.required(
      "figure", .text("a figure or table", example: "figure 7"), doc: "which of its numbers")
    obtained = fields.required(
      "obtained", .text(), doc: "how they were obtained: read in the text, digitised, computed")
    notModelled = fields.required(
      "not_modelled", .list(of: .text()), doc: "what simnet leaves out of the set-up")
    constants = fields.records("constants", doc: "numbers that the paper does not give") {
      PaperConstant(&$0)
    }
    requires = fields.optional(
      "requires", .list(of: .text("a path", example: "trace.log")), default: [],
      doc: "files of others, without which nothing is run")
    scenario = fields.optional(
      "scenario", .any("a scenario or the path of one", example: "\"scenario.json\""),
      doc: "what is simulated, with its sweep; a path is relative to this file")
    replay = fields.optional(
      "replay", .any("an object", example: "{}"),
      doc: "a recorded backward pass instead of a scenario, with a sweep of its own")
    graph = fields.optional(
      "graph", .any("an object", example: "{}"),
      doc: "the operations of one worker instead of a scenario, with a sweep of its own")
    measure = fields.record("measure", doc: "what stands for the published numbers") {
      PaperMeasure(&$0)
    }
    published = fields.record("published", doc: "the published numbers") { PublishedTable(&$0) }
    tolerance = fields.variant(
      "tolerance", ToleranceBand.registry, doc: "when a number counts as reproduced")
    explanations = fields.records("misses", doc: "why points are missed, beside which it is shown")
    {
      MissExplanation(&$0)
    }
    let given = [("scenario", scenario), ("replay", replay), ("graph", graph)]
      .filter { $0.1 != nil }
    if given.isEmpty {
      fields.report(
        "scenario",
        .missingKey(expected: "a scenario or the path of one", example: "\"scenario.json\""))
    } else if given.count > 1 {
      fields.report(
        given[1].0, .conflict("one experiment a file: remove \"\(given[1].0)\" or the other one"))
    }
  }
}
