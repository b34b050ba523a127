/// What a collective does with the payloads of its ranks.
public enum CollectiveOperation: String, CaseIterable, Hashable, Sendable {
  /// Every rank ends with the sum of all payloads.
  case allReduce = "all_reduce"
  /// Rank i ends with chunk i of the sum.
  case reduceScatter = "reduce_scatter"
  /// Every rank ends with the payload of every rank, each of a size of its own.
  case allGather = "all_gather"
  /// Every rank ends with the payload of the root.
  case broadcast
  /// The root ends with the sum of all payloads.
  case reduce
  /// Every rank has a block for every rank, all of one size, and ends with those for itself.
  case allToAll = "all_to_all"
  /// As ``allToAll``, with a size for every pair.
  case allToAllV = "all_to_all_v"
  /// Rank i ends with chunk i of the root's payload.
  case scatter
  /// The root ends with the payload of every rank, each of a size of its own.
  case gather
  /// No rank goes on before all have come; nothing is carried.
  case barrier
  /// Every worker ends with the sum, made by parameter servers.
  case pushPull = "push_pull"
}

extension CollectiveOperation {
  /// Whether one rank is special: where payloads come from, or go to.
  public var hasRoot: Bool {
    switch self {
    case .broadcast, .reduce, .scatter, .gather: true
    case .allReduce, .reduceScatter, .allGather, .allToAll, .allToAllV, .barrier, .pushPull: false
    }
  }
  /// Whether every rank brings a payload of its own size, which is one chunk of the result.
  public var isGather: Bool { self == .allGather || self == .gather }
}
