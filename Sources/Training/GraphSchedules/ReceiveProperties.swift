import SimKernel

/// TicTac's properties of the receives of a graph while some of them are outstanding (Hashemi, Abdu
/// Jyothi, Campbell, MLSys 2019, Algorithm 1), kept up to date as receives are scheduled.
///
/// With dep(op) the receives that an operation depends on and R those outstanding, M(op) is the time
/// of dep(op) in R; P(r), the directly dependent load, the time of operations with dep(op) in R
/// just {r}; M+(r), the impending load, the least M(op) of operations with r and another outstanding
/// receive in dep(op). Only compute and memory operations count: what is sent keeps no processor busy.
///
/// Instead of a pass over all operations for each receive, operations with the same dependencies are
/// one set; sets with two or more outstanding receives stay sorted by M, since scheduling r takes the
/// same from all that contain it.
///
/// - Complexity: to schedule a receive O(sets x receives/64): all of 1,000 receives before 10,000
///   operations take 10^8 steps at worst.
struct ReceiveProperties {
  private let sets: DependencySets
  /// M of each receive: its own time.
  let times: [Int64]
  /// P of each receive.
  private(set) var direct: [Int64]
  /// M+ of each receive; the largest integer where nothing needs it together with another.
  private(set) var impending: [Int64]
  /// The receives that are not scheduled yet.
  private(set) var isOutstanding: [Bool]
  /// Of each set: how many outstanding receives it has, what their numbers xor to, their time, and
  /// the time of its operations.
  private var outstanding: [Int32]
  private var mixed: [Int32]
  private var load: [Int64]
  private var work: [Int64]
  /// Sets of two outstanding receives or more that an operation has, ascending by load, then number.
  private var live: [Int32] = []

  /// All receives of `graph` are outstanding; `time` is the oracle.
  init(_ graph: OperationGraph, time: (OperationGraph.Operation) -> Int64) {
    let sets = DependencySets(graph)
    let count = sets.receives.count
    times = sets.receives.map { time(graph.operations[Int($0)]) }
    direct = Array(repeating: 0, count: count)
    impending = Array(repeating: .max, count: count)
    isOutstanding = Array(repeating: true, count: count)
    outstanding = Array(repeating: 0, count: sets.count)
    mixed = Array(repeating: 0, count: sets.count)
    load = Array(repeating: 0, count: sets.count)
    work = Array(repeating: 0, count: sets.count)
    for set in 0..<sets.count {
      var (members, xor, total): (Int32, Int32, Int64) = (0, 0, 0)
      for word in 0..<sets.words {
        var rest = sets.bits[set * sets.words + word]
        while rest != 0 {
          let receive = word * 64 + rest.trailingZeroBitCount
          rest &= rest - 1
          members += 1
          xor ^= Int32(receive)
          total += times[receive]
        }
      }
      (outstanding[set], mixed[set], load[set]) = (members, xor, total)
    }
    var isNeeded = [Bool](repeating: false, count: sets.count)
    for (index, operation) in graph.operations.enumerated() {
      switch operation.kind {
      case .compute, .memory:
        let set = Int(sets.setOf[index])
        isNeeded[set] = true
        work[set] += time(operation)
      case .receive, .send, .collective: break
      }
    }
    self.sets = sets
    for set in 0..<sets.count where isNeeded[set] {
      if outstanding[set] == 1 { direct[Int(mixed[set])] += work[set] }
      if outstanding[set] > 1 { live.append(Int32(set)) }
    }
    live.sort { [load] in (load[Int($0)], $0) < (load[Int($1)], $1) }
    updateImpending()
  }

  /// The operation of each receive.
  var receives: [Int32] { sets.receives }

  /// Takes receive `chosen` out of the outstanding ones.
  mutating func schedule(_ chosen: Int) {
    isOutstanding[chosen] = false
    // Both parts stay sorted, so merging them keeps order without sorting.
    var lighter: [Int32] = []
    var others: [Int32] = []
    for set in live {
      let s = Int(set)
      guard sets.contains(chosen, in: s) else {
        others.append(set)
        continue
      }
      outstanding[s] -= 1
      mixed[s] ^= Int32(chosen)
      load[s] -= times[chosen]
      if outstanding[s] > 1 {
        lighter.append(set)
      } else {
        direct[Int(mixed[s])] += work[s]
      }
    }
    live.removeAll(keepingCapacity: true)
    var (i, j) = (0, 0)
    while i < lighter.count || j < others.count {
      let takesLighter =
        j == others.count
        || (i < lighter.count
          && (load[Int(lighter[i])], lighter[i]) < (load[Int(others[j])], others[j]))
      live.append(takesLighter ? lighter[i] : others[j])
      if takesLighter { i += 1 } else { j += 1 }
    }
    updateImpending()
  }

  /// M+ of all receives: the first live set by load that has a receive decides.
  private mutating func updateImpending() {
    var missing = [UInt64](repeating: 0, count: sets.words)
    var left = 0
    for receive in isOutstanding.indices {
      impending[receive] = .max
      if isOutstanding[receive] {
        missing[receive / 64] |= 1 << UInt64(receive % 64)
        left += 1
      }
    }
    for set in live {
      if left == 0 { break }
      let base = Int(set) * sets.words
      for word in 0..<sets.words {
        var found = sets.bits[base + word] & missing[word]
        missing[word] &= ~found
        while found != 0 {
          impending[word * 64 + found.trailingZeroBitCount] = load[Int(set)]
          found &= found - 1
          left -= 1
        }
      }
    }
  }
}
