import Compression
import SimKernel

/// Runs one case: bytes choose a pipeline of a family and what is done to it.
///
/// - Decode: any bytes at all, or any streams and footer behind the right head.
/// - Round trip: a gradient is encoded and decoded. Equal bytes twice, in fresh and in used memory;
///   no NaN, and the right length; every value where the pipeline says so; never more than the
///   declared worst case. What is not finite is refused with the name of its tensor.
/// - Damage: encoded bytes are cut, flipped and overwritten, then decoded.
///
/// Decoding bytes that are not what an encode made gives an error of a known codec with an offset
/// inside the bytes, or garbage of the right length. A trap, or a read out of bounds under the
/// address sanitizer, ends the process: nothing here catches it.
public struct FuzzCase: Sendable {
  private let draw: PipelineDraw
  private let names: [String]

  public init(_ family: CodecFamily) {
    draw = PipelineDraw(family)
    names = CodecCatalog.registry.names + ["frame"]
  }

  /// What a case is, and which promise it breaks.
  public struct Finding: Error, CustomStringConvertible {
    public var pipeline: String
    public var promise: String
    public var description: String { "\(pipeline): \(promise)" }
  }

  /// Whether `bytes` reached a codec; false where they spell no valid pipeline.
  ///
  /// - Throws: ``Finding`` for a broken promise.
  @discardableResult
  public func run(_ bytes: [UInt8]) throws(Finding) -> Bool {
    var input = FuzzInput(bytes)
    let mode = input.index(below: 4)
    guard let pipeline = draw.pipeline(&input) else { return false }
    do throws(Broken) {
      switch mode {
      case 0: try decode(pipeline, &input)
      case 1: try damage(pipeline, &input)
      default: try roundTrip(pipeline, &input)
      }
    } catch {
      throw Finding(pipeline: pipeline.label, promise: error.promise)
    }
    return true
  }

  private struct Broken: Error { var promise: String }

  private func check(
    _ condition: Bool, _ promise: @autoclosure () -> String
  ) throws(Broken) {
    if !condition { throw Broken(promise: promise()) }
  }

  // MARK: - Modes

  private func decode(_ pipeline: CompressionPipeline, _ input: inout FuzzInput) throws(Broken) {
    let count = input.bool() ? input.word() % GradientDraw.longest : Int(input.byte())
    let isFramed = input.bool()
    let footerShare = Int(input.byte())
    var bytes = input.take(.max)
    if isFramed {
      // The head of any frame of this pipeline, then streams, then a footer that says how long it is.
      var scratch = CodecScratch()
      guard let empty = try? pipeline.encode([], random: stream, scratch: &scratch) else { return }
      let footer = (bytes.count * footerShare + 254) / 255
      var varint: [UInt8] = []
      var rest = count
      while rest >= 128 {
        varint.append(UInt8(truncatingIfNeeded: rest) | 128)
        rest >>= 7
      }
      varint.append(UInt8(rest))
      let streams = bytes[..<(bytes.count - footer)]
      let end = varint + bytes[(bytes.count - footer)...]
      let length = UInt32(end.count)
      bytes = empty.bytes[..<8] + streams + end
      for shift in stride(from: UInt32(0), to: 32, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: length >> shift))
      }
    }
    try decodeAnything(pipeline, bytes, count)
  }

  private func damage(_ pipeline: CompressionPipeline, _ input: inout FuzzInput) throws(Broken) {
    let hits = (0..<input.index(below: 9)).map { _ in
      (way: input.byte(), place: input.word(), byte: input.byte())
    }
    let cut = input.bool() ? input.word() : 0
    let gradient = GradientDraw(&input)
    var scratch = CodecScratch()
    let encoded: EncodedGradient
    do throws(CodecError) {
      encoded = try pipeline.encode(
        gradient.values, tensors: gradient.tensors, scope: gradient.scope, random: stream,
        scratch: &scratch)
    } catch { return }
    var bytes = encoded.bytes
    for hit in hits {
      // Every other hit is near the end, where the footer is.
      let range = hit.way & 1 == 0 ? bytes.count : min(bytes.count, 48)
      let place = bytes.count - 1 - hit.place % range
      bytes[place] = hit.way & 2 == 0 ? bytes[place] ^ (hit.byte | 1) : hit.byte
    }
    bytes.removeLast(cut % bytes.count)
    try decodeAnything(pipeline, bytes, gradient.values.count)
  }

  private func roundTrip(
    _ pipeline: CompressionPipeline, _ input: inout FuzzInput
  ) throws(Broken) {
    let worker = input.index(below: 3)
    let gradient = GradientDraw(&input)
    let count = gradient.values.count
    var scratch = CodecScratch()
    func encode(_ scratch: inout CodecScratch) throws(CodecError) -> EncodedGradient {
      try pipeline.encode(
        gradient.values, tensors: gradient.tensors, scope: gradient.scope, random: stream,
        worker: worker, scratch: &scratch)
    }
    let isFinite = gradient.values.allSatisfy(\.isFinite)
    let encoded: EncodedGradient
    do throws(CodecError) {
      encoded = try encode(&scratch)
    } catch {
      try check(names.contains(error.codec), "an unknown codec refuses: \(error)")
      try check(isFinite || error.tensor != nil, "the tensor is not named: \(error)")
      return
    }
    try check(isFinite, "a gradient that is not finite was encoded")
    let worst = pipeline.worstCasePayloadBits(
      elementCount: count, scope: gradient.scope, tensors: gradient.tensors)
    try check(
      encoded.payloadBits <= worst, "\(encoded.payloadBits) bits, at most \(worst) were announced")
    let room = pipeline.worstCaseBytes(
      elementCount: count, scope: gradient.scope, tensors: gradient.tensors)
    try check(
      encoded.encodedBytes <= room, "a frame of \(encoded.encodedBytes), at most \(room)")
    do throws(CodecError) {
      let decoded = try pipeline.decode(encoded, count: count, scratch: &scratch)
      try broken { () throws(Broken) in
        try check(decoded.count == count, "\(decoded.count) elements of \(count)")
        try check(decoded.allSatisfy { !$0.isNaN }, "NaN was decoded")
        try check(
          !pipeline.isLossless
            || zip(decoded, gradient.values).allSatisfy { $0 == $1 },
          "a lossless pipeline lost something")
      }
      // In memory that holds what was there before.
      let again = try encode(&scratch)
      let decodedAgain = try pipeline.decode(again, count: count, scratch: &scratch)
      let sparse = try pipeline.sparse(encoded, count: count, scratch: &scratch)
      try broken { () throws(Broken) in
        try check(again.bytes == encoded.bytes, "another encode made other bytes")
        try check(
          zip(decoded, decodedAgain).allSatisfy { $0.bitPattern == $1.bitPattern },
          "another decode made other values")
        if let sparse { try check(Self.isOrdered(sparse), "positions are not ascending") }
      }
    } catch {
      throw Broken(promise: error.description)
    }
  }

  /// Runs checks among calls that throw codec errors.
  private func broken(_ checks: () throws(Broken) -> Void) throws(CodecError) {
    do throws(Broken) {
      try checks()
    } catch { throw CodecError(codec: "promise", error.promise) }
  }

  private static func isOrdered(_ sparse: SparseGradient) -> Bool {
    zip(sparse.positions, sparse.positions.dropFirst()).allSatisfy { $0 < $1 }
      && (sparse.positions.last.map { Int($0) < sparse.elementCount } ?? true)
  }

  // MARK: - Decoding what may be anything

  private func decodeAnything(
    _ pipeline: CompressionPipeline, _ bytes: [UInt8], _ count: Int
  ) throws(Broken) {
    // Memory of exactly these sizes, so that the address sanitizer sees one byte beyond.
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
    defer { memory.deallocate() }
    memory.copyBytes(from: bytes)
    let target = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
    defer { target.deallocate() }
    target.initialize(repeating: 0)
    var scratch = CodecScratch()
    do throws(CodecError) {
      try pipeline.decode(
        bytes: UnsafeRawBufferPointer(memory), into: target, scratch: &scratch)
    } catch {
      try check(names.contains(error.codec), "an unknown codec refuses: \(error)")
      try check(
        error.byteOffset.map { (0...bytes.count).contains($0) } ?? false,
        "no byte offset inside \(bytes.count) bytes: \(error)")
    }
  }

  private var stream: RandomStream {
    RandomStream(seed: 1, purpose: RandomPurpose("codec fuzzing"))
  }
}
