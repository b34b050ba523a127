import SimKernel

/// A directed link: it carries traffic one way, and a cable is two of them.
public struct Link: Sendable, Equatable {
  /// Where it starts.
  public var from: NodeID
  /// Where it ends.
  public var to: NodeID
  /// Line rate, before the transport's goodput.
  public var bandwidth: Bandwidth
  /// Time a bit spends on the link, the switch behind it included.
  public var latency: SimDuration
  /// What messages call it, such as `h3->switch`.
  public var name: String
  /// Whether it lies inside one host (NVLink, PCIe), where the transport's goodput, caps and launch
  /// latency do not apply.
  public var isInner: Bool

  public init(
    from: NodeID, to: NodeID, bandwidth: Bandwidth, latency: SimDuration, name: String,
    isInner: Bool = false
  ) {
    self.from = from
    self.to = to
    self.bandwidth = bandwidth
    self.latency = latency
    self.name = name
    self.isInner = isInner
  }
}

/// Directed links grouped by the node they leave, or enter, as offsets into one array.
struct LinkIndex: Sendable {
  /// `links[starts[n]..<starts[n + 1]]` belong to node n, in the order of their ids.
  let starts: [Int32]
  let links: [Int32]

  /// Groups `links` by the node that `end` selects.
  init(nodes: Int, links all: [Link], by end: (Link) -> NodeID) {
    var counts = [Int32](repeating: 0, count: nodes + 1)
    for link in all { counts[end(link).index + 1] += 1 }
    for node in 0..<nodes { counts[node + 1] += counts[node] }
    starts = counts
    var filled = [Int32](repeating: 0, count: all.count)
    for (id, link) in all.enumerated() {
      let node = end(link).index
      filled[Int(counts[node])] = Int32(id)
      counts[node] += 1
    }
    links = filled
  }

  /// The links of `node`.
  func callAsFunction(_ node: Int) -> ArraySlice<Int32> {
    links[Int(starts[node])..<Int(starts[node + 1])]
  }
}
