import SimKernel

/// The innermost loops of the synthetic source: elements of one tensor, row by row.
struct RowDraws {
  private let own: ElementDraw
  private let shared: ElementDraw
  private let hasShared: Bool
  /// Elements whose scrambled bits are below this are exactly zero.
  private let zeroLimit: UInt32
  private let size: Float
  private let columns: Int
  private let keys: AxisScales.Keys

  /// Draws for a tensor of `columns` columns; `size` is the RMS of the whole gradient.
  init(profile: TensorProfile, size: Double, columns: Int, keys: AxisScales.Keys) {
    self.columns = columns
    self.keys = keys
    own = ElementDraw(tail: profile.tail, weight: (1 - profile.sharedDraw).squareRoot())
    shared = ElementDraw(tail: profile.tail, weight: profile.sharedDraw.squareRoot())
    hasShared = profile.sharedDraw > 0
    zeroLimit = UInt32(profile.zeros * 0x1p32)
    self.size = Float(size * profile.relativeRMS / (1 - profile.zeros).squareRoot())
  }

  /// Fills `out` with the elements from `start` on, row-major.
  func fill(
    _ out: UnsafeMutableBufferPointer<Float>, from start: Int, rowScales: [Float],
    columnScales: [Float]
  ) {
    guard let base = out.baseAddress else { return }
    columnScales.withUnsafeBufferPointer { scales in
      guard let first = scales.baseAddress else { return }
      var row = start / columns
      var column = start % columns
      var done = 0
      while done < out.count {
        // column + count <= columns, the number of scales, and done + count <= out.count.
        let count = min(columns - column, out.count - done)
        fillRow(
          base + done, count: count, row: row, column: column, scales: first + column,
          rowScale: rowScales[row] * size)
        done += count
        column = 0
        row += 1
      }
    }
  }

  private func fillRow(
    _ out: UnsafeMutablePointer<Float>, count: Int, row: Int, column: Int,
    scales: UnsafePointer<Float>, rowScale: Float
  ) {
    if rowScale == 0 { return out.update(repeating: 0, count: count) }
    let ownKey = RandomStream.mix(keys.worker ^ UInt64(row) &* 0x8EBC_6AF0_9C88_C6E3)
    let epoch = SyntheticGradients.epoch(
      of: UInt64(row), key: keys.shared, iteration: keys.iteration,
      period: SyntheticTable.drawPeriod)
    let sharedKey = RandomStream.mix(
      RandomStream.mix(keys.shared ^ UInt64(row) &* 0x8EBC_6AF0_9C88_C6E3)
        &+ epoch &* 0xD6E8_FEB8_6659_FD93)
    let (ownLow, ownHigh) = Self.halves(ownKey)
    let (sharedLow, sharedHigh) = Self.halves(sharedKey)
    let first = UInt32(truncatingIfNeeded: column)
    if columns == 1 {
      // A vector's magnitudes are its row scales; its draws give the sign.
      let z =
        own(ElementDraw.hash(first, ownLow, ownHigh))
        + shared(ElementDraw.hash(first, sharedLow, sharedHigh))
      out.pointee = z < 0 ? -rowScale : rowScale
      return
    }
    // Adding +0 turns the -0 of a dead column into +0, as in recorded gradients.
    if zeroLimit > 0 {
      for j in 0..<count {
        let index = first &+ UInt32(truncatingIfNeeded: j)
        let bits = ElementDraw.hash(index, ownLow, ownHigh)
        let z = own(bits) + shared(ElementDraw.hash(index, sharedLow, sharedHigh))
        let live: Float = bits &* 0xC2B2_AE35 &+ ownLow < zeroLimit ? 0 : scales[j]
        out[j] = rowScale * live * z + 0
      }
    } else if hasShared {
      for j in 0..<count {
        let index = first &+ UInt32(truncatingIfNeeded: j)
        let z =
          own(ElementDraw.hash(index, ownLow, ownHigh))
          + shared(ElementDraw.hash(index, sharedLow, sharedHigh))
        out[j] = rowScale * scales[j] * z + 0
      }
    } else {
      for j in 0..<count {
        let index = first &+ UInt32(truncatingIfNeeded: j)
        out[j] = rowScale * scales[j] * own(ElementDraw.hash(index, ownLow, ownHigh)) + 0
      }
    }
  }

  private static func halves(_ key: UInt64) -> (UInt32, UInt32) {
    (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
  }
}
