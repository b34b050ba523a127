import Foundation
import SimKernel
import Training

/// A recorded backward pass whose gradients are merged into messages that leave one after another: the
/// `replay` of a paper file.
struct ReplayExperiment {
  /// A rule that cuts the gradients into messages.
  enum Merging: String, CaseIterable, Sendable {
    case waitFree = "wait_free"
    case oneMessage = "one_message"
    case timedFusion = "timed_fusion"
    case mgWFBP = "mg_wfbp"
    case leastExposed = "least_exposed"
  }
  /// What a message costs.
  enum Cost: Sendable {
    /// NetAI'20's ring, with the file of its measured additions.
    case ring(workers: Int, bandwidth: Bandwidth, compression: Double, additions: String)
    /// `startup + bytes * per_byte`.
    case linear(TransferCost)

    static let registry = Registry<Cost>(
      noun: "cost", discriminator: "kind",
      entries: [
        .init("ring", summary: "a ring that carries, and adds as measured") { fields in
          .ring(
            workers: fields.required("workers", .count(), doc: "ranks of the ring"),
            bandwidth: fields.required("bandwidth", .bandwidth, doc: "of each link"),
            compression: fields.optional(
              "compression", .positive, default: 1, doc: "how many times fewer bytes travel"),
            additions: fields.required(
              "additions", .text("a path", example: "cuda_vec_add.log"),
              doc: "measured times of adding two vectors: bytes, seconds"))
        },
        .init("linear", summary: "the same time a message, and the same a byte") { fields in
          .linear(
            TransferCost(
              startup: fields.required("startup", .duration, doc: "of every message"),
              picosecondsPerByte: Double(
                fields.required("per_byte", .duration, doc: "of every byte").picoseconds)))
        },
      ])
  }

  var trace: String
  var batch: SimDuration
  var merging: Merging
  var cost: Cost

  /// Reads the record of one point.
  init(_ fields: inout FieldReader) {
    trace = fields.required(
      "trace", .text("a path", example: "resnet50.bk.log"),
      doc: "microseconds since the gradient before, bytes; relative to the paper file")
    batch = fields.required(
      "batch_time", .duration, doc: "an iteration of one worker without communication")
    merging = fields.optional(
      "merging", .choice("merging rule"), default: .timedFusion, doc: "what travels together")
    cost = fields.variant("message", Cost.registry, doc: "the time of a message")
  }

  /// What it measures, in the order of ``measured(in:)``.
  static let columns = [
    "exposed_communication_s", "iteration_time_s", "scaling_factor", "messages",
  ]

  /// The numbers of ``columns``.
  ///
  /// - Throws: `InvalidInput`, ``InputError`` for files that cannot be read.
  func measured(in directory: URL) throws -> [Double] {
    func resolved(_ path: String) -> String {
      URL(fileURLWithPath: path, relativeTo: directory).path
    }
    let replay = try BackwardTraceFile.readBackward(resolved(trace))
    let time: (ByteCount) -> SimDuration
    var planned = TransferCost(startup: .zero, picosecondsPerByte: 0)
    switch cost {
    case .linear(let linear):
      planned = linear
      time = linear.time
    case .ring(let workers, let bandwidth, let compression, let additions):
      let ring = RingReplayCost(
        workers: workers, bandwidth: bandwidth, compression: compression,
        addition: try BackwardTraceFile.readAdditions(resolved(additions)))
      time = ring.time
    }
    if case .ring = cost, merging == .mgWFBP || merging == .leastExposed {
      throw InvalidInput([
        Issue(
          path: FieldPath(["replay", "merging"]),
          problem: .conflict(
            "\(merging.rawValue) plans with a linear cost; use that or another rule"))
      ])
    }
    let messages =
      switch merging {
      case .waitFree: replay.waitFree
      case .oneMessage: replay.oneMessage
      case .timedFusion: replay.fused()
      case .mgWFBP: replay.mgWFBP(planned)
      case .leastExposed: replay.leastExposed(planned)
      }
    let exposed = replay.exposedCommunication(messages, cost: time)
    return [
      exposed.seconds, (batch + exposed).seconds,
      RingReplayCost.scalingFactor(batch: batch, exposed: exposed), Double(messages.count),
    ]
  }
}
