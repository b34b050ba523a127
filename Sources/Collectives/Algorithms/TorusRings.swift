import SimKernel

extension Plan {
  /// A multi-dimensional ring all-reduce that keeps all dimensions of a torus busy at once.
  ///
  /// The payload is cut in as many parts as there are dimensions (of more than one rank). Part q goes
  /// through the dimensions as BlueConnect does, but begins with dimension q: while one part
  /// is reduced along the rows, another one is along the columns, and no two parts ever use the links of
  /// one dimension together as long as they keep pace, which they do where all dimensions are alike
  /// (Jain, Sabharwal, "Optimal bucket algorithms for large MPI collectives on torus interconnects",
  /// ICS 2010). With d dimensions of p ranks it takes the sum over i
  /// of 2 (p-1)(alpha + S/(d p^(i+1) B)), d times less than one after the other for large S.
  ///
  /// Rank r is where a torus topology has it: the first dimension varies fastest. Parts have chunks of
  /// their own, so that sums are made in one order whatever arrives first.
  ///
  /// - Complexity: O(ranks x dimensions x sum of the dimensions) stored steps.
  static func torusRings(dimensions: [Int]) -> Plan {
    let ranks = dimensions.reduce(1, *)
    let sizes = dimensions.filter { $0 > 1 }
    let parts = max(1, sizes.count)
    var builder = PlanBuilder()
    // Chunks of a part are numbered by their shares along its dimensions, in its order.
    for part in 0..<sizes.count {
      let order = (0..<parts).map { (part + $0) % parts }
      let program = FactoredRingProgram(order.map { sizes[$0] })
      // The rank of the program that plays at each rank of the torus, and back.
      var torusRank = [Int](repeating: 0, count: ranks)
      for rank in 0..<ranks {
        var rest = rank
        var place = [Int](repeating: 0, count: parts)
        for dimension in order {
          place[dimension] = rest % sizes[dimension]
          rest /= sizes[dimension]
        }
        var number = 0
        for dimension in (0..<parts).reversed() {
          number = number * sizes[dimension] + place[dimension]
        }
        torusRank[rank] = number
      }
      let base = builder.count
      for index in 0..<program.stepCount {
        var step = program.step(index)
        let position = program.departurePosition(of: index)
        let before =
          position == 0 ? [] : [base + program.arrival(position - 1, at: step.source.index)]
        let earlier =
          position == 0 ? [] : [base + program.arrival(position - 1, at: step.destination.index)]
        step.source = RankID(torusRank[step.source.index])
        step.destination = RankID(torusRank[step.destination.index])
        step.lower += Int32(part * ranks)
        step.upper += Int32(part * ranks)
        builder.append(step, departsAfter: before, appliesAfter: earlier)
      }
    }
    return builder.plan(
      name: "torus_ring", operation: .allReduce, rankCount: ranks, chunkCount: parts * ranks)
  }

  /// The messages of ``torusRings(dimensions:)``.
  static func torusRingSteps(dimensions: [Int]) -> Int {
    let rounds = dimensions.reduce(0) { $0 + 2 * ($1 - 1) }
    return dimensions.count { $0 > 1 } * rounds * dimensions.reduce(1, *)
  }
}
