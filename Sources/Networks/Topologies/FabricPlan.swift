import SimKernel

/// Leaves and spines without hosts: the part that `leaf_spine` and `hosts` share.
struct FabricPlan {
  /// Adds one leaf for each entry of `uplinks`, and spines; returns the leaves.
  ///
  /// Up-link u of a leaf goes to spine u mod `spines`.
  static func addLeafSpine(
    to builder: inout TopologyBuilder, spines: Int,
    uplinks: [(count: Int, link: LinkSpecification)]
  ) -> [NodeID] {
    let leafNodes = uplinks.indices.map { builder.addSwitch("leaf\($0)") }
    let spineNodes = (0..<spines).map { builder.addSwitch("spine\($0)") }
    for (leaf, up) in zip(leafNodes, uplinks) {
      for number in 0..<up.count {
        builder.join(leaf, spineNodes[number % spines], up.link, cable: number / spines)
      }
    }
    return leafNodes
  }
}
