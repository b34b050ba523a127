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
  /// Every worker ends with the sum, made by parameter servers.
  case pushPull = "push_pull"
}
