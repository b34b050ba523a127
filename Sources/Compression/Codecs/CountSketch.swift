import SimKernel

/// Hashed counters that add up, from whose sum the largest elements are estimated (a count sketch).
///
/// Every row adds each element with a random sign to one of its columns; an element is estimated by
/// the median over the rows, and the k = max(1, floor(n ratio)) largest estimates are the decoded
/// gradient. All workers hash alike, so sketches add and ride reducing collectives, at the same size
/// whatever the number of workers. Biased, with errors above 1 where the columns are too few: estimates
/// of a flat gradient are sums of collisions. Additions and loads go to hashed
/// places, one element at a time: on one core five rows encode eighty and decode - a load a row, a
/// median and a selection - a hundred and twenty times slower than a copy, so a sketch needs an
/// accelerator.
public struct CountSketch: Codec {
  /// The share of the elements that is decoded.
  public let ratio: Double
  public let rows: Int
  /// Counters of a row; nil for ten times k.
  public let columns: Int?

  public init(ratio: Double, rows: Int = 5, columns: Int? = nil) {
    self.ratio = ratio
    self.rows = rows
    self.columns = columns
  }

  public var name: String { "count_sketch" }
  public var parameters: [(key: String, value: String)] {
    var result = [(key: "ratio", value: JSONNumber.shortest(ratio))]
    if rows != 5 { result.append(("rows", String(rows))) }
    if let columns { result.append(("cols", String(columns))) }
    return result
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "32*rows*cols",
      citation: "Ivkin, Rothchild, Ullah, Braverman, Stoica and Arora, Communication-efficient "
        + "Distributed SGD with Sketching, NeurIPS 2019, arXiv:1903.04488",
      bias: .biased, sampleScaling: .needsFullTensor, isRandomised: true)
  }

  // The median of sums is not the sum of medians.
  public var decodesLinearly: Bool { false }

  /// Columns for a scope of `count` elements.
  private func width(_ count: Int) -> Int {
    count == 0 ? 0 : columns ?? 10 * Sparsification.kept(count, ratio: ratio)
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = form.requireDenseFloats(for: name) { return .failure(mismatch) }
    var result = form
    result.coverage = .sharedSelection
    result.maker = name
    return .success(result)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    // A fixed number of columns has no share of an unknown length: the default's is taken.
    let counters = Double(rows) * 10 * ratio
    return StageCost(
      encode: CodecWork(
        kernels: 2, bytesPerElement: 4 + 36 * Double(rows),
        operationsPerElement: 10 * Double(rows),
        source: "derived: one pass, and a hash and an atomic addition to a 32-byte sector a row"),
      decode: CodecWork(
        kernels: 7, bytesPerElement: 8 + 36 * Double(rows) + 24 * ratio,
        operationsPerElement: 10 * Double(rows),
        source: "derived: a hash and a load from a 32-byte sector a row, then a selection"),
      leaving: StageLoad(values: counters, bytesPerValue: 4, otherBytes: 0))
  }
  public func worstCase(_ size: inout WorstCase) {
    let scopes = max(1, min(size.scopeCount, size.elementCount))
    size.values =
      columns.map { rows * $0 * scopes }
      ?? rows * 10 * (Int(Double(size.elementCount) * ratio) + scopes)
  }

  public func encode(
    _ record: inout Encoded, setting: StageSetting, scratch: inout CodecScratch
  ) throws(CodecError) {
    let values = try record.floats(for: name)
    try Sparsification.requireAddressable(record, codec: name)
    if let base = values.baseAddress,
      Reductions.largestMagnitudeBits(base, values.count) >= Reductions.infinityBits
    {
      throw setting.notFinite(name, values)
    }
    var shared = setting.sharedRandom
    let key = shared.next()
    let note = scratch.stream(8)
    note.storeBytes(of: key, as: UInt64.self)
    let total = tableSize(record)
    // The default never takes more than this; columns for every one of many small scopes may ask for
    // more memory than there is.
    guard total <= Frame.largestValueCount(of: record.elementCount) else {
      throw CodecError(
        codec: name, tensor: setting.tensors.first?.name,
        "\(rows) rows of \(columns ?? 0) counters for each of \(record.scopeCount) scopes are "
          + "\(total) counters for \(record.elementCount) elements; choose fewer columns or a "
          + "larger scope")
    }
    let memory = scratch.stream(4 * total)
    let counters = memory.assumingMemoryBound(to: Float.self)
    counters.update(repeating: 0, count: total)
    let counts = scratch.temporary(of: UInt32.self, record.scopeCount)
    var used = 0
    for scope in 0..<record.scopeCount {
      let start = record.bounds[scope]
      let count = record.bounds[scope + 1] - start
      counts[scope] = UInt32(rows * width(count))
      if count == 0 { continue }
      let table = SketchTable(
        counters: counters + used, rows: rows, columns: width(count), key: key)
      table.add(values.baseAddress! + start, start: start, count)
      used += rows * width(count)
    }
    if Reductions.largestMagnitudeBits(counters, total) >= Reductions.infinityBits {
      throw setting.tooLarge(name, values, "a sum of elements is beyond the largest float32")
    }
    record.replace(.values, with: PayloadStream(.values, .float32, count: total, base: memory))
    record.replace(.note, with: PayloadStream(.note, .uint64, count: 1, base: note))
    if record.scopeCount > 1 || total == record.elementCount {
      record.replace(
        .counts, with: PayloadStream(.counts, .uint32, count: record.scopeCount, base: counts))
    }
  }

  /// Counters of all scopes.
  private func tableSize(_ record: Encoded) -> Int {
    var total = 0
    for scope in 0..<record.scopeCount {
      total += rows * width(record.bounds[scope + 1] - record.bounds[scope])
    }
    return total
  }

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let note = try record.require(.note, .uint64, for: name)
    let values = try record.floats(for: name)
    guard note.count == 1, values.count == tableSize(record) else {
      throw CodecError(
        codec: name, byteOffset: note.offset,
        "\(values.count) counters where \(tableSize(record)) are needed")
    }
    let output = try target.floats(record.elementCount, codec: name, scratch: &scratch)
    let key = note.elements(as: UInt64.self)[0]
    let totals = Sparsification.Totals(record.bounds, ratio: ratio)
    let block = SketchTable.block(columns: width(totals.largestScope))
    let lines = scratch.temporary(of: Float.self, rows * block)
    let positions = scratch.temporary(of: UInt32.self, totals.largestKept)
    let chosen = scratch.temporary(of: Float.self, totals.largestKept)
    let selection = TopSelection(
      count: totals.largestScope, k: totals.largestKept, scratch: &scratch)
    var used = 0
    for scope in 0..<record.scopeCount {
      let start = record.bounds[scope]
      let count = record.bounds[scope + 1] - start
      if count == 0 { continue }
      let columns = width(count)
      // The counters are only read.
      let table = SketchTable(
        counters: UnsafeMutablePointer(mutating: values.baseAddress! + used), rows: rows,
        columns: columns, key: key)
      table.estimate(start: start, count, lines: lines, into: output + start)
      let kept = Sparsification.kept(count, ratio: ratio)
      selection.select(output + start, count, k: kept, base: start, into: positions, values: chosen)
      (output + start).update(repeating: 0, count: count)
      for index in 0..<kept { output[Int(positions[index])] = chosen[index] }
      used += rows * columns
    }
    record.remove(.note)
    record.remove(.counts)
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: record.elementCount, base: output))
  }
}

extension CountSketch {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      ratio: fields.required(
        "ratio", .fraction, doc: "share of the elements that is decoded, at least one a scope"),
      rows: fields.optional(
        "rows", .integer(1...31), default: 5, doc: "independent hashes, of which the median counts"),
      columns: fields.optional(
        "cols", .integer(1...(1 << 24)),
        doc: "counters of a row, for every scope; by default ten for every decoded element"))
  }
}
