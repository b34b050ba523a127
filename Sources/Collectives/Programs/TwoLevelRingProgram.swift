import SimKernel

/// BlueConnect with two levels: rings inside hosts and rings across them.
///
/// A reduce-scatter inside each host, an all-reduce among the ranks with the same place in their
/// hosts on the share they hold, and an all-gather inside each host (Cho, Finkler, Kung, Hunter,
/// SysML 2019). Every rank is busy across hosts, so that all network interfaces carry their share;
/// one interface a host carries 2(H-1)/H of the payload. Rank h*L + l is place l of host h. Chunk
/// i*H + j is part j of the share of place i. One host or one rank a host leaves a flat ring.
struct TwoLevelRingProgram: RankProgram {
  let hosts: Int
  let perHost: Int

  private var inner: Int { perHost - 1 }
  private var outer: Int { 2 * (hosts - 1) }
  private var rounds: Int { 2 * inner + outer }
  private var ranks: Int { hosts * perHost }

  var stepCount: Int { rounds * ranks }

  func step(_ index: Int) -> PlanStep {
    let round = index / ranks
    let rank = index - round * ranks
    let host = rank / perHost
    let place = rank - host * perHost
    if round < inner || round >= inner + outer {
      let scattering = round < inner
      // Scattering ends with share l at place l; gathering begins with it.
      var share = scattering ? place - 1 - round : place - (round - inner - outer)
      if share < 0 { share += perHost }
      let next = place + 1 == perHost ? 0 : place + 1
      return PlanStep(
        rank, host * perHost + next, share * hosts, (share + 1) * hosts,
        scattering ? .reduce : .store)
    }
    let outerRound = round - inner
    var part = host - outerRound
    if part < 0 { part += hosts }
    if part < 0 { part += hosts }
    let next = host + 1 == hosts ? 0 : host + 1
    let chunk = place * hosts + part
    return PlanStep(
      rank, next * perHost + place, chunk, chunk + 1, outerRound < hosts - 1 ? .reduce : .store)
  }
  func arrivalCount(at rank: Int) -> Int { rounds }
  func arrival(_ position: Int, at rank: Int) -> Int {
    let host = rank / perHost
    let place = rank - host * perHost
    let source: Int
    if position < inner || position >= inner + outer {
      source = host * perHost + (place == 0 ? perHost - 1 : place - 1)
    } else {
      source = (host == 0 ? hosts - 1 : host - 1) * perHost + place
    }
    return position * ranks + source
  }
  func arrivalPosition(of step: Int) -> Int { step / ranks }
  func departurePosition(of step: Int) -> Int { step / ranks }
  func departure(_ ordinal: Int, after position: Int, at rank: Int) -> Int {
    ordinal == 0 && position < rounds ? position * ranks + rank : -1
  }
}
