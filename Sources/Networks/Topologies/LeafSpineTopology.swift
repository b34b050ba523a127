import SimKernel

/// Hosts on leaf switches, every leaf joined to every spine: a two-level Clos network.
///
/// Oversubscription is hosts_per_leaf × host bandwidth over spines × fabric bandwidth.
public struct LeafSpineTopology: TopologySpecification {
  public var spines: Int
  /// How many hosts each leaf carries, one entry a leaf.
  public var hostsOfLeaf: [Int]
  public var hostLink: LinkSpecification
  public var fabricLink: LinkSpecification

  public init(
    spines: Int, hostsOfLeaf: [Int], hostLink: LinkSpecification, fabricLink: LinkSpecification
  ) {
    precondition(
      spines >= 1 && !hostsOfLeaf.isEmpty && hostsOfLeaf.allSatisfy { $0 >= 1 },
      "a leaf-spine fabric has leaves with hosts, and spines")
    self.spines = spines
    self.hostsOfLeaf = hostsOfLeaf
    self.hostLink = hostLink
    self.fabricLink = fabricLink
  }

  public init(_ fields: inout FieldReader) {
    let leaves = fields.required("leaves", .integer(1...65536), doc: "leaf switches")
    spines = fields.required("spines", .integer(1...65536), doc: "spine switches")
    let perLeaf = fields.required(
      "hosts_per_leaf", .countOrList,
      doc: "hosts on each leaf: one number, or a list with one number a leaf")
    hostLink = fields.record("host_link", doc: "the cable between a host and its leaf") {
      LinkSpecification(&$0)
    }
    fabricLink = fields.record("fabric_link", doc: "the cable between a leaf and a spine") {
      LinkSpecification(&$0)
    }
    hostsOfLeaf = perLeaf.count == 1 ? Array(repeating: perLeaf[0], count: leaves) : perLeaf
    if hostsOfLeaf.count != leaves {
      fields.report(
        "hosts_per_leaf",
        .outOfRange(
          found: "a list of \(perLeaf.count)",
          expected: "one number, or a list of as many as there are leaves (\(leaves))"))
      hostsOfLeaf = [1]
    }
    if acceleratorCount > TopologyLimits.hosts || leaves * spines > TopologyLimits.links {
      fields.report(
        "leaves",
        .outOfRange(
          found: "\(acceleratorCount) hosts and \(leaves * spines) fabric cables",
          expected:
            "at most \(TopologyLimits.hosts) hosts and \(TopologyLimits.links) fabric cables"))
      hostsOfLeaf = [1]
      spines = 1
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

  public var acceleratorCount: Int { hostsOfLeaf.reduce(0, +) }

  public func makeTopology() -> Topology {
    var builder = TopologyBuilder(
      name: "leaf_spine(\(hostsOfLeaf.count)x\(spines), \(acceleratorCount) hosts)")
    let nodes = (0..<acceleratorCount).map { builder.addHost("h\($0)") }
    let leaves = FabricPlan.addLeafSpine(
      to: &builder, leaves: hostsOfLeaf.count, spines: spines, link: fabricLink)
    var host = 0
    for (leaf, count) in hostsOfLeaf.enumerated() {
      for _ in 0..<count {
        builder.join(nodes[host], leaves[leaf], hostLink)
        host += 1
      }
    }
    return builder.build()
  }
}

extension FieldKind where Value == [Int] {
  /// One count, or a list of counts.
  static var countOrList: FieldKind<[Int]> {
    let single = FieldKind<Int>.integer(1...TopologyLimits.hosts)
    let list = FieldKind<[Int]>.list(of: single, atLeast: 1)
    return FieldKind(
      expectation: "\(single.expectation), or a list of them", example: "8",
      schema: #"{"anyOf":[\#(single.schema),\#(list.schema)]}"#,
      placeholder: { [1] },
      read: { node in
        node.elements != nil ? list.read(node) : single.read(node).map { [$0] }
      },
      show: { $0.count == 1 ? single.show($0[0]) : list.show($0) })
  }
}
