import SimKernel

/// Hosts on leaf switches, the leaves joined to spines: a two-level Clos network.
///
/// Oversubscription of a leaf is its hosts × host bandwidth over its up-links × their bandwidth. Up-link
/// u of a leaf goes to spine u mod spines, so that all leaves share the first spines; a leaf with fewer
/// up-links than spines misses the last ones, one with more has parallel cables.
///
/// Among the ways between two leaves a hash of the pair picks one, which is Valiant routing here: the
/// middle is a random spine (Greenberg et al., "VL2", SIGCOMM 2009, doi:10.1145/1592568.1592576).
public struct LeafSpineTopology: TopologySpecification {
  /// A leaf with its hosts and up-links.
  public struct Leaf: Sendable, Equatable {
    public var hosts: Int
    public var uplinks: Int
    public var hostLink: LinkSpecification
    public var fabricLink: LinkSpecification
    public init(
      hosts: Int, uplinks: Int, hostLink: LinkSpecification, fabricLink: LinkSpecification
    ) {
      self.hosts = hosts
      self.uplinks = uplinks
      self.hostLink = hostLink
      self.fabricLink = fabricLink
    }
  }

  public var spines: Int
  public var leaves: [Leaf]

  /// A fabric in which every leaf has one cable to every spine.
  public init(
    spines: Int, hostsOfLeaf: [Int], hostLink: LinkSpecification, fabricLink: LinkSpecification
  ) {
    self.init(
      spines: spines,
      leaves: hostsOfLeaf.map {
        Leaf(hosts: $0, uplinks: spines, hostLink: hostLink, fabricLink: fabricLink)
      })
  }

  /// A fabric of leaves that may differ.
  public init(spines: Int, leaves: [Leaf]) {
    precondition(
      spines >= 1 && !leaves.isEmpty && leaves.allSatisfy { $0.hosts >= 1 && $0.uplinks >= 1 },
      "a leaf-spine fabric has leaves with hosts and up-links, and spines")
    self.spines = spines
    self.leaves = leaves
  }

  /// What differs at one leaf.
  private struct Exception {
    var leaf: Int
    var uplinks: Int?
    var hostLink: LinkSpecification?
    var fabricLink: LinkSpecification?

    init(_ fields: inout FieldReader) {
      leaf = fields.required(
        "leaf", .integer(0...65535), doc: "which one, counted from 0 as in `leaf0`")
      uplinks = fields.optional("uplinks", .integer(1...65536), doc: "cables to the spines")
      hostLink = fields.optionalRecord("host_link", doc: "the cable of each of its hosts") {
        LinkSpecification(&$0)
      }
      fabricLink = fields.optionalRecord("fabric_link", doc: "each of its cables to the spines") {
        LinkSpecification(&$0)
      }
      if uplinks == nil, hostLink == nil, fabricLink == nil {
        fields.report(
          nil,
          .conflict("nothing differs at this leaf; give uplinks, host_link or fabric_link"))
      }
    }
  }

  public init(_ fields: inout FieldReader) {
    let count = fields.required("leaves", .integer(1...65536), doc: "leaf switches")
    var spines = fields.required("spines", .integer(1...65536), doc: "spine switches")
    let perLeaf = fields.required(
      "hosts_per_leaf", .oneOrEach,
      doc: "hosts on each leaf: one number, or a list with one number a leaf")
    let hostLink = fields.record("host_link", doc: "the cable between a host and its leaf") {
      LinkSpecification(&$0)
    }
    let fabricLink = fields.record("fabric_link", doc: "the cable between a leaf and a spine") {
      LinkSpecification(&$0)
    }
    let uplinks = fields.optional(
      "uplinks", .integer(1...65536),
      doc: "cables from each leaf, dealt to the spines in turn; one to every spine if absent")
    let exceptions = fields.records("overrides", doc: "leaves that differ from the others") {
      Exception(&$0)
    }
    var hostsOfLeaf: [Int]
    switch perLeaf {
    case .one(let number): hostsOfLeaf = Array(repeating: number, count: count)
    case .each(let numbers): hostsOfLeaf = numbers
    }
    if hostsOfLeaf.count != count {
      fields.report(
        "hosts_per_leaf",
        .outOfRange(
          found: "a list of \(hostsOfLeaf.count)",
          expected: "one number, or a list of as many as there are leaves (\(count))"))
      hostsOfLeaf = [1]
    }
    let plain = Leaf(
      hosts: 1, uplinks: uplinks ?? spines, hostLink: hostLink, fabricLink: fabricLink)
    var leaves = [Leaf](repeating: plain, count: hostsOfLeaf.count)
    for (leaf, hosts) in hostsOfLeaf.enumerated() { leaves[leaf].hosts = hosts }
    Self.apply(exceptions, to: &leaves, of: count, fields)
    let hosts = hostsOfLeaf.reduce(0, +)
    let cables = leaves.reduce(0) { $0 + $1.uplinks }
    if hosts > TopologyLimits.hosts || cables > TopologyLimits.links {
      fields.report(
        "leaves",
        .outOfRange(
          found: "\(hosts) hosts and \(cables) fabric cables",
          expected:
            "at most \(TopologyLimits.hosts) hosts and \(TopologyLimits.links) fabric cables"))
      (spines, leaves) = (1, [plain])
      leaves[0].uplinks = 1
    }
    self.spines = spines
    self.leaves = leaves
  }

  /// Makes the exceptions, and reports those that name no leaf or one twice.
  private static func apply(
    _ exceptions: [Exception], to leaves: inout [Leaf], of count: Int, _ fields: FieldReader
  ) {
    var known: Set<Int> = []
    for exception in exceptions {
      if exception.leaf >= count {
        fields.report(
          "overrides",
          .outOfRange(
            found: "leaf \(exception.leaf)", expected: "0...\(count - 1), the leaves there are"))
      } else if !known.insert(exception.leaf).inserted {
        fields.report(
          "overrides",
          .invalid(
            found: "leaf \(exception.leaf) is there twice",
            expected: "say what differs at it in one entry"))
      } else if leaves.indices.contains(exception.leaf) {
        let leaf = leaves[exception.leaf]
        leaves[exception.leaf] = Leaf(
          hosts: leaf.hosts, uplinks: exception.uplinks ?? leaf.uplinks,
          hostLink: exception.hostLink ?? leaf.hostLink,
          fabricLink: exception.fabricLink ?? leaf.fabricLink)
      }
    }
  }

  /// The squarest arrangement of `hosts` with as many spines as a leaf has hosts (non-blocking).
  static func squarest(hosts: Int, link: LinkSpecification) -> LeafSpineTopology {
    var perLeaf = 1
    while perLeaf * perLeaf < hosts { perLeaf += 1 }
    let leaves = (hosts + perLeaf - 1) / perLeaf
    var hostsOfLeaf = [Int](repeating: perLeaf, count: leaves)
    hostsOfLeaf[leaves - 1] = hosts - perLeaf * (leaves - 1)
    return LeafSpineTopology(
      spines: perLeaf, hostsOfLeaf: hostsOfLeaf, hostLink: link, fabricLink: link)
  }

  public var acceleratorCount: Int { leaves.reduce(0) { $0 + $1.hosts } }

  public func makeTopology() -> Topology {
    let count = acceleratorCount
    var builder = TopologyBuilder(
      name: "leaf_spine(\(leaves.count)x\(spines), \(count) hosts)")
    let nodes = (0..<count).map { builder.addHost("h\($0)") }
    let leafNodes = FabricPlan.addLeafSpine(
      to: &builder, spines: spines, uplinks: leaves.map { ($0.uplinks, $0.fabricLink) })
    var firstUplink = 0
    var wired: [LeafSpineRouting.Leaf] = []
    for (leaf, node) in zip(leaves, leafNodes) {
      wired.append(
        LeafSpineRouting.Leaf(node: node.index, uplinks: leaf.uplinks, firstUplink: firstUplink))
      firstUplink += 2 * leaf.uplinks
    }
    var rule = LeafSpineRouting(
      spines: spines, firstSpine: count + leaves.count, leaves: wired)
    for (number, leaf) in leaves.enumerated() {
      for _ in 0..<leaf.hosts {
        let link = builder.join(nodes[rule.hostLinks.count], leafNodes[number], leaf.hostLink)
        rule.hostLinks.append(link.rawValue)
        rule.leafOfHost.append(Int32(number))
      }
    }
    return builder.build { [rule] _, _ in .rule(rule) }
  }
}

/// One number for all, or one for each.
enum OneOrEach {
  case one(Int)
  case each([Int])
}

extension FieldKind where Value == OneOrEach {
  /// One count, or a list of counts.
  static var oneOrEach: FieldKind<OneOrEach> {
    let single = FieldKind<Int>.integer(1...TopologyLimits.hosts)
    let list = FieldKind<[Int]>.list(of: single, atLeast: 1)
    return FieldKind(
      expectation: "\(single.expectation), or a list of them", example: "8",
      schema: #"{"anyOf":[\#(single.schema),\#(list.schema)]}"#,
      placeholder: { .one(1) },
      read: { node in
        node.elements != nil
          ? list.read(node).map { .each($0) } : single.read(node).map { .one($0) }
      },
      show: { value in
        switch value {
        case .one(let number): single.show(number)
        case .each(let numbers): list.show(numbers)
        }
      })
  }
}
