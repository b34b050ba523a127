import SimKernel

/// What an algorithm may know about a group: how many ranks, and which share a host.
public struct GroupShape: Hashable, Sendable {
  public let rankCount: Int
  /// Ranks a host, for hosts that hold consecutive ranks; nil if nothing is known about hosts, or if
  /// the ranks of a host are not consecutive.
  public let hostSizes: [Int]?
  /// The switches that can sum for the group; nil stands for one above all ranks.
  public var aggregation: AggregationTree?

  /// A group of which only the number of ranks is known, or of hosts with `ranksPerHost` consecutive
  /// ranks each; the last host has the rest.
  public init(rankCount: Int, ranksPerHost: Int? = nil) {
    self.rankCount = rankCount
    guard let ranksPerHost, ranksPerHost > 0, rankCount > 0 else {
      hostSizes = nil
      return
    }
    var sizes = Array(repeating: ranksPerHost, count: rankCount / ranksPerHost)
    if rankCount % ranksPerHost > 0 { sizes.append(rankCount % ranksPerHost) }
    hostSizes = sizes
  }

  /// A group placed by `hosts`, the host of every rank under any numbering.
  public init(hosts: [Int]) {
    rankCount = hosts.count
    var sizes: [Int] = []
    var first: [Int] = []
    for (rank, host) in hosts.enumerated() {
      if rank > 0, hosts[rank - 1] == host {
        sizes[sizes.count - 1] += 1
      } else {
        sizes.append(1)
        first.append(host)
      }
    }
    let sorted = first.sorted()
    let isConsecutive = zip(sorted, sorted.dropFirst()).allSatisfy { $0 != $1 }
    hostSizes = isConsecutive && !hosts.isEmpty ? sizes : nil
  }

  /// The ranks on every host, if they are equally many.
  public var ranksPerHost: Int? {
    guard let hostSizes, let first = hostSizes.first else { return nil }
    return hostSizes.allSatisfy { $0 == first } ? first : nil
  }
  /// Whether the number of ranks is a power of two.
  var isPowerOfTwo: Bool { rankCount & (rankCount - 1) == 0 }
}

/// Why a plan cannot be made: one sentence that says what to do.
public struct PlanRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  public let reason: String
  public init(_ reason: String) { self.reason = reason }
  public var description: String { reason }
}
