import Experiments
import SimKernel

/// Pipelines side by side on one gradient: which is smallest at which error.
///
/// A pipeline is Pareto-optimal if no other is at least as good in both payload and error and better
/// in one. Speeds are shown but judge nothing: they differ from run to run.
public struct PipelineComparison {
  /// One pipeline and what came of it.
  public struct Entry {
    public var pipeline: String
    /// The figures, or why there are none.
    public var outcome: Result<CompressionMeasurement.Figures, Failure>

    public init(
      _ pipeline: String, _ outcome: Result<CompressionMeasurement.Figures, Failure>
    ) {
      self.pipeline = pipeline
      self.outcome = outcome
    }

    var figures: CompressionMeasurement.Figures? { try? outcome.get() }
  }
  /// Why a pipeline could not take the gradient.
  public struct Failure: Error {
    public var reason: String
    public init(_ reason: String) { self.reason = reason }
  }

  public let file: String
  public let scope: String
  public let entries: [Entry]

  public init(file: String, scope: String, entries: [Entry]) {
    self.file = file
    self.scope = scope
    self.entries = entries
  }

  /// The columns of ``rows``.
  public static let header = [
    "file", "pipeline", "scope", "elements", "payload_bits", "payload_bits_per_element",
    "encoded_bytes", "compression_ratio", "rel_l2", "cosine", "encode_gigabytes_per_s",
    "decode_gigabytes_per_s", "pareto", "failure",
  ]

  /// Whether some pipeline could not take the gradient.
  public var hasFailures: Bool { entries.contains { $0.figures == nil } }

  /// A row a pipeline, in the order given.
  public var rows: [[String]] {
    func number(_ value: Double) -> String { value.isFinite ? JSONNumber.shortest(value) : "" }
    return entries.indices.map { index in
      let head = [file, entries[index].pipeline, scope]
      switch entries[index].outcome {
      case .failure(let failure):
        return head + Array(repeating: "", count: 9) + ["no", failure.reason]
      case .success(let figures):
        return head + [
          String(figures.elements), String(figures.payloadBits), number(figures.bitsPerElement),
          String(figures.encodedBytes.bytes), number(figures.compressionRatio),
          number(figures.relativeL2), number(figures.cosine),
          number(figures.encodeGigabytesPerSecond), number(figures.decodeGigabytesPerSecond),
          isOptimal(index) ? "yes" : "no", "",
        ]
      }
    }
  }

  /// Whether no other pipeline beats entry `index` in payload or error without losing in the other.
  public func isOptimal(_ index: Int) -> Bool {
    guard entries[index].figures != nil else { return false }
    return !entries.indices.contains { beats($0, index) }
  }

  /// Whether `a` is at least as good as `b` in both payload and error, and better in one.
  private func beats(_ a: Int, _ b: Int) -> Bool {
    guard let first = entries[a].figures, let second = entries[b].figures else { return false }
    let bits = (first.payloadBits, second.payloadBits)
    let errors = (first.relativeL2, second.relativeL2)
    return bits.0 <= bits.1 && errors.0 <= errors.1 && (bits.0 < bits.1 || errors.0 < errors.1)
  }

  // MARK: - Text

  /// The table and what it says, for a terminal of `width` columns.
  public func text(width: Int) -> String {
    var table = TextTable([
      (title: "", alignment: .left), (title: "pipeline", alignment: .left),
      (title: "ratio", alignment: .right), (title: "bits/element", alignment: .right),
      (title: "rel. error", alignment: .right), (title: "cosine", alignment: .right),
      (title: "encode GB/s", alignment: .right), (title: "decode GB/s", alignment: .right),
    ])
    for index in entries.indices {
      guard let figures = entries[index].figures else {
        table.add(["!", entries[index].pipeline, "failed", "", "", "", "", ""])
        continue
      }
      table.add([
        isOptimal(index) ? "*" : "", entries[index].pipeline, ratio(figures),
        Numbers.significant(figures.bitsPerElement, 4), error(figures),
        Numbers.significant(figures.cosine, 4),
        Numbers.significant(figures.encodeGigabytesPerSecond, 3),
        Numbers.significant(figures.decodeGigabytesPerSecond, 3),
      ])
    }
    let elements = entries.lazy.compactMap(\.figures?.elements).first
    let title = "\(file): " + (elements.map { "\($0) elements, " } ?? "") + "scope \(scope)\n"
    let notes = (frontier + dominated + ties + failures).flatMap {
      WrappedText.lines($0, head: "  ", indent: 4, width: width, limit: 8)
    }
    return title + table.text(width: width) + notes.map { $0 + "\n" }.joined()
  }

  private func ratio(_ figures: CompressionMeasurement.Figures) -> String {
    Numbers.significant(figures.compressionRatio, 3) + "x"
  }
  private func error(_ figures: CompressionMeasurement.Figures) -> String {
    figures.relativeL2.isFinite ? Numbers.significant(figures.relativeL2, 3) : "inf"
  }

  /// The optimal ones from the most exact to the smallest: which to take for an error that is
  /// allowed.
  private var frontier: [String] {
    let optimal = entries.indices.filter(isOptimal).compactMap { index in
      entries[index].figures.map { (index, $0) }
    }.sorted { ($0.1.relativeL2, $0.0) < ($1.1.relativeL2, $1.0) }
    if optimal.isEmpty { return [] }
    let steps = optimal.map { index, figures in
      "\(entries[index].pipeline) (error \(error(figures)), "
        + "\(Numbers.significant(figures.bitsPerElement, 4)) bits)"
    }
    return ["* smallest for its error: " + steps.joined(separator: ", ")]
  }

  private var dominated: [String] {
    entries.indices.compactMap { index in
      // The smallest of those that beat it says the most.
      let better = entries.indices.filter { beats($0, index) && isOptimal($0) }
      guard
        let best = better.min(by: {
          (entries[$0].figures!.payloadBits, $0) < (entries[$1].figures!.payloadBits, $1)
        })
      else { return nil }
      return "\(entries[index].pipeline) is never the choice: \(entries[best].pipeline) is "
        + difference(entries[best].figures!, entries[index].figures!)
    }
  }

  private func difference(
    _ a: CompressionMeasurement.Figures, _ b: CompressionMeasurement.Figures
  ) -> String {
    let isSmaller = a.payloadBits < b.payloadBits
    let isCloser = a.relativeL2 < b.relativeL2
    if isSmaller && isCloser { return "smaller and closer" }
    return isSmaller ? "smaller at the same error" : "closer at the same size"
  }

  private var ties: [String] {
    var lines: [String] = []
    for (index, entry) in entries.enumerated() {
      guard let own = entry.figures else { continue }
      func isTied(_ other: Entry) -> Bool {
        other.figures.map {
          $0.payloadBits == own.payloadBits && $0.relativeL2 == own.relativeL2
        } ?? false
      }
      // Each group is named once, by its first member.
      if entries[..<index].contains(where: isTied) { continue }
      let others = entries[(index + 1)...].filter(isTied).map(\.pipeline)
      if others.isEmpty { continue }
      lines.append(
        "a tie in size and error: " + ([entry.pipeline] + others).joined(separator: ", "))
    }
    return lines
  }

  private var failures: [String] {
    entries.compactMap { entry in
      guard case .failure(let failure) = entry.outcome else { return nil }
      return "! \(entry.pipeline) failed: \(failure.reason)"
    }
  }
}
