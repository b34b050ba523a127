import SimKernel

/// Only the blocks of 256 elements that have one other than zero (OmniReduce's block sparsity).
///
/// Lossless, up to the sign of zeros in blocks that are left out. Blocks begin at the borders of
/// scopes; the last of a scope has only the elements there are. A block travels with its number. Its
/// gain is that of embeddings and of other gradients whose zeros come in runs; scattered zeros gain
/// nothing, and a dense gradient grows by 32 bits a block.
public struct OmniReduce: Codec {
  /// Elements of a block.
  public let block: Int
  public let index: IndexEncoding

  public init(block: Int = 256, index: IndexEncoding = .int32) {
    self.block = block
    self.index = index
  }

  public var name: String { "omnireduce" }
  public var parameters: [(key: String, value: String)] {
    var result: [(key: String, value: String)] = []
    if block != 256 { result.append(("block", String(block))) }
    if index != .int32 { result.append(("index", index.rawValue)) }
    return result
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: index == .int32
        ? "32*(elements of nonzero blocks)+32*(nonzero blocks)"
        : "32*(elements of nonzero blocks)+the index code of their numbers",
      citation: "Fei, Ho, Sahu, Canini and Sapio, Efficient Sparse Collective Communication and "
        + "its application to Accelerate Distributed Deep Learning, SIGCOMM 2021, "
        + "doi:10.1145/3452296.3472904",
      bias: .exact, sampleScaling: .needsFullTensor)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = form.requireDenseFloats(for: name) { return .failure(mismatch) }
    var result = form
    result.coverage = .selected
    result.aggregation = .gather
    result.isVariableSize = true
    result.maker = name
    return .success(result)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    // How many blocks are left only the gradient tells; a dense one keeps all.
    StageCost(
      encode: CodecWork(
        kernels: 3, bytesPerElement: 12,
        source: "derived: one pass that marks blocks, their prefix sum, one that copies all"),
      decode: CodecWork(kernels: 1, bytesPerElement: 8, source: "derived: one pass"),
      leaving: StageLoad(values: 1, bytesPerValue: 4, otherBytes: 4 / Double(block)))
  }
  public func worstCase(_ size: inout WorstCase) {
    let blocks = size.elementCount / block + size.scopeCount
    size.values = size.elementCount
    size.otherBits += index.worstCaseBits(kept: blocks, elementCount: blocks)
  }

  public func streamBytes(for record: Encoded) -> Int? {
    // As if all blocks stayed: a dense gradient then needs no second copy.
    index == .int32 ? 4 * record.elementCount + 4 * blockCount(record) + 16 : nil
  }
  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    try Sparsification.requireAddressable(record, codec: name)
    let total = blockCount(record)
    let numbers = scratch.temporary(of: UInt32.self, total)
    let counts = scratch.temporary(of: UInt32.self, record.scopeCount)
    var found = 0
    var elements = 0
    var number = 0
    for scope in 0..<record.scopeCount {
      let before = elements
      var start = record.bounds[scope]
      while start < record.bounds[scope + 1] {
        let count = min(block, record.bounds[scope + 1] - start)
        // Elements, of which there are some, have memory.
        let bits = Reductions.largestMagnitudeBits(values.baseAddress! + start, count)
        if bits >= Reductions.infinityBits { throw setting.notFinite(name, values) }
        numbers[found] = UInt32(truncatingIfNeeded: number)
        found += bits == 0 ? 0 : 1
        elements += bits == 0 ? 0 : count
        number += 1
        start += count
      }
      counts[scope] = UInt32(truncatingIfNeeded: elements - before)
    }
    let memory = scratch.stream(4 * elements)
    var output = memory.assumingMemoryBound(to: Float.self)
    forEachBlock(record, UnsafeBufferPointer(start: numbers, count: found)) { range in
      output.update(from: values.baseAddress! + range.lowerBound, count: range.count)
      output += range.count
    }
    record.replace(.values, with: PayloadStream(.values, .float32, count: elements, base: memory))
    record.replace(
      .indices, with: index.stream(numbers, found, elementCount: total, scratch: &scratch))
    if record.scopeCount > 1 {
      record.replace(
        .counts, with: PayloadStream(.counts, .uint32, count: record.scopeCount, base: counts))
    }
  }

  /// The blocks of all scopes.
  private func blockCount(_ record: Encoded) -> Int {
    var total = 0
    for scope in 0..<record.scopeCount {
      total += (record.bounds[scope + 1] - record.bounds[scope] + block - 1) / block
    }
    return total
  }

  /// Calls `body` with the elements of every block in `numbers`, which ascend.
  @inline(__always)
  private func forEachBlock(
    _ record: Encoded, _ numbers: UnsafeBufferPointer<UInt32>, _ body: (Range<Int>) -> Void
  ) {
    var scope = 0
    // The number of the scope's first block, and of the next scope's.
    var first = 0
    var next = record.scopeCount > 0 ? (record.bounds[1] - record.bounds[0] + block - 1) / block : 0
    for number in numbers {
      while Int(number) >= next {
        scope += 1
        first = next
        next += (record.bounds[scope + 1] - record.bounds[scope] + block - 1) / block
      }
      let start = record.bounds[scope] + (Int(number) - first) * block
      body(start..<min(start + block, record.bounds[scope + 1]))
    }
  }

  /// The numbers of the blocks, checked to ascend, to exist and to hold as many elements as came.
  private func blocks(
    of record: Encoded, scratch: inout CodecScratch
  ) throws(CodecError) -> UnsafeBufferPointer<UInt32> {
    guard let stream = record.stream(.indices) else {
      throw CodecError(codec: name, byteOffset: 0, "the frame has no stream of indices")
    }
    let numbers = try IndexEncoding.positions(
      stream, elementCount: blockCount(record), codec: name, scratch: &scratch)
    let result = UnsafeBufferPointer(start: UnsafePointer(numbers), count: stream.count)
    var elements = 0
    forEachBlock(record, result) { elements += $0.count }
    let values = record.stream(.values)?.count ?? 0
    guard elements == values else {
      throw CodecError(
        codec: name, byteOffset: stream.offset,
        "\(values) values for blocks of \(elements) elements")
    }
    return result
  }

  public func selection(
    of record: inout Encoded, scratch: inout CodecScratch
  ) throws(CodecError) -> UnsafeBufferPointer<UInt32>? {
    let numbers = try blocks(of: record, scratch: &scratch)
    let count = record.stream(.values)?.count ?? 0
    let positions = scratch.temporary(of: UInt32.self, count)
    var written = 0
    forEachBlock(record, numbers) { range in
      for position in range {
        positions[written] = UInt32(truncatingIfNeeded: position)
        written += 1
      }
    }
    return UnsafeBufferPointer(start: positions, count: written)
  }
  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let numbers = try blocks(of: record, scratch: &scratch)
    let values = try record.floats(for: name)
    let output = try target.floats(record.elementCount, codec: name, scratch: &scratch)
    var read = 0
    var done = 0
    forEachBlock(record, numbers) { range in
      (output + done).update(repeating: 0, count: range.lowerBound - done)
      // In bounds: the blocks hold as many elements as there are values.
      (output + range.lowerBound).update(from: values.baseAddress! + read, count: range.count)
      read += range.count
      done = range.upperBound
    }
    (output + done).update(repeating: 0, count: record.elementCount - done)
    record.remove(.indices)
    record.remove(.counts)
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: record.elementCount, base: output))
  }
}

extension OmniReduce {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      block: fields.optional(
        "block", .integer(1...(1 << 20)), default: 256, doc: "elements of a block"),
      index: fields.index())
  }
}
