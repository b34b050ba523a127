import SimKernel

/// Which tensors of a gradient become factors of low rank, and where those lie.
struct LowRankLayout: Sendable {
  /// One tensor: a matrix of `rank` > 0, or `rows` elements that stay as they are.
  struct Item: Sendable {
    /// Where the tensor begins in the gradient.
    var offset: Int
    var rows: Int
    var columns: Int
    var rank: Int

    /// Elements of the tensor.
    var count: Int { rows * columns }
    /// Values that are sent for it.
    var values: Int { rank == 0 ? count : rank * (rows + columns) }
  }

  private(set) var items: [Item] = []

  /// The layout of `tensors`; matrices have their first dimension as rows and the rest flattened.
  ///
  /// A tensor stays as it is without a shape of two dimensions, or where
  /// `minimumRate` (rows + columns) rank >= rows columns. Without consecutive tensors over all
  /// elements the gradient is one vector.
  init(_ tensors: [TensorRange], elementCount: Int, rank: Int, minimumRate: Double) {
    var offset = 0
    for tensor in tensors {
      guard tensor.offset == offset, tensor.count <= elementCount - offset else { break }
      var item = Item(offset: offset, rows: tensor.count, columns: 1, rank: 0)
      let product = tensor.shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
      if tensor.shape.count > 1, product == tensor.count, product > 0, tensor.shape[0] > 0 {
        let rows = tensor.shape[0]
        let columns = tensor.count / rows
        let kept = min(rank, rows, columns)
        if minimumRate * Double((rows + columns) * kept) < Double(tensor.count) {
          item = Item(offset: offset, rows: rows, columns: columns, rank: kept)
        }
      }
      items.append(item)
      offset += tensor.count
    }
    if offset != elementCount {
      items = [Item(offset: 0, rows: elementCount, columns: 1, rank: 0)]
    }
  }

  /// The layout that `note` describes, or nil if it is damaged.
  init?(note: PayloadStream, elementCount: Int) {
    guard note.type == .uint32, note.count % 3 == 0 else { return nil }
    let words = note.elements(as: UInt32.self)
    var offset = 0
    for index in stride(from: 0, to: note.count, by: 3) {
      let item = Item(
        offset: offset, rows: Int(words[index]), columns: Int(words[index + 1]),
        rank: Int(words[index + 2]))
      let left = elementCount - offset
      guard item.columns == 0 || item.rows <= left / item.columns,
        item.rank <= min(item.rows, item.columns)
      else { return nil }
      items.append(item)
      offset += item.count
    }
    if offset != elementCount { return nil }
  }

  /// The description, three numbers a tensor, in memory of `scratch`.
  func note(scratch: inout CodecScratch) -> PayloadStream {
    let words = scratch.temporary(of: UInt32.self, 3 * items.count)
    for (index, item) in items.enumerated() {
      words[3 * index] = UInt32(truncatingIfNeeded: item.rows)
      words[3 * index + 1] = UInt32(truncatingIfNeeded: item.columns)
      words[3 * index + 2] = UInt32(truncatingIfNeeded: item.rank)
    }
    return PayloadStream(.note, .uint32, count: 3 * items.count, base: words)
  }

  /// Values that are sent.
  var values: Int { items.reduce(0) { $0 + $1.values } }
  /// Elements that stay as they are.
  var plain: Int { items.reduce(0) { $0 + ($1.rank == 0 ? $1.count : 0) } }
  /// Elements of all left factors.
  var left: Int { items.reduce(0) { $0 + $1.rank * $1.rows } }
  /// Elements of all right factors.
  var right: Int { items.reduce(0) { $0 + $1.rank * $1.columns } }
  /// Whether the sum of plain elements takes place; a gradient of nothing has that one exchange.
  var sumsPlain: Bool { plain > 0 || left == 0 }

  /// The right factor that a power step starts from: normal numbers, the same on every worker.
  static func start(_ item: Item, _ random: RandomStream, _ right: UnsafeMutablePointer<Float>) {
    var stream = random.split(item.offset)
    for index in 0..<item.rank * item.columns { right[index] = Float(stream.normal()) }
  }

  /// As above, from the factor that the last step left in `remembered`.
  ///
  /// A vector of zeros would stay one for ever, although a later gradient may have a higher rank
  /// than those so far: it starts cold again.
  static func start(
    _ item: Item, _ random: RandomStream, _ right: UnsafeMutablePointer<Float>,
    remembered: UnsafePointer<Float>
  ) {
    var stream: RandomStream?
    for k in 0..<item.rank {
      // In bounds: both factors have `rank` vectors of `columns` elements.
      let vector = right + k * item.columns
      vector.update(from: remembered + k * item.columns, count: item.columns)
      if Reductions.largestMagnitudeBits(vector, item.columns) > 0 { continue }
      var cold = stream ?? random.split(item.offset).split(1)
      for index in 0..<item.columns { vector[index] = Float(cold.normal()) }
      stream = cold
    }
  }
}
