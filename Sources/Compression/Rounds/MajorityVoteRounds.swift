import SimKernel

/// One gather of signs, whose majority is the result: +1 or -1, and +1 where the vote is tied.
struct MajorityVoteRounds: CodecRounds {
  private var gathering: GatheringRounds
  /// Whether every worker voted on every element; otherwise 0 means that nobody did.
  private let isDense: Bool

  init(_ setup: RoundSetup) {
    gathering = GatheringRounds(setup)
    isDense = setup.pipeline.form.coverage == .dense
  }

  mutating func next(scratch: inout CodecScratch) throws(CodecError) -> RoundRequest {
    let request = try gathering.next(scratch: &scratch)
    guard case .finished(var votes) = request else { return request }
    // The mean of signs has the sign of their sum.
    for index in votes.indices {
      votes[index] = votes[index] < 0 ? -1 : votes[index] > 0 || isDense ? 1 : 0
    }
    return .finished(votes)
  }
  mutating func receive(
    _ result: RoundResult, scratch: inout CodecScratch
  ) throws(CodecError) {
    try gathering.receive(result, scratch: &scratch)
  }
  func share(of mean: [Float], scratch: inout CodecScratch) throws(CodecError) -> [Float] {
    try gathering.share(of: mean, scratch: &scratch)
  }
}
