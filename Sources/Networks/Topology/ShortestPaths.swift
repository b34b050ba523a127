import SimKernel

/// Distances between the inner nodes of a topology, from which shortest routes are walked.
///
/// Nodes that hang on one neighbour by a single cable (hosts on a switch) need no rows of their own:
/// a route goes up their only link, through the core, and down the only link of the other end. A
/// star of any size therefore needs one row, a k-ary fat tree k²/2.
struct ShortestPaths: Sendable {
  /// Index of a node within the core, or -1 for one that hangs on a single cable.
  private let coreOf: [Int32]
  /// Core index of the node itself, or of the neighbour it hangs on.
  private let anchor: [Int32]
  /// The only link out of and into a hanging node, or -1.
  private let up: [Int32]
  private let down: [Int32]
  private let core: [Int32]
  private let starts: [Int32]
  private let ways: [(link: Int32, to: Int32)]
  /// Row of the table that belongs to a core node as destination, or -1.
  private let row: [Int32]
  /// `distance[row * core.count + node]`, in links; `unreachable` if there is no way.
  private let distance: [UInt16]
  private static let unreachable = UInt16.max
  /// Larger tables (128 MiB) are not built; routes are then searched one by one.
  private static let tableLimit = 1 << 26

  init(
    nodes: Int, links: [Link], endpoints: [NodeID], outgoing: LinkIndex, incoming: LinkIndex
  ) {
    var coreOf = [Int32](repeating: 0, count: nodes)
    var up = [Int32](repeating: -1, count: nodes)
    var down = up
    var core: [Int32] = []
    for node in 0..<nodes {
      let (out, into) = (outgoing(node), incoming(node))
      if out.count == 1, into.count == 1, let first = out.first, let last = into.first {
        let neighbour = links[Int(first)].to
        if neighbour == links[Int(last)].from, neighbour.index != node,
          outgoing(neighbour.index).count > 1
        {
          (up[node], down[node], coreOf[node]) = (first, last, -1)
          continue
        }
      }
      coreOf[node] = Int32(core.count)
      core.append(Int32(node))
    }
    var anchor = coreOf
    for node in 0..<nodes where up[node] >= 0 {
      anchor[node] = coreOf[links[Int(up[node])].to.index]
    }
    var starts: [Int32] = [0]
    var ways: [(link: Int32, to: Int32)] = []
    for node in core {
      for id in outgoing(Int(node)) {
        let next = coreOf[links[Int(id)].to.index]
        if next >= 0 { ways.append((id, next)) }
      }
      starts.append(Int32(ways.count))
    }
    var row = [Int32](repeating: -1, count: core.count)
    var targets: [Int] = []
    for node in endpoints where row[Int(anchor[node.index])] < 0 {
      row[Int(anchor[node.index])] = Int32(targets.count)
      targets.append(Int(anchor[node.index]))
    }
    if targets.count * core.count > Self.tableLimit {
      row = [Int32](repeating: -1, count: core.count)
      targets = []
    }
    var distance = [UInt16](repeating: Self.unreachable, count: targets.count * core.count)
    var frontier: [Int] = []
    for (index, target) in targets.enumerated() {
      let base = index * core.count
      distance[base + target] = 0
      frontier.removeAll(keepingCapacity: true)
      frontier.append(target)
      var head = 0
      while head < frontier.count {
        let node = frontier[head]
        head += 1
        for id in incoming(Int(core[node])) {
          let previous = Int(coreOf[links[Int(id)].from.index])
          if previous >= 0, distance[base + previous] == Self.unreachable {
            distance[base + previous] = distance[base + node] + 1
            frontier.append(previous)
          }
        }
      }
    }
    self.coreOf = coreOf
    self.anchor = anchor
    self.up = up
    self.down = down
    self.core = core
    self.starts = starts
    self.ways = ways
    self.row = row
    self.distance = distance
  }

  /// The route, or nil if there is none.
  func route(from: NodeID, to: NodeID, key: UInt64, in topology: Topology) -> [LinkID]? {
    var node = Int(anchor[from.index])
    let goal = Int(anchor[to.index])
    guard node == goal || row[goal] >= 0 else {
      return topology.detour(from: from, to: to, key: key) { _ in false }
    }
    var path: [LinkID] = []
    if up[from.index] >= 0 { path.append(LinkID(rawValue: up[from.index])) }
    if node != goal {
      let base = Int(row[goal]) * core.count
      guard distance[base + node] != Self.unreachable else { return nil }
      let origin = node
      while node != goal {
        let wanted = distance[base + node] - 1
        let range = Int(starts[node])..<Int(starts[node + 1])
        var count = 0
        var next = -1
        var parallel = true
        for way in range where distance[base + Int(ways[way].to)] == wanted {
          if count > 0, Int(ways[way].to) != next { parallel = false }
          next = Int(ways[way].to)
          count += 1
        }
        var pick = 0
        if count > 1 {
          // Parallel cables at a host are its network interfaces: each accelerator keeps to its own.
          let owner = node == origin ? from : next == goal ? to : nil
          if parallel, let owner, let own = topology.interface(of: owner, among: count) {
            pick = own
          } else {
            pick = Topology.choice(of: count, at: Int(core[node]), key: key)
          }
        }
        for way in range where distance[base + Int(ways[way].to)] == wanted {
          if pick == 0 {
            path.append(LinkID(rawValue: ways[way].link))
            node = Int(ways[way].to)
            break
          }
          pick -= 1
        }
      }
    }
    if down[to.index] >= 0 { path.append(LinkID(rawValue: down[to.index])) }
    return path
  }
}

extension Topology {
  /// Which of `count` interfaces an accelerator uses; nil if it has its host to itself.
  func interface(of node: NodeID, among count: Int) -> Int? {
    let accelerator = Int(acceleratorOfNode[node.index])
    guard accelerator >= 0 else { return nil }
    let total = Int(acceleratorsOfHost[hostOfAccelerator[accelerator]])
    return total > 1 ? Int(indexInHost[accelerator]) * count / total : nil
  }
}
