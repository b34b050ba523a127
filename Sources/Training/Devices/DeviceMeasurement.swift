import SimKernel

/// How, when and on what a profile was measured: the `measurement` record.
public struct DeviceMeasurement: Sendable, Equatable {
  /// What kind of device it was.
  public enum Kind: String, Sendable, CaseIterable { case cpu, cuda }

  public var kind: Kind
  /// Year, month and day.
  public var date: String
  public var hardware: String
  /// The version of PyTorch.
  public var torch: String
  /// Clock rates, as far as they were known.
  public var clock: String
  /// Threads of the host's arithmetic.
  public var threads: Int
  /// Which of the repetitions counted.
  public var statistic: String
  /// What ran.
  public var command: String

  /// Reads the record.
  public init(_ fields: inout FieldReader) {
    kind = fields.required("device", .choice("kind of device"), doc: "what was measured")
    date = fields.required(
      "date", .text("a date", example: "2026-01-31"), doc: "year-month-day of the measurement")
    hardware = fields.required("hardware", .text(), doc: "what it was measured on")
    torch = fields.required("torch", .text(), doc: "the version of PyTorch")
    clock = fields.optional("clock", .text(), default: "not known", doc: "clock rates then")
    threads = fields.optional("threads", .count(), default: 1, doc: "threads of the host")
    statistic = fields.optional(
      "statistic", .text(), default: "median", doc: "which of the repetitions counts")
    command = fields.optional("command", .text(), default: "", doc: "the command that measured it")
  }

  /// The record as JSON.
  var node: JSONNode {
    func member(_ key: String, _ text: String) -> JSONMember {
      JSONMember(key, JSONNode(.string(text)))
    }
    return JSONNode(
      .object([
        member("date", date), member("device", kind.rawValue), member("hardware", hardware),
        member("torch", torch), member("clock", clock),
        JSONMember("threads", JSONNode(.number(JSONNumber(threads)))),
        member("statistic", statistic), member("command", command),
      ]))
  }
}
