import SimKernel

/// An all-gather of unequal payloads as n broadcasts in one group, which is how a library without an
/// all-gather-v does it.
///
/// Broadcast b carries the payload of rank b around the ring. The operations of one communicator run
/// in order, so a rank sends its own payload once it has those of the ranks before it. Payloads move
/// whole from hop to hop: with equal sizes this takes up to twice a ring all-gather, where a library
/// that slices them comes closer. Step b*(n-1) + h is hop h of broadcast b.
struct GroupedBroadcastProgram: RankProgram {
  let ranks: Int

  private var hops: Int { ranks - 1 }
  var stepCount: Int { ranks * hops }

  func step(_ index: Int) -> PlanStep {
    let broadcast = index / hops
    var source = broadcast + index - broadcast * hops
    if source >= ranks { source -= ranks }
    let destination = source + 1 == ranks ? 0 : source + 1
    return PlanStep(source, destination, broadcast, broadcast + 1, .store)
  }
  func arrivalCount(at rank: Int) -> Int { hops }
  func arrival(_ position: Int, at rank: Int) -> Int {
    // A rank receives every broadcast but its own.
    let broadcast = position < rank ? position : position + 1
    let hop = rank - 1 - broadcast
    return broadcast * hops + (hop < 0 ? hop + ranks : hop)
  }
  func arrivalPosition(of step: Int) -> Int {
    let broadcast = step / hops
    let destination = self.step(step).destination.index
    return broadcast < destination ? broadcast : broadcast - 1
  }
  func departurePosition(of step: Int) -> Int {
    let broadcast = step / hops
    let source = self.step(step).source.index
    return broadcast <= source ? (broadcast == source ? source : broadcast + 1) : broadcast
  }
  func departure(_ ordinal: Int, after position: Int, at rank: Int) -> Int {
    var left = ordinal
    if position > 0 {
      let broadcast = position - 1 < rank ? position - 1 : position
      let next = rank + 1 == ranks ? 0 : rank + 1
      if broadcast != next {
        if left == 0 {
          let hop = rank - broadcast
          return broadcast * hops + (hop < 0 ? hop + ranks : hop)
        }
        left -= 1
      }
    }
    return left == 0 && position == rank && hops > 0 ? rank * hops : -1
  }
}
