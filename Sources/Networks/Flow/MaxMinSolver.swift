import SimKernel

/// Weighted max-min fair rates of a set of flows, by rounds of local bottlenecks.
///
/// Every link's share is what it has left over the weights of the flows it still carries. In a
/// round each flow finds the link with the smallest share on its way (ties: the lower number); a
/// link that all its flows name is a bottleneck, and they are frozen at its share. A flow whose own
/// cap is no larger is frozen at its cap. This is progressive filling (Bertsekas, Gallager, *Data
/// Networks*, 1992, section 6.5.2) with all independent bottlenecks taken at once.
///
/// Solves of parts of a network and of all of it agree to the bit, for two reasons. What frozen
/// flows take from a link is a multiple of ``quantum``, the last place of the largest capacity, so
/// sums are exact and do not depend on the order of the flows. And shares are compared after they
/// were rounded down, exactly, to such a multiple: they never fall while others freeze, so bottlenecks
/// freeze in the order of their shares and numbers, whoever is looked at. The frozen flows' own rates
/// are not rounded.
///
/// - Complexity: O(flows · links on a way) a round; few rounds in practice, at most one a flow.
struct MaxMinSolver: ~Copyable {
  /// A flow while it is being solved.
  struct Item: BitwiseCopyable {
    var flow: Int32
    /// Its links are `pathLinks[start..<start + count]`, in ascending order.
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

  /// What one link has left; apart from `share`, which alone is read on every way.
  private struct Account: BitwiseCopyable {
    var residual = 0.0
    /// Weights of the flows that are not yet frozen.
    var weight = 0.0
    /// Weights of those frozen in this round.
    var gone = 0.0
    /// Weights of the flows that name this link.
    var votes = 0.0
    /// The share before it was rounded down.
    var quotient = 0.0
    /// The last round in which the share rose.
    var changed: Int32 = -1
  }

  /// The rate of a flow, and what held it.
  struct Rate: BitwiseCopyable {
    var flow: Int32
    /// The link it was frozen at, or ``Item/capped``.
    var bottleneck: Int32
    var rate: Double
    /// That link's share when it froze.
    var level: Double
    /// What it takes from each link, a multiple of the quantum.
    var taken: Double
  }

  /// Flows of the present solve; those still to be frozen come first.
  var items = FlatBuffer<Item>()
  /// The result of the last solve, in the order of freezing.
  private(set) var rates = FlatBuffer<Rate>()
  private(set) var quantum = 1.0
  private var inverse = 1.0
  private var share: FlatBuffer<Double>
  private var accounts: FlatBuffer<Account>
  private var touched = FlatBuffer<Int32>()
  private var round: Int32 = 0

  init(linkCount: Int) {
    share = FlatBuffer(repeating: 0, count: linkCount)
    accounts = FlatBuffer(repeating: Account(), count: linkCount)
  }

  /// Sets the quantum to the last place of `capacity`, the largest of all links.
  ///
  /// Returns whether it changed, which makes earlier rates incomparable.
  mutating func setLargest(capacity: Double) -> Bool {
    let next = capacity > 0 ? capacity.ulp : 1
    defer {
      quantum = next
      // Powers of two: products with either are exact.
      inverse = 1 / next
    }
    return next != quantum
  }

  /// Prepares `link` for a solve: it has `capacity` for flows of `weight` together.
  @inline(__always)
  mutating func open(link: Int, capacity: Double, weight: Double) {
    accounts[link].residual = capacity
    accounts[link].weight = weight
    accounts[link].votes = 0
    setShare(link, capacity, weight)
  }

  @inline(__always)
  private mutating func setShare(_ link: Int, _ residual: Double, _ weight: Double) {
    let quotient = weight > 0 ? max(0, residual) / weight : .infinity
    accounts[link].quotient = quotient
    share[link] =
      weight > 0 ? floored(quotient, times: weight, atMost: max(0, residual)) : .infinity
  }

  /// `value` rounded down to a multiple of the quantum.
  ///
  /// `value` is the rounded quotient of `product` and `weight`: where rounding has lifted it to a
  /// multiple, the next lower one is the answer. A rounded quotient between two multiples is
  /// between them exactly, too.
  @inline(__always)
  private func floored(_ value: Double, times weight: Double, atMost product: Double) -> Double {
    let multiple = (value * inverse).rounded(.down) * quantum
    // One rounding: its sign is exact.
    return (-product).addingProduct(multiple, weight) > 0 ? multiple - quantum : multiple
  }

  /// The share of a link with `residual` for flows of `weight`, as solves compare it.
  func level(residual: Double, weight: Double) -> Double {
    weight > 0
      ? floored(max(0, residual) / weight, times: weight, atMost: max(0, residual)) : .infinity
  }

  /// What a flow of `weight` takes at `level`.
  @inline(__always)
  func taken(_ level: Double, _ weight: Double) -> Double {
    let product = level * weight
    let multiple = (product * inverse).rounded(.down) * quantum
    return weight != 1 && (-multiple).addingProduct(level, weight) < 0
      ? multiple - quantum : multiple
  }

  /// Freezes all ``items`` and leaves their ``rates``.
  ///
  /// Every link of every item must have been opened with the weights of exactly these items, and the
  /// links of each must be in ascending order, which makes the lower number win ties.
  mutating func solve(pathLinks: borrowing FlatBuffer<Int32>) {
    rates.truncate()
    var left = items.count
    if round > .max - Int32(clamping: left) - 1 {
      round = 0
      for link in accounts.indices { accounts[link].changed = -1 }
    }
    while left > 0 {
      round += 1
      vote(left, pathLinks: pathLinks)
      touched.truncate()
      let kept = freeze(left, pathLinks: pathLinks)
      precondition(kept < left, "a round of filling freezes at least one flow")
      left = kept
      for index in touched.indices { raise(Int(touched[index])) }
    }
    items.truncate()
  }

  /// Lets each flow name the tightest link on its way, if its last choice may have changed.
  ///
  /// Shares only rise, so a choice stays right until the share of the chosen link itself changes.
  private mutating func vote(_ left: Int, pathLinks: borrowing FlatBuffer<Int32>) {
    // In bounds: items are under `left`, ways were filed by the network, and the links on them are
    // numbers of this solver's links.
    let items = items.base
    let share = share.base
    let accounts = accounts.base
    let links = pathLinks.base
    let previous = round - 1
    for index in 0..<left {
      let old = Int(items[index].best)
      if old >= 0 {
        if accounts[old].changed != previous { continue }
        accounts[old].votes -= items[index].weight
      }
      var best = Item.capped
      var smallest = items[index].capShare
      var way = links + Int(items[index].start)
      let end = way + Int(items[index].count)
      while way < end {
        let link = way.pointee
        let candidate = share[Int(link)]
        // Selections, not branches: which link wins is as good as random.
        let isLess = candidate < smallest
        smallest = isLess ? candidate : smallest
        best = isLess ? link : best
        way += 1
      }
      items[index].best = best
      if best >= 0 { accounts[Int(best)].votes += items[index].weight }
    }
  }

  /// Freezes the flows at their caps and those of bottlenecks; returns how many are left.
  private mutating func freeze(_ left: Int, pathLinks: borrowing FlatBuffer<Int32>) -> Int {
    // In bounds as in `vote`.
    let items = items.base
    let accounts = accounts.base
    let links = pathLinks.base
    var kept = 0
    for index in 0..<left {
      let item = items[index]
      let best = Int(item.best)
      let level: Double
      let rate: Double
      if best < 0 {
        level = item.capShare
        rate = item.capShare * item.weight
      } else if accounts[best].votes == accounts[best].weight {
        level = share[best]
        // The last flow on a link gets what is left to the last bit, whatever its weight.
        rate =
          accounts[best].weight == item.weight
          ? max(0, accounts[best].residual) : accounts[best].quotient * item.weight
      } else {
        items[kept] = item
        kept += 1
        continue
      }
      let taken = taken(level, item.weight)
      rates.append(
        Rate(flow: item.flow, bottleneck: item.best, rate: rate, level: level, taken: taken))
      var way = links + Int(item.start)
      let end = way + Int(item.count)
      while way < end {
        let link = Int(way.pointee)
        accounts[link].residual -= taken
        if accounts[link].gone == 0 { touched.append(way.pointee) }
        accounts[link].gone += item.weight
        way += 1
      }
    }
    return kept
  }

  /// Gives what the frozen flows left of a link to the others on it.
  private mutating func raise(_ link: Int) {
    accounts[link].weight -= accounts[link].gone
    accounts[link].gone = 0
    accounts[link].changed = round
    if accounts[link].weight == 0 { accounts[link].votes = 0 }
    setShare(link, accounts[link].residual, accounts[link].weight)
  }
}
