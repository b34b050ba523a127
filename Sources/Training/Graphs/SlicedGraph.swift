import SimKernel

/// A graph whose large transfers were cut, with what each operation was cut from.
public struct SlicedGraph: Sendable {
  public let graph: OperationGraph
  /// The operation of the original that each one is a part of.
  public let original: [OperationID]
  /// Which part of it, from 0.
  public let part: [Int32]

  /// The order of the original for the parts: those of one operation follow one another, and
  /// operations that shared a number share that of equal parts.
  ///
  /// This is ByteScheduler's layer x 1000 + part (Peng et al., SOSP 2019) without its limit.
  ///
  /// - Complexity: O(n log n) for n numbered operations.
  public func inherited(_ order: TransferOrder) -> TransferOrder {
    if order.numbers.isEmpty { return .none }
    let numbered = original.indices.filter {
      order.numbers[original[$0].index] != TransferOrder.unnumbered
    }
    func key(_ index: Int) -> (Int32, Int32) { (order.numbers[original[index].index], part[index]) }
    let sorted = numbered.sorted { key($0) < key($1) }
    var numbers = [Int32](repeating: TransferOrder.unnumbered, count: graph.count)
    var rank: Int32 = 0
    for (place, index) in sorted.enumerated() {
      if place > 0, key(sorted[place - 1]) != key(index) { rank += 1 }
      numbers[index] = rank
    }
    return TransferOrder(numbers: numbers)
  }
}

extension OperationGraph {
  /// The same with every transfer of more than `limit` cut into parts of `limit` and a rest, so that
  /// more urgent ones can pass between two parts.
  ///
  /// Where the duration is what bandwidth and latency of the resource make of the bytes, each part
  /// takes what they make of its own, so that latency is paid again. Any other duration is divided in
  /// proportion to the bytes, exactly. Each part costs `overhead` besides. What waited for the
  /// operation waits for all parts; between two operations of the same size, cut alike, each part waits
  /// for the same part, so that a pull follows its push part by part.
  ///
  /// - Precondition: `limit` is positive.
  /// - Complexity: O(parts + edges between them).
  public func sliced(
    by limit: ByteCount, overhead: SimDuration = .zero
  ) throws(OperationGraphError) -> SlicedGraph {
    precondition(limit > .zero, "a slice has bytes")
    var builder = OperationGraphBuilder(name: name)
    for resource in resources { _ = builder.resource(resource) }
    var first: [Int32] = []
    var original: [OperationID] = []
    var part: [Int32] = []
    func parts(_ operation: Operation) -> Int {
      guard operation.kind.isTransfer, operation.size > limit else { return 1 }
      return Int((operation.size.bytes - 1) / limit.bytes) + 1
    }
    for (index, operation) in operations.enumerated() {
      first.append(Int32(original.count))
      let count = parts(operation)
      var done: Int64 = 0
      for slice in 0..<count {
        let bytes =
          count == 1 ? operation.size.bytes : min(limit.bytes, operation.size.bytes - done)
        var duration = operation.duration
        if count > 1 {
          let resource = resources[operation.resource.index]
          let isDerived = resource.time(toMove: operation.size) == operation.duration
          duration =
            overhead
            + (isDerived
              ? resource.time(toMove: ByteCount(bytes)) ?? .zero
              : Self.share(of: operation, done..<(done + bytes)))
        }
        done += bytes
        builder.add(
          count == 1 ? names[index] : "\(names[index])/\(slice)", operation.kind,
          on: operation.resource, for: duration, size: ByteCount(bytes),
          tensor: Int(operation.tensor))
        original.append(OperationID(index))
        part.append(Int32(slice))
      }
    }
    first.append(Int32(original.count))
    for later in operations.indices {
      let laterParts = Int(first[later])..<Int(first[later + 1])
      for earlier in predecessors(of: later).map(Int.init) {
        let earlierParts = Int(first[earlier])..<Int(first[earlier + 1])
        if laterParts.count > 1, operations[earlier].size == operations[later].size,
          earlierParts.count == laterParts.count
        {
          for (a, b) in zip(earlierParts, laterParts) {
            builder.require(OperationID(a), before: OperationID(b))
          }
        } else {
          for a in earlierParts {
            for b in laterParts { builder.require(OperationID(a), before: OperationID(b)) }
          }
        }
      }
    }
    return SlicedGraph(graph: try builder.build(), original: original, part: part)
  }

  /// The share of `operation`'s duration that falls to some of its bytes; the shares add up to it.
  private static func share(of operation: Operation, _ bytes: Range<Int64>) -> SimDuration {
    func until(_ byte: Int64) -> Int64 {
      let product = operation.duration.picoseconds.multipliedFullWidth(by: byte)
      return operation.size.bytes.dividingFullWidth(product).quotient
    }
    return SimDuration(picoseconds: until(bytes.upperBound) - until(bytes.lowerBound))
  }
}
