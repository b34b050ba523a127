import SimKernel
import Validation

/// The columns of a result: fixed names and order, to which scripts may hold on.
///
/// Swept paths come after the identification, one column each, named by the path. New columns are
/// added at the end of their group; none is ever renamed.
public enum ResultColumns {
  /// A column and what stands in it.
  public struct Column: Sendable {
    public var name: String
    public var doc: String
    /// Which values are the better ones; nil where none are.
    public var direction: MetricDirection?
    init(_ name: String, _ doc: String, _ direction: MetricDirection? = nil) {
      self.name = name
      self.doc = doc
      self.direction = direction
    }
  }

  /// What names a row.
  public static let identificationColumns = [
    Column("title", "of the scenario"),
    Column("point", "the sweep point, from 0"),
    Column("replicate", "from 0; replicates differ in their random numbers"),
    Column("seed", "of the scenario"),
    Column("scenario_hash", "of the resolved scenario and the content of its input files"),
    Column("simnet_version", "that made the row"),
    Column("libzstd_version", "that compressed for it"),
  ]
  /// What a run measured, in the order of ``ResultRow/cells``.
  public static let measurementColumns = [
    Column("job", "its name"),
    Column("model", "that is trained"),
    Column("workers", "of the job"),
    Column(
      "iteration_time_s", "mean over workers and counted iterations: the sum of the six parts",
      .lowerIsBetter),
    Column("iteration_time_p50_s", "median over workers and iterations", .lowerIsBetter),
    Column("iteration_time_p99_s", "99th percentile over workers and iterations", .lowerIsBetter),
    Column("samples_per_s", "of all workers", .higherIsBetter),
    Column("compute_time_s", "forward and backward", .lowerIsBetter),
    Column("exposed_encode_s", "encoding that nothing else hid", .lowerIsBetter),
    Column(
      "exposed_communication_s", "waiting for exchanges whose participants were all there",
      .lowerIsBetter),
    Column("exposed_decode_s", "decoding that nothing else hid", .lowerIsBetter),
    Column("straggler_wait_s", "waiting for slower workers", .lowerIsBetter),
    Column("optimizer_time_s", "the parameter update", .lowerIsBetter),
    Column("raw_bytes", "the gradient of one worker in its wire type"),
    Column("encoded_bytes", "its framed payload, mean over workers", .lowerIsBetter),
    Column("wire_bytes", "bytes a worker sends in an iteration, headers excluded", .lowerIsBetter),
    Column("compression_ratio", "raw over encoded bytes", .higherIsBetter),
    Column(
      "wire_ratio", "what a plain ring all-reduce would send over wire bytes", .higherIsBetter),
    Column(
      "scaling_efficiency", "time of one worker without communication over iteration time",
      .higherIsBetter),
    Column(
      "gradient_rel_l2",
      "|decoded mean - exact mean| / |exact mean| of one step over the representative workers, "
        + "through every re-encoding of the strategy, without residuals", .lowerIsBetter),
    Column("gradient_cosine", "of the angle between these means", .higherIsBetter),
    Column("error_feedback", "whether what is lost is kept for the next step"),
    Column("algorithm", "the collectives that moved the gradients, as auto chose them"),
    Column("strategy", "how gradients became one update"),
    Column("compression", "the pipeline"),
    Column("schedule", "what was communicated together"),
    Column("exchanges", "communication units of an iteration"),
    Column("bottleneck", "the part that takes the most time"),
    Column("busiest_link", "that was busy for the largest share of the run"),
    Column("busiest_link_share", "this share"),
    Column("network_model", "that moved the bytes"),
    Column("transport", "between wire speed and what training sees"),
    Column("compute_source", "what the compute times rest on"),
    Column("codec_cost_source", "what encode and decode times rest on"),
    Column("transport_source", "what the transport's parameters rest on"),
    Column("gradient_source", "what the gradients rest on"),
    Column("gradient_sample", "elements encoded of how many"),
    Column(
      "makespan_s", "from the start to the end of the last iteration, warm-up included",
      .lowerIsBetter),
    Column("host_bytes", "the part of the wire bytes that leaves a worker's host", .lowerIsBetter),
    Column(
      "gradient_bias",
      "|E[decoded mean] - exact mean| / |exact mean| over random numbers of one step",
      .lowerIsBetter),
    Column(
      "gradient_variance",
      "E|decoded mean - E[decoded mean]|^2 / |exact mean|^2 over random numbers of one step",
      .lowerIsBetter),
    Column(
      "contraction_factor",
      "E|decoded - gradient|^2 / |gradient|^2 of one worker: below 1 contracts", .lowerIsBetter),
    Column(
      "residual_ratio",
      "the norm of the residuals over that of the gradients once it is steady; empty without",
      .lowerIsBetter),
    Column(
      "accumulated_rel_l2",
      "the error of the update summed over the steps of the study, residuals and all decorators on",
      .lowerIsBetter),
    Column("accumulated_cosine", "of the angle between the summed updates", .higherIsBetter),
    Column(
      "study",
      "elements, workers, steps and seeds behind the six columns before; or why there are "
        + "none"),
    Column("accuracy", "unknown: no learner ran", .higherIsBetter),
    Column(
      "compression_memory_bytes",
      "accelerator memory for residuals, momenta, codec state, payloads and buffers (estimated)",
      .lowerIsBetter),
    Column(
      "model_memory_bytes",
      "accelerator memory for parameters, gradients and optimizer state (estimated; activations "
        + "come on top)", .lowerIsBetter),
    Column(
      "folded",
      "how many workers were simulated as one, and how many iterations; or why all of them were "
        + "run"),
    Column("crashes", "how often a host of the job crashed while it ran", .lowerIsBetter),
    Column("checkpoint_time_s", "of the run, writing checkpoints", .lowerIsBetter),
    Column(
      "rework_time_s", "of the run, work that crashes undid: since the checkpoint before each",
      .lowerIsBetter),
    Column("downtime_s", "of the run, from crashes until the job went on", .lowerIsBetter),
    Column(
      "goodput", "the share of the makespan that is none of these three", .higherIsBetter),
    Column(
      "lost_messages", "sent again after a time-out, or under way when a host crashed",
      .lowerIsBetter),
  ]
  /// What comparing a row with its baselines adds: the same scenario with plain fp32 and plain
  /// fp16 gradients.
  public static let comparisonColumns = [
    Column(
      "speedup_over_fp32", "against plain fp32 gradients, otherwise the same scenario",
      .higherIsBetter),
    Column(
      "speedup_over_fp16", "against plain fp16 gradients, otherwise the same scenario",
      .higherIsBetter),
  ]

  /// The names of ``identificationColumns``.
  public static let identification = identificationColumns.map(\.name)
  /// The names of ``measurementColumns``.
  public static let measurements = measurementColumns.map(\.name)
  /// The names of ``comparisonColumns``.
  public static let comparisons = comparisonColumns.map(\.name)

  /// The header of a result whose sweep adds `swept`.
  public static func header(swept: [String]) -> [String] {
    identification + swept + measurements + comparisons
  }
  /// What is known of the column called `name`; nil for swept paths and columns of others.
  public static func column(_ name: String) -> Column? {
    (identificationColumns + measurementColumns + comparisonColumns).first { $0.name == name }
  }
  /// The position of a measurement.
  public static func index(of measurement: String) -> Int {
    measurements.firstIndex(of: measurement)!
  }
}

/// One finished run of one job, as the cells of a CSV line.
public struct ResultRow: Sendable, Equatable {
  /// The sweep point.
  public var point: Int
  public var replicate: Int
  /// The cells of the whole line, in the order of ``ResultColumns/header(swept:)``.
  public var cells: [String]
}

/// The rows of a sweep with their header.
public struct ResultTable: Sendable {
  public var header: [String]
  /// How many columns after the identification are swept paths.
  public var sweptCount: Int
  public var rows: [[String]]

  public init(header: [String], sweptCount: Int, rows: [[String]]) {
    self.header = header
    self.sweptCount = sweptCount
    self.rows = rows
  }

  /// The names of the swept columns.
  public var swept: [String] {
    let first = ResultColumns.identification.count
    return Array(header[first..<first + sweptCount])
  }
  /// The position of column `name`.
  public func column(_ name: String) -> Int? { header.firstIndex(of: name) }
  /// The cell of `name` in `row`.
  public func cell(_ name: String, _ row: [String]) -> String {
    column(name).map { row[$0] } ?? ""
  }
  /// The number in the cell of `name` in `row`.
  public func number(_ name: String, _ row: [String]) -> Double? { Double(cell(name, row)) }

  /// The table as CSV text.
  public var csv: String { text(.csv) }
  /// The table as JSON: an array of objects, numbers as numbers, empty cells as null.
  public var json: String { text(.json) }
  /// The table as JSON Lines: one object a line.
  public var jsonLines: String { text(.jsonLines) }

  /// The table in `format`.
  public func text(_ format: RowFormat) -> String {
    var bytes: [UInt8] = []
    format.begin(header, to: &bytes)
    for (index, row) in rows.enumerated() {
      format.append(row, header: header, isFirst: index == 0, to: &bytes)
    }
    format.end(isEmpty: rows.isEmpty, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}
