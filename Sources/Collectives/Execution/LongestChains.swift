import SimKernel

/// The ends of a ring whose chunks have one or two sizes, from the longest chains of waits.
///
/// Let D(c, k) be when chunk c leaves in round k; the rank that it leaves is c + k. Either the chunk
/// has just come, or the message before it has just left, which had the next chunk:
///
///     D(c, k) = max(D(c, k-1) + arriving(c) + sum(c), D(c+1, k-1) + leaving(c+1))
///
/// (that a rank has to end one sum before the next begins does not matter where a sum takes no longer
/// than any message to leave). So D is the longest chain of T rounds that begins with some chunk
/// c + j, goes down to c in j *moves*, and *stays* in all other rounds. Every move loses the latency
/// of a stay, so only the first few j count: at most the spread of the beginnings, and what T larger
/// chunks take longer, over that latency. For a j the best chain stays with one larger chunk, as soon
/// as it meets one; moves where nothing is summed; or, where sums are worth it, moves to a larger one
/// only after the last sum. Stays are linear in the round of a move, so that one of these is best.
struct LongestChains: Sendable {
  private let ranks: Int
  /// Stays and moves of a chain, and those of them that sum.
  private let transitions: Int64
  private let summing: Int64
  private let small: RingTimes.Kind
  private let large: RingTimes.Kind
  private let isLarge: [Bool]
  /// How many chunks down from each the next large one is; 0 for a large one, or if there is none.
  private let distance: [Int64]
  private let latency: Int64

  /// Nil if chunks have more than two sizes, or chains may wait for sums.
  init?(
    _ kinds: [RingTimes.Kind], of chunks: [Int], rounds: Int, reducingRounds: Int
  ) {
    guard kinds.count == 1 || kinds.count == 2, rounds >= 2 else { return nil }
    let order = kinds.sorted { $0.size < $1.size }
    let (small, large) = (order[0], order[order.count - 1])
    latency = small.arriving - small.leaving
    guard latency > 0, large.arriving - large.leaving == latency, large.leaving >= small.leaving,
      large.sum >= small.sum, large.sum <= small.leaving
    else { return nil }
    self.small = small
    self.large = large
    ranks = chunks.count
    transitions = Int64(rounds - 1)
    summing = Int64(min(reducingRounds, rounds - 1))
    let isLarge = chunks.map { kinds[$0].size == large.size }
    var distance = [Int64](repeating: 0, count: chunks.count)
    if let last = isLarge.lastIndex(of: true) {
      var next = Int64(chunks.count - last)
      for chunk in chunks.indices {
        if isLarge[chunk] { next = 0 }
        distance[chunk] = next
        next += 1
      }
    }
    self.isLarge = isLarge
    self.distance = distance
  }

  /// As ``RingTimes/solve(_:free:)``; false, and nothing is done, if too many moves may count.
  func solve(_ times: inout [Int64], _ free: inout [Int64], shift: Int) -> Bool {
    // The beginning of each chunk's chain: its first rank's.
    var begin = [Int64](repeating: 0, count: ranks)
    var (first, last) = (Int64.max, Int64.min)
    for chunk in 0..<ranks {
      let rank = (chunk + shift) % ranks
      begin[chunk] = max(times[rank], free[rank])
      first = min(first, begin[chunk])
      last = max(last, begin[chunk])
    }
    let gain =
      last - first + transitions * (large.arriving - small.arriving)
      + summing * (large.sum - small.sum)
    let most = gain / latency
    guard most < transitions - summing || most == 0, most <= Int64(ranks / 4) else { return false }
    let ends = ends(begin, moves: Int(most))
    for rank in 0..<ranks {
      let came = Self.modulo(rank - Int(transitions) - 1 - shift, ranks)
      let went = Self.modulo(rank - Int(transitions) - shift, ranks)
      let kind = isLarge[came] ? large : small
      times[rank] = max(times[rank], ends[came] + kind.arriving)
      free[rank] = ends[went] + (isLarge[went] ? large : small).leaving
    }
    return true
  }

  private static func modulo(_ number: Int, _ ranks: Int) -> Int {
    let rest = number % ranks
    return rest < 0 ? rest + ranks : rest
  }

  /// D(c, T) of every chunk c, with at most `moves` moves.
  private func ends(_ begin: [Int64], moves: Int) -> [Int64] {
    var ends = [Int64](repeating: 0, count: ranks)
    for chunk in 0..<ranks {
      var best = Int64.min
      var moved: Int64 = 0
      var start = chunk
      for count in 0...moves {
        let j = Int64(count)
        let stays = transitions - j
        var chain = stays * small.arriving + min(summing, stays) * small.sum
        let way = distance[start]
        if way <= j, way > 0 || isLarge[start] {
          let early = stays * large.arriving + min(summing - way, stays) * large.sum
          let late =
            summing * (small.arriving + small.sum) + (stays - summing) * large.arriving
          chain = max(chain, max(early, late))
        }
        best = max(best, begin[start] + moved + chain)
        start = start + 1 == ranks ? 0 : start + 1
        moved += (isLarge[start] ? large : small).leaving
      }
      ends[chunk] = best
    }
    return ends
  }
}
