import Experiments
import Networks
import Reporting
import SimKernel
import Testing

/// Drawings and summaries of networks of every kind.
@Suite struct TopologyDrawingTests {
  private static let link = #"{"bandwidth": "10 Gbps", "latency": "1 us"}"#
  private static let fast = #"{"bandwidth": "40 Gbps", "latency": "1 us"}"#

  /// One network of each kind.
  static let specifications: [String: String] = [
    "star": #"{"kind": "star", "hosts": 5, "link": \#(link)}"#,
    "ring": #"{"kind": "ring", "hosts": 6, "link": \#(link)}"#,
    "full_mesh": #"{"kind": "full_mesh", "hosts": 5, "link": \#(link)}"#,
    "leaf_spine":
      #"{"kind": "leaf_spine", "leaves": 3, "spines": 2, "hosts_per_leaf": 4, "uplinks": 4, "host_link": \#(link), "fabric_link": \#(fast)}"#,
    "fat_tree": #"{"kind": "fat_tree", "k": 4, "link": \#(link)}"#,
    "torus": #"{"kind": "torus", "dimensions": [4, 3], "link": \#(link)}"#,
    "dragonfly":
      #"{"kind": "dragonfly", "routers_per_group": 2, "hosts_per_router": 2, "global_links_per_router": 1, "host_link": \#(link), "local_link": \#(link), "global_link": \#(fast)}"#,
    "hosts":
      #"{"kind": "hosts", "hosts": 3, "accelerators_per_host": 4, "inner_link": \#(fast), "nic_link": \#(link)}"#,
    "pods":
      #"{"kind": "pods", "hosts": 4, "accelerators_per_host": 2, "inner_link": \#(fast), "nic_link": \#(link), "hosts_per_pod": 2, "spines": 2}"#,
    "wan":
      #"{"kind": "wan", "sites": [{"name": "<a>", "hosts": [{"count": 2, "bandwidth": "1 Gbps"}]}, {"name": "b & \"c\"", "hosts": [{"bandwidth": "1 Gbps"}]}], "links": [{"from": "<a>", "to": "b & \"c\"", "bandwidth": "100 Mbps", "latency": "10 ms"}]}"#,
    "graph":
      #"{"kind": "graph", "nodes": [{"name": "x", "accelerator": true}, {"name": "y", "accelerator": true}, {"name": "s"}], "links": [{"from": "x", "to": "s", "bandwidth": "1 Gbps"}, {"from": "s", "to": "y", "bandwidth": "1 Gbps"}]}"#,
    "preset": #"{"kind": "preset", "preset": "10gbe", "hosts": 4}"#,
  ]

  private func specification(_ text: String) throws -> any TopologySpecification {
    let issues = IssueCollector()
    let made = FieldReader.member(
      of: TopologyCatalog.registry, try JSONNode.parse(text, origin: "test"),
      path: FieldPath(["topology"]), issues: issues)
    try issues.throwIfInvalid()
    return made
  }

  @Test(
    "every kind has a drawing with all its nodes and cables",
    arguments: TopologyCatalog.registry.names)
  func everyKind(_ kind: String) throws {
    let text = try #require(Self.specifications[kind], "give an example of \(kind) above")
    let specification = try specification(text)
    let topology = specification.makeTopology()
    let drawing = TopologyDrawing(topology, from: specification)
    var pairs: Set<[Int]> = []
    for link in topology.links { pairs.insert([link.from.index, link.to.index].sorted()) }
    #expect(drawing.counts == (topology.nodeCount, pairs.count))
    let svg = drawing.svg()
    try expectWellFormed(svg)
    let titles = svg.split(separator: "<title>", omittingEmptySubsequences: false).count - 1
    #expect(titles == topology.nodeCount + pairs.count + 1)
    #expect(!svg.contains("style=") && !svg.contains("class="))
    // Nothing stands where something else does.
    let layout = TopologyLayout(topology, from: specification)
    for (index, a) in layout.spots.enumerated() {
      #expect(a.x >= 0 && a.x <= 1 && a.y >= 0 && a.y <= layout.height)
      for b in layout.spots[..<index] {
        #expect((a.x - b.x).magnitude + (a.y - b.y).magnitude > 1e-3, "\(a.name) \(b.name)")
      }
    }
  }

  @Test(
    "large networks are drawn as boxes that stand for all nodes, and say so",
    arguments: [
      #"{"kind": "leaf_spine", "leaves": 32, "spines": 4, "hosts_per_leaf": 20, "host_link": \#(link), "fabric_link": \#(link)}"#,
      #"{"kind": "fat_tree", "k": 16, "link": \#(link)}"#,
      #"{"kind": "torus", "dimensions": [30, 30], "link": \#(link)}"#,
      #"{"kind": "ring", "hosts": 500, "link": \#(link)}"#,
    ])
  func large(_ text: String) throws {
    let specification = try specification(text)
    let topology = specification.makeTopology()
    let layout = TopologyLayout(topology, from: specification)
    #expect(layout.spots.count <= TopologyLayout.nodeLimit)
    #expect(layout.spots.reduce(0) { $0 + $1.count } == topology.nodeCount)
    let drawing = TopologyDrawing(topology, from: specification)
    #expect(!drawing.caveat.isEmpty && drawing.svg().contains(drawing.caveat))
    try expectWellFormed(drawing.svg())
  }

  @Test("half a star's hosts send what half its cables carry, and a ring what two do")
  func bisection() throws {
    func flow(_ kind: String) throws -> Int64? {
      let topology = try specification(Self.specifications[kind]!).makeTopology()
      return BisectionBandwidth.estimate(topology)?.bitsPerSecond
    }
    #expect(try flow("star") == 20_000_000_000)
    #expect(try flow("ring") == 20_000_000_000)
    // 2 x 3 of 5 hosts, each pair a cable.
    #expect(try flow("full_mesh") == 60_000_000_000)
    #expect(try flow("fat_tree") == 80_000_000_000)
    #expect(try flow("graph") == 1_000_000_000)
  }

  @Test("a summary counts what there is")
  func summary() throws {
    let topology = try specification(Self.specifications["fat_tree"]!).makeTopology()
    #expect(
      TopologySummary(topology).text == """
        fat_tree(k=4, 16 hosts)

        accelerators  16
        hosts         16
        switches      8 edge switches, 8 aggregation switches, 4 core switches
        links         96 directed, 48 cables
        bisection     80 Gbps from the first 8 accelerators to the other 8, over all ways there are

        links between                     inside a host  number  bandwidth   latency
        host - edge switch                no                 32    10 Gbps  1.000 us
        edge switch - aggregation switch  no                 32    10 Gbps  1.000 us
        aggregation switch - core switch  no                 32    10 Gbps  1.000 us

        links on the way  pairs      share
                       2     16   6.6667 %
                       4     32  13.3333 %
                       6    192       80 %
        mean 5.47 links, longest latency 6.000 us

        """)
  }

  @Test("loads are those of the run, and the busiest links are named")
  func loads() throws {
    let run = try RecordedRun(try TraceLab.file(), loads: true)
    let loads = try #require(run.loads)
    let busiest = loads.usage.indices.max { loads.busyShare($0) < loads.busyShare($1) }!
    #expect(
      run.table.cell("busiest_link_share", run.table.rows[0]) == "\(loads.busyShare(busiest))")
    let svg = TopologyDrawing(
      loads.topology, from: try TraceLab.topology(), loads: loads, title: run.title
    ).svg()
    try expectWellFormed(svg)
    let name = run.table.cell("busiest_link", run.table.rows[0])
    #expect(svg.contains("1  \(name.replacing(">", with: "&gt;"))  "))
    #expect(svg.contains("100 % busy"))
  }
}
