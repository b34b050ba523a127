import Networks
import SimKernel

/// What can flow at once from one half of the accelerators to the other.
///
/// Max-flow between the first half and the rest, in natural order and whatever routing does: exact
/// for this cut, and an upper bound of the bisection bandwidth, which is the least over all cuts.
/// (Dinic's algorithm, Soviet Math. Doklady 11, 1970.)
public enum BisectionBandwidth {
  /// Networks of more links are not computed.
  public static let linkLimit = 100_000

  /// The flow from the first half to the second; nil for fewer than two accelerators or too many
  /// links.
  public static func estimate(_ topology: Topology) -> Bandwidth? {
    let ends = topology.accelerators
    guard ends.count >= 2, topology.links.count <= linkLimit else { return nil }
    var graph = FlowGraph(nodes: topology.nodeCount + 2)
    for link in topology.links {
      graph.add(link.from.index, link.to.index, link.bandwidth.bitsPerSecond)
    }
    let (source, sink) = (topology.nodeCount, topology.nodeCount + 1)
    for (index, node) in ends.enumerated() {
      if index < ends.count / 2 {
        graph.add(source, node.index, .max / 4)
      } else {
        graph.add(node.index, sink, .max / 4)
      }
    }
    return Bandwidth(bitsPerSecond: graph.maximum(from: source, to: sink))
  }

  private struct FlowGraph {
    private var targets: [Int32] = []
    /// Edge e and e ^ 1 are each other's way back.
    private var left: [Int64] = []
    private var edges: [[Int32]]
    private var levels: [Int32]
    private var next: [Int]

    init(nodes: Int) {
      edges = Array(repeating: [], count: nodes)
      levels = Array(repeating: -1, count: nodes)
      next = Array(repeating: 0, count: nodes)
    }

    mutating func add(_ from: Int, _ to: Int, _ capacity: Int64) {
      edges[from].append(Int32(targets.count))
      targets.append(Int32(to))
      left.append(capacity)
      edges[to].append(Int32(targets.count))
      targets.append(Int32(from))
      left.append(0)
    }

    mutating func maximum(from source: Int, to sink: Int) -> Int64 {
      var total: Int64 = 0
      while assignLevels(from: source, to: sink) {
        for index in next.indices { next[index] = 0 }
        while true {
          let pushed = push(source, sink)
          if pushed == 0 { break }
          // Bandwidths are far below the square root of the range, so that sums saturate only in
          // networks that nobody has.
          let (sum, overflow) = total.addingReportingOverflow(pushed)
          total = overflow ? .max : sum
        }
      }
      return total
    }

    private mutating func assignLevels(from source: Int, to sink: Int) -> Bool {
      for index in levels.indices { levels[index] = -1 }
      levels[source] = 0
      var queue = [source]
      var head = 0
      while head < queue.count {
        let node = queue[head]
        head += 1
        for edge in edges[node] where left[Int(edge)] > 0 {
          let other = Int(targets[Int(edge)])
          if levels[other] >= 0 { continue }
          levels[other] = levels[node] + 1
          queue.append(other)
        }
      }
      return levels[sink] >= 0
    }

    /// One augmenting path by depth, without recursion: a way may be as long as a ring.
    private mutating func push(_ source: Int, _ sink: Int) -> Int64 {
      var path: [Int32] = []
      var node = source
      while node != sink {
        if next[node] < edges[node].count {
          let edge = edges[node][next[node]]
          let other = Int(targets[Int(edge)])
          if left[Int(edge)] > 0, levels[other] == levels[node] + 1 {
            path.append(edge)
            node = other
          } else {
            next[node] += 1
          }
        } else {
          guard let edge = path.popLast() else { return 0 }
          node = Int(targets[Int(edge) ^ 1])
          next[node] += 1
        }
      }
      let amount = path.map { left[Int($0)] }.min() ?? 0
      for edge in path {
        left[Int(edge)] -= amount
        left[Int(edge) ^ 1] += amount
      }
      return amount
    }
  }
}
