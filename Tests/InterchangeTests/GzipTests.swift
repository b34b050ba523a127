import Interchange
import Testing

/// `bytes` as gzip, in stored blocks of at most `block` bytes.
func gzip(_ bytes: [UInt8], block: Int = 65_535) -> [UInt8] {
  var table = [UInt32](repeating: 0, count: 256)
  for byte in 0..<256 {
    var value = UInt32(byte)
    for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    table[byte] = value
  }
  var crc: UInt32 = .max
  for byte in bytes { crc = crc >> 8 ^ table[Int((crc ^ UInt32(byte)) & 0xFF)] }
  var out: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
  var place = 0
  repeat {
    let count = min(block, bytes.count - place)
    out += [place + count == bytes.count ? 1 : 0]
    let size = UInt16(count)
    out += [UInt8(size & 255), UInt8(size >> 8), UInt8(~size & 255), UInt8(~size >> 8)]
    out += bytes[place..<place + count]
    place += count
  } while place < bytes.count
  for value in [~crc, UInt32(bytes.count)] {
    out += (0..<4).map { UInt8(value >> UInt32($0 * 8) & 255) }
  }
  return out
}

@Suite struct GzipTests {
  private static let text = Array(KinetoTests.small.utf8)

  private func events(_ bytes: [UInt8], chunk: Int = 1 << 18) throws -> Int {
    try KinetoTrace(bytes: bytes, path: "t.gz", chunkSize: chunk).events.count
  }

  @Test(arguments: [1, 2, 100, 65_535]) func storedBlocksOfEverySizeAreRead(_ block: Int) throws {
    #expect(try events(gzip(Self.text, block: block)) == 3)
    #expect(try events(gzip(Self.text, block: block), chunk: 1) == 3)
  }

  @Test func membersFollowOneAnother() throws {
    let half = Self.text.count / 2
    #expect(try events(gzip(Array(Self.text[..<half])) + gzip(Array(Self.text[half...]))) == 3)
  }

  @Test func checksumsAndLengthsCount() throws {
    let packed = gzip(Self.text)
    for offset in 1...8 {
      var copy = packed
      copy[copy.count - offset] ^= 1
      let message = positionedError("a wrong trailer") { _ = try events(copy) }
      #expect(message.contains(offset > 4 ? "checksum" : "length"), "\(message)")
    }
  }

  @Test func everyEndThatIsTooEarlyIsRefused() {
    let packed = gzip(Self.text, block: 300)
    for count in 3..<packed.count {
      _ = positionedError("the first \(count) bytes") { _ = try events(Array(packed[..<count])) }
    }
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason))
  func damagedHuffmanCodesAreRefusedAndNeverCrash() throws {
    let packed = try SharedTraces.bytes("kineto-hta/base.json.gz")
    #expect(try KinetoTrace(bytes: packed, path: "base").events.count == 33)
    var random = SplitMix(state: 3)
    var refused = 0
    for _ in 0..<2000 {
      var copy = packed
      copy[Int.random(in: 10..<copy.count - 8, using: &random)] ^= UInt8.random(
        in: 1...255, using: &random)
      // The file's name in the header may change, and so may bits that pad; nothing else.
      do throws(InterchangeError) {
        #expect(try KinetoTrace(bytes: copy, path: "base").events.count == 33)
      } catch {
        #expect(error.byteOffset != nil)
        refused += 1
      }
    }
    #expect(refused > 1900)
  }

  @Test func otherPackersAreNamed() throws {
    let message = positionedError("zstd") { _ = try events([0x28, 0xB5, 0x2F, 0xFD, 0, 0, 0]) }
    #expect(message.contains("zstd -d"))
  }
}
