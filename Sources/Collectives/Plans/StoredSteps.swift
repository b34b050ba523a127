import SimKernel

/// Steps and dependencies in flat arrays of 32-bit integers (compressed sparse rows).
///
/// Dependencies go through **joins**: a join waits for its member steps and releases steps to depart
/// or to be applied. N steps that wait for the same M cost N + M entries, not N x M.
struct StoredSteps: Sendable {
  var steps: [PlanStep] = []
  /// The join a step waits for before it departs, or -1.
  var departureJoin: [Int32] = []
  /// The join a step waits for before it is applied, or -1.
  var applicationJoin: [Int32] = []
  /// The steps a join waits for.
  var members = Rows()
  /// The joins a step is a member of.
  var joinsOfStep = Rows()
  /// The steps that depart, or are applied, once a join is complete.
  var departures = Rows()
  var applications = Rows()
  /// The steps that leave a rank.
  var stepsFrom = Rows()
  /// The number of steps that end at a rank.
  var arrivals: [Int32] = []

  init() {}

  init(
    steps: [PlanStep], departureJoin: [Int32], applicationJoin: [Int32], memberOffsets: [Int32],
    members: [Int32], rankCount: Int
  ) {
    self.steps = steps
    self.departureJoin = departureJoin
    self.applicationJoin = applicationJoin
    self.members = Rows(offsets: memberOffsets, values: members)
    let joinCount = memberOffsets.count - 1
    joinsOfStep = self.members.transposed(rowCount: steps.count)
    departures = Rows(grouping: departureJoin, rowCount: joinCount)
    applications = Rows(grouping: applicationJoin, rowCount: joinCount)
    stepsFrom = Rows(grouping: steps.map(\.source.rawValue), rowCount: rankCount)
    arrivals = Array(repeating: 0, count: rankCount)
    for step in steps { arrivals[step.destination.index] += 1 }
  }

  var joinCount: Int { members.rowCount }

  func members(of join: Int32) -> [Int] {
    join < 0 ? [] : members[Int(join)].map { Int(members.values[$0]) }
  }

  func successors(of step: Int) -> [Int] {
    joinsOfStep[step].flatMap { position -> [Int] in
      let join = Int(joinsOfStep.values[position])
      return departures[join].map { Int(departures.values[$0]) }
        + applications[join].map { Int(applications.values[$0]) }
    }
  }
}

/// Rows of 32-bit integers: row i is `values[offsets[i]..<offsets[i + 1]]`.
struct Rows: Sendable {
  var offsets: [Int32] = [0]
  var values: [Int32] = []

  init() {}
  init(offsets: [Int32], values: [Int32]) {
    self.offsets = offsets
    self.values = values
  }

  /// Row `keys[i]` holds i, in ascending order; negative keys are left out.
  init(grouping keys: [Int32], rowCount: Int) {
    offsets = Array(repeating: 0, count: rowCount + 1)
    for key in keys where key >= 0 { offsets[Int(key) + 1] += 1 }
    for row in 0..<rowCount { offsets[row + 1] += offsets[row] }
    values = Array(repeating: 0, count: Int(offsets[rowCount]))
    var next = offsets
    for (index, key) in keys.enumerated() where key >= 0 {
      values[Int(next[Int(key)])] = Int32(index)
      next[Int(key)] += 1
    }
  }

  /// Row v holds the rows of this in which v occurs.
  func transposed(rowCount: Int) -> Rows {
    var result = Rows(offsets: Array(repeating: 0, count: rowCount + 1), values: [])
    for value in values { result.offsets[Int(value) + 1] += 1 }
    for row in 0..<rowCount { result.offsets[row + 1] += result.offsets[row] }
    result.values = Array(repeating: 0, count: values.count)
    var next = result.offsets
    for row in 0..<self.rowCount {
      for position in self[row] {
        let value = Int(values[position])
        result.values[Int(next[value])] = Int32(row)
        next[value] += 1
      }
    }
    return result
  }

  var rowCount: Int { offsets.count - 1 }
  /// The positions of row `row` in `values`.
  subscript(row: Int) -> Range<Int> { Int(offsets[row])..<Int(offsets[row + 1]) }
}
