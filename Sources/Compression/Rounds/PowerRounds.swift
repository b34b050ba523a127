import SimKernel

/// PowerSGD's conversation: a sum of what is not compressed, then for every power step a sum of left
/// factors and, once those are orthonormal, a sum of right ones.
struct PowerRounds: CodecRounds {
  /// What the next sum is of.
  private enum Phase { case plain, left, right, done }

  private let setup: RoundSetup
  private let layout: LowRankLayout
  private let steps: Int
  private var step = 0
  private var phase: Phase
  /// The mean gradient as far as it is known.
  private var mean: [Float]
  private var left: [Float]
  private var right: [Float]
  /// The right factors of this worker's own gradient, before their sum.
  private var own: [Float] = []
  /// The stage under which the mean right factors are remembered; nil if they are not.
  private let remembering: Int?

  /// A conversation that starts from the factors `right`, which all workers share.
  init(
    _ setup: RoundSetup, layout: LowRankLayout, steps: Int, right: [Float], remembering: Int?
  ) {
    self.setup = setup
    self.layout = layout
    self.steps = steps
    self.right = right
    self.remembering = remembering
    phase = layout.sumsPlain ? .plain : .left
    mean = [Float](repeating: 0, count: setup.gradient.count)
    left = [Float](repeating: 0, count: layout.left)
  }

  mutating func next(scratch: inout CodecScratch) throws(CodecError) -> RoundRequest {
    switch phase {
    case .plain:
      try requireFinite(setup.gradient)
      var values: [Float] = []
      values.reserveCapacity(layout.plain)
      for item in layout.items where item.rank == 0 {
        values += setup.gradient[item.offset..<item.offset + item.count]
      }
      return .exchange(.sum, .numbers(values, type: .float32))
    case .left:
      try requireFinite(setup.gradient)
      project(isBack: false)
      return .exchange(.sum, .numbers(left, type: .float32))
    case .right:
      project(isBack: true)
      return .exchange(.sum, .numbers(right, type: .float32))
    case .done:
      multiply(left, right, into: &mean)
      return .finished(mean)
    }
  }

  mutating func receive(
    _ result: RoundResult, scratch: inout CodecScratch
  ) throws(CodecError) {
    guard case .one(.numbers(let sum, _)) = result else {
      throw CodecError(codec: "powersgd", "a sum of numbers is needed")
    }
    let workers = Float(setup.workers)
    let values = sum.map { $0 / workers }
    try requireFinite(values)
    switch phase {
    case .plain:
      var read = 0
      for item in layout.items where item.rank == 0 {
        for index in 0..<item.count { mean[item.offset + index] = values[read + index] }
        read += item.count
      }
      phase = layout.left > 0 ? .left : .done
    case .left:
      left = values
      orthonormalise()
      phase = .right
    case .right, .done:
      own = right
      right = values
      step += 1
      phase = step < steps ? .left : .done
      if phase == .done, let stage = remembering { setup.memory?[stage] = right }
    }
  }

  /// The left factors that all share times the right ones of this worker's gradient.
  func share(of mean: [Float], scratch: inout CodecScratch) throws(CodecError) -> [Float] {
    var result = setup.gradient
    multiply(left, own, into: &result)
    return result
  }

  private func requireFinite(_ values: [Float]) throws(CodecError) {
    for (index, value) in values.enumerated() where !value.isFinite {
      let isGradient = values.count == setup.gradient.count
      let tensor = isGradient ? setup.tensors.last { $0.offset <= index } : nil
      throw CodecError(codec: "powersgd", tensor: tensor?.name, "element \(index) is \(value)")
    }
  }

  /// This worker's factors of its own gradient with the factors that all agreed on.
  private mutating func project(isBack: Bool) {
    setup.gradient.withUnsafeBufferPointer { gradient in
      left.withUnsafeMutableBufferPointer { left in
        right.withUnsafeMutableBufferPointer { right in
          guard let source = gradient.baseAddress, var p = left.baseAddress,
            var q = right.baseAddress
          else { return }
          for item in layout.items where item.rank > 0 {
            let matrix = source + item.offset
            if isBack {
              LowRank.projectBack(
                matrix, rows: item.rows, columns: item.columns, rank: item.rank, left: p, into: q)
            } else {
              LowRank.project(
                matrix, rows: item.rows, columns: item.columns, rank: item.rank, right: q, into: p)
            }
            p += item.rank * item.rows
            q += item.rank * item.columns
          }
        }
      }
    }
  }

  private mutating func orthonormalise() {
    left.withUnsafeMutableBufferPointer { memory in
      guard var p = memory.baseAddress else { return }
      for item in layout.items where item.rank > 0 {
        LowRank.orthonormalise(p, count: item.rank, length: item.rows)
        p += item.rank * item.rows
      }
    }
  }

  /// Replaces the compressed tensors of `gradient` by the products of their factors.
  private func multiply(_ left: [Float], _ right: [Float], into gradient: inout [Float]) {
    gradient.withUnsafeMutableBufferPointer { target in
      left.withUnsafeBufferPointer { left in
        right.withUnsafeBufferPointer { right in
          guard let output = target.baseAddress, var p = left.baseAddress,
            var q = right.baseAddress
          else { return }
          for item in layout.items where item.rank > 0 {
            LowRank.multiply(
              left: p, right: q, rows: item.rows, columns: item.columns, rank: item.rank,
              into: output + item.offset)
            p += item.rank * item.rows
            q += item.rank * item.columns
          }
        }
      }
    }
  }
}
