import SimKernel

/// Which receives every operation depends on, directly or not; a receive depends on itself.
///
/// Operations with the same dependencies share one set: of most graphs there are about as many sets
/// as receives, however many operations.
///
/// - Complexity: O((operations + edges) receives/64) time, sets x receives/64 words.
struct DependencySets {
  /// The receives, as added; bit i of a set stands for `receives[i]`.
  let receives: [Int32]
  /// Words of a set.
  let words: Int
  /// Set s is `bits[s * words..<(s + 1) * words]`; set 0 is empty.
  private(set) var bits: [UInt64]
  /// The set of each operation.
  private(set) var setOf: [Int32]

  init(_ graph: OperationGraph) {
    let receives = graph.operations(of: .receive).map(\.rawValue)
    let words = max(1, (receives.count + 63) / 64)
    var bits = [UInt64](repeating: 0, count: words)
    var setOf = [Int32](repeating: 0, count: graph.count)
    var bitOf = [Int32](repeating: -1, count: graph.count)
    for (bit, receive) in receives.enumerated() { bitOf[Int(receive)] = Int32(bit) }
    // Sets of one hash are chained; the dictionary is only asked, never walked.
    var heads: [UInt64: Int32] = [Self.hash([UInt64](repeating: 0, count: words)): 0]
    var chain: [Int32] = [-1]
    var union = [UInt64](repeating: 0, count: words)

    for index in graph.order {
      let operation = Int(index)
      let row = graph.predecessors(of: operation)
      let own = bitOf[operation]
      let first = row.first.map { setOf[Int($0)] } ?? 0
      if own < 0, row.allSatisfy({ setOf[Int($0)] == first }) {
        setOf[operation] = first
        continue
      }
      for word in 0..<words { union[word] = bits[Int(first) * words + word] }
      var joined = first
      for predecessor in row where setOf[Int(predecessor)] != joined {
        joined = setOf[Int(predecessor)]
        for word in 0..<words { union[word] |= bits[Int(joined) * words + word] }
      }
      if own >= 0 { union[Int(own) / 64] |= 1 << UInt64(own % 64) }

      let key = Self.hash(union)
      var candidate = heads[key] ?? -1
      while candidate >= 0 {
        let base = Int(candidate) * words
        if (0..<words).allSatisfy({ bits[base + $0] == union[$0] }) { break }
        candidate = chain[Int(candidate)]
      }
      if candidate < 0 {
        candidate = Int32(chain.count)
        chain.append(heads[key] ?? -1)
        heads[key] = candidate
        bits += union
      }
      setOf[operation] = candidate
    }
    self.receives = receives
    self.words = words
    self.bits = bits
    self.setOf = setOf
  }

  /// The number of sets.
  var count: Int { bits.count / words }

  /// Whether receive `bit` is in `set`.
  func contains(_ bit: Int, in set: Int) -> Bool {
    bits[set * words + bit / 64] >> UInt64(bit % 64) & 1 == 1
  }

  /// Calls `body` with each receive in `set`, ascending.
  func forEach(in set: Int, _ body: (Int) -> Void) {
    for word in 0..<words {
      var rest = bits[set * words + word]
      while rest != 0 {
        body(word * 64 + rest.trailingZeroBitCount)
        rest &= rest - 1
      }
    }
  }

  private static func hash(_ words: [UInt64]) -> UInt64 {
    var key: UInt64 = 0x9E37_79B9_7F4A_7C15
    for word in words { key = RandomStream.mix(key ^ word) }
    return key
  }
}
