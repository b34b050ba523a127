import SimKernel

/// NCCL's tuning model: the algorithm and protocol it expects to be fastest.
///
/// Time = latency + bytes/bandwidth for each algorithm (tree, ring) and protocol (LL, LL128, Simple).
/// All figures are those of one file, `src/graph/tuning.cc` of NVIDIA/nccl at commit
/// 01afd20a77b5804e0ecf1042509dd9d20ebf9e93, for GPUs of compute capability 7.0; later releases have
/// others.
///
/// Not here: CollNet, which needs a plug-in; the caps of capability 8.0; and what the search for
/// graphs finds, which the user gives: the channels and their bandwidth, as `NCCL_DEBUG=INFO` prints
/// them, alike for rings and trees. LL128 is enabled within NVLink, as NCCL does for such GPUs.
public struct NCCLTuning: Hashable, Sendable {
  /// What joins the GPUs of a node.
  public enum Interconnect: String, CaseIterable, Hashable, Sendable {
    case nvlink, pci
  }
  /// How NCCL's kernels pass data on.
  public enum Transfer: String, CaseIterable, Hashable, Sendable {
    case ll, ll128, simple
  }

  public var interconnect: Interconnect
  /// What all channels carry together.
  public var busBandwidth: Bandwidth
  public var channels: Int

  public init(interconnect: Interconnect, busBandwidth: Bandwidth, channels: Int) {
    self.interconnect = interconnect
    self.busBandwidth = busBandwidth
    self.channels = channels
  }

  /// Whether NCCL has an algorithm of its own for `operation`.
  public static func covers(_ operation: CollectiveOperation) -> Bool {
    switch operation {
    case .allReduce, .reduceScatter, .allGather, .broadcast, .reduce: true
    case .allToAll, .allToAllV, .scatter, .gather, .barrier, .pushPull: false
    }
  }

  /// The fastest choice for `bytes`, the whole buffer, on `ranks` GPUs of `nodes` nodes; the first in
  /// the order tree, ring and LL, LL128, Simple among equals.
  ///
  /// - Precondition: ``covers(_:)`` the operation, and there is a rank on every node.
  public func choice(
    _ operation: CollectiveOperation, bytes: Int64, ranks: Int, nodes: Int
  ) -> (isTree: Bool, transfer: Transfer) {
    var best = (isTree: false, transfer: Transfer.simple)
    var least = Double.infinity
    for isTree in operation == .allReduce ? [true, false] : [false] {
      for transfer in Transfer.allCases {
        let time = microseconds(
          operation, isTree: isTree, transfer, bytes: bytes, ranks: ranks, nodes: nodes)
        if let time, time < least {
          least = time
          best = (isTree, transfer)
        }
      }
    }
    return best
  }

  /// The time that the model predicts; nil if the protocol is not enabled.
  public func microseconds(
    _ operation: CollectiveOperation, isTree: Bool, _ transfer: Transfer, bytes: Int64,
    ranks: Int, nodes: Int
  ) -> Double? {
    if transfer == .ll128, interconnect == .pci { return nil }
    var bandwidth = gigabytesPerSecond(
      operation, isTree: isTree, transfer, ranks: ranks, nodes: nodes)
    if bandwidth <= 0 { return nil }
    var latency = latency(operation, isTree: isTree, transfer, ranks: ranks, nodes: nodes)
    let units = bytes >> 6
    let log = units == 0 ? 0 : Int64.bitWidth - 1 - units.leadingZeroBitCount
    if isTree, log < 22 { bandwidth *= Self.treeCorrection[transfer.row][log] }
    // "Plateau effect of ring."
    let isLong = Double(bytes) >= Double(ranks) / 16 * 65536
    if !isTree, transfer == .simple, nodes > 1, operation == .allReduce, isLong { latency *= 1.9 }
    return latency + Double(bytes) / (1000 * bandwidth)
  }

  // MARK: - The model

  private func steps(_ operation: CollectiveOperation, _ count: Int) -> Int {
    switch operation {
    case .allReduce: 2 * (count - 1)
    case .reduceScatter, .allGather: count - 1
    default: count
    }
  }

  private func latency(
    _ operation: CollectiveOperation, isTree: Bool, _ transfer: Transfer, ranks: Int, nodes: Int
  ) -> Double {
    let algorithm = isTree ? 0 : 1
    let row = transfer.row
    let within = interconnect == .nvlink ? 0 : 1
    var inside = Self.linkLatency[within][algorithm][row]
    let between = Self.linkLatency[2][algorithm][row]
    if nodes > 1, transfer == .ll { inside *= 1.8 }
    let base = Self.baseLatency[algorithm][row]
    if isTree {
      let levels = Int.bitWidth - 1 - nodes.leadingZeroBitCount
      return base + 2 * (Double(ranks / nodes - 1) * inside + Double(levels) * between)
    }
    if operation == .broadcast || operation == .reduce {
      // A chain in chunks: Simple has the tree's latency of a chunk.
      let place = nodes == 1 ? within : 2
      return base
        + Double(steps(operation, ranks))
        * Self.linkLatency[place][transfer == .simple ? 0 : 1][row]
    }
    let outer = steps(operation, nodes)
    return base + Double(steps(operation, ranks) - outer) * inside + Double(outer) * between
  }

  private func gigabytesPerSecond(
    _ operation: CollectiveOperation, isTree: Bool, _ transfer: Transfer, ranks: Int, nodes: Int
  ) -> Double {
    var bus = Double(busBandwidth.bitsPerSecond) / 8e9
    let lanes = Double(channels)
    let most = Self.ll128PerChannel(operation) * lanes
    if isTree {
      bus = min(bus * 0.9, nodes > 2 ? 80 : 110)
      switch transfer {
      case .ll: bus /= 3.8
      case .ll128: bus = min(bus * (nodes == 1 ? 7.0 / 9 : 0.915), most * 7 / 9)
      case .simple: break
      }
      return bus / 2
    }
    switch transfer {
    case .ll:
      let isReduced = operation == .allReduce || operation == .reduce
      bus *= nodes > 1 || isReduced ? 1.0 / 4 : 1.0 / 3
    case .ll128: bus = min(bus * (ranks < 2 * nodes ? 0.7 : 0.92), most)
    case .simple: break
    }
    return bus * Double(ranks) / Double(max(1, steps(operation, ranks)))
  }

  // MARK: - Tables: microseconds and gigabytes a second, by LL, LL128, Simple

  /// Tree, ring.
  private static let baseLatency = [[4.4, 4.4, 0], [3.6, 10.0, 8.4]]
  /// NVLink, PCI, network; tree, ring.
  private static let linkLatency = [
    [[0.52, 1.2, 28], [0.47, 1.9, 3.4]],
    [[1.0, 1.9, 28], [1.0, 2.5, 5.7]],
    [[5.0, 8.5, 50], [2.7, 4.0, 9.6]],
  ]
  /// From 64 B to 128 MB, by doubling: trees do not quite follow the model at medium sizes.
  private static let treeCorrection: [[Double]] = [
    [
      1, 1, 1, 1, 0.9, 0.8, 0.7, 0.7, 0.7, 0.7, 0.6, 0.5, 0.4, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1,
      1,
    ],
    [
      1, 1, 1, 1, 1, 0.9, 0.8, 0.8, 0.8, 0.7, 0.6, 0.6, 0.6, 0.5, 0.6, 0.6, 0.7, 0.7, 0.8, 0.9, 0.9,
      1,
    ],
    [
      0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.8, 0.7, 0.6, 0.6, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.6, 0.6,
      0.7, 0.8, 0.9,
    ],
  ]
  private static func ll128PerChannel(_ operation: CollectiveOperation) -> Double {
    switch operation {
    case .broadcast: 18.8
    case .reduce: 12.0
    case .allGather: 18.3
    case .reduceScatter: 15.2
    default: 16.7
    }
  }
}

extension NCCLTuning.Transfer {
  fileprivate var row: Int {
    switch self {
    case .ll: 0
    case .ll128: 1
    case .simple: 2
    }
  }
}
