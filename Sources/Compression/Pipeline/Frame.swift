import SimKernel

/// The container around a record's streams: what makes encoded bytes describe themselves.
///
///     0  4  "SNG1"
///     4  4  the first word of the pipeline's hash, so that another pipeline's bytes are refused
///     8  .  the streams, each at a multiple of 8
///     .  .  footer: elements, scopes, and role, type, parameter, count and bits of every stream
///     .  4  length of the footer
///
/// All numbers are little endian, as the streams are. The footer stands at the end so that the last
/// stage writes its streams where they stay, before their sizes are known.
enum Frame {
  static let magic: UInt32 = 0x3147_4E53
  static let headBytes = 8

  /// Bytes that a frame takes beyond its streams, at most.
  static func overhead(tensorCount: Int, streamCount: Int) -> Int {
    headBytes + 64 + 10 * tensorCount + 40 * streamCount
  }

  /// Whether `bits` is what `count` elements of `type` take.
  static func isConsistent(
    _ type: ElementType, _ parameter: UInt8, count: Int, bits: Int
  ) -> Bool {
    switch type {
    case .packed: (1...16).contains(parameter) && bits == count * Int(parameter)
    case .bits: true
    default: bits == count * type.bits!
    }
  }

  /// The most values that stages may make of a gradient: a sketch of ten counters for every element
  /// in 31 rows, or some of fixed size.
  ///
  /// A code of variable length may take next to no bits for many values, so that nothing else keeps a
  /// damaged frame from asking for all memory.
  static func largestValueCount(of elementCount: Int) -> Int {
    320 * elementCount + (1 << 20)
  }

  // MARK: - Writing

  /// Writes head and footer around streams that already stand in `memory`, moving those that do not.
  ///
  /// - Returns: the length of the frame, or nil if `memory` is too small.
  static func finish(
    _ record: Encoded, scope: CodecScope, label: UInt32, in memory: UnsafeMutableRawBufferPointer,
    scratch: inout CodecScratch
  ) -> Int? {
    var end = headBytes
    // Whether a stream stands in the frame's memory, but not where it belongs.
    var isTangled = false
    for stream in record.streams {
      let start = (end + 7) & ~7
      end = start + stream.byteCount
      guard end <= memory.count, let base = memory.baseAddress else { return nil }
      let place = stream.base - UnsafeRawPointer(base)
      if place != start, stream.byteCount > 0, place > -stream.byteCount, place < memory.count {
        isTangled = true
      }
    }
    let footer = overhead(
      tensorCount: isLayered(scope) ? record.scopeCount : 0, streamCount: record.streams.count)
    guard end + footer <= memory.count, let base = memory.baseAddress else { return nil }
    // Then moving one stream may overwrite another: assemble elsewhere, and copy the whole.
    let assembly =
      isTangled ? UnsafeMutableRawPointer(scratch.temporary(of: UInt8.self, end)) : base
    end = headBytes
    for stream in record.streams {
      let start = (end + 7) & ~7
      if stream.byteCount > 0, stream.base != UnsafeRawPointer(assembly + start) {
        (assembly + start).copyMemory(from: stream.base, byteCount: stream.byteCount)
      }
      end = start + stream.byteCount
    }
    if isTangled {
      (base + headBytes).copyMemory(from: assembly + headBytes, byteCount: end - headBytes)
    }
    base.storeBytes(of: magic, as: UInt32.self)
    base.storeBytes(of: label, toByteOffset: 4, as: UInt32.self)
    // Padding must not carry what stood in the memory before.
    var cursor = headBytes
    for stream in record.streams {
      let start = (cursor + 7) & ~7
      while cursor < start {
        base.storeBytes(of: 0, toByteOffset: cursor, as: UInt8.self)
        cursor += 1
      }
      cursor = start + stream.byteCount
    }
    var writer = ByteWriter((base + end).assumingMemoryBound(to: UInt8.self))
    writeFooter(record, scope, &writer)
    (base + end + writer.count).storeBytes(of: UInt32(writer.count), as: UInt32.self)
    return end + writer.count + 4
  }

  private static func isLayered(_ scope: CodecScope) -> Bool {
    if case .layer = scope { return true }
    return false
  }

  private static func writeFooter(
    _ record: Encoded, _ scope: CodecScope, _ writer: inout ByteWriter
  ) {
    writer.append(varint: UInt64(record.elementCount))
    switch scope {
    case .model: writer.append(0)
    case .layer:
      writer.append(1)
      writer.append(varint: UInt64(record.scopeCount))
      for scope in 0..<record.scopeCount {
        writer.append(varint: UInt64(record.bounds[scope + 1] - record.bounds[scope]))
      }
    case .bucket(let size):
      writer.append(2)
      writer.append(varint: UInt64(size))
    }
    writer.append(UInt8(record.streams.count))
    for stream in record.streams {
      writer.append(stream.role.rawValue)
      writer.append(stream.type.rawValue)
      writer.append(stream.parameter)
      writer.append(varint: UInt64(stream.count))
      writer.append(varint: UInt64(stream.bits))
    }
  }

  // MARK: - Reading

  /// The record in `bytes`, whose streams point into them.
  ///
  /// - Precondition: `bytes` begins at a multiple of 8.
  /// - Throws: `CodecError` at the first thing that does not fit.
  static func parse(
    _ bytes: UnsafeRawBufferPointer, elementCount: Int, label: UInt32, scratch: inout CodecScratch
  ) throws(CodecError) -> Encoded {
    func damage(_ offset: Int, _ message: String) -> CodecError {
      CodecError(codec: "frame", byteOffset: offset, message)
    }
    guard bytes.count >= headBytes + 4, let base = bytes.baseAddress else {
      throw damage(bytes.count, "a frame has at least \(headBytes + 4) bytes")
    }
    guard base.load(as: UInt32.self) == magic else { throw damage(0, "these are no frame") }
    guard base.load(fromByteOffset: 4, as: UInt32.self) == label else {
      throw damage(4, "another pipeline made these bytes")
    }
    let length = Int(base.loadUnaligned(fromByteOffset: bytes.count - 4, as: UInt32.self))
    let end = bytes.count - 4 - length
    guard end >= headBytes else {
      throw damage(bytes.count - 4, "a footer of \(length) bytes does not fit")
    }
    var reader = ByteReader((base + end).assumingMemoryBound(to: UInt8.self), length)
    guard let elements = reader.varint(), elements == UInt64(elementCount) else {
      throw damage(end, "the frame is not of a gradient of \(elementCount) elements")
    }
    guard let bounds = readBounds(&reader, elementCount, scratch: &scratch) else {
      throw damage(end + reader.position, "the scopes are damaged")
    }
    guard let count = reader.byte(), count <= 8 else {
      throw damage(end + reader.position, "the number of streams is damaged")
    }
    var streams: [PayloadStream] = []
    var offset = headBytes
    for _ in 0..<Int(count) {
      let place = end + reader.position
      let start = (offset + 7) & ~7
      guard let role = reader.byte().flatMap(StreamRole.init),
        let type = reader.byte().flatMap(ElementType.init), let parameter = reader.byte(),
        let elements = reader.count(below: max(largestValueCount(of: elementCount), 8 * end)),
        let bits = reader.count(below: 8 * end),
        isConsistent(type, parameter, count: elements, bits: bits),
        type != .bits || elements <= largestValueCount(of: elementCount),
        !streams.contains(where: { $0.role == role }), start + (bits + 7) / 8 <= end
      else { throw damage(place, "the description of a stream is damaged") }
      streams.append(
        PayloadStream(
          role, type, parameter: parameter, count: elements, bits: bits, base: base + start,
          offset: start))
      offset = start + (bits + 7) / 8
    }
    guard reader.isAtEnd, offset == end else {
      throw damage(end, "the streams end at byte \(offset), the footer begins at \(end)")
    }
    return Encoded(elementCount: elementCount, bounds: bounds, streams: streams)
  }

  private static func readBounds(
    _ reader: inout ByteReader, _ elementCount: Int, scratch: inout CodecScratch
  ) -> UnsafeBufferPointer<Int>? {
    switch reader.byte() {
    case 0:
      return ScopeBounds.make(.model, [], elementCount, scratch: &scratch)
    case 1:
      // Every length takes a byte at least, so the count is bounded by what is left to read.
      guard let count = reader.count(below: 1 << 32) else { return nil }
      var lengths: [Int] = []
      var total = 0
      for _ in 0..<count {
        guard let length = reader.count(below: elementCount) else { return nil }
        lengths.append(length)
        total += length
        if total > elementCount { return nil }
      }
      if total != elementCount { return nil }
      let bounds = scratch.temporary(of: Int.self, count + 1)
      bounds[0] = 0
      for index in 0..<count { bounds[index + 1] = bounds[index] + lengths[index] }
      return UnsafeBufferPointer(start: bounds, count: count + 1)
    case 2:
      guard let size = reader.count(below: 1 << 40), size >= 1 else { return nil }
      return ScopeBounds.make(.bucket(size), [], elementCount, scratch: &scratch)
    default: return nil
    }
  }
}

/// Boundaries of the scopes in a flat gradient.
enum ScopeBounds {
  /// `bounds[i]..<bounds[i + 1]` is scope `i`; a gradient without elements has one empty scope, or
  /// one for every tensor.
  ///
  /// - Returns: nil if the scope is `layer` and the tensors are not consecutive over all elements.
  static func make(
    _ scope: CodecScope, _ tensors: [TensorRange], _ elementCount: Int,
    scratch: inout CodecScratch
  ) -> UnsafeBufferPointer<Int>? {
    let count = count(scope, tensors, elementCount)
    let bounds = scratch.temporary(of: Int.self, count + 1)
    bounds[0] = 0
    switch scope {
    case .model: bounds[1] = elementCount
    case .layer:
      for (index, tensor) in tensors.enumerated() {
        if tensor.offset != bounds[index] || tensor.count < 0 { return nil }
        bounds[index + 1] = tensor.offset + tensor.count
      }
      if tensors.isEmpty { bounds[count] = elementCount }
      if bounds[count] != elementCount { return nil }
    case .bucket(let size):
      for index in 0..<count { bounds[index + 1] = min((index + 1) * size, elementCount) }
    }
    return UnsafeBufferPointer(start: bounds, count: count + 1)
  }

  /// The number of scopes.
  static func count(_ scope: CodecScope, _ tensors: [TensorRange], _ elementCount: Int) -> Int {
    switch scope {
    case .model: 1
    case .layer: max(1, tensors.count)
    case .bucket(let size): max(1, (elementCount + size - 1) / size)
    }
  }
}
