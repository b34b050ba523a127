import Compression
import SimKernel
import Testing

/// What `simnet-bench codecs` measures, and what it relies on.
struct CodecBenchmarkTests {
  /// Rows by a clock on which everything takes a second.
  private func rows(_ filters: [String] = []) throws -> [CodecBenchmark.Row] {
    var rows: [CodecBenchmark.Row] = []
    try CodecBenchmark.run(
      elements: 40_000, filters: filters, rounds: 1,
      seconds: { body in
        body()
        return 1
      }
    ) { rows.append($0) }
    return rows
  }

  @Test("every registered codec is measured")
  func coverage() {
    for name in CodecCatalog.registry.names {
      #expect(
        CodecBenchmark.cases.contains { $0.text == name || $0.text.hasPrefix(name + ":") },
        "\(name)")
    }
  }

  @Test("every case encodes and decodes, and a ratio compares with the yardstick")
  func everyCase() throws {
    let rows = try rows()
    #expect(rows.allSatisfy { $0.ratio == 1 && $0.gigabytesPerSecond == 0.000_16 })
    for row in CodecBenchmark.cases {
      let own = rows.filter { $0.label == row.label && $0.yardstick == "memcpy" }
      #expect(own.map(\.operation) == [.encode, .decode], "\(row.label)")
      #expect(own.first?.aim == row.aim)
    }
    // Exact, so that a slower yardstick alone decides.
    #expect(rows.filter { $0.aim == 0.9 }.allSatisfy { $0.meetsAim == true })
    #expect(rows.filter { $0.aim == 1.9 }.allSatisfy { $0.meetsAim == false })
  }

  @Test("a filter keeps what contains it")
  func filter() throws {
    let rows = try rows(["sign pack", "fp16"])
    #expect(rows.count == 7)
    #expect(rows.allSatisfy { $0.label == "sign pack" || $0.label.contains("fp16") })
  }

  @Test("after the first gradients no working memory is added", arguments: Chains.all)
  func steadyState(chain: String) throws {
    let pipeline = try Support.pipeline(chain)
    var scratch = CodecScratch()
    var encoded = EncodedGradient()
    var target = [Float](repeating: 0, count: Support.digits.count)
    var held: [Int] = []
    var room: [Int] = []
    for _ in 0..<5 {
      try Support.digits.withUnsafeBufferPointer {
        try pipeline.encode(
          $0, tensors: Support.digitTensors, scope: .layer, random: Support.random(),
          scratch: &scratch, into: &encoded)
      }
      try target.withUnsafeMutableBufferPointer {
        try pipeline.decode(encoded, into: $0, scratch: &scratch)
      }
      held.append(scratch.heldBytes)
      room.append(encoded.bytes.capacity)
    }
    #expect(Set(held[1...]).count == 1, "\(chain): \(held)")
    #expect(Set(room[1...]).count == 1, "\(chain): \(room)")
  }
}
