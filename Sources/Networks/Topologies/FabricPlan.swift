import SimKernel

/// Leaves and spines without hosts: the part that `leaf_spine` and `hosts` share.
struct FabricPlan {
  /// Adds leaves and spines, joined each to each; returns the leaves.
  static func addLeafSpine(
    to builder: inout TopologyBuilder, leaves: Int, spines: Int, link: LinkSpecification
  ) -> [NodeID] {
    let leafNodes = (0..<leaves).map { builder.addSwitch("leaf\($0)") }
    let spineNodes = (0..<spines).map { builder.addSwitch("spine\($0)") }
    for leaf in leafNodes { for spine in spineNodes { builder.join(leaf, spine, link) } }
    return leafNodes
  }
}
