import Interchange
import Testing

@Suite struct FloatTypeTests {
  private func values(_ type: String, _ bytes: [UInt8]) throws -> [Float] {
    let folder = try ScratchFolder()
    let width = ["F64": 8, "F32": 4, "F16": 2, "BF16": 2][type] ?? 1
    let header =
      "{\"a\":{\"dtype\":\"\(type)\",\"shape\":[\(bytes.count / width)],"
      + "\"data_offsets\":[0,\(bytes.count)]}}"
    return try GradientFile.read(path: try folder.file("a.safetensors", safetensors(header, bytes)))
      .values
  }

  /// By the tables of the papers: largest, smallest, one, and what is no number.
  @Test(arguments: [
    (
      "F8_E4M3", [UInt8(0x00), 0x01, 0x08, 0x38, 0x7E, 0xB8],
      [Float(0), 0x1p-9, 0x1p-6, 1, 448, -1]
    ),
    (
      "F8_E5M2", [0x00, 0x01, 0x04, 0x3C, 0x7B, 0x7C], [0, 0x1p-16, 0x1p-14, 1, 57_344, .infinity]
    ),
    ("F8_E4M3FNUZ", [0x00, 0x01, 0x08, 0x40, 0x7F, 0xC0], [0, 0x1p-10, 0x1p-7, 1, 240, -1]),
    ("F8_E5M2FNUZ", [0x00, 0x01, 0x04, 0x40, 0x7F, 0xC0], [0, 0x1p-17, 0x1p-15, 1, 57_344, -1]),
    ("BF16", [0x80, 0x3F, 0x00, 0xC0], [1, -2]), ("F16", [0x00, 0x3C, 0x00, 0xC0], [1, -2]),
  ]) func everyTypeHasItsValues(_ type: String, _ bytes: [UInt8], _ expected: [Float]) throws {
    #expect(try values(type, bytes) == expected)
  }

  @Test(arguments: [
    ("F8_E4M3", UInt8(0x7F)), ("F8_E4M3", 0xFF), ("F8_E5M2", 0x7D), ("F8_E4M3FNUZ", 0x80),
    ("F8_E5M2FNUZ", 0x80),
  ])
  func notANumberStaysSo(_ type: String, _ byte: UInt8) throws {
    #expect(try values(type, [byte])[0].isNaN)
  }

  @Test func anE5M2IsTheUpperHalfOfAFloat16() throws {
    let all = try values("F8_E5M2", Array(0...255))
    for byte in 0..<256 {
      let half = Float(Float16(bitPattern: UInt16(byte) << 8))
      #expect(all[byte] == half || (all[byte].isNaN && half.isNaN))
    }
  }

  @Test(arguments: ["I64", "I32", "U8", "BOOL"]) func integersAreRefusedWithWhatToDo(_ type: String)
    throws
  {
    let message = positionedError(type) { _ = try values(type, [1]) }
    #expect(message.contains("tensor.float()"))
  }

  @Test(arguments: [
    ("<i4", "astype('<f4')"), ("|b1", "astype('<f4')"), ("|V2", "bfloat16"), ("<c8", "'<f4'"),
  ])
  func otherNumPyTypesAreRefusedWithWhatToDo(_ type: String, _ advice: String) throws {
    let folder = try ScratchFolder()
    let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (1,), }\n"
    let path = try folder.file("a.npy", npy(header, [0, 0, 0, 0]))
    let message = positionedError(type) { _ = try GradientFile.read(path: path) }
    #expect(message.contains(advice), "\(message)")
  }
}
