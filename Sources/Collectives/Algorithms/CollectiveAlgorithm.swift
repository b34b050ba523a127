import SimKernel

/// How a collective is carried out: one member of the family `algorithm`, with its settings.
///
///     let ring = CollectiveAlgorithm.named("ring")!
///     let plan = ring.makePlan(.allReduce, shape: GroupShape(rankCount: 16), size: .megabytes(100))
public struct CollectiveAlgorithm: Hashable, Sendable {
  /// Whose rules ``Kind/auto`` follows.
  public enum Profile: String, CaseIterable, Hashable, Sendable {
    case mpi, nccl
  }

  /// The members of the family.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    case auto
    case ring
    case recursiveDoubling = "recursive_doubling"
    case halvingDoubling = "halving_doubling"
    case tree
    case hierarchical
    case bruck
    case direct
    case doubleBinaryTree = "double_binary_tree"
    case kAryTree = "k_ary_tree"
    case pairwise
    case dissemination
    case torusRing = "torus_ring"
    case inNetwork = "in_network"
  }

  /// How an all-gather treats payloads whose sizes differ.
  public enum VariableSize: String, CaseIterable, Hashable, Sendable {
    /// Every payload is padded to the largest, after the ranks have exchanged their sizes.
    case padded
    /// One broadcast for each rank, in one group: what NCCL users do, which has no all-gather-v.
    case groupedBroadcast = "grouped_broadcast"
    /// Every payload travels at its own size, as MPI's all-gather-v does.
    case ideal
  }

  public var kind: Kind
  public var variableSize: VariableSize
  /// Ranks in a group of the hierarchical algorithm, where this is not the host.
  public var group: Int?
  /// The sizes of the levels of the hierarchical algorithm from the innermost on, where these are not
  /// hosts and ranks in a host; or the dimensions of a torus, of which the first varies fastest.
  public var factors: [Int]
  /// The size of the chunks of a pipelined broadcast, reduce or tree.
  public var slice: ByteCount
  /// Slots in which a switch of ``Kind/inNetwork`` keeps sums of one group of workers.
  public var slots: Int
  /// The payload of one slot.
  public var slotSize: ByteCount
  /// The model by which ``Kind/auto`` chooses as NCCL does; nil chooses as MPI libraries do.
  public var tuning: NCCLTuning?
  /// Children of a rank of a ``Kind/kAryTree``.
  public var fanOut: Int

  /// The segments in which Open MPI pipelines large broadcasts (`coll_tuned_decision_fixed.c`).
  public static let defaultSlice = ByteCount.kibibytes(128)
  /// A pool of half a mebibyte, of the order of SwitchML's (NSDI 2021).
  public static let defaultSlots = 512
  public static let defaultSlotSize = ByteCount.bytes(1024)
  /// More chunks than this are not made of one broadcast.
  static let mostSlices: Int64 = 1024

  public init(
    _ kind: Kind, variableSize: VariableSize = .padded, group: Int? = nil, factors: [Int] = [],
    slice: ByteCount = defaultSlice, slots: Int = defaultSlots,
    slotSize: ByteCount = defaultSlotSize, tuning: NCCLTuning? = nil, fanOut: Int = 2
  ) {
    self.kind = kind
    self.variableSize = variableSize
    self.group = group
    self.factors = factors
    self.slice = slice
    self.slots = slots
    self.slotSize = slotSize
    self.tuning = tuning
    self.fanOut = fanOut
  }

  /// The member called `name`, with its default settings.
  public static func named(_ name: String) -> CollectiveAlgorithm? {
    Kind(rawValue: name).map { CollectiveAlgorithm($0) }
  }

  /// The operations this algorithm can carry out.
  public var operations: [CollectiveOperation] {
    switch kind {
    case .auto: CollectiveOperation.allCases.filter { $0 != .pushPull }
    case .ring: [.allReduce, .reduceScatter, .allGather, .broadcast, .reduce]
    case .recursiveDoubling: [.allReduce, .allGather]
    case .halvingDoubling: [.allReduce, .reduceScatter]
    case .tree: [.allReduce, .broadcast, .reduce, .scatter, .gather]
    case .hierarchical: [.allReduce]
    case .bruck: [.allGather, .allToAll]
    case .direct:
      [.allReduce, .reduceScatter, .allGather, .allToAll, .allToAllV, .scatter, .gather]
    case .doubleBinaryTree: [.allReduce]
    case .kAryTree: [.allReduce, .broadcast, .reduce]
    case .pairwise: [.allToAll, .allToAllV]
    case .dissemination: [.barrier]
    case .torusRing: [.allReduce]
    case .inNetwork: [.allReduce]
    }
  }
}

// MARK: - Records

extension CollectiveAlgorithm {
  /// All algorithms, as a scenario names them.
  public static let registry = Registry<CollectiveAlgorithm>(
    noun: "algorithm", discriminator: "kind",
    entries: [
      entry(
        .auto,
        "picks by size and number of ranks, as MPI libraries or NCCL do; results name the choice"),
      entry(.ring, "a ring: the least traffic, latency grows with the ranks"),
      entry(.recursiveDoubling, "exchanges at distance 1, 2, 4, ...: the least latency"),
      entry(.halvingDoubling, "Rabenseifner's: halves, quarters, ...: least traffic, few rounds"),
      entry(.tree, "a binomial tree to one rank, from it, or both"),
      entry(
        .hierarchical,
        "rings inside hosts and across them, or over any levels (BlueConnect); leaders if uneven"),
      entry(
        .bruck, "Bruck's all-gather and all-to-all: ceil(log2 n) rounds for any number of ranks"),
      entry(.direct, "every rank sends to every other at once"),
      entry(
        .doubleBinaryTree,
        "NCCL's: two binary trees carry half each, in chunks; a leaf of one works in the other"),
      entry(.kAryTree, "a tree of any fan-out, in chunks that follow one another"),
      entry(.pairwise, "an all-to-all in n - 1 rounds: one message in, one out"),
      entry(.dissemination, "a barrier: every rank signals to the ones 1, 2, 4, ... places on"),
      entry(
        .torusRing,
        "rings along all dimensions of a torus at once: a part of the payload begins with each"),
      entry(.inNetwork, "switches sum on the way up and send sums down (SwitchML, SHARP)"),
    ])

  private static func entry(
    _ kind: Kind, _ summary: String
  ) -> Registry<CollectiveAlgorithm>.Entry {
    Registry.Entry(kind.rawValue, summary: summary) { fields in
      CollectiveAlgorithm(kind, &fields)
    }
  }

  private init(_ kind: Kind, _ fields: inout FieldReader) {
    self.init(kind)
    if operations.contains(.allGather) {
      variableSize = fields.optional(
        "variable_size", .choice("variable size"), default: .padded,
        doc: "how an all-gather treats payloads of different sizes")
    }
    if kind == .hierarchical || kind == .auto {
      group = fields.optional(
        "group", .count(1), doc: "consecutive ranks in a group, if not those of one host")
    }
    if kind == .hierarchical {
      factors = fields.optional(
        "factors", .list(of: .integer(1...Self.mostRanks), atLeast: 0), default: [],
        doc: "ranks in each level, innermost first, such as [8, 4]; their product is all ranks")
      if group != nil, !factors.isEmpty {
        fields.report(
          "factors", .conflict("\"group\" and \"factors\" say the same thing; give one of them"))
      }
    }
    if kind == .torusRing {
      factors = fields.optional(
        "dimensions", .list(of: .integer(1...Self.mostRanks), atLeast: 0), default: [],
        doc:
          "ranks along each dimension, such as [4, 4], the first varies fastest; else one for all")
    }
    if kind == .auto { tuning = Self.readTuning(&fields) }
    if kind == .inNetwork {
      slots = fields.optional(
        "slots", .integer(1...1 << 20), default: Self.defaultSlots,
        doc: "packets that a switch sums at a time")
      slotSize = fields.optional(
        "slot_size", .size, default: Self.defaultSlotSize, doc: "payload of one packet")
      if slotSize.bytes < 1 {
        fields.report("slot_size", .outOfRange(found: "\(slotSize)", expected: "at least one byte"))
        slotSize = Self.defaultSlotSize
      }
    }
    if kind == .kAryTree {
      fanOut = fields.optional("fan_out", .count(1), default: 2, doc: "children of a rank")
    }
    if [.ring, .auto, .doubleBinaryTree, .kAryTree].contains(kind) {
      slice = fields.optional(
        "slice", .size, default: Self.defaultSlice,
        doc: "chunk size of a pipelined broadcast, reduce or tree")
      if slice.bytes < 1 {
        fields.report("slice", .outOfRange(found: "\(slice)", expected: "at least one byte"))
        slice = Self.defaultSlice
      }
    }
  }

  private static func readTuning(_ fields: inout FieldReader) -> NCCLTuning? {
    let profile: Profile = fields.optional(
      "profile", .choice("profile"), default: .mpi, doc: "whose rules are followed")
    let bandwidth = fields.optional(
      "bus_bandwidth", .bandwidth,
      doc: "for nccl: what all channels carry together, such as \"20 GB/s\"")
    let channels = fields.optional("channels", .count(1), doc: "for nccl: rings, or trees, at once")
    let interconnect: NCCLTuning.Interconnect = fields.optional(
      "interconnect", .choice("interconnect"), default: .nvlink,
      doc: "for nccl: what joins the ranks of a host")
    guard profile == .nccl else {
      for key in ["bus_bandwidth", "channels", "interconnect"] where fields.has(key) {
        fields.report(key, .conflict("only \"profile\": \"nccl\" uses \"\(key)\""))
      }
      return nil
    }
    guard let bandwidth, let channels else {
      fields.report(
        "profile",
        .conflict(
          "nccl needs \"bus_bandwidth\" and \"channels\", which NCCL_DEBUG=INFO prints"))
      return nil
    }
    return NCCLTuning(
      interconnect: interconnect, busBandwidth: bandwidth, channels: channels)
  }
}
