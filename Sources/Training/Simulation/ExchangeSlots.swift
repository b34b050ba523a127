import Collectives
import SimKernel

/// The slots of all exchanges of a job, and who is who in them.
///
/// Neighbouring iterations may overlap across workers - the root of a broadcast goes on early - but
/// never by more than one, so every group of every exchange has two slots, taken in turn. Slots name
/// ranks of their group; the job names workers and servers.
struct ExchangeSlots {
  /// By exchange, then group, then parity of the iteration.
  private var slots: [ExchangeSlot] = []
  /// The exchange each slot serves.
  private var exchanges: [Int32] = []
  /// The first slot of each exchange.
  private var bases: [Int32] = []
  /// Where the places of an exchange with groups begin in `places`, or -1.
  private var placeBases: [Int32] = []
  /// The group and the rank in it of every worker.
  private var places: [(group: Int32, rank: Int32)] = []
  /// Where the members of a slot with a group begin in `members`, or -1.
  private var memberBases: [Int32] = []
  private var members: [Int32] = []

  init(_ planned: [PlannedExchange], workers: Int, areSolved: Bool) {
    for (index, exchange) in planned.enumerated() {
      bases.append(Int32(slots.count))
      placeBases.append(exchange.groups.isEmpty ? -1 : Int32(places.count))
      if exchange.groups.isEmpty {
        append(
          ExchangeSlot(exchange, sizes: exchange.sizes, workers: workers, isSolved: areSolved),
          of: index, at: -1)
        continue
      }
      places += Array(repeating: (-1, -1), count: workers)
      for (group, ranks) in exchange.groups.enumerated() {
        let base = Int32(members.count)
        for (rank, worker) in ranks.enumerated() {
          let place = places.count - workers + worker
          precondition(places[place].group < 0, "a worker belongs to one group")
          places[place] = (Int32(group), Int32(rank))
          members.append(Int32(worker))
        }
        append(
          ExchangeSlot(
            exchange, sizes: ranks.map { exchange.sizes[$0] }, workers: ranks.count,
            isSolved: areSolved),
          of: index, at: base)
      }
      precondition(
        places.suffix(workers).allSatisfy { $0.group >= 0 }, "every worker belongs to a group")
    }
  }

  private mutating func append(_ slot: ExchangeSlot, of exchange: Int, at base: Int32) {
    for _ in 0..<2 {
      slots.append(slot)
      exchanges.append(Int32(exchange))
      memberBases.append(base)
    }
  }

  /// How many slots the exchanges of a job take.
  static func count(_ exchanges: [PlannedExchange]) -> Int {
    exchanges.reduce(0) { $0 + 2 * max(1, $1.groups.count) }
  }

  subscript(slot: Int) -> ExchangeSlot {
    _read { yield slots[slot] }
    _modify { yield &slots[slot] }
  }

  /// The slot in which `worker` meets the others for `exchange` in `iteration`, and its rank there.
  func place(_ exchange: Int, worker: Int, iteration: Int) -> (slot: Int, rank: RankID) {
    let base = Int(placeBases[exchange])
    if base < 0 { return (Int(bases[exchange]) + (iteration & 1), RankID(worker)) }
    let (group, rank) = places[base + worker]
    return (Int(bases[exchange]) + 2 * Int(group) + (iteration & 1), RankID(Int(rank)))
  }
  /// The rank slot of the job that plays `rank` in `slot`.
  func member(_ rank: RankID, of slot: Int) -> Int {
    let base = Int(memberBases[slot])
    return base < 0 ? rank.index : Int(members[base + rank.index])
  }
  /// The exchange that `slot` serves.
  func exchange(of slot: Int) -> Int { Int(exchanges[slot]) }
}
