import SimKernel

/// How much longer work takes while compute and side stream of a worker are both busy.
///
/// The two share memory bandwidth and arithmetic units, and not evenly: a short codec beside a long
/// backward may lose much more than it costs.
public struct OverlapSlowdown: Sendable, Equatable {
  /// On what runs on the compute stream; at least 1.
  public var compute: Double
  /// On what runs on the side stream; at least 1.
  public var side: Double

  /// Streams that do not disturb each other.
  public static let none = OverlapSlowdown(1)

  public init(compute: Double, side: Double) {
    precondition(compute >= 1 && side >= 1, "work beside other work is not faster for it")
    self.compute = compute
    self.side = side
  }

  /// The same `factor` on both streams, at least 1.
  public init(_ factor: Double) { self.init(compute: factor, side: factor) }
}

/// What was measured of one codec beside the backward pass of one model.
public struct MeasuredOverlap: Sendable, Equatable {
  /// As ``CompressionPipeline/label`` spells it.
  public var pipeline: String
  public var model: String
  public var batch: Int
  /// The size of the gradient that was encoded again and again.
  public var size: ByteCount
  public var slowdown: OverlapSlowdown

  /// Reads the record.
  public init(_ fields: inout FieldReader) {
    pipeline = fields.required("pipeline", .pipelineLabel, doc: "what was encoded beside backward")
    model = fields.required("model", .modelName, doc: "whose backward ran")
    batch = fields.required("batch", .count(), doc: "samples in its micro-batch")
    size = ByteCount(
      Int64(fields.required("bytes", .count(), doc: "size of the gradient that was encoded")))
    let factor = FieldKind<Double>.number(
      "a number >= 1", example: 1.1, schema: #"{"type":"number","minimum":1}"#
    ) { $0 >= 1 }
    slowdown = OverlapSlowdown(
      compute: fields.required(
        "backward", factor, doc: "how much longer backward took while the codec ran"),
      side: fields.required(
        "codec", factor, doc: "how much longer the codec took while backward ran"))
  }

  /// The record as JSON.
  var node: JSONNode {
    JSONNode(
      .object([
        JSONMember("pipeline", JSONNode(.string(pipeline))),
        JSONMember("model", JSONNode(.string(model))),
        JSONMember("batch", JSONNode(.number(JSONNumber(batch)))),
        JSONMember("bytes", JSONNode(.number(JSONNumber(Int(size.bytes))))),
        JSONMember("backward", JSONNode(floatLiteral: slowdown.compute)),
        JSONMember("codec", JSONNode(floatLiteral: slowdown.side)),
      ]))
  }

  /// The mean of all, since a simulation has one factor a stream; nil without any.
  static func mean(_ overlaps: [MeasuredOverlap]) -> OverlapSlowdown? {
    if overlaps.isEmpty { return nil }
    let count = Double(overlaps.count)
    return OverlapSlowdown(
      compute: max(1, overlaps.reduce(0) { $0 + $1.slowdown.compute } / count),
      side: max(1, overlaps.reduce(0) { $0 + $1.slowdown.side } / count))
  }
}
