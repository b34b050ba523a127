import Foundation
import SimKernel

/// The records of a CSV file, one at a time, with the place of every field.
///
/// RFC 4180: fields between commas, quoted where they hold commas, quotes or line ends; takes CRLF, a
/// byte order mark and a missing last line end. Lines without anything are passed over. One record
/// and one block of the file are in memory.
struct RecordStream: ~Copyable {
  /// What messages call the file.
  let origin: String
  private let descriptor: Int32
  private var block: [UInt8]
  private var position = 0
  private var filled = 0
  private var isAtEnd = false
  /// The line that the next byte belongs to.
  private var lineAhead = 1
  private var columnAhead = 1

  /// The line on which the record begins.
  private(set) var line = 0
  /// The fields of the record, one after the other, quotes resolved.
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  private var columns: [Int] = []

  /// Opens `path`; `-` is standard input.
  ///
  /// - Throws: ``InputError`` with the system's reason.
  init(path: String) throws(InputError) {
    origin = path == "-" ? "<stdin>" : path
    descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    block = [UInt8](repeating: 0, count: 1 << 18)
    if descriptor < 0 {
      throw InputError(
        path: path, reason: String(cString: strerror(errno)), advice: "check the path")
    }
  }

  deinit { if descriptor > STDIN_FILENO { close(descriptor) } }

  /// The number of fields of the record.
  var count: Int { ends.count }

  /// The bytes of field `index`, without blanks around them.
  func range(_ index: Int) -> Range<Int> {
    var low = index == 0 ? 0 : ends[index - 1]
    var high = ends[index]
    while low < high, bytes[low] == 0x20 || bytes[low] == 0x09 { low += 1 }
    while low < high, bytes[high - 1] == 0x20 || bytes[high - 1] == 0x09 { high -= 1 }
    return low..<high
  }
  /// Field `index` as text, without blanks around it.
  func text(_ index: Int) -> String { String(decoding: bytes[range(index)], as: UTF8.self) }
  /// Field `index` as a decimal whole number that fits, or nil.
  func integer(_ index: Int) -> Int64? {
    let range = range(index)
    guard (1...18).contains(range.count) else { return Int64(text(index)) }
    var value: Int64 = 0
    for position in range {
      let digit = bytes[position] &- 0x30
      if digit > 9 { return Int64(text(index)) }
      // At most 18 digits: below 10^18.
      value = value &* 10 &+ Int64(digit)
    }
    return value
  }
  /// Whether the record has a field `index` that is not empty.
  func has(_ index: Int) -> Bool { !range(index).isEmpty }
  /// Where field `index` begins.
  func place(_ index: Int) -> TextPosition {
    TextPosition(origin: origin, line: line, column: index < columns.count ? columns[index] : 1)
  }

  /// Moves to the next record; false at the end of the file.
  ///
  /// - Throws: ``InputError`` if it cannot be read, ``InvalidInput`` if a quote is never closed.
  mutating func next() throws -> Bool {
    while true {
      guard try record() else { return false }
      if count > 1 || !bytes.isEmpty { return true }
    }
  }

  private mutating func record() throws -> Bool {
    bytes.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    columns.removeAll(keepingCapacity: true)
    line = lineAhead
    columns.append(columnAhead)
    var isQuoted = false
    var wasQuote = false
    var isAny = false
    while true {
      guard let byte = try read() else {
        if isQuoted {
          throw InvalidInput([
            Issue(
              path: FieldPath(["record"]),
              position: TextPosition(origin: origin, line: line, column: columns.last!),
              problem: .invalid(
                found: "a quote is never closed", expected: "end the field with \""))
          ])
        }
        if !isAny { return false }
        ends.append(bytes.count)
        return true
      }
      isAny = true
      if isQuoted {
        if byte == 0x22 { isQuoted = false } else { bytes.append(byte) }
        wasQuote = byte == 0x22
        continue
      }
      switch byte {
      case 0x22:
        // A doubled quote inside of quotes is a quote.
        if wasQuote { bytes.append(byte) }
        isQuoted = true
      case 0x2C:
        ends.append(bytes.count)
        columns.append(columnAhead)
      case 0x0A:
        ends.append(bytes.count)
        return true
      case 0x0D: break
      default: bytes.append(byte)
      }
      wasQuote = false
    }
  }

  private mutating func read() throws -> UInt8? {
    if position == filled {
      guard try fill() else { return nil }
    }
    let byte = block[position]
    position += 1
    if byte == 0x0A {
      lineAhead += 1
      columnAhead = 1
    } else {
      columnAhead += 1
    }
    return byte
  }

  private mutating func fill() throws -> Bool {
    let isFirst = filled == 0
    while !isAtEnd {
      let count = block.withUnsafeMutableBytes {
        Foundation.read(descriptor, $0.baseAddress!, $0.count)
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw InputError(
          path: origin, reason: String(cString: strerror(errno)), advice: "check the file")
      }
      isAtEnd = count == 0
      filled = count
      position = isFirst && block.starts(with: [0xEF, 0xBB, 0xBF]) && count >= 3 ? 3 : 0
      if position < filled { return true }
    }
    return false
  }
}
