import SimKernel

/// Payloads that are vectors of integers, so that sums and concatenations can be compared exactly.
struct IntegerAlgebra: PayloadAlgebra {
  var vectors: [[Int]] = []
  /// What combining one element costs.
  var costPerElement = SimDuration.zero

  mutating func payload(_ vector: [Int]) -> PayloadID {
    vectors.append(vector)
    return PayloadID(vectors.count - 1)
  }
  mutating func slice(_ payload: PayloadID, part: Range<Int64>, of whole: Int64) -> PayloadID {
    let vector = vectors[payload.index]
    let count = Int64(vector.count)
    return self.payload(
      Array(vector[Int(count * part.lowerBound / whole)..<Int(count * part.upperBound / whole)]))
  }
  mutating func combine(
    _ local: PayloadID, with incoming: PayloadID, at rank: RankID
  ) -> PayloadID {
    precondition(vectors[local.index].count == vectors[incoming.index].count, "chunks line up")
    return payload(zip(vectors[local.index], vectors[incoming.index]).map { $0 + $1 })
  }
  func size(of payload: PayloadID) -> ByteCount {
    .bytes(Int64(8 * vectors[payload.index].count))
  }
  func combiningTime(
    of local: PayloadID, with incoming: PayloadID, at rank: RankID
  ) -> SimDuration { costPerElement * vectors[incoming.index].count }
}
