import Networks
import SimKernel

/// Where the nodes of a network stand in a drawing, in a field 1 wide.
///
/// Networks with switches stand in layers by their distance from the accelerators; rings and meshes on
/// a circle, tori in a grid, the groups of a dragonfly on a circle with their hosts outside, sites on a
/// circle around which their hosts stand.
public struct TopologyLayout: Sendable {
  /// A node of the drawing: one of the network, or many that were made one.
  public struct Spot: Sendable {
    public var x: Double
    public var y: Double
    public var tier: Int
    /// Empty if there is no room for names.
    public var name: String
    /// How many nodes of the network it stands for.
    public var count: Int
  }
  /// A line between two spots.
  public struct Line: Sendable {
    public var a: Int
    public var b: Int
    /// The directed links it stands for.
    public var links: [Int]
    public var cables: Int
    /// How far its middle is bent off the straight line.
    public var bend: Double
  }

  public var spots: [Spot] = []
  public var lines: [Line] = []
  /// The height of the field.
  public var height = 0.6
  /// What stands beside each layer, and where; empty if there are none.
  public var layers: [(y: Double, text: String)] = []
  /// Words in the field, each centred on its place.
  public var labels: [(x: Double, y: Double, text: String)] = []
  /// What is not shown as it is; empty if everything is.
  public var caveat = ""
  /// The least distance between neighbours.
  public var spacing = 0.1

  /// Nodes beyond which those that are alike are drawn as one.
  public static let nodeLimit = 400

  /// A layout of `topology` as what it was made from suggests.
  public init(_ topology: Topology, from specification: (any TopologySpecification)?) {
    let shape = TopologyShape(topology)
    var specification = specification
    if let preset = specification as? PresetTopology { specification = preset.expanded }
    let isLarge = topology.nodeCount > Self.nodeLimit
    switch specification {
    case is RingTopology where !isLarge, is FullMeshTopology where !isLarge:
      placeOnCircle(shape)
    case let torus as TorusTopology where !isLarge: placeInGrid(shape, torus.dimensions)
    case let dragonfly as DragonflyTopology where !isLarge: placeGroups(shape, dragonfly)
    case is WANTopology where !isLarge: placeSites(shape)
    default:
      if isLarge {
        placeAlike(shape)
      } else if (shape.tiers.max() ?? 0) == 0 {
        placeOnCircle(shape)
      } else {
        placeInLayers(shape)
      }
    }
  }

  // MARK: - Layers

  private mutating func addAll(_ shape: TopologyShape, _ place: (Int) -> (x: Double, y: Double)) {
    for node in shape.topology.nodeNames.indices {
      let (x, y) = place(node)
      spots.append(
        Spot(
          x: x, y: y, tier: shape.tiers[node], name: shape.topology.nodeNames[node], count: 1))
    }
    lines = shape.cables.map {
      Line(a: $0.a, b: $0.b, links: $0.forward + $0.back, cables: $0.count, bend: 0)
    }
  }

  private mutating func placeInLayers(_ shape: TopologyShape) {
    let highest = shape.tiers.max() ?? 0
    // Nodes of a layer stand in the order of what hangs below them, so that lines cross little.
    var places = [Double](repeating: 0, count: shape.tiers.count)
    var neighbours = [[Int]](repeating: [], count: shape.tiers.count)
    for cable in shape.cables {
      if shape.tiers[cable.a] + 1 == shape.tiers[cable.b] { neighbours[cable.b].append(cable.a) }
      if shape.tiers[cable.b] + 1 == shape.tiers[cable.a] { neighbours[cable.a].append(cable.b) }
    }
    var widest = 1
    for tier in 0...highest {
      var nodes = shape.nodes(ofTier: tier)
      widest = max(widest, nodes.count)
      if tier > 0 {
        let centres = nodes.map { node -> Double in
          let below = neighbours[node]
          return below.isEmpty
            ? 0.5 : below.reduce(0) { $0 + places[$1] } / Double(below.count)
        }
        let order = nodes.indices.sorted { (centres[$0], nodes[$0]) < (centres[$1], nodes[$1]) }
        nodes = order.map { nodes[$0] }
      }
      for (position, node) in nodes.enumerated() {
        places[node] = (Double(position) + 0.5) / Double(nodes.count)
      }
      let y = Double(highest - tier) * 0.2 + 0.06
      layers.append((y, TopologyShape.counted(nodes.count, shape.tierNames[tier])))
    }
    height = Double(highest) * 0.2 + 0.12
    spacing = 1 / Double(widest)
    addAll(shape) { (places[$0], Double(highest - shape.tiers[$0]) * 0.2 + 0.06) }
    for index in lines.indices where spots[lines[index].a].tier == spots[lines[index].b].tier {
      // A line along a layer would lie on what stands between its ends.
      let (from, to) = (spots[lines[index].a].x, spots[lines[index].b].x)
      lines[index].bend = min(0.07, 0.02 + (to - from).magnitude * 0.3)
    }
  }

  // MARK: - Circles and grids

  private mutating func placeOnCircle(_ shape: TopologyShape) {
    let count = shape.tiers.count
    height = count == 1 ? 0.2 : 0.7
    let radius = 0.29
    spacing = count < 2 ? 0.2 : 2 * radius * Angle.sine(.pi / Double(count))
    addAll(shape) { node in
      if count == 1 { return (0.5, 0.1) }
      let (x, y) = Self.onCircle(node, of: count, radius)
      return (0.5 + x, 0.35 + y)
    }
  }

  /// The place of `index` of `count` around the origin, from the top clockwise.
  private static func onCircle(_ index: Int, of count: Int, _ radius: Double) -> (Double, Double) {
    let angle = 2 * Double.pi * Double(index) / Double(count)
    return (radius * Angle.sine(angle), -radius * Angle.cosine(angle))
  }

  private mutating func placeInGrid(_ shape: TopologyShape, _ dimensions: [Int]) {
    let sizes = dimensions.filter { $0 > 1 }
    if sizes.count < 2 {
      placeOnCircle(shape)
      return
    }
    // Further dimensions are planes side by side.
    let (columns, rows) = (sizes[0], sizes[1])
    let planes = sizes.dropFirst(2).reduce(1, *)
    var across = 1
    while across * across < planes { across += 1 }
    let down = (planes + across - 1) / across
    let width = Double(across * (columns + 1) - 1)
    let cell = min(1 / (width + 0.6), 0.2)
    spacing = cell
    height = cell * (Double(down * (rows + 1) - 1) + 0.6)
    let margin = (1 - cell * width) / 2
    addAll(shape) { node in
      let (x, y, plane) = (node % columns, node / columns % rows, node / (columns * rows))
      return (
        margin + cell * (Double(plane % across * (columns + 1) + x) + 0.5),
        cell * (Double(plane / across * (rows + 1) + y) + 0.8)
      )
    }
    for index in lines.indices {
      let (a, b) = (spots[lines[index].a], spots[lines[index].b])
      let length = (b.x - a.x).magnitude + (b.y - a.y).magnitude
      // Neighbours are straight; what goes around, or to another plane, passes beside the nodes.
      if length > cell * 1.01 { lines[index].bend = cell * 0.45 }
    }
    if planes > 1 {
      caveat =
        "\(sizes.map(String.init).joined(separator: " x ")) nodes as \(planes) planes of "
        + "\(columns) x \(rows)"
    }
  }

  private mutating func placeGroups(_ shape: TopologyShape, _ dragonfly: DragonflyTopology) {
    let (groups, routers) = (dragonfly.groups, dragonfly.routersPerGroup)
    height = 0.98
    let centre = (x: 0.5, y: 0.49)
    let radius = groups == 1 ? 0 : 0.28
    let own =
      groups == 1
      ? 0.25 : min(0.12, radius * Angle.sine(.pi / Double(max(3, groups))) * 0.55)
    let hosts = dragonfly.hosts
    func router(_ number: Int, _ distance: Double, _ fraction: Double) -> (Double, Double) {
      let group = number / routers
      let (gx, gy) =
        groups == 1 ? (0, 0) : Self.onCircle(group, of: groups, radius)
      // A group turns with its place, so that its hosts may look outwards.
      let turn =
        2 * Double.pi
        * (Double(group) / Double(groups) + (Double(number % routers) + fraction) / Double(routers))
      return (
        centre.x + gx + distance * Angle.sine(turn),
        centre.y + gy - distance * Angle.cosine(turn)
      )
    }
    addAll(shape) { node in
      if node >= hosts { return router(node - hosts, own, 0) }
      let (number, place) = (node / dragonfly.hostsPerRouter, node % dragonfly.hostsPerRouter)
      let fraction =
        (Double(place) + 0.5) / Double(dragonfly.hostsPerRouter) * 0.8 - 0.4
      return router(number, own + min(0.06, own * 0.6), fraction)
    }
    for group in 0..<groups {
      let (x, y) = groups == 1 ? (0, 0) : Self.onCircle(group, of: groups, radius)
      labels.append((centre.x + x, centre.y + y, "g\(group)"))
    }
    setSpacing()
  }

  private mutating func placeSites(_ shape: TopologyShape) {
    let topology = shape.topology
    let sites = topology.nodeNames.indices.filter { shape.tiers[$0] > 0 }
    var siteOf = [Int](repeating: -1, count: topology.nodeCount)
    for (position, node) in sites.enumerated() { siteOf[node] = position }
    var hosts = [[Int]](repeating: [], count: sites.count)
    for cable in shape.cables {
      for (host, site) in [(cable.a, cable.b), (cable.b, cable.a)]
      where siteOf[host] < 0 && siteOf[site] >= 0 {
        hosts[siteOf[site]].append(host)
      }
    }
    height = 0.8
    let radius = sites.count == 1 ? 0 : 0.24
    var places = [(x: Double, y: Double)](repeating: (0.5, 0.4), count: topology.nodeCount)
    for (position, node) in sites.enumerated() {
      let angle = 2 * Double.pi * Double(position) / Double(max(1, sites.count))
      let (x, y) = Self.onCircle(position, of: max(1, sites.count), radius)
      places[node] = (0.5 + x, 0.4 + y)
      // Half a circle of hosts, on the side that looks away from the other sites.
      let width =
        sites.count == 1 ? 2 * Double.pi : min(Double.pi, 2 * .pi / Double(sites.count) * 1.2)
      for (number, host) in hosts[position].enumerated() {
        let share = (Double(number) + 0.5) / Double(hosts[position].count) - 0.5
        let turn = angle + width * share
        places[host] = (
          places[node].x + 0.12 * Angle.sine(turn),
          places[node].y - 0.12 * Angle.cosine(turn)
        )
      }
    }
    addAll(shape) { places[$0] }
    setSpacing()
  }

  /// Takes the least distance between any two spots.
  private mutating func setSpacing() {
    var least = 0.1
    for (index, a) in spots.enumerated() {
      for b in spots[..<index] {
        let (x, y) = (a.x - b.x, a.y - b.y)
        least = min(least, (x * x + y * y).squareRoot())
      }
    }
    spacing = least
  }

  // MARK: - Too many

  /// A box for the accelerators of each switch, or where that is still too much, for each tier.
  private mutating func placeAlike(_ shape: TopologyShape) {
    let topology = shape.topology
    let tiers = shape.tiers
    // What an accelerator hangs on: its first switch.
    var above = [Int](repeating: -1, count: topology.nodeCount)
    for cable in shape.cables {
      if tiers[cable.a] == 0, tiers[cable.b] > 0, above[cable.a] < 0 { above[cable.a] = cable.b }
      if tiers[cable.b] == 0, tiers[cable.a] > 0, above[cable.b] < 0 { above[cable.b] = cable.a }
    }
    let switches = tiers.count(where: { $0 > 0 })
    let highest = tiers.max() ?? 0
    var group = [Int](repeating: 0, count: topology.nodeCount)
    if highest > 0, switches * 2 <= Self.nodeLimit {
      // Groups are numbered by switch; those of accelerators come after them.
      var numbers = [Int](repeating: -1, count: topology.nodeCount)
      var count = 0
      for node in tiers.indices where tiers[node] > 0 {
        numbers[node] = count
        count += 1
      }
      for node in tiers.indices {
        group[node] = tiers[node] > 0 ? numbers[node] : switches + numbers[above[node]]
      }
      caveat = "\(topology.accelerators.count) \(shape.tierNames[0])s are drawn as one box a switch"
    } else {
      for node in tiers.indices { group[node] = tiers[node] }
      caveat = "\(topology.nodeCount) nodes are drawn as one box a tier"
    }
    makeGroups(shape, group)
    let rows = (0...highest).map { tier in spots.indices.filter { spots[$0].tier == tier } }
    var widest = 1
    for (tier, row) in rows.enumerated() {
      widest = max(widest, row.count)
      let y = Double(highest - tier) * 0.2 + 0.06
      for (position, spot) in row.enumerated() {
        spots[spot].x = (Double(position) + 0.5) / Double(row.count)
        spots[spot].y = y
      }
      layers.append(
        (y, TopologyShape.counted(shape.nodes(ofTier: tier).count, shape.tierNames[tier])))
    }
    height = Double(highest) * 0.2 + 0.12
    spacing = 1 / Double(widest)
  }

  private mutating func makeGroups(_ shape: TopologyShape, _ group: [Int]) {
    var place = [Int](repeating: -1, count: (group.max() ?? 0) + 1)
    for node in group.indices {
      if place[group[node]] < 0 {
        place[group[node]] = spots.count
        spots.append(
          Spot(
            x: 0, y: 0, tier: shape.tiers[node], name: shape.topology.nodeNames[node], count: 0))
      }
      spots[place[group[node]]].count += 1
    }
    for index in spots.indices where spots[index].count > 1 {
      spots[index].name = TopologyShape.counted(
        spots[index].count, shape.tierNames[spots[index].tier])
    }
    // Looked up only; `lines` keeps the order of the first cable.
    var known: [UInt64: Int] = [:]
    for cable in shape.cables {
      let (first, second) = (place[group[cable.a]], place[group[cable.b]])
      if first == second { continue }
      let (a, b) = (min(first, second), max(first, second))
      let key = UInt64(a) << 32 | UInt64(b)
      if let line = known[key] {
        lines[line].links += cable.forward + cable.back
        lines[line].cables += cable.count
      } else {
        known[key] = lines.count
        lines.append(
          Line(a: a, b: b, links: cable.forward + cable.back, cables: cable.count, bend: 0))
      }
    }
  }
}
