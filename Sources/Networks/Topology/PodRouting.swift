import SimKernel

/// What joins the accelerators of a host.
public enum InnerFabric: String, CaseIterable, Sendable {
  /// Each to one non-blocking switch (NVSwitch).
  case `switch`
  /// Each to every other.
  case mesh
  /// The hybrid cube mesh of eight that DGX-1 has: each with six lanes, one or two to four others.
  case cubeMesh = "cube_mesh"

  /// Lanes between accelerators `a` and `b` of a host, 0 if they are not joined.
  func lanes(_ a: Int, _ b: Int) -> Int {
    switch self {
    case .switch: 0
    case .mesh: a == b ? 0 : 1
    case .cubeMesh: Self.cubeLanes[a][b]
    }
  }

  /// DGX-1 with V100 as `nvidia-smi topo -m` prints it (NVIDIA, "DGX-1 with Tesla V100 System
  /// Architecture", WP-08437-002, 2017, figure 4).
  private static let cubeLanes = [
    [0, 1, 1, 2, 2, 0, 0, 0],
    [1, 0, 2, 1, 0, 2, 0, 0],
    [1, 2, 0, 2, 0, 0, 1, 0],
    [2, 1, 2, 0, 0, 0, 0, 1],
    [2, 0, 0, 0, 0, 1, 1, 2],
    [0, 2, 0, 0, 1, 0, 2, 1],
    [0, 0, 1, 0, 1, 2, 0, 2],
    [0, 0, 0, 1, 2, 1, 2, 0],
  ]
}

/// How traffic between different rails leaves its host.
public enum CrossRailRouting: String, CaseIterable, Sendable {
  /// Over the inner fabric to the accelerator whose interface is on the destination's rail, then
  /// along that rail.
  ///
  /// NCCL's default since 2.12 (`NCCL_PXN_DISABLE=0`; NVIDIA, "Doubling all2all Performance with
  /// NVIDIA Collective Communication Library 2.12", 2022).
  case pxn
  /// By the own interface and rail, and over a spine to the other rail.
  case spine
}

/// Ways of a rail-optimised cluster, computed from the numbers of host, accelerator and interface.
struct PodRouting: RoutingRule {
  let hostsPerPod: Int
  let accelerators: Int
  let nics: Int
  let rails: Int
  let spines: Int
  let inner: InnerFabric
  let crossRail: CrossRailRouting
  /// `innerLinks[accelerator]` leads to the inner switch, and the next number back; in a mesh
  /// `innerLinks[accelerator * accelerators + i]` leads to accelerator i of the host, or is -1.
  var innerLinks: [Int32] = []
  /// From each accelerator to its interface, from each interface to its rail switch, and from each
  /// rail switch to each spine; the link back has the next number.
  var pcieLinks: [Int32] = []
  var nicLinks: [Int32] = []
  var spineLinks: [Int32] = []

  var sharesShortestWays: Bool { false }

  /// The interface of accelerator `index` of a host.
  private func nic(of index: Int) -> Int { index * nics / accelerators }

  func route(from source: Int, to target: Int, key: UInt64) -> [LinkID]? {
    var path: [LinkID] = []
    let (host, other) = (source / accelerators, target / accelerators)
    let goal = target % accelerators
    if host == other {
      goInside(host, from: source % accelerators, to: goal, key: key, &path)
      return path
    }
    var index = source % accelerators
    let last = nic(of: goal)
    if nic(of: index) % rails != last % rails, crossRail == .pxn {
      let share = accelerators / nics
      let relay = last * share + index % share
      goInside(host, from: index, to: relay, key: key, &path)
      index = relay
    }
    let first = nic(of: index)
    path.append(LinkID(rawValue: pcieLinks[host * accelerators + index]))
    path.append(LinkID(rawValue: nicLinks[host * nics + first]))
    let rail = host / hostsPerPod * rails + first % rails
    let farRail = other / hostsPerPod * rails + last % rails
    if rail != farRail {
      let spine = Topology.choice(of: spines, at: rail, key: key)
      path.append(LinkID(rawValue: spineLinks[rail * spines + spine]))
      path.append(LinkID(rawValue: spineLinks[farRail * spines + spine] + 1))
    }
    path.append(LinkID(rawValue: nicLinks[other * nics + last] + 1))
    path.append(LinkID(rawValue: pcieLinks[target] + 1))
    return path
  }

  /// Adds the way between two accelerators of a host.
  private func goInside(
    _ host: Int, from index: Int, to goal: Int, key: UInt64, _ path: inout [LinkID]
  ) {
    if index == goal { return }
    let base = host * accelerators
    guard inner != .switch else {
      path.append(LinkID(rawValue: innerLinks[base + index]))
      path.append(LinkID(rawValue: innerLinks[base + goal] + 1))
      return
    }
    func link(_ a: Int, _ b: Int) -> LinkID {
      LinkID(rawValue: innerLinks[(base + a) * accelerators + b])
    }
    if inner.lanes(index, goal) > 0 {
      path.append(link(index, goal))
      return
    }
    // Every other accelerator of a cube mesh is two steps away; a hash picks among the widest ways.
    func width(_ middle: Int) -> Int {
      min(inner.lanes(index, middle), inner.lanes(middle, goal))
    }
    let widest = (0..<accelerators).map(width).max() ?? 0
    let middles = (0..<accelerators).filter { width($0) == widest }
    let middle = middles[Topology.choice(of: middles.count, at: base + index, key: key)]
    path.append(link(index, middle))
    path.append(link(middle, goal))
  }
}
