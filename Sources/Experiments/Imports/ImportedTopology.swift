import Interchange
import Networks
import SimKernel

/// A network that was read from another simulator's file, or measured, as `cluster.topology` takes it.
public struct ImportedTopology: Sendable {
  /// The value of `cluster.topology`.
  public var node: JSONNode
  /// Accelerators.
  public var accelerators: Int
  /// What was not kept, or means something else there, one sentence each.
  public var notes: [String]

  init(node: JSONNode, accelerators: Int, notes: [String] = []) {
    self.node = node
    self.accelerators = accelerators
    self.notes = notes
  }

  /// Hosts around a switch.
  static func star(hosts: Int, bandwidth: Bandwidth, latency: SimDuration) -> JSONNode {
    simple("star", hosts: hosts, bandwidth: bandwidth, latency: latency)
  }

  private static func simple(
    _ kind: String, hosts: Int, bandwidth: Bandwidth, latency: SimDuration
  ) -> JSONNode {
    .object([
      ("kind", .text(kind)), ("hosts", .integer(hosts)), ("link", link(bandwidth, latency)),
    ])
  }

  private static func link(_ bandwidth: Bandwidth, _ latency: SimDuration) -> JSONNode {
    .object([
      ("bandwidth", .text(bandwidth.description)), ("latency", .text(latency.shortText)),
    ])
  }

  // MARK: - ASTRA-sim

  /// More NPUs are not written out link by link.
  static let mostNPUs = 4096
  /// A mesh of n has n² links; `full_mesh` takes no more.
  static let mostMeshNPUs = 2048
  /// More links are not written out.
  static let mostLinks = 1 << 18

  /// An analytical network: of one dimension a ring, a mesh or a star, of several a graph.
  ///
  /// - Throws: `InterchangeError` for networks that are too large to be written link by link.
  public init(_ network: AnalyticalNetwork, origin: String) throws(InterchangeError) {
    accelerators = network.npus
    notes = []
    if network.dimensions.count == 1, let only = network.dimensions.first {
      let kind =
        switch only.shape {
        case .ring: "ring"
        case .fullyConnected: "full_mesh"
        case .switch: "star"
        }
      node = Self.simple(
        kind, hosts: only.count, bandwidth: only.bandwidth, latency: only.latency)
      if only.shape == .fullyConnected, only.count > Self.mostMeshNPUs {
        throw InterchangeError(
          path: origin, found: "a full mesh of \(only.count) NPUs",
          expected: "at most \(Self.mostMeshNPUs)")
      }
      return
    }
    guard network.npus <= Self.mostNPUs else {
      throw InterchangeError(
        path: origin, found: "\(network.npus) NPUs in \(network.dimensions.count) dimensions",
        expected: "at most \(Self.mostNPUs), which are written out link by link")
    }
    var graph = GraphText()
    // NPUs of one innermost group share a host, as accelerators do.
    let inner = network.dimensions[0].count
    for npu in 0..<network.npus { graph.accelerator("npu\(npu)", host: "host\(npu / inner)") }
    var stride = 1
    for (number, dimension) in network.dimensions.enumerated() {
      for first in 0..<network.npus where first / stride % dimension.count == 0 {
        let members = (0..<dimension.count).map { first + $0 * stride }
        graph.join(
          members, dimension, switchName: "switch\(number).\(first)",
          host: number == 0 ? "host\(first / inner)" : nil)
      }
      stride *= dimension.count
      guard graph.linkCount <= Self.mostLinks else {
        throw InterchangeError(
          path: origin, found: "more than \(Self.mostLinks) links",
          expected: "a smaller network, which is written out link by link")
      }
    }
    node = graph.node
    notes = [
      "messages take a shortest way; ASTRA-sim goes through the dimensions in their order, which "
        + "has the same length"
    ]
  }

  // MARK: - htsim

  /// The network of an htsim `.topo` file, link by link.
  ///
  /// - Throws: `InvalidInput` with the line if tiers and ports do not fit together.
  public init(htsim path: String) throws {
    let topology = try FatTreeFile.read(path)
    var graph = GraphText()
    var isHost = [Bool](repeating: false, count: topology.nodeCount)
    for node in topology.accelerators { isHost[node.index] = true }
    for (index, name) in topology.nodeNames.enumerated() {
      if isHost[index] { graph.accelerator(name, host: nil) } else { graph.addSwitch(name, nil) }
    }
    for link in topology.links {
      graph.link(
        topology.nodeNames[link.from.index], topology.nodeNames[link.to.index], link.bandwidth,
        link.latency, name: link.name, isDuplex: false)
    }
    accelerators = topology.accelerators.count
    node = graph.node
    notes = ["queue sizes; under network.model packet give network.packet"]
  }
}

/// The nodes and links of a `graph` topology on their way to JSON.
private struct GraphText {
  private var nodes: [JSONNode] = []
  private var links: [JSONNode] = []

  var linkCount: Int { links.count }

  mutating func accelerator(_ name: String, host: String?) {
    var members: [(String, JSONNode)] = [("name", .text(name)), ("accelerator", .flag(true))]
    if let host { members.append(("host", .text(host))) }
    nodes.append(.object(members))
  }

  mutating func addSwitch(_ name: String, _ host: String?) {
    var members: [(String, JSONNode)] = [("name", .text(name))]
    if let host { members.append(("host", .text(host))) }
    nodes.append(.object(members))
  }

  mutating func link(
    _ from: String, _ to: String, _ bandwidth: Bandwidth, _ latency: SimDuration,
    name: String? = nil, isDuplex: Bool = true
  ) {
    var members: [(String, JSONNode)] = [
      ("from", .text(from)), ("to", .text(to)), ("bandwidth", .text(bandwidth.description)),
      ("latency", .text(latency.shortText)),
    ]
    if let name { members.append(("name", .text(name))) }
    if !isDuplex { members.append(("duplex", .flag(false))) }
    links.append(.object(members))
  }

  /// The links of one dimension between NPUs that differ in it only.
  mutating func join(
    _ members: [Int], _ dimension: AnalyticalNetwork.Dimension, switchName: String, host: String?
  ) {
    if members.count < 2 { return }
    func cable(_ a: Int, _ b: Int) {
      link("npu\(a)", "npu\(b)", dimension.bandwidth, dimension.latency)
    }
    switch dimension.shape {
    case .ring:
      for index in members.indices {
        // A ring of two has one cable.
        if members.count == 2, index == 1 { continue }
        cable(members[index], members[(index + 1) % members.count])
      }
    case .fullyConnected:
      for index in members.indices {
        for other in members.indices where other > index { cable(members[index], members[other]) }
      }
    case .switch:
      addSwitch(switchName, host)
      for member in members {
        link("npu\(member)", switchName, dimension.bandwidth, dimension.latency)
      }
    }
  }

  var node: JSONNode {
    .object([("kind", .text("graph")), ("nodes", .list(nodes)), ("links", .list(links))])
  }
}

/// JSON values as programs build them.
extension JSONNode {
  static func text(_ text: String) -> JSONNode { JSONNode(.string(text)) }
  static func integer(_ number: Int) -> JSONNode { JSONNode(.number(JSONNumber(number))) }
  static func flag(_ flag: Bool) -> JSONNode { JSONNode(.bool(flag)) }
  static func list(_ nodes: [JSONNode]) -> JSONNode { JSONNode(.array(nodes)) }
  static func object(_ members: [(String, JSONNode)]) -> JSONNode {
    JSONNode(.object(members.map { JSONMember($0.0, $0.1) }))
  }
}
