import SimKernel
import Testing

@Suite struct StableHashTests {
  private static let vectors: [(Int, String)] = [
    (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
    (2, "8177228da4a45dc7fca38bdef60affe4"), (3, "9c70b60c5267a94e5f33b6b02985ed51"),
    (7, "a1f1ebbed8dbc153c0b84aa61ff08239"), (8, "3b62a9ba6258f5610f83e264f31497b4"),
    (9, "264499060ad9baabc47f8b02bb6d71ed"), (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
    (16, "6ee2a4ca67b054bbfd3315bf85230577"), (17, "473d06e8738db89854c066c47ae47740"),
    (31, "2939b0183223fafc1723de4f52c43d35"), (63, "5150d1772f50834a503e069a973fbd7c"),
  ]

  private func hash(_ bytes: [UInt8], chunk: Int) -> String {
    var hash = StableHash()
    var start = 0
    while start < bytes.count {
      let end = min(start + chunk, bytes.count)
      bytes[start..<end].withUnsafeBytes { hash.combine(bytes: $0) }
      start = end
    }
    return hash.hexadecimal
  }

  /// The vectors of the reference implementation (github.com/veorq/SipHash, `vectors_sip128`).
  @Test(arguments: vectors)
  func `the digest is that of SipHash-2-4-128`(length: Int, digest: String) {
    #expect(hash((0..<UInt8(length)).map { $0 }, chunk: 64) == digest)
  }

  @Test func `the digest does not depend on how the bytes are cut`() {
    let bytes = (0..<200).map { UInt8(truncatingIfNeeded: $0 * 37) }
    for length in 0..<40 {
      let prefix = Array(bytes.prefix(length))
      let whole = hash(prefix, chunk: 1000)
      for chunk in 1...20 { #expect(hash(prefix, chunk: chunk) == whole) }
    }
  }

  @Test func `a word is its eight bytes, lowest first, at any alignment`() {
    for offset in 0..<9 {
      let front = [UInt8](repeating: 9, count: offset)
      var words = StableHash()
      front.withUnsafeBytes { words.combine(bytes: $0) }
      words.combine(0x0807_0605_0403_0201)
      #expect(words.hexadecimal == hash(front + [1, 2, 3, 4, 5, 6, 7, 8], chunk: 100))
    }
  }

  @Test func `a string is its bytes and a terminator`() {
    var text = StableHash()
    text.combine("héllo")
    #expect(text.hexadecimal == hash(Array("héllo".utf8) + [0xFF], chunk: 100))
    var left = StableHash()
    left.combine("ab")
    left.combine("c")
    var right = StableHash()
    right.combine("a")
    right.combine("bc")
    #expect(left.words != right.words)
  }

  @Test func `asking for the digest does not end the hash`() {
    var hash = StableHash()
    hash.combine("first")
    let before = hash.hexadecimal
    #expect(hash.hexadecimal == before)
    hash.combine("second")
    var whole = StableHash()
    whole.combine("first")
    whole.combine("second")
    #expect(hash.hexadecimal == whole.hexadecimal)
    #expect(hash.hexadecimal != before)
    #expect(before.count == 32)
  }
}
