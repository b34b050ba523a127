import SimKernel

/// One bit an element: the sign of the momentum m = beta m + (1 - beta) g, of which several workers
/// vote (Signum).
///
/// Every worker keeps the momentum of its own gradients in its ``CodecMemory``; without one it starts
/// cold, and the sign of the gradient is that of its momentum. Zeros are sent as plus and decoded
/// values are +1 and -1, as in ``SignSGD``. The momentum is of every element, so nothing may select
/// before.
public struct Signum: Codec {
  /// beta: what is left of the momentum from one iteration to the next.
  public let momentum: Double

  public init(momentum: Double = 0.9) { self.momentum = momentum }

  private var signs: SignSGD { SignSGD(name: name) }

  public var name: String { "signum" }
  public var parameters: [(key: String, value: String)] {
    momentum == 0.9 ? [] : [("momentum", JSONNumber.shortest(momentum))]
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "n",
      citation: "Bernstein, Wang, Azizzadenesheli and Anandkumar, signSGD: Compressed Optimisation "
        + "for Non-Convex Problems, ICML 2018, arXiv:1802.04434",
      bias: .biased)
  }

  public func rememberedFloats(elementCount: Int, tensors: [TensorRange]) -> Int { elementCount }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = form.requireDenseFloats(for: name) { return .failure(mismatch) }
    return form.gatheredCodes(of: name)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    var result = signs.cost(entering: load)
    result.encode = CodecWork(
      kernels: 1, bytesPerElement: 12.125 * load.values,
      source: "derived: one pass, 8 bytes read and 4 bytes and 1 bit written a value")
    return result
  }
  public func worstCase(_ size: inout WorstCase) { signs.worstCase(&size) }

  public func streamBytes(for record: Encoded) -> Int? { signs.streamBytes(for: record) }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    if let memory = setting.memory, let source = values.baseAddress, !values.isEmpty {
      // Before the momentum takes a number from which it would not recover.
      if Reductions.largestMagnitudeBits(source, values.count) >= Reductions.infinityBits {
        throw setting.notFinite(name, values)
      }
      let mean = scratch.temporary(of: Float.self, values.count)
      advance(memory, setting.stage, source, values.count, into: mean)
      record.replace(
        .values, with: PayloadStream(.values, .float32, count: values.count, base: mean))
    }
    try signs.encode(&record, setting: setting, scratch: &scratch)
  }

  /// Takes a gradient into the momentum and copies that to `target`.
  private func advance(
    _ memory: CodecMemory, _ stage: Int, _ gradient: UnsafePointer<Float>, _ count: Int,
    into target: UnsafeMutablePointer<Float>
  ) {
    let kept = Float(momentum)
    let taken = Float(1 - momentum)
    memory.withValues(stage, count: count) { moments in
      // In bounds: `count` elements, which are more than none.
      let moments = moments.baseAddress!
      for index in 0..<count {
        let moment = kept * moments[index] + taken * gradient[index]
        moments[index] = moment
        target[index] = moment
      }
    }
  }

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    try signs.decode(&record, target: target, scratch: &scratch)
  }

  public var keepsMagnitude: Bool { false }

  public func rounds(_ setup: RoundSetup) -> (any CodecRounds)? { MajorityVoteRounds(setup) }
}

extension Signum {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      momentum: fields.optional(
        "momentum",
        .number(
          "0 <= number < 1", example: 0.9,
          schema: #"{"type":"number","minimum":0,"exclusiveMaximum":1}"#
        ) { $0 >= 0 && $0 < 1 }, default: 0.9,
        doc: "what is left of the momentum from one iteration to the next"))
  }
}
