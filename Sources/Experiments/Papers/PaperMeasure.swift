import SimKernel

/// What stands for the published numbers: a column of results, scaled, and perhaps held against
/// another variant or averaged over an axis.
public struct PaperMeasure: Sendable {
  /// What becomes of a number and that of the variant it is compared with.
  public enum Comparison: String, Sendable, CaseIterable {
    /// This over that.
    case ratio
    /// How much larger this is than that, in percent.
    case gainPercent = "gain_percent"
  }

  public var column: String
  /// The column it is divided by, such as the number of workers; nil for none.
  public var divisor: String?
  public var scale: Double
  public var unit: String
  /// The job of a scenario of several; nil for its first.
  public var job: String?
  /// Labels that replace those of a case to find what it is compared with; empty for no comparison.
  public var reference: [(axis: String, label: String)]
  public var comparison: Comparison
  /// Axes whose points are averaged, each after its comparison.
  public var meanOver: [String]
  /// Axes of whose points the largest number counts, each after its comparison.
  public var maxOver: [String]

  /// Reads the record.
  public init(_ fields: inout FieldReader) {
    column = fields.required(
      "column", .text("a column of results", example: "samples_per_s"), doc: "what is measured")
    divisor = fields.optional(
      "divided_by", .text("a column of results", example: "workers"), doc: "a column to divide by")
    scale = fields.optional("scale", .positive, default: 1, doc: "a factor on it")
    unit = fields.optional(
      "unit", .text("a unit", example: "images/s"), default: "", doc: "of the published numbers")
    job = fields.optional("job", .text("a name", example: "main"), doc: "which of several jobs")
    let against = fields.optional(
      "compared_with", .any("an object of labels", example: #"{"communication": "fifo"}"#),
      doc: "labels of the variant that each case is compared with")
    comparison = fields.optional(
      "as", .choice("comparison"), default: .ratio,
      doc: "ratio: this over that variant; gain_percent: how many percent larger")
    meanOver = fields.optional(
      "mean_over", .list(of: .text("a swept path", example: "workload.model")), default: [],
      doc: "axes whose points are averaged")
    maxOver = fields.optional(
      "max_over", .list(of: .text("a swept path", example: "workload.model")), default: [],
      doc: "axes of whose points the largest number counts")
    if !meanOver.isEmpty, !maxOver.isEmpty {
      fields.report("max_over", .conflict("a mean or a maximum: remove one of the two"))
    }
    reference = []
    if let against {
      for member in against.members ?? [] {
        reference.append((member.key, SweepAxis.label(member.node)))
      }
      if reference.isEmpty, !fields.isDescribing {
        fields.report(
          "compared_with",
          .wrongType(
            found: against.kindName, expected: "an object of labels",
            example: #"{"communication": "fifo"}"#))
      }
    } else if fields.has("as") {
      fields.report("as", .conflict("a comparison needs the variant: add \"compared_with\""))
    }
  }

  /// The axes that the table does not name because their points become one number.
  var reducedAxes: [String] { meanOver + maxOver }

  /// One number of those of the points of a case.
  ///
  /// - Precondition: there is a point.
  func reduced(_ values: [Double]) -> Double {
    maxOver.isEmpty
      ? values.reduce(0, +) / Double(values.count) : values.dropFirst().reduce(values[0], max)
  }

  /// A number against that of the variant it is compared with.
  func compared(_ value: Double, with other: Double) -> Double {
    switch comparison {
    case .ratio: value / other
    case .gainPercent: (value / other - 1) * 100
    }
  }
}
