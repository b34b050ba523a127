import SimKernel

/// Low-rank factors of every matrix by a step of the power method (PowerSGD).
///
/// A tensor is a matrix with its first dimension as rows and the others flattened. P = M Q with a
/// normal Q that all workers draw alike, made orthonormal; then Q = M' P; what is decoded is P Q'.
/// Between workers P and Q are means: two dependent sums, and one more for vectors, which are not
/// compressed, like matrices whose factors would not be smaller. Biased: meant for error feedback.
///
/// With a ``CodecMemory`` Q starts from that of the iteration before (`warm_start`), so that one step
/// an iteration becomes a subspace iteration: the error falls to that of the best factors while
/// gradients change slowly. Without a memory every encode starts cold. `power_steps` repeats the step
/// on the same gradient, and takes two sums each time.
///
/// A worker's share of the mean is P times its own right factor. PyTorch's hook takes the mean itself
/// off every worker's gradient: the same sum over the workers, but a residual that also holds what
/// sets the workers apart.
public struct PowerSGD: Codec {
  public let rank: Int
  /// By what the factors must be smaller than the matrix: 1 never expands, 2 is PyTorch's default,
  /// 0 makes factors of every matrix.
  public let minimumRate: Double
  /// Steps of the power method.
  public let steps: Int
  /// Whether Q starts from that of the iteration before where there is a memory of it.
  public let warmStart: Bool

  public init(rank: Int = 4, minimumRate: Double = 1, steps: Int = 1, warmStart: Bool = true) {
    self.rank = rank
    self.minimumRate = minimumRate
    self.steps = steps
    self.warmStart = warmStart
  }

  public var name: String { "powersgd" }
  public var parameters: [(key: String, value: String)] {
    var result: [(key: String, value: String)] = []
    if rank != 4 { result.append(("rank", String(rank))) }
    if minimumRate != 1 {
      result.append(("minimum_rate", JSONNumber.shortest(minimumRate)))
    }
    if steps != 1 { result.append(("power_steps", String(steps))) }
    if !warmStart { result.append(("warm_start", "false")) }
    return result
  }
  public var traits: CodecTraits {
    CodecTraits(
      payloadFormula: "32*sum min(r,rows,cols)(rows+cols)+32*(elements of the other tensors)",
      citation: "Vogels, Karimireddy and Jaggi, PowerSGD, NeurIPS 2019, arXiv:1905.13727",
      bias: .biased, sampleScaling: .needsFullTensor, isRandomised: true)
  }

  /// The right factors of all matrices.
  public func rememberedFloats(elementCount: Int, tensors: [TensorRange]) -> Int {
    warmStart ? layout(tensors, elementCount).right : 0
  }

  public func accept(_ form: PayloadForm) -> Result<PayloadForm, FormMismatch> {
    if let mismatch = form.requireDenseFloats(for: name) { return .failure(mismatch) }
    var result = form
    result.content = .factors
    result.maker = name
    return .success(result)
  }
  public func cost(entering load: StageLoad) -> StageCost {
    // Shapes are not known here: of square matrices of 1024 rows the factors are r / 512.
    let share = min(1, Double(rank) / 512)
    let passes = Double(2 * steps)
    return StageCost(
      encode: CodecWork(
        kernels: Double(3 * steps + 1), bytesPerElement: 4 * (passes + 1) + 8 * share,
        operationsPerElement: 2 * passes * Double(rank),
        source: "derived: two products a step, each one pass and 2 r operations an element"),
      decode: CodecWork(
        kernels: 1, bytesPerElement: 4 + 4 * share, operationsPerElement: 2 * Double(rank),
        source: "derived: one product of 2 r operations an element"),
      leaving: StageLoad(values: share, bytesPerValue: 4, otherBytes: 0))
  }
  public func worstCase(_ size: inout WorstCase) {
    // min(rows, cols) (rows + cols) is at most twice rows x cols.
    size.values = minimumRate >= 1 ? size.elementCount : 2 * size.elementCount
  }

  private func layout(_ tensors: [TensorRange], _ count: Int) -> LowRankLayout {
    LowRankLayout(tensors, elementCount: count, rank: rank, minimumRate: minimumRate)
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
    let layout = layout(setting.tensors, values.count)
    let total = layout.values
    let memory = scratch.stream(4 * total)
    var output = memory.assumingMemoryBound(to: Float.self)
    let factors = rightFactors(setting.memory, setting.stage, layout, setting.sharedRandom)
    var read = 0
    for item in layout.items where item.count > 0 {
      let source = values.baseAddress! + item.offset
      if item.rank == 0 {
        output.update(from: source, count: item.count)
      } else {
        let right = output + item.rank * item.rows
        factors.withUnsafeBufferPointer {
          // In bounds: the layout's right factors one after the other; some, as this one has a rank.
          right.update(from: $0.baseAddress! + read, count: item.rank * item.columns)
        }
        read += item.rank * item.columns
        for _ in 0..<steps {
          LowRank.project(
            source, rows: item.rows, columns: item.columns, rank: item.rank, right: right,
            into: output)
          LowRank.orthonormalise(output, count: item.rank, length: item.rows)
          LowRank.projectBack(
            source, rows: item.rows, columns: item.columns, rank: item.rank, left: output,
            into: right)
        }
      }
      output += item.values
    }
    let written = memory.assumingMemoryBound(to: Float.self)
    if Reductions.largestMagnitudeBits(written, total) >= Reductions.infinityBits {
      throw setting.tooLarge(
        name, values, "a product of the power step is beyond the largest float32")
    }
    if warmStart, let kept = setting.memory {
      remember(in: kept, setting.stage, layout, factors: written)
    }
    record.replace(.values, with: PayloadStream(.values, .float32, count: total, base: memory))
    record.replace(.note, with: layout.note(scratch: &scratch))
  }

  /// The right factors of all matrices, one after the other, that the next step starts from.
  private func rightFactors(
    _ memory: CodecMemory?, _ stage: Int, _ layout: LowRankLayout, _ random: RandomStream
  ) -> [Float] {
    let remembered = warmStart ? memory?[stage] ?? [] : []
    var result = [Float](repeating: 0, count: layout.right)
    result.withUnsafeMutableBufferPointer { memory in
      remembered.withUnsafeBufferPointer { remembered in
        guard var output = memory.baseAddress else { return }
        var input = remembered.count == layout.right ? remembered.baseAddress : nil
        for item in layout.items where item.rank > 0 {
          if let source = input {
            LowRankLayout.start(item, random, output, remembered: source)
            input = source + item.rank * item.columns
          } else {
            LowRankLayout.start(item, random, output)
          }
          output += item.rank * item.columns
        }
      }
    }
    return result
  }

  /// Keeps the right factors of a frame's values.
  private func remember(
    in memory: CodecMemory, _ stage: Int, _ layout: LowRankLayout, factors: UnsafePointer<Float>
  ) {
    memory.withValues(stage, count: layout.right) { kept in
      guard var output = kept.baseAddress else { return }
      var input = factors
      for item in layout.items {
        // In bounds: left and right factors of an item follow one another, item after item.
        if item.rank > 0 {
          output.update(from: input + item.rank * item.rows, count: item.rank * item.columns)
          output += item.rank * item.columns
        }
        input += item.values
      }
    }
  }

  public func decode(
    _ record: inout Encoded, target: DecodeTarget, scratch: inout CodecScratch
  ) throws(CodecError) {
    let note = try record.require(.note, .uint32, for: name)
    let values = try record.floats(for: name)
    guard let layout = LowRankLayout(note: note, elementCount: record.elementCount),
      layout.values == values.count
    else {
      throw CodecError(
        codec: name, byteOffset: note.offset, "the shapes do not fit \(values.count) values")
    }
    let output = try target.floats(record.elementCount, codec: name, scratch: &scratch)
    var read = 0
    for item in layout.items where item.count > 0 {
      let source = values.baseAddress! + read
      if item.rank == 0 {
        (output + item.offset).update(from: source, count: item.count)
      } else {
        LowRank.multiply(
          left: source, right: source + item.rank * item.rows, rows: item.rows,
          columns: item.columns, rank: item.rank, into: output + item.offset)
      }
      read += item.values
    }
    record.remove(.note)
    record.replace(
      .values, with: PayloadStream(.values, .float32, count: record.elementCount, base: output))
  }

  // MARK: - Rounds

  public func rounds(_ setup: RoundSetup) -> (any CodecRounds)? {
    // Behind a lossless stage there are only bytes, which are gathered.
    guard setup.pipeline.form.content == .factors,
      let stage = setup.pipeline.stages.firstIndex(where: { $0 is PowerSGD })
    else { return nil }
    let layout = layout(setup.tensors, setup.gradient.count)
    return PowerRounds(
      setup, layout: layout, steps: steps,
      right: rightFactors(setup.memory, stage, layout, setup.random.split(0).split(stage)),
      remembering: warmStart ? stage : nil)
  }
  public func exchanges(_ setup: ExchangeSetup) -> [ExchangeStep]? {
    guard setup.pipeline.form.content == .factors else { return nil }
    let layout = layout(setup.tensors, setup.elementCount)
    var result: [ExchangeStep] = []
    func sum(_ count: Int, _ purpose: String) {
      result.append(ExchangeStep(.sum, bits: 32 * count, elements: max(1, count), purpose: purpose))
    }
    if layout.sumsPlain { sum(layout.plain, "tensors that are not compressed") }
    if layout.left == 0 { return result }
    for _ in 0..<steps {
      sum(layout.left, "left factors")
      sum(layout.right, "right factors")
    }
    return result
  }
}

extension PowerSGD {
  /// Reads the codec's record.
  init(_ fields: inout FieldReader) {
    self.init(
      rank: fields.optional("rank", .integer(1...1024), default: 4, doc: "columns of the factors"),
      minimumRate: fields.optional(
        "minimum_rate", .nonNegative, default: 1,
        doc: "matrices become factors only where those are smaller by more than this (PyTorch: 2)"),
      steps: fields.optional(
        "power_steps", .integer(1...64), default: 1,
        doc: "steps of the power method in one iteration"),
      warmStart: fields.optional(
        "warm_start", .bool, default: true,
        doc: "starts from the right factors of the iteration before, where iterations follow one "
          + "another"))
  }
}
