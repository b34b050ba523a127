/// Packing of fixed-width codes at memory speed.
///
/// Codes go in blocks of 256. A block of width w takes 32 w bytes: w is written as a sum of 8, 4, 2
/// and 1, and each part is a plane in which byte j holds the codes j, j + 256/m, j + 2*256/m, ... of
/// the block (m codes a byte). Such planes are plain byte loops that vectorise. The last, partial
/// block is a simple bit string, lowest bits first, so that n codes take exactly w n bits.
enum BitPacking {
  /// Codes of a block.
  static let block = 256

  /// Bytes that `count` codes of `width` bits take.
  static func bytes(_ count: Int, width: Int) -> Int { (count * width + 7) / 8 }

  /// Packs `count` codes below 2^`width` from position `start`, a multiple of 256, of the stream.
  ///
  /// Only the last call of a stream may pass a count that is not a multiple of 256. `target` has room
  /// for the whole stream.
  static func pack<Code: FixedWidthInteger & UnsignedInteger>(
    _ codes: UnsafePointer<Code>, _ count: Int, at start: Int, width: Int,
    into target: UnsafeMutablePointer<UInt8>
  ) {
    var output = target + start / 8 * width
    if width == 8 {
      for index in 0..<count { output[index] = UInt8(truncatingIfNeeded: codes[index]) }
      return
    }
    var done = 0
    while done + block <= count {
      var shift = 0
      while width - shift >= 8 {
        packPlane(codes + done, shift: shift, part: 8, into: output)
        output += block
        shift += 8
      }
      let rest = width - shift
      if rest & 4 != 0 {
        packPlane(codes + done, shift: shift, part: 4, into: output)
        output += block / 2
        shift += 4
      }
      if rest & 2 != 0 {
        packPlane(codes + done, shift: shift, part: 2, into: output)
        output += block / 4
        shift += 2
      }
      if rest & 1 != 0 {
        packPlane(codes + done, shift: shift, part: 1, into: output)
        output += block / 8
      }
      done += block
    }
    var pending: UInt32 = 0
    var bits = 0
    while done < count {
      // At most 7 + 16 bits are pending.
      pending |= UInt32(truncatingIfNeeded: codes[done]) << UInt32(bits)
      bits += width
      while bits >= 8 {
        output[0] = UInt8(truncatingIfNeeded: pending)
        output += 1
        pending >>= 8
        bits -= 8
      }
      done += 1
    }
    if bits > 0 { output[0] = UInt8(truncatingIfNeeded: pending) }
  }

  /// Unpacks `count` codes of `width` bits from position `start`, a multiple of 256.
  static func unpack<Code: FixedWidthInteger & UnsignedInteger>(
    _ source: UnsafePointer<UInt8>, at start: Int, width: Int, _ count: Int,
    into codes: UnsafeMutablePointer<Code>
  ) {
    var input = source + start / 8 * width
    if width == 8 {
      for index in 0..<count { codes[index] = Code(truncatingIfNeeded: input[index]) }
      return
    }
    var done = 0
    while done + block <= count {
      for index in 0..<block { codes[done + index] = 0 }
      var shift = 0
      while width - shift >= 8 {
        unpackPlane(input, shift: shift, part: 8, into: codes + done)
        input += block
        shift += 8
      }
      let rest = width - shift
      if rest & 4 != 0 {
        unpackPlane(input, shift: shift, part: 4, into: codes + done)
        input += block / 2
        shift += 4
      }
      if rest & 2 != 0 {
        unpackPlane(input, shift: shift, part: 2, into: codes + done)
        input += block / 4
        shift += 2
      }
      if rest & 1 != 0 {
        unpackPlane(input, shift: shift, part: 1, into: codes + done)
        input += block / 8
      }
      done += block
    }
    var pending: UInt32 = 0
    var bits = 0
    let mask = (UInt32(1) << UInt32(width)) - 1
    while done < count {
      while bits < width {
        pending |= UInt32(input[0]) << UInt32(bits)
        input += 1
        bits += 8
      }
      codes[done] = Code(truncatingIfNeeded: pending & mask)
      pending >>= UInt32(width)
      bits -= width
      done += 1
    }
  }

  @inline(__always)
  private static func packPlane<Code: FixedWidthInteger & UnsignedInteger>(
    _ codes: UnsafePointer<Code>, shift: Int, part: Int, into output: UnsafeMutablePointer<UInt8>
  ) {
    let count = block / 8 * part
    let shift = Code(truncatingIfNeeded: shift)
    @inline(__always) func byte(_ index: Int) -> UInt8 {
      UInt8(truncatingIfNeeded: codes[index] &>> shift)
    }
    switch part {
    case 8: for j in 0..<count { output[j] = byte(j) }
    case 4: for j in 0..<count { output[j] = byte(j) & 15 | byte(j + 128) << 4 }
    case 2:
      for j in 0..<count {
        output[j] =
          byte(j) & 3 | (byte(j + 64) & 3) << 2 | (byte(j + 128) & 3) << 4 | byte(j + 192) << 6
      }
    default:
      for j in 0..<count {
        let low =
          byte(j) & 1 | (byte(j + 32) & 1) << 1 | (byte(j + 64) & 1) << 2 | (byte(j + 96) & 1) << 3
        let high =
          byte(j + 128) & 1 | (byte(j + 160) & 1) << 1 | (byte(j + 192) & 1) << 2 | byte(j + 224)
          << 3
        output[j] = low | high << 4
      }
    }
  }

  @inline(__always)
  private static func unpackPlane<Code: FixedWidthInteger & UnsignedInteger>(
    _ input: UnsafePointer<UInt8>, shift: Int, part: Int, into codes: UnsafeMutablePointer<Code>
  ) {
    let count = block / 8 * part
    let mask = part == 8 ? 255 : UInt8((1 << part) - 1)
    let shift = Code(truncatingIfNeeded: shift)
    for column in 0..<(8 / part) {
      let down = UInt8(column * part)
      let start = column * count
      for j in 0..<count {
        codes[start + j] |= Code(truncatingIfNeeded: input[j] &>> down & mask) &<< shift
      }
    }
  }
}
