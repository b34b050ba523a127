import SimKernel

/// BlueConnect: rings along every dimension of a grid of ranks.
///
/// With n = p0 p1 ... p(k-1) ranks, rank r has the place c0 = r mod p0 in dimension 0, c1 = r / p0 mod
/// p1 in dimension 1, and so on: innermost first. A reduce-scatter along dimension 0, then of the share
/// that is left along dimension 1, ..., and all-gathers back (Cho, Finkler, Kung, Hunter, SysML
/// 2019). It takes the sum over i of 2 (p_i - 1)(alpha_i + S/(p_0 ... p_i B_i)); every rank is busy in
/// every dimension, so that hosts of p0 ranks share their network interface evenly. One factor is
/// the flat ring. Chunks are numbered by their share of dimension 0, then of dimension 1, ...: what a
/// rank holds is one range at any time. Step `round * n + rank`.
struct FactoredRingProgram: RankProgram {
  /// Factors above one that a plan can have: enough for 8 levels of network.
  static let mostFactors = 8

  private let factors: SIMD8<Int32>
  private let dimensions: Int
  private let ranks: Int
  /// Rounds that reduce; as many follow that store.
  private let half: Int

  /// - Precondition: at most ``mostFactors`` factors, all positive.
  init(_ list: [Int]) {
    precondition(list.count <= Self.mostFactors && list.allSatisfy { $0 > 0 }, "a few factors")
    var factors = SIMD8<Int32>(repeating: 1)
    for (index, factor) in list.enumerated() { factors[index] = Int32(factor) }
    self.factors = factors
    dimensions = list.count
    ranks = list.reduce(1, *)
    half = list.reduce(0) { $0 + $1 - 1 }
  }

  var stepCount: Int { 2 * half * ranks }

  /// Where a round takes place.
  private struct Round {
    var dimension: Int
    /// Ranks next to one another along the dimension are so far apart.
    var stride: Int
    var size: Int
    /// Which of the rounds of its dimension and direction it is.
    var number: Int
    var reduces: Bool
  }
  private func locate(_ round: Int) -> Round {
    let reduces = round < half
    // Gathering goes through the dimensions from the last to the first, so it is found from the end.
    var left = reduces ? round : 2 * half - 1 - round
    var stride = 1
    var dimension = 0
    while true {
      let size = Int(factors[dimension])
      if left < size - 1 {
        return Round(
          dimension: dimension, stride: stride, size: size,
          number: reduces ? left : size - 2 - left, reduces: reduces)
      }
      left -= size - 1
      stride *= size
      dimension += 1
    }
  }

  func step(_ index: Int) -> PlanStep {
    let round = index / ranks
    let rank = index - round * ranks
    let place = locate(round)
    // The range that the dimensions before this one leave to the rank.
    var lower = 0
    var width = ranks
    var rest = rank
    for dimension in 0..<place.dimension {
      let size = Int(factors[dimension])
      let next = rest / size
      width /= size
      lower += (rest - next * size) * width
      rest = next
    }
    let own = rest % place.size
    width /= place.size
    // Scattering ends with share c at place c, gathering begins with it. Along the last dimension both
    // are one ring all-reduce, which needs no shift.
    let isLast = place.dimension == dimensions - 1
    var share = own - place.number
    if place.reduces, !isLast { share -= 1 }
    if !place.reduces, isLast { share += 1 }
    if share < 0 { share += place.size }
    if share >= place.size { share -= place.size }
    lower += share * width
    let next = own + 1 == place.size ? rank - own * place.stride : rank + place.stride
    return PlanStep(rank, next, lower, lower + width, place.reduces ? .reduce : .store)
  }
  func arrivalCount(at rank: Int) -> Int { 2 * half }
  func arrival(_ position: Int, at rank: Int) -> Int {
    let place = locate(position)
    let own = rank / place.stride % place.size
    let source = own == 0 ? rank + (place.size - 1) * place.stride : rank - place.stride
    return position * ranks + source
  }
  func arrivalPosition(of step: Int) -> Int { step / ranks }
  func departurePosition(of step: Int) -> Int { step / ranks }
  func departure(_ ordinal: Int, after position: Int, at rank: Int) -> Int {
    ordinal == 0 && position < 2 * half ? position * ranks + rank : -1
  }
}
