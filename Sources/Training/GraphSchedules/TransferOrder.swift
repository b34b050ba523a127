import SimKernel

/// Priority numbers of the operations of an ``OperationGraph``, the lowest first.
///
/// Operations may share a number, or have none; ``GraphRun`` says what that means.
public struct TransferOrder: Sendable, Equatable {
  /// Marks an operation without a number.
  public static let unnumbered = Int32.max

  /// One for each operation, ``unnumbered`` for some; empty if none has one.
  public let numbers: [Int32]

  public init(numbers: [Int32]) { self.numbers = numbers }

  /// The numbers 0, 1, 2, ...
  ///
  /// for `ranking`; no other operation of `graph` has one.
  public init(ranking: [OperationID], of graph: OperationGraph) {
    var numbers = [Int32](repeating: Self.unnumbered, count: graph.count)
    for (place, id) in ranking.enumerated() { numbers[id.index] = Int32(place) }
    self.numbers = numbers
  }

  /// No operation has a number.
  public static let none = TransferOrder(numbers: [])

  /// The operations with a number by it; those that share one in the order they were added.
  public var ranking: [OperationID] {
    numbers.indices.filter { numbers[$0] != Self.unnumbered }
      .sorted { (numbers[$0], $0) < (numbers[$1], $1) }.map { OperationID($0) }
  }

  /// Whether operations share a number, so that chance or arrival decides between them.
  public var hasTies: Bool {
    let ranked = ranking
    return zip(ranked, ranked.dropFirst()).contains {
      numbers[$0.index] == numbers[$1.index]
    }
  }

  /// The same with a number for each: those that share one in random order.
  ///
  /// - Complexity: O(n log n) for n numbered operations.
  public func breakingTies(_ stream: RandomStream) -> TransferOrder {
    var stream = stream
    let keyed = numbers.indices.filter { numbers[$0] != Self.unnumbered }
      .map { (number: numbers[$0], key: stream.next(), index: $0) }
      .sorted { $0 < $1 }
    var broken = numbers
    for (place, entry) in keyed.enumerated() { broken[entry.index] = Int32(place) }
    return TransferOrder(numbers: broken)
  }
}
