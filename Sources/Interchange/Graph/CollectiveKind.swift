/// What a collective operation does, in the words of MPI.
public enum CollectiveKind: String, Sendable, CaseIterable {
  case allReduce = "all_reduce"
  case reduce
  case allGather = "all_gather"
  case gather
  case scatter
  case broadcast
  case allToAll = "all_to_all"
  case reduceScatter = "reduce_scatter"
  case barrier

  /// The kind that a library, a profiler or a kernel means by `name`, such as `_all_gather_base`,
  /// `allreduce_`, `ncclKernel_AllReduce_RING_LL_Sum_float(...)` or `gloo:all_reduce`; nil for
  /// anything else.
  ///
  /// Names are compared without case, underscores and blanks; where several kinds match, the
  /// earliest place counts, and the longest word there.
  public init?(named name: String) {
    var letters: [UInt8] = []
    for byte in name.utf8.prefix(256) {
      let lower = byte >= 65 && byte <= 90 ? byte | 0x20 : byte
      if lower >= 97 && lower <= 122 { letters.append(lower) }
    }
    var best: (place: Int, length: Int, kind: CollectiveKind)?
    for (word, kind) in Self.words {
      guard let place = Self.place(of: Array(word.utf8), in: letters) else { continue }
      if let best, (best.place, -best.length) <= (place, -word.utf8.count) { continue }
      best = (place, word.utf8.count, kind)
    }
    guard let best else { return nil }
    self = best.kind
  }

  private static let words: [(String, CollectiveKind)] = [
    ("allreduce", .allReduce), ("reducescatter", .reduceScatter), ("allgather", .allGather),
    ("alltoall", .allToAll), ("broadcast", .broadcast), ("barrier", .barrier),
    ("reduce", .reduce), ("gather", .gather), ("scatter", .scatter),
  ]

  private static func place(of word: [UInt8], in text: [UInt8]) -> Int? {
    guard text.count >= word.count else { return nil }
    for start in 0...text.count - word.count
    where text[start..<start + word.count].elementsEqual(word) {
      return start
    }
    return nil
  }

  /// As ``init(named:)``, where the name is known to belong to a communication library: a prefix
  /// such as `nccl`, `rccl`, `gloo:`, `mpi:`, `ucc:` or `c10d::` is required.
  public init?(communicationName name: String) {
    let start = name.prefix(24).lowercased()
    let known = ["nccl", "rccl", "gloo:", "mpi:", "ucc:", "c10d::", "xccl", "hccl"]
    guard known.contains(where: { start.hasPrefix($0) }) else { return nil }
    self.init(named: name)
  }
}
