/// Writes codes of any length, lowest bit first.
struct BitWriter {
  private let target: UnsafeMutablePointer<UInt8>
  private var pending: UInt64 = 0
  private var held = 0
  /// Bits written.
  private(set) var count = 0

  /// A writer into memory that holds everything that will be written, rounded up to a byte.
  init(_ target: UnsafeMutablePointer<UInt8>) { self.target = target }

  /// Appends the low `width` bits of `value`; `width` is at most 32 and the other bits are 0.
  @inline(__always)
  mutating func append(_ value: UInt64, _ width: Int) {
    pending |= value << UInt64(held)
    held += width
    count += width
    while held >= 8 {
      target[(count - held) >> 3] = UInt8(truncatingIfNeeded: pending)
      pending >>= 8
      held -= 8
    }
  }
  /// Appends `zeros` zero bits and a one.
  @inline(__always)
  mutating func appendUnary(_ zeros: Int) {
    var left = zeros
    while left >= 32 {
      append(0, 32)
      left -= 32
    }
    append(1 << UInt64(left), left + 1)
  }
  /// Writes the last, partial byte.
  mutating func finish() {
    if held > 0 { target[count >> 3] = UInt8(truncatingIfNeeded: pending) }
  }
}

/// Reads what ``BitWriter`` wrote; reading beyond the end gives nil, never memory.
struct BitReader {
  private let source: UnsafePointer<UInt8>
  private let end: Int
  /// Bits read.
  private(set) var position = 0

  /// A reader of `bits` bits.
  init(_ source: UnsafePointer<UInt8>, bits: Int) {
    self.source = source
    end = bits
  }

  var isAtEnd: Bool { position == end }

  /// The next `width` bits, at most 32.
  @inline(__always)
  mutating func read(_ width: Int) -> UInt64? {
    if width > end - position { return nil }
    var value: UInt64 = 0
    var taken = 0
    while taken < width {
      let shift = position & 7
      let step = min(8 - shift, width - taken)
      // In bounds: position < end, which the memory covers.
      let part = UInt64(source[position >> 3]) >> UInt64(shift) & ((1 << UInt64(step)) - 1)
      value |= part << UInt64(taken)
      taken += step
      position += step
    }
    return value
  }
  /// The number of zeros before the next one, which is read too; nil beyond `limit` zeros.
  @inline(__always)
  mutating func readUnary(limit: Int) -> Int? {
    var zeros = 0
    while position < end {
      let bit = source[position >> 3] >> UInt8(position & 7) & 1
      position += 1
      if bit == 1 { return zeros }
      zeros += 1
      if zeros > limit { return nil }
    }
    return nil
  }
}

/// Elias' universal codes of positive integers (IEEE Trans.
///
/// Inf. Theory 21, 1975, doi:10.1109/TIT.1975.1055349).
enum EliasCode: String, Sendable, CaseIterable {
  /// 2 floor(log2 v) + 1 bits.
  case gamma = "elias_gamma"
  /// The length in gamma, then the bits below the leading one.
  case delta = "elias_delta"
  /// Lengths of lengths, recursively.
  case omega = "elias_omega"

  /// The position of the leading one.
  @inline(__always)
  static func log2(_ value: UInt32) -> Int { 31 - value.leadingZeroBitCount }

  /// The length of the code of `value`, which is at least 1.
  func length(_ value: UInt32) -> Int {
    let log = Self.log2(value)
    switch self {
    case .gamma: return 2 * log + 1
    case .delta: return log + 2 * Self.log2(UInt32(log + 1)) + 1
    case .omega:
      var total = 1
      var rest = value
      while rest > 1 {
        let bits = Self.log2(rest) + 1
        total += bits
        rest = UInt32(bits - 1)
      }
      return total
    }
  }

  /// Appends the code of `value`, which is at least 1.
  func write(_ value: UInt32, to writer: inout BitWriter) {
    switch self {
    case .gamma: Self.gamma(value, &writer)
    case .delta:
      let log = Self.log2(value)
      Self.gamma(UInt32(log + 1), &writer)
      writer.append(UInt64(value) & ((1 << UInt64(log)) - 1), log)
    case .omega:
      // Groups are made from the last to the first and written leading one first.
      var groups: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0, 0)
      var count = 0
      var rest = value
      withUnsafeMutableBytes(of: &groups) { memory in
        let list = memory.bindMemory(to: UInt32.self)
        while rest > 1 {
          list[count] = rest
          count += 1
          rest = UInt32(Self.log2(rest))
        }
        for index in stride(from: count - 1, through: 0, by: -1) {
          let bits = Self.log2(list[index]) + 1
          writer.append(1, 1)
          writer.append(UInt64(list[index]) & ((1 << UInt64(bits - 1)) - 1), bits - 1)
        }
      }
      writer.append(0, 1)
    }
  }

  private static func gamma(_ value: UInt32, _ writer: inout BitWriter) {
    let log = log2(value)
    writer.appendUnary(log)
    writer.append(UInt64(value) & ((1 << UInt64(log)) - 1), log)
  }
  private static func gamma(_ reader: inout BitReader) -> UInt32? {
    guard let log = reader.readUnary(limit: 31), let low = reader.read(log) else { return nil }
    return UInt32(truncatingIfNeeded: 1 << UInt64(log) | low)
  }

  /// The next value, or nil where the bits are no code of a 32-bit number.
  func read(_ reader: inout BitReader) -> UInt32? {
    switch self {
    case .gamma: return Self.gamma(&reader)
    case .delta:
      guard let length = Self.gamma(&reader), length <= 32, let low = reader.read(Int(length) - 1)
      else { return nil }
      return UInt32(truncatingIfNeeded: 1 << UInt64(length - 1) | low)
    case .omega:
      var value: UInt32 = 1
      while true {
        guard let flag = reader.read(1) else { return nil }
        if flag == 0 { return value }
        guard value <= 31, let low = reader.read(Int(value)) else { return nil }
        value = UInt32(truncatingIfNeeded: 1 << UInt64(value) | low)
      }
    }
  }
}
