/// How the positions of selected elements travel.
public enum IndexEncoding: String, Sendable, CaseIterable {
  /// 32 bits a position.
  case int32
  /// ceil(log2 n) bits a position.
  case packed
  /// One bit an element of the gradient.
  case bitmap
  /// Gaps to the previous position (the first gap is position + 1) in bytes of seven bits.
  case leb128
  /// Gaps in Elias' gamma code.
  case eliasGamma = "elias_gamma"
  /// Gaps in Golomb-Rice code with the best parameter, which travels in the framing.
  case rice
  /// The smallest of the others.
  case auto

  /// Bits of a packed position among `elementCount`.
  static func packedWidth(_ elementCount: Int) -> Int {
    elementCount <= 1 ? 0 : Int.bitWidth - (elementCount - 1).leadingZeroBitCount
  }

  /// The number stored as the stream's parameter; with Rice the code's own parameter is added.
  var tag: UInt8 {
    switch self {
    case .int32, .auto: 0
    case .packed: 1
    case .bitmap: 2
    case .leb128: 3
    case .eliasGamma: 4
    case .rice: 32
    }
  }

  /// The size in bits of the ascending `positions` of a gradient of `elementCount`, and the Rice
  /// parameter.
  func size(
    of positions: UnsafePointer<UInt32>, _ count: Int, elementCount: Int
  ) -> (bits: Int, rice: Int) {
    switch self {
    case .int32, .auto: return (32 * count, 0)
    case .packed: return (Self.packedWidth(elementCount) * count, 0)
    case .bitmap: return (elementCount, 0)
    case .leb128:
      var bytes = 0
      Self.forEachGap(positions, count) { bytes += (EliasCode.log2($0) + 7) / 7 }
      return (8 * bytes, 0)
    case .eliasGamma:
      var bits = 0
      Self.forEachGap(positions, count) { bits += 2 * EliasCode.log2($0) + 1 }
      return (bits, 0)
    case .rice:
      func bits(_ parameter: Int) -> Int {
        var total = count * (1 + parameter)
        Self.forEachGap(positions, count) { total += Int(($0 - 1) >> UInt32(parameter)) }
        return total
      }
      // Convex in the parameter: each step halves what is shifted out. So walk from the mean's.
      var best = count == 0 ? 0 : EliasCode.log2(UInt32(elementCount / count))
      var smallest = bits(best)
      while best > 0, case let lower = bits(best - 1), lower <= smallest {
        (best, smallest) = (best - 1, lower)
      }
      while best < 31, case let higher = bits(best + 1), higher < smallest {
        (best, smallest) = (best + 1, higher)
      }
      return (smallest, best)
    }
  }

  @inline(__always)
  private static func forEachGap(
    _ positions: UnsafePointer<UInt32>, _ count: Int, _ body: (UInt32) -> Void
  ) {
    // Ascending positions below 2^32 - 1, so a gap is at least 1 and does not wrap.
    var next: UInt32 = 0
    for index in 0..<count {
      body(positions[index] &- next &+ 1)
      next = positions[index] &+ 1
    }
  }

  /// The stream of `positions`, in memory of `scratch`.
  func stream(
    _ positions: UnsafePointer<UInt32>, _ count: Int, elementCount: Int,
    scratch: inout CodecScratch
  ) -> PayloadStream {
    if self == .int32 {
      return PayloadStream(.indices, .uint32, count: count, base: UnsafeRawPointer(positions))
    }
    if self == .auto {
      var best = (IndexEncoding.int32, Int.max)
      for candidate in Self.allCases where candidate != .auto {
        let bits = candidate.size(of: positions, count, elementCount: elementCount).bits
        if bits < best.1 { best = (candidate, bits) }
      }
      return best.0.stream(positions, count, elementCount: elementCount, scratch: &scratch)
    }
    let (bits, rice) = size(of: positions, count, elementCount: elementCount)
    let memory = scratch.stream((bits + 7) / 8 + 8).assumingMemoryBound(to: UInt8.self)
    var writer = BitWriter(memory)
    switch self {
    case .int32, .auto: break
    case .packed:
      let width = Self.packedWidth(elementCount)
      for index in 0..<count { writer.append(UInt64(positions[index]), width) }
    case .bitmap:
      for index in 0..<(bits + 7) / 8 { memory[index] = 0 }
      for index in 0..<count {
        let position = Int(positions[index])
        memory[position >> 3] |= 1 << UInt8(position & 7)
      }
    case .leb128:
      Self.forEachGap(positions, count) { gap in
        var rest = gap
        while rest >= 128 {
          writer.append(UInt64(rest & 127 | 128), 8)
          rest >>= 7
        }
        writer.append(UInt64(rest), 8)
      }
    case .eliasGamma:
      Self.forEachGap(positions, count) { EliasCode.gamma.write($0, to: &writer) }
    case .rice:
      Self.forEachGap(positions, count) { gap in
        writer.appendUnary(Int((gap - 1) >> UInt32(rice)))
        writer.append(UInt64(gap - 1) & ((1 << UInt64(rice)) - 1), rice)
      }
    }
    writer.finish()
    return PayloadStream(
      .indices, .bits, parameter: tag + UInt8(self == .rice ? rice : 0), count: count, bits: bits,
      base: UnsafeRawPointer(memory))
  }

  /// The positions in `stream`, checked to be ascending and below `elementCount`.
  static func positions(
    _ stream: PayloadStream, elementCount: Int, codec: String, scratch: inout CodecScratch
  ) throws(CodecError) -> UnsafeMutablePointer<UInt32> {
    func damage(_ message: String) -> CodecError {
      CodecError(codec: codec, byteOffset: stream.offset, message)
    }
    let count = stream.count
    guard count <= elementCount else {
      throw damage("\(count) positions in a gradient of \(elementCount)")
    }
    let result = scratch.temporary(of: UInt32.self, count)
    var reader = BitReader(stream.elements(as: UInt8.self), bits: stream.bits)
    if stream.type == .uint32 {
      result.update(from: stream.elements(as: UInt32.self), count: count)
    } else if stream.type == .bits, stream.parameter == IndexEncoding.packed.tag {
      let width = packedWidth(elementCount)
      for index in 0..<count {
        guard let value = reader.read(width) else { throw damage("the positions end early") }
        result[index] = UInt32(truncatingIfNeeded: value)
      }
    } else if stream.type == .bits, stream.parameter == IndexEncoding.bitmap.tag {
      guard stream.bits == elementCount else {
        throw damage("a bitmap of \(stream.bits) bits for \(elementCount) elements")
      }
      var found = 0
      let bytes = stream.elements(as: UInt8.self)
      for index in 0..<stream.byteCount {
        var byte = bytes[index]
        while byte != 0, found < count {
          result[found] = UInt32(truncatingIfNeeded: index * 8 + byte.trailingZeroBitCount)
          found += 1
          byte &= byte &- 1
        }
      }
      guard found == count else { throw damage("the bitmap has \(found) of \(count) positions") }
    } else if stream.type == .bits {
      var next: UInt64 = 0
      for index in 0..<count {
        let gap: UInt64?
        switch stream.parameter {
        case IndexEncoding.leb128.tag: gap = readLEB128(&reader)
        case IndexEncoding.eliasGamma.tag: gap = EliasCode.gamma.read(&reader).map(UInt64.init)
        case 32..<64: gap = readRice(&reader, Int(stream.parameter) - 32, elementCount)
        default: throw damage("unknown index code \(stream.parameter)")
        }
        guard let gap, gap >= 1, next + gap - 1 < UInt64(elementCount) else {
          throw damage("position \(index) of \(count) is damaged")
        }
        result[index] = UInt32(truncatingIfNeeded: next + gap - 1)
        next += gap
      }
    } else {
      throw damage("positions cannot be \(stream.type.title)")
    }
    var last = -1
    for index in 0..<count {
      let position = Int(result[index])
      guard position > last, position < elementCount else {
        throw damage("position \(index) of \(count) is \(position) after \(last)")
      }
      last = position
    }
    return result
  }

  private static func readLEB128(_ reader: inout BitReader) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 35, by: 7) {
      guard let byte = reader.read(8) else { return nil }
      value |= (byte & 127) << shift
      if byte < 128 { return value }
    }
    return nil
  }
  private static func readRice(_ reader: inout BitReader, _ rice: Int, _ limit: Int) -> UInt64? {
    guard let high = reader.readUnary(limit: limit), let low = reader.read(rice) else { return nil }
    return UInt64(high) << UInt64(rice) + low + 1
  }
}
