/// The checksum of gzip (RFC 1952, 8): CRC-32 with the reflected polynomial 0xEDB88320, eight bytes
/// at a time.
struct CRC32 {
  /// What follows from a byte that stands `slice` places before the end of eight.
  private let table: [UInt32]
  private var state: UInt32 = 0xFFFF_FFFF

  init() {
    var table = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var value = UInt32(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
      table[byte] = value
    }
    for index in 256..<8 * 256 {
      let before = table[index - 256]
      table[index] = before >> 8 ^ table[Int(before & 0xFF)]
    }
    self.table = table
  }

  /// The checksum of what was added.
  var value: UInt32 { ~state }
  mutating func reset() { state = 0xFFFF_FFFF }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var crc = state
    var place = 0
    table.withUnsafeBufferPointer { table in
      // In bounds: an index is a byte plus 256 times a slice below 8; `place + 8` stays in `bytes`.
      while place + 8 <= bytes.count {
        let next = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self) ^ UInt64(crc)
        crc = table[1792 + Int(next & 0xFF)] ^ table[1536 + Int(next >> 8 & 0xFF)]
        crc ^= table[1280 + Int(next >> 16 & 0xFF)] ^ table[1024 + Int(next >> 24 & 0xFF)]
        crc ^= table[768 + Int(next >> 32 & 0xFF)] ^ table[512 + Int(next >> 40 & 0xFF)]
        crc ^= table[256 + Int(next >> 48 & 0xFF)] ^ table[Int(next >> 56)]
        place += 8
      }
      while place < bytes.count {
        crc = crc >> 8 ^ table[Int((crc ^ UInt32(bytes[place])) & 0xFF)]
        place += 1
      }
    }
    state = crc
  }
}
