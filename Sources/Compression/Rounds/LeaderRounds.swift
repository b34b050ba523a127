import SimKernel

/// A broadcast of positions that one worker chose, then whatever the stages behind ask for, with
/// everyone's values at these positions.
struct LeaderRounds: CodecRounds {
  private let setup: RoundSetup
  private let codec: ScaleCom
  private let stage: Int
  /// The conversation once the positions are known.
  private var rest: (any CodecRounds)?

  init(_ setup: RoundSetup, codec: ScaleCom, stage: Int) {
    self.setup = setup
    self.codec = codec
    self.stage = stage
  }

  /// The rank that chooses in this iteration.
  private var leader: Int { setup.iteration % max(1, setup.workers) }

  mutating func next(scratch: inout CodecScratch) throws(CodecError) -> RoundRequest {
    if rest != nil { return try rest!.next(scratch: &scratch) }
    let payload =
      setup.worker == leader
      ? try positions(scratch: &scratch) : RoundPayload.frame([], payloadBits: 0)
    return .exchange(.broadcast, payload, leader: leader)
  }

  mutating func receive(
    _ result: RoundResult, scratch: inout CodecScratch
  ) throws(CodecError) {
    if rest != nil {
      try rest!.receive(result, scratch: &scratch)
      return
    }
    guard case .one(.frame(let bytes, _)) = result else {
      throw CodecError(codec: codec.name, "the leader's positions are needed")
    }
    var frame = EncodedGradient()
    frame.bytes = bytes
    var informed = setup
    informed.sharedPositions = try FrameValues.withRecord(
      frame, setup.pipeline, setup.gradient.count, &scratch
    ) { (record, scratch) throws(CodecError) -> [UInt32] in
      Array(try Sparsification.positions(of: record, codec: codec.name, scratch: &scratch))
    }
    rest = setup.pipeline.rounds(informed, from: stage + 1)
  }

  func share(of mean: [Float], scratch: inout CodecScratch) throws(CodecError) -> [Float] {
    guard let rest else { return mean }
    return try rest.share(of: mean, scratch: &scratch)
  }

  /// A frame of nothing but the positions of this worker's own selection.
  private func positions(scratch: inout CodecScratch) throws(CodecError) -> RoundPayload {
    scratch.reset()
    let count = setup.gradient.count
    guard let bounds = ScopeBounds.make(setup.scope, setup.tensors, count, scratch: &scratch) else {
      throw CodecError(
        codec: "frame", "the tensors are not consecutive over the \(count) elements")
    }
    let setting = StageSetting(
      tensors: setup.tensors, sharedRandom: setup.random.split(0).split(stage),
      random: setup.random.split(setup.worker + 1).split(stage), stage: stage,
      iteration: setup.iteration)
    let outcome = setup.gradient.withUnsafeBufferPointer {
      values -> Result<RoundPayload, CodecError> in
      do throws(CodecError) {
        let base = UnsafeRawPointer(
          values.baseAddress ?? UnsafePointer(scratch.temporary(of: Float.self, 1)))
        var record = Encoded(
          elementCount: count, bounds: bounds,
          streams: [PayloadStream(.values, .float32, count: count, base: base)])
        try codec.encode(&record, setting: setting, scratch: &scratch)
        record.remove(.values)
        record.remove(.counts)
        let room =
          Frame.overhead(tensorCount: bounds.count, streamCount: 1)
          + record.streams.reduce(0) { $0 + $1.byteCount + 8 }
        var bytes = [UInt8](repeating: 0, count: room)
        let length = bytes.withUnsafeMutableBytes {
          Frame.finish(
            record, scope: setup.scope, label: setup.pipeline.labelHash, in: $0,
            scratch: &scratch)
        }
        guard let length else { preconditionFailure("the room holds the only stream") }
        bytes.removeLast(room - length)
        return .success(.frame(bytes, payloadBits: Int64(record.payloadBits)))
      } catch { return .failure(error) }
    }
    return try outcome.get()
  }
}
