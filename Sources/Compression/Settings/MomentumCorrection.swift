import SimKernel

/// How momentum correction is configured.
public struct MomentumCorrectionSettings: Sendable, Equatable {
  /// m: what is left of the momentum from one iteration to the next, in [0, 1).
  public var factor: Double
  /// Whether the momentum of what was sent starts again from zero.
  public var masking: Bool
  /// Whether the momentum looks ahead.
  public var nesterov: Bool
  /// The norm to which the mean gradient of all workers would be clipped; nil clips nothing.
  public var clipping: Double?

  public init(
    factor: Double = 0.9, masking: Bool = true, nesterov: Bool = false, clipping: Double? = nil
  ) {
    self.factor = factor
    self.masking = masking
    self.nesterov = nesterov
    self.clipping = clipping
  }
}

/// Momentum before compression instead of after it (Lin, Han, Mao, Wang and Dally, Deep Gradient
/// Compression, ICLR 2018, arXiv:1712.01887).
///
/// A worker adds its momentum up, not its gradient, so that an element that waits several iterations
/// arrives with the momentum it would have had:
///
///     u = m u + g            (Nesterov: u = m (u + g), and u + g is added)
///     v = v + u
///     v is encoded; what was sent leaves v; with masking, u becomes zero there
///
/// v is the residual: error feedback beside it would add the same loss twice. Before that a gradient
/// g is clipped to the norm c / sqrt(P), so that the sum of P of independent directions has about the
/// norm c. The optimiser must not apply momentum again. Masking acts where a pipeline selects: where
/// everything is sent, it would be no momentum at all.
///
/// One value belongs to one worker and holds u and v of its whole flat gradient.
public struct MomentumCorrection: Sendable {
  public let settings: MomentumCorrectionSettings
  /// u: the momentum.
  public private(set) var momentum: [Float]
  /// v: what has not been sent yet.
  public private(set) var residual: [Float]

  /// Neither momentum nor residual yet, for a gradient of `elementCount` elements.
  public init(
    elementCount: Int, settings: MomentumCorrectionSettings = MomentumCorrectionSettings()
  ) {
    self.settings = settings
    momentum = [Float](repeating: 0, count: elementCount)
    residual = momentum
  }

  /// Replaces `gradient` by what is to be encoded: v after this gradient.
  ///
  /// - Precondition: it has the residual's length.
  public mutating func apply(to gradient: inout [Float], workers: Int) {
    precondition(gradient.count == residual.count, "a gradient of the residual's length")
    let scale = Float(clippingScale(gradient, workers: workers))
    let factor = Float(settings.factor)
    let isNesterov = settings.nesterov
    let count = gradient.count
    gradient.withUnsafeMutableBufferPointer { g in
      momentum.withUnsafeMutableBufferPointer { u in
        residual.withUnsafeMutableBufferPointer { v in
          // In bounds: all three have `count` elements.
          for index in 0..<count {
            let own = g[index] * scale
            let moment = isNesterov ? factor * (u[index] + own) : factor * u[index] + own
            let total = v[index] + (isNesterov ? moment + own : moment)
            u[index] = moment
            v[index] = total
            g[index] = total
          }
        }
      }
    }
  }

  /// Takes what was `sent` off the residual; with masking, the momentum starts again where something
  /// was sent within the ranges of `masks`.
  public mutating func update(sent: [Float], masks: [Range<Int>]) {
    precondition(sent.count == residual.count, "a gradient of the residual's length")
    for index in sent.indices { residual[index] -= sent[index] }
    guard settings.masking else { return }
    for range in masks {
      for index in range where sent[index] != 0 { momentum[index] = 0 }
    }
  }

  /// By what a gradient is multiplied to have at most its worker's part of the clipping norm.
  private func clippingScale(_ gradient: [Float], workers: Int) -> Double {
    guard let limit = settings.clipping, !gradient.isEmpty else { return 1 }
    let square = gradient.withUnsafeBufferPointer {
      // Elements, of which there are some, have memory.
      Reductions.sumOfSquares($0.baseAddress!, $0.count)
    }
    let own = limit / Double(max(1, workers)).squareRoot()
    let norm = square.squareRoot()
    return norm > own ? own / norm : 1
  }
}

extension FieldKind where Value == MomentumCorrectionSettings? {
  /// `true`, `false`, or the record.
  static var momentumCorrection: FieldKind<MomentumCorrectionSettings?> {
    let expectation =
      "true, false or {\"factor\": 0 <= number < 1, \"masking\": true or false, "
      + "\"nesterov\": true or false, \"clipping\": number > 0}"
    return FieldKind(
      expectation: expectation, example: "true",
      schema: #"{"anyOf":[{"type":"boolean"},{"type":"object","additionalProperties":false,"#
        + #""properties":{"factor":{"type":"number","minimum":0,"exclusiveMaximum":1},"#
        + #""masking":{"type":"boolean"},"nesterov":{"type":"boolean"},"#
        + #""clipping":{"type":"number","exclusiveMinimum":0}}}]}"#,
      placeholder: { nil },
      read: { node in
        if case .bool(let on) = node.value {
          return .success(on ? MomentumCorrectionSettings() : nil)
        }
        guard node.members != nil else { return .failure(.wrongType(node, expectation, "true")) }
        let issues = IssueCollector()
        let settings = FieldReader.read(node, issues: issues) {
          MomentumCorrectionSettings(&$0)
        }
        return issues.found() ?? .success(settings)
      },
      show: { settings in
        guard let settings else { return "false" }
        return settings == MomentumCorrectionSettings() ? "true" : settings.json
      })
  }
}

extension MomentumCorrectionSettings {
  /// Reads the record.
  init(_ fields: inout FieldReader) {
    factor = fields.optional(
      "factor",
      .number(
        "0 <= number < 1", example: 0.9,
        schema: #"{"type":"number","minimum":0,"exclusiveMaximum":1}"#
      ) { $0 >= 0 && $0 < 1 }, default: 0.9,
      doc: "what is left of the momentum from one iteration to the next")
    masking = fields.optional(
      "masking", .bool, default: true, doc: "the momentum of what was sent starts again from zero")
    nesterov = fields.optional(
      "nesterov", .bool, default: false, doc: "the momentum looks ahead")
    clipping = fields.optional(
      "clipping", .positive,
      doc: "norm of the sum: each worker clips its gradient to this over the root of the workers")
  }

  /// The record as JSON text.
  var json: String {
    var members = [
      #""factor":\#(JSONNumber.shortest(factor))"#, #""masking":\#(masking)"#,
      #""nesterov":\#(nesterov)"#,
    ]
    if let clipping { members.append(#""clipping":\#(JSONNumber.shortest(clipping))"#) }
    return "{" + members.joined(separator: ",") + "}"
  }
}
