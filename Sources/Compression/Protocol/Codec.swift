import SimKernel

/// One stage of a compression pipeline: it transforms an ``Encoded`` record, and back.
///
/// Adding a codec is one file with a conforming struct, one line in ``CodecCatalog`` and one test
/// file. A stage works on whatever typed streams the stages before it left; `accept` says which, so
/// that an impossible chain is refused before any gradient is seen.
///
/// Determinism: the same record, setting and parameters give the same bytes on every machine and
/// instruction set. Reductions run in a written order, random numbers are counters hashed with a key.
/// Safety: `decode` checks everything it reads from the streams and throws; it never traps.
public protocol Codec: Sendable {
  /// The name under which the codec is registered.
  var name: String { get }
  /// Its parameters where they differ from the defaults, as a pipeline text writes them.
  var parameters: [(key: String, value: String)] { get }
  var traits: CodecTraits { get }

  /// The form of the record after this stage, or why this stage cannot follow.
  func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch>
  /// What the stage costs, and what leaves it.
  func cost(entering load: StageLoad) -> StageCost
  /// Turns the largest record that may enter into the largest that may leave.
  func worstCase(_ size: inout WorstCase)

  /// Replaces the streams of `record` by encoded ones.
  func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError)
  /// The bytes of the streams that `encode` will ask for, where they are known beforehand.
  ///
  /// The last stage then writes into the frame itself, which saves a copy; nil if they are not.
  func streamBytes(for record: Encoded) -> Int?
  /// Undoes `encode`; values that cover the whole gradient go to `target`.
  func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError)

  /// The positions of the selected elements and the values as they stand, for codecs that select;
  /// nil for the others.
  func selection(
    of record: inout Encoded, scratch: inout CodecScratch
  ) throws(CodecError) -> UnsafeBufferPointer<UInt32>?

  /// Whether the sum of payloads decodes to the sum of what each decodes to, so that a summable
  /// payload has a share of its own in the mean.
  var decodesLinearly: Bool { get }
  /// Whether decoded values have the gradient's magnitude: a partial sum of those that do not, such
  /// as plain signs, cannot be added to a gradient.
  var keepsMagnitude: Bool { get }

  /// float32 numbers that the codec keeps in its ``CodecMemory`` for a gradient of `tensors`.
  func rememberedFloats(elementCount: Int, tensors: [TensorRange]) -> Int

  /// A conversation of several exchanges for which this codec takes charge of the whole pipeline;
  /// nil lets the pipeline sum or gather its payload in one.
  func rounds(_ setup: RoundSetup) -> (any CodecRounds)?
  /// The exchanges of that conversation; nil for those of the pipeline.
  func exchanges(_ setup: ExchangeSetup) -> [ExchangeStep]?
}

extension Codec {
  public var parameters: [(key: String, value: String)] { [] }
  public func streamBytes(for record: Encoded) -> Int? { nil }
  public func selection(
    of record: inout Encoded, scratch: inout CodecScratch
  ) throws(CodecError) -> UnsafeBufferPointer<UInt32>? { nil }
  public func rememberedFloats(elementCount: Int, tensors: [TensorRange]) -> Int { 0 }
  public var decodesLinearly: Bool { true }
  public var keepsMagnitude: Bool { true }
  public func rounds(_ setup: RoundSetup) -> (any CodecRounds)? { nil }
  public func exchanges(_ setup: ExchangeSetup) -> [ExchangeStep]? { nil }

  /// Whether every bit comes back.
  public var isLossless: Bool { traits.bias == .exact }

  /// The stage as a pipeline text writes it, such as `zstd:level=3`.
  public var label: String {
    if parameters.isEmpty { return name }
    return name + ":" + parameters.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
  }
}

/// What a stage is told besides the record.
public struct StageSetting {
  /// The tensors of the gradient, for messages and for codecs that look at shapes.
  public var tensors: [TensorRange]
  /// The stream of this encode, the same on every worker: what shared selections are drawn from.
  public var sharedRandom: RandomStream
  /// The stream of this encode on this worker: what stochastic rounding is drawn from.
  public var random: RandomStream
  /// Ranges agreed with the other workers, one a scope, that replace the codec's own; nil if there
  /// was no such exchange.
  public var sharedScales: [Float]?
  /// Positions agreed with the other workers, ascending, that replace the codec's own selection.
  public var sharedPositions: [UInt32]?
  /// The index of this stage in its pipeline, under which ``memory`` keeps its numbers.
  public var stage: Int
  /// What this worker remembers of the iterations before; nil starts cold.
  public var memory: CodecMemory?
  /// The number of this iteration, from 0.
  public var iteration: Int

  /// The error for the first element of `values` that is NaN or infinite.
  ///
  /// `positions` names the elements behind selected values.
  func notFinite(
    _ codec: String, _ values: UnsafeBufferPointer<Float>, positions: UnsafePointer<UInt32>? = nil
  ) -> CodecError {
    for (index, value) in values.enumerated() where !value.isFinite {
      return refusal(codec, element: positions.map { Int($0[index]) } ?? index, "is \(value)")
    }
    return tooLarge(codec, values, "the norm of the gradient is beyond the largest float32")
  }

  /// The error for finite values whose sum or product is not: it names the largest of them, or the
  /// first that is not finite after all.
  ///
  /// Values that were selected before stand for elements nobody can name here.
  func tooLarge(
    _ codec: String, _ values: UnsafeBufferPointer<Float>, _ what: String
  ) -> CodecError {
    var largest = 0
    for (index, value) in values.enumerated() {
      if !value.isFinite { return notFinite(codec, values) }
      if value.magnitude > values[largest].magnitude { largest = index }
    }
    let isWhole = tensors.last.map { $0.offset + $0.count == values.count } ?? false
    guard isWhole, !values.isEmpty else { return CodecError(codec: codec, what) }
    let tensor = tensors.last { $0.offset <= largest }
    return CodecError(
      codec: codec, tensor: tensor?.name,
      "\(what); element \(largest - (tensor?.offset ?? 0)) is \(values[largest])")
  }

  /// The error for one element.
  func refusal(_ codec: String, element: Int, _ what: String) -> CodecError {
    let tensor = tensors.last { $0.offset <= element }
    return CodecError(
      codec: codec, tensor: tensor?.name,
      "element \(element - (tensor?.offset ?? 0)) \(what); a gradient must be finite")
  }
}

/// Where the decoded gradient goes.
public struct DecodeTarget {
  /// The caller's memory for the whole gradient.
  public let gradient: UnsafeMutableBufferPointer<Float>
  /// Whether the record before this stage was dense float32, so that this stage must fill `gradient`.
  public let isDense: Bool

  /// Memory for `count` decoded float32 values: the caller's where they are the gradient itself.
  func floats(
    _ count: Int, codec: String, scratch: inout CodecScratch
  ) throws(CodecError) -> UnsafeMutablePointer<Float> {
    if !isDense { return scratch.temporary(of: Float.self, count) }
    guard count == gradient.count else {
      throw CodecError(
        codec: codec, byteOffset: 0, "\(count) values for a gradient of \(gradient.count)")
    }
    // An empty gradient may have no memory at all.
    return gradient.baseAddress ?? scratch.temporary(of: Float.self, 0)
  }
}
