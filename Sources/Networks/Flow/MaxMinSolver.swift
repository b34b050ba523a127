import SimKernel

/// Weighted max-min fair rates of a set of flows, by rounds of local bottlenecks.
///
/// Every link's share is what it has left over the weights of the flows it still carries. In a
/// round each flow finds the link with the smallest share on its way (ties: the lower number); a
/// link that all its flows name is a bottleneck, and they are frozen at its share. A flow whose own
/// cap is no larger is frozen at its cap. This is progressive filling (Bertsekas, Gallager, *Data
/// Networks*, 1992, section 6.5.2) with all independent bottlenecks taken at once.
///
/// Two properties make restricted and complete solves agree to the bit. A round looks only at flows
/// and links that share one another, so components do not influence each other. And what frozen
/// flows take from a link is rounded down to a multiple of ``quantum``, the last place of the
/// largest capacity, so sums are exact and do not depend on the order of the flows. The frozen
/// flows' own rates are not rounded.
///
/// - Complexity: O(flows · links on a way) a round; few rounds in practice, at most one a flow.
struct MaxMinSolver: ~Copyable {
  /// A flow while it is being solved.
  struct Item: BitwiseCopyable {
    var flow: Int32
    /// Its links are `pathLinks[start..<start + count]`.
    var start: Int32
    var count: Int32
    /// The link with the smallest share on its way; see the constants.
    var best: Int32
    /// Cap over weight.
    var capShare: Double
    var weight: Double

    static let unknown: Int32 = -1
    static let capped: Int32 = -2
  }

  /// Flows of the present solve; those still to be frozen come first.
  var items: [Item] = []
  private(set) var quantum = 1.0
  private let linkCount: Int
  // Scratch by link, allocated once for all solves and freed in `deinit`; link numbers are below
  // `linkCount`, which bounds every access.
  private let share: UnsafeMutablePointer<Double>
  private let residual: UnsafeMutablePointer<Double>
  private let weight: UnsafeMutablePointer<Double>
  private let votes: UnsafeMutablePointer<Double>
  private let gone: UnsafeMutablePointer<Double>
  private let changed: UnsafeMutablePointer<Int32>
  private var touched: [Int32] = []
  private var round: Int32 = 0

  init(linkCount: Int) {
    self.linkCount = linkCount
    func zeros() -> UnsafeMutablePointer<Double> {
      let memory = UnsafeMutablePointer<Double>.allocate(capacity: max(linkCount, 1))
      memory.initialize(repeating: 0, count: linkCount)
      return memory
    }
    (share, residual, weight, votes, gone) = (zeros(), zeros(), zeros(), zeros(), zeros())
    changed = .allocate(capacity: max(linkCount, 1))
    changed.initialize(repeating: -1, count: linkCount)
  }

  deinit {
    for memory in [share, residual, weight, votes, gone] { memory.deallocate() }
    changed.deallocate()
  }

  /// Sets the quantum to the last place of `capacity`, the largest of all links.
  ///
  /// Returns whether it changed, which makes earlier rates incomparable.
  mutating func setLargest(capacity: Double) -> Bool {
    let next = capacity > 0 ? capacity.ulp : 1
    defer { quantum = next }
    return next != quantum
  }

  /// Prepares `link` for a solve: it has `capacity` for flows of `weight` together.
  mutating func open(link: Int, capacity: Double, weight total: Double) {
    residual[link] = capacity
    weight[link] = total
    share[link] = total > 0 ? capacity / total : .infinity
    votes[link] = 0
  }

  /// Freezes all ``items``; appends each flow with its rate to `rates`.
  ///
  /// Every link of every item must have been opened with the weights of exactly these items.
  mutating func solve(
    pathLinks: UnsafePointer<Int32>, into rates: inout [(flow: Int32, rate: Double)]
  ) {
    let inverse = 1 / quantum
    var left = items.count
    items.withUnsafeMutableBufferPointer { items in
      // In bounds below: item indices are under `left`, path positions were allocated by the caller,
      // and links are below `linkCount`.
      let items = items.baseAddress
      guard let items else { return }
      while left > 0 {
        round = round == .max ? 0 : round + 1
        for index in 0..<left {
          let item = items[index]
          if item.best >= 0 {
            if changed[Int(item.best)] != round - 1 { continue }
            votes[Int(item.best)] -= item.weight
          }
          var best = Item.capped
          var smallest = item.capShare
          var position = Int(item.start)
          let end = position + Int(item.count)
          while position < end {
            let link = pathLinks[position]
            let candidate = share[Int(link)]
            if candidate < smallest || (candidate == smallest && link < best) {
              smallest = candidate
              best = link
            }
            position += 1
          }
          items[index].best = best
          if best >= 0 { votes[Int(best)] += item.weight }
        }
        touched.removeAll(keepingCapacity: true)
        var kept = 0
        for index in 0..<left {
          let item = items[index]
          let rate: Double
          if item.best == Item.capped {
            rate = item.capShare * item.weight
          } else if votes[Int(item.best)] == weight[Int(item.best)] {
            rate = share[Int(item.best)] * item.weight
          } else {
            items[kept] = item
            kept += 1
            continue
          }
          rates.append((item.flow, rate))
          let taken = (rate * inverse).rounded(.down) * quantum
          var position = Int(item.start)
          let end = position + Int(item.count)
          while position < end {
            let link = Int(pathLinks[position])
            residual[link] -= taken
            if gone[link] == 0 { touched.append(Int32(truncatingIfNeeded: link)) }
            gone[link] += item.weight
            position += 1
          }
        }
        precondition(kept < left, "a round of filling freezes at least one flow")
        left = kept
        for link in touched {
          let link = Int(link)
          weight[link] -= gone[link]
          gone[link] = 0
          changed[link] = round
          if weight[link] == 0 {
            share[link] = .infinity
            votes[link] = 0
          } else {
            share[link] = max(0, residual[link]) / weight[link]
          }
        }
      }
    }
    items.removeAll(keepingCapacity: true)
  }
}
