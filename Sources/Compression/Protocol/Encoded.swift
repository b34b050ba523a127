import SimKernel

/// The type of one stream's elements.
public enum ElementType: UInt8, Sendable, CaseIterable {
  case float32 = 0
  case float16 = 1
  case bfloat16 = 2
  case int8 = 3
  case uint32 = 4
  case uint64 = 5
  /// Codes of `parameter` bits each, packed by ``BitPacking``.
  case packed = 6
  /// A code of variable length; `parameter` says which.
  case bits = 7
  /// Bytes.
  case bytes = 8

  /// Bits of one element; nil where `parameter` or the content decides.
  public var bits: Int? {
    switch self {
    case .float32, .uint32: 32
    case .float16, .bfloat16: 16
    case .int8, .bytes: 8
    case .uint64: 64
    case .packed, .bits: nil
    }
  }

  /// The type as a message says it.
  public var title: String {
    switch self {
    case .packed: "packed"
    case .bits: "variable-length"
    default: "\(self)"
    }
  }
}

/// What a stream is for.
public enum StreamRole: UInt8, Sendable, CaseIterable {
  /// The gradient's elements, all or those selected, in ascending order of position.
  case values = 0
  /// Positions of selected elements, ascending.
  case indices = 1
  /// One number a scope (or several, in a fixed order).
  case scales = 2
  /// The seed of a selection that all workers share.
  case seed = 3
  /// Bytes of a stage that took other streams in.
  case opaque = 4
  /// What a stage must remember to undo itself; framing, not payload.
  case header = 5
  /// How many values each scope has left, where a stage changed it; framing, since the codec's
  /// parameters or its payload formula already fix it.
  case counts = 6
  /// The key of random numbers that every worker derives from the iteration; framing.
  case key = 7
  /// What a codec other than the last must remember, such as the key of a sketch that all workers
  /// know; framing, not payload.
  case note = 8

  /// Whether the stream counts as payload in the formulas of the literature.
  public var isPayload: Bool {
    switch self {
    case .values, .indices, .scales, .seed, .opaque: true
    case .header, .counts, .key, .note: false
    }
  }
}

/// One typed stream of a record.
///
/// Its memory belongs to the caller's gradient, the encoded bytes or a ``CodecScratch``, and is valid
/// until the encode or decode that made it returns.
public struct PayloadStream {
  public var role: StreamRole
  public var type: ElementType
  /// A width or a variant, by type.
  public var parameter: UInt8
  /// The number of elements.
  public var count: Int
  /// The exact size in bits; the memory holds the next whole number of bytes.
  public var bits: Int
  public var base: UnsafeRawPointer
  /// Where the stream begins in the encoded bytes; nil for a stream made since.
  public var offset: Int?

  public init(
    _ role: StreamRole, _ type: ElementType, parameter: UInt8 = 0, count: Int, bits: Int? = nil,
    base: UnsafeRawPointer, offset: Int? = nil
  ) {
    self.role = role
    self.type = type
    self.parameter = parameter
    self.count = count
    self.bits = bits ?? (type.bits ?? Int(parameter)) * count
    self.base = base
    self.offset = offset
  }

  /// Whole bytes of memory.
  public var byteCount: Int { (bits + 7) / 8 }
  /// The elements as `T`; in bounds for `count` elements, since `bits` was checked against the type.
  func elements<T>(as type: T.Type) -> UnsafePointer<T> { base.assumingMemoryBound(to: type) }
}

/// The record that pipeline stages transform: typed streams over the scopes of one gradient.
public struct Encoded {
  /// Elements of the dense gradient.
  public let elementCount: Int
  /// Boundaries of the scopes in the dense gradient: scope `i` is `bounds[i]..<bounds[i + 1]`.
  public let bounds: UnsafeBufferPointer<Int>
  public var streams: [PayloadStream]

  public init(elementCount: Int, bounds: UnsafeBufferPointer<Int>, streams: [PayloadStream]) {
    self.elementCount = elementCount
    self.bounds = bounds
    self.streams = streams
  }

  /// The number of scopes.
  public var scopeCount: Int { bounds.count - 1 }

  /// The stream of `role`.
  public func stream(_ role: StreamRole) -> PayloadStream? { streams.first { $0.role == role } }

  /// Replaces the stream of `role`, or appends it.
  public mutating func replace(_ role: StreamRole, with stream: PayloadStream) {
    if let index = streams.firstIndex(where: { $0.role == role }) {
      streams[index] = stream
    } else {
      streams.append(stream)
    }
  }
  /// Removes the stream of `role`, if there is one.
  public mutating func remove(_ role: StreamRole) { streams.removeAll { $0.role == role } }

  /// The payload in bits: what the literature counts.
  public var payloadBits: Int {
    var total = 0
    for stream in streams where stream.role.isPayload { total += stream.bits }
    return total
  }

  /// The values, which must be float32.
  ///
  /// - Throws: `CodecError` if a damaged frame says otherwise.
  func floats(for codec: String) throws(CodecError) -> UnsafeBufferPointer<Float> {
    let stream = try require(.values, .float32, for: codec)
    return UnsafeBufferPointer(start: stream.elements(as: Float.self), count: stream.count)
  }

  /// The stream of `role`, which must have `type`.
  ///
  /// - Throws: `CodecError` if a damaged frame has none.
  func require(
    _ role: StreamRole, _ type: ElementType, for codec: String
  ) throws(CodecError) -> PayloadStream {
    guard let stream = stream(role) else {
      throw CodecError(codec: codec, byteOffset: 0, "the frame has no stream of \(role)")
    }
    guard stream.type == type else {
      throw CodecError(
        codec: codec, byteOffset: stream.offset,
        "the stream of \(role) is \(stream.type.title), not \(type.title)")
    }
    return stream
  }

  /// Boundaries of the scopes within the value stream: those of the gradient, or of what a sparsifier
  /// left of each.
  ///
  /// - Throws: `CodecError` if damaged counts do not add up to the values.
  func valueBounds(
    for codec: String, scratch: inout CodecScratch
  ) throws(CodecError) -> UnsafeBufferPointer<Int> {
    let values = stream(.values)?.count ?? 0
    if let counts = stream(.counts) {
      guard counts.type == .uint32, counts.count == scopeCount else {
        throw CodecError(
          codec: codec, byteOffset: counts.offset, "a count for every scope is needed")
      }
      let result = scratch.temporary(of: Int.self, scopeCount + 1)
      let each = counts.elements(as: UInt32.self)
      result[0] = 0
      for scope in 0..<scopeCount { result[scope + 1] = result[scope] + Int(each[scope]) }
      guard result[scopeCount] == values else {
        throw CodecError(
          codec: codec, byteOffset: counts.offset,
          "the scopes' counts add up to \(result[scopeCount]), not to \(values) values")
      }
      return UnsafeBufferPointer(start: result, count: scopeCount + 1)
    }
    if values == elementCount { return bounds }
    guard scopeCount == 1 else {
      throw CodecError(codec: codec, byteOffset: 0, "the counts of the scopes are missing")
    }
    let result = scratch.temporary(of: Int.self, 2)
    result[0] = 0
    result[1] = values
    return UnsafeBufferPointer(start: result, count: 2)
  }
}
