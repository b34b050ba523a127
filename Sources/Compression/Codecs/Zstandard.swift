import CZstd
import SimKernel

/// Lossless compression of all payload streams together with zstd.
///
/// Streams are laid one after another - indices, values, scales, seed - and compressed as one block.
/// Plain positions become gaps first. Byte shuffling helps where exponents repeat and hurts where a
/// gradient has long runs of zeros, so by default it is applied to 16-bit values and to what a
/// sparsifier leaves, and not to dense float32.
///
/// `shuffle=exponent` compresses only the highest byte of floating-point values, the sign and the
/// exponent: what zstd finds there is nearly all it finds, and it need not read the rest. Streams of
/// other types are shuffled as by default.
///
/// Payload: the lower bytes of exponent-split values as they are, three (of 16-bit types one) an
/// element; then one zstd frame of all else. Header: the number of streams, and for each its role,
/// type, parameter, transposition (0 none, 1 byte, 2 bit, 3 exponent), element count and bits; after
/// 3 the number of elements whose lower bytes are sent, either all or those whose highest byte is not
/// 0. Integers are LEB128.
public struct Zstandard: Codec {
  /// How the elements of a stream are transposed before they are compressed.
  public enum Shuffle: String, Sendable, CaseIterable {
    case none, byte, bit
    /// Compresses the highest byte of each value, and sends the others as they are.
    case exponent
    /// Compresses plain and byte-shuffled, and keeps the smaller.
    case auto
  }

  /// -7 (fastest) to 22.
  public let level: Int
  /// nil shuffles by the kind of stream.
  public let shuffle: Shuffle?

  public init(level: Int = 3, shuffle: Shuffle? = nil) {
    self.level = level
    self.shuffle = shuffle
  }

  public var name: String { "zstd" }
  public var parameters: [(key: String, value: String)] {
    var result: [(key: String, value: String)] = []
    if level != 3 { result.append(("level", String(level))) }
    if let shuffle { result.append(("shuffle", shuffle.rawValue)) }
    return result
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "8*len", citation: "Collet and Kucherawy, RFC 8878, 2021", bias: .exact,
      sampleScaling: .needsFullTensor)
  }

  /// The version of the libzstd in use, such as `1.5.4`; sizes depend on it.
  public static var libraryVersion: String { String(cString: ZSTD_versionString()) }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    if form.content == .opaque {
      return .failure(
        FormMismatch(
          "zstd would compress what \(form.maker) has already compressed; leave one of them out"))
    }
    var result = form
    result.content = .opaque
    result.aggregation = .gather
    result.isVariableSize = true
    result.maker = name
    return .success(result)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    // Level 1 to 3 of raw float32 on one core; the strategy of higher levels costs a multiple.
    let encode = level <= 3 ? 0.8e9 : level < 10 ? 0.2e9 : 0.02e9
    let source =
      level <= 3
      ? "measured: zstd 1.5.4 of raw float32 on one Zen 4 core, 0.8 GB/s in, decode 1.0 GB/s out"
      : "assumed: a fraction of the measured speed of level 3"
    // Gradients of normal trainings compress by about a tenth; only the bytes after it depend on it.
    var leaving = load
    leaving.bytesPerValue *= 0.9
    leaving.otherBytes *= 0.9
    return StageCost(
      encode: CodecWork(cpuSecondsPerElement: load.bytes / encode, source: source),
      decode: CodecWork(cpuSecondsPerElement: load.bytes / 1.0e9, source: source),
      leaving: leaving)
  }
  public func worstCase(_ size: inout WorstCase) {
    let bytes = (size.bits + 7) / 8 + 32
    size.otherBits = 8 * ZSTD_compressBound(bytes)
    size.values = 0
    size.bitsPerValue = 0
  }

  // MARK: - Encoding

  public func streamBytes(for record: Encoded) -> Int? {
    // Everything may turn out incompressible; compressing into the frame saves a copy of the payload.
    let total = Self.inner(record).reduce(0) { $0 + $1.byteCount }
    return ZSTD_compressBound(total) + ExponentPlane.slack + 8 + 2 + 42 * 4
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    if let stream = record.stream(.values), stream.type == .float32 {
      let values = try record.floats(for: name)
      if let base = values.baseAddress,
        Reductions.largestMagnitudeBits(base, values.count) >= Reductions.infinityBits
      {
        throw setting.notFinite(name, values)
      }
    }
    let inner = Self.inner(record)
    let isSparse = inner.contains { $0.role == .indices || $0.role == .seed }
    let first: Shuffle? = shuffle == .auto ? Shuffle.none : shuffle
    var best = try compress(inner, first, isSparse, record, &scratch)
    if shuffle == .auto {
      let other = try compress(inner, .byte, isSparse, record, &scratch)
      if other.payload.count < best.payload.count { best = other }
    }
    record.streams.removeAll { $0.role.isPayload || $0.role == .header }
    record.streams.append(best.payload)
    record.streams.append(best.header)
  }

  /// The streams that are compressed, in the order in which they are.
  private static func inner(_ record: Encoded) -> [PayloadStream] {
    var result: [PayloadStream] = []
    for role in [StreamRole.indices, .values, .scales, .seed] {
      if let stream = record.stream(role) { result.append(stream) }
    }
    return result
  }

  /// The transposition of one stream; nothing but whole elements of several bytes has one.
  private static func shuffling(
    _ stream: PayloadStream, _ shuffle: Shuffle?, isSparse: Bool
  ) -> (shuffle: Shuffle, width: Int) {
    guard let bits = stream.type.bits, bits > 8 else { return (.none, 1) }
    // Scales stay in order: there are few, and neighbours differ in every byte.
    if stream.role == .scales || stream.role == .seed { return (.none, bits / 8) }
    let kind: Shuffle = isSparse || bits == 16 ? .byte : .none
    if shuffle == .exponent, !isFloatingPoint(stream) { return (kind, bits / 8) }
    return (shuffle ?? kind, bits / 8)
  }

  /// Whether the stream's elements have an exponent in their highest byte.
  private static func isFloatingPoint(_ stream: PayloadStream) -> Bool {
    stream.role == .values && [.float32, .float16, .bfloat16].contains(stream.type)
  }

  private func compress(
    _ inner: [PayloadStream], _ shuffle: Shuffle?, _ isSparse: Bool, _ record: Encoded,
    _ scratch: inout CodecScratch
  ) throws(CodecError) -> (payload: PayloadStream, header: PayloadStream) {
    let header = scratch.temporary(of: UInt8.self, 2 + 42 * inner.count)
    var cursor = ByteWriter(header)
    cursor.append(UInt8(inner.count))
    var total = 0
    for stream in inner { total += stream.byteCount }
    let splits = shuffle == .exponent && inner.contains(where: Self.isFloatingPoint)
    // Lower bytes and compressed ones together never need more than this.
    let room = ZSTD_compressBound(total) + ExponentPlane.slack
    let memory = scratch.stream(room).assumingMemoryBound(to: UInt8.self)
    // Bytes at the beginning of the payload that are not compressed.
    var plain = 0
    let single = inner.count == 1 && inner[0].role == .values
    let staged = scratch.temporary(of: UInt8.self, total + 1)
    var source = UnsafePointer(staged)
    var at = 0
    for stream in inner {
      let (kind, width) = Self.shuffling(stream, shuffle, isSparse: isSparse)
      cursor.append(stream.role.rawValue)
      cursor.append(stream.type.rawValue)
      cursor.append(stream.parameter)
      cursor.append(Self.code(of: kind))
      cursor.append(varint: UInt64(stream.count))
      cursor.append(varint: UInt64(stream.bits))
      var bytes = stream.elements(as: UInt8.self)
      if stream.role == .indices, stream.type == .uint32 {
        bytes = gaps(stream, scratch: &scratch)
      }
      if kind == .exponent {
        let plane = staged + at
        let kept =
          width == 4
          ? ExponentPlane.split(
            stream.elements(as: UInt32.self), stream.count, plane: plane, lower: memory)
          : ExponentPlane.split(
            stream.elements(as: UInt16.self), stream.count, plane: plane, lower: memory)
        cursor.append(varint: UInt64(kept))
        plain = kept * (width - 1)
        at += stream.count
        continue
      }
      switch kind {
      case .byte: ByteShuffle.shuffle(bytes, staged + at, count: stream.count, width: width)
      case .bit: ByteShuffle.bitShuffle(bytes, staged + at, count: stream.count, width: width)
      default:
        if single, !splits {
          source = bytes
        } else {
          (staged + at).update(from: bytes, count: stream.byteCount)
        }
      }
      at += stream.byteCount
    }
    let size = run(
      scratch.zstdCompressor(), UnsafeRawBufferPointer(start: source, count: at),
      into: UnsafeMutableRawBufferPointer(start: memory + plain, count: room - plain),
      onlyExponents: splits && single)
    guard ZSTD_isError(size) == 0 else {
      throw CodecError(codec: name, String(cString: ZSTD_getErrorName(size)))
    }
    return (
      PayloadStream(.opaque, .bytes, count: plain + size, base: UnsafeRawPointer(memory)),
      PayloadStream(.header, .bytes, count: cursor.count, base: header)
    )
  }

  /// Compresses `source` as one frame and returns its size or libzstd's error.
  ///
  /// A plane of exponents has hardly a match but the runs of zeros, so up to level 3 it is searched
  /// coarsely, in a table that stays in the first cache, and its bytes get a Huffman code all the
  /// same: half the time of level 1, a tenth of level 3, at the same size.
  private func run(
    _ context: OpaquePointer, _ source: UnsafeRawBufferPointer,
    into target: UnsafeMutableRawBufferPointer, onlyExponents: Bool
  ) -> Int {
    ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters)
    let isCoarse = onlyExponents && level <= 3
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, isCoarse ? 1 : Int32(level))
    // The literal compression mode is an experimental parameter: where it is refused, skipping
    // positions, which turns the Huffman code off, is left out too.
    if isCoarse, ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_experimentalParam5, 1)) == 0 {
      ZSTD_CCtx_setParameter(context, ZSTD_c_minMatch, 7)
      ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, 12)
      ZSTD_CCtx_setParameter(context, ZSTD_c_targetLength, 8)
    }
    return ZSTD_compress2(
      context, target.baseAddress, target.count, source.baseAddress, source.count)
  }

  /// The number of a transposition in the header.
  private static func code(of shuffle: Shuffle) -> UInt8 {
    switch shuffle {
    case .none, .auto: 0
    case .byte: 1
    case .bit: 2
    case .exponent: 3
    }
  }

  /// Positions as distances to the one before, the first as itself plus one.
  private func gaps(
    _ stream: PayloadStream, scratch: inout CodecScratch
  ) -> UnsafePointer<UInt8> {
    let positions = stream.elements(as: UInt32.self)
    let result = scratch.temporary(of: UInt32.self, stream.count)
    var next: UInt32 = 0
    for index in 0..<stream.count {
      result[index] = positions[index] &- next &+ 1
      next = positions[index] &+ 1
    }
    return UnsafeRawPointer(result).assumingMemoryBound(to: UInt8.self)
  }

  // MARK: - Decoding

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let payload = try record.require(.opaque, .bytes, for: name)
    let header = try record.require(.header, .bytes, for: name)
    var reader = ByteReader(header.elements(as: UInt8.self), header.count)
    func damage() -> CodecError {
      CodecError(codec: name, byteOffset: header.offset, "the list of streams is damaged")
    }
    guard let count = reader.byte(), count <= 8 else { throw damage() }
    var inner: [(stream: PayloadStream, kind: UInt8, kept: Int)] = []
    // Refuses to allocate for damage: values and scales that stages can make, in bytes that zstd can
    // pack - a block of 128 KiB takes 4 bytes at least - with their lower bytes.
    let most = Frame.largestValueCount(of: record.elementCount) + 16 * record.scopeCount
    let limit = (payload.count / 4 + 1) * 131_072
    // Bytes of the zstd frame's content, and those before the frame.
    var total = 0
    var plain = 0
    for _ in 0..<Int(count) {
      guard let role = reader.byte().flatMap(StreamRole.init), role.isPayload,
        let type = reader.byte().flatMap(ElementType.init), let parameter = reader.byte(),
        let kind = reader.byte(), kind <= 3, let elements = reader.count(below: most),
        let bits = reader.count(below: 32 * limit),
        Frame.isConsistent(type, parameter, count: elements, bits: bits),
        kind == 0 || (type.bits ?? 0) > 8, !inner.contains(where: { $0.stream.role == role })
      else { throw damage() }
      let stream = PayloadStream(
        role, type, parameter: parameter, count: elements, bits: bits, base: payload.base,
        offset: payload.offset)
      var kept = 0
      if kind == 3 {
        guard Self.isFloatingPoint(stream), let sent = reader.count(below: elements)
        else { throw damage() }
        kept = sent
        plain += kept * (bits / 8 / max(1, elements) - 1)
        total += elements
      } else {
        total += (bits + 7) / 8
      }
      inner.append((stream, kind, kept))
    }
    guard reader.isAtEnd, plain <= payload.count, total <= limit else { throw damage() }
    let frame = payload.base + plain
    let isDense =
      inner.count == 1 && inner[0].stream.role == .values && inner[0].stream.type == .float32
      && target.isDense && inner[0].stream.count == target.gradient.count
    let dense = UnsafeMutableRawPointer(target.gradient.baseAddress)
    // Dense float32 goes straight to the caller where nothing has to be undone.
    let staged =
      if isDense, inner[0].kind == 0, let dense { dense } else {
        UnsafeMutableRawPointer(scratch.temporary(of: UInt8.self, total + 8))
      }
    let size = ZSTD_decompressDCtx(
      scratch.zstdDecompressor(), staged, total, frame, payload.count - plain)
    guard ZSTD_isError(size) == 0, size == total else {
      throw CodecError(
        codec: name, byteOffset: payload.offset,
        ZSTD_isError(size) != 0
          ? String(cString: ZSTD_getErrorName(size)) : "\(size) bytes where \(total) were sent")
    }
    record.streams.removeAll { $0.role.isPayload || $0.role == .header }
    var at = 0
    for (stream, kind, kept) in inner {
      var restored = stream
      let bytes = UnsafePointer((staged + at).assumingMemoryBound(to: UInt8.self))
      let output: UnsafeMutablePointer<UInt8>
      if isDense, let dense {
        output = dense.assumingMemoryBound(to: UInt8.self)
      } else {
        output = UnsafeMutableRawPointer(
          scratch.temporary(of: UInt64.self, stream.byteCount / 8 + 1)
        ).assumingMemoryBound(to: UInt8.self)
      }
      let width = (stream.type.bits ?? 8) / 8
      switch kind {
      case 1: ByteShuffle.unshuffle(bytes, output, count: stream.count, width: width)
      case 2: ByteShuffle.bitUnshuffle(bytes, output, count: stream.count, width: width)
      case 3:
        let lower = payload.elements(as: UInt8.self)
        let raw = UnsafeMutableRawPointer(output)
        let isWhole =
          width == 4
          ? ExponentPlane.join(
            plane: bytes, lower: lower, kept: kept, raw.assumingMemoryBound(to: UInt32.self),
            stream.count)
          : ExponentPlane.join(
            plane: bytes, lower: lower, kept: kept, raw.assumingMemoryBound(to: UInt16.self),
            stream.count)
        guard isWhole else {
          throw CodecError(
            codec: name, byteOffset: payload.offset,
            "the highest bytes do not ask for the lower bytes of \(kept) elements")
        }
      default:
        if UnsafePointer(output) != bytes { output.update(from: bytes, count: stream.byteCount) }
      }
      if stream.role == .indices, stream.type == .uint32 {
        let words = UnsafeMutableRawPointer(output).assumingMemoryBound(to: UInt32.self)
        var next: UInt32 = 0
        for index in 0..<stream.count {
          // Damaged gaps wrap to positions that the sparsifier then refuses.
          words[index] = words[index] &+ next &- 1
          next = words[index] &+ 1
        }
      }
      restored.base = UnsafeRawPointer(output)
      record.streams.append(restored)
      at += kind == 3 ? stream.count : stream.byteCount
    }
  }
}

extension Zstandard {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      level: fields.optional(
        "level", .integer(-7...22), default: 3, doc: "compression level; negative ones are faster"),
      shuffle: fields.optional(
        "shuffle", .choice("shuffle"),
        doc: "transposes elements before compression; by default only 16-bit values and what a "
          + "sparsifier leaves, since plain wins on dense gradients with zero runs; exponent "
          + "compresses only the highest byte of each value"))
  }
}
