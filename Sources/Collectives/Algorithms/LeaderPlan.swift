import SimKernel

extension Plan {
  /// A hierarchical all-reduce for hosts with different numbers of ranks.
  ///
  /// Every host sums to its first rank along a binomial tree, these leaders run a ring among
  /// themselves, and every host spreads the result along its tree. Only the leaders are busy across
  /// hosts.
  static func leaders(hostSizes: [Int]) -> Plan {
    let hosts = hostSizes.count
    var leaders: [Int] = []
    var rankCount = 0
    for size in hostSizes {
      leaders.append(rankCount)
      rankCount += size
    }
    var builder = PlanBuilder()
    // The last arrival at every rank so far; arrivals are applied one after the other.
    var last: [Int] = Array(repeating: -1, count: rankCount)
    func send(
      _ source: Int, _ destination: Int, _ chunks: Range<Int>, _ action: StepAction
    ) {
      let step = builder.append(
        PlanStep(source, destination, chunks.lowerBound, chunks.upperBound, action),
        departsAfter: last[source] < 0 ? [] : [last[source]],
        appliesAfter: last[destination] < 0 ? [] : [last[destination]])
      arrivals.append((destination, step))
    }
    // A round's messages depart before any of them counts as an arrival.
    var arrivals: [(rank: Int, step: Int)] = []
    func endRound() {
      for arrival in arrivals { last[arrival.rank] = arrival.step }
      arrivals.removeAll()
    }
    for (host, size) in hostSizes.enumerated() {
      // Children before parents: a rank with k trailing zeros sends in round k.
      var distance = 1
      while distance < size {
        for place in stride(from: distance, to: size, by: 2 * distance) {
          send(leaders[host] + place, leaders[host] + place - distance, 0..<hosts, .reduce)
        }
        endRound()
        distance *= 2
      }
    }
    for round in 0..<2 * (hosts - 1) {
      for host in 0..<hosts {
        let chunk = (host - round + 2 * hosts) % hosts
        send(
          leaders[host], leaders[(host + 1) % hosts], chunk..<chunk + 1,
          round < hosts - 1 ? .reduce : .store)
      }
      endRound()
    }
    for (host, size) in hostSizes.enumerated() {
      var distance = 1
      while 2 * distance < size { distance *= 2 }
      while distance > 0, size > 1 {
        for place in stride(from: distance, to: size, by: 2 * distance) {
          send(leaders[host] + place - distance, leaders[host] + place, 0..<hosts, .store)
        }
        endRound()
        distance /= 2
      }
    }
    return builder.plan(
      name: "hierarchical_leaders", operation: .allReduce, rankCount: rankCount,
      chunkCount: hosts)
  }
}
