import SimKernel

/// Nodes and links given one by one, with optional fixed routes.
///
/// Every node marked `accelerator` takes a rank, in the order written; accelerators that name the
/// same `host` share it. Other nodes are switches; one that names a host lies inside it, and links
/// inside a host are inner links.
public struct GraphTopology: TopologySpecification {
  /// A node.
  public struct Node: Sendable, Equatable {
    public var name: String
    public var isAccelerator: Bool
    /// The host it belongs to; its own name if nil.
    public var host: String?
    public init(_ name: String, isAccelerator: Bool = false, host: String? = nil) {
      self.name = name
      self.isAccelerator = isAccelerator
      self.host = host
    }
    /// The host whose inside it belongs to; nil for a switch of the network.
    var hostName: String? { host ?? (isAccelerator ? name : nil) }

    init(_ fields: inout FieldReader) {
      name = fields.required("name", .text("a name"), doc: "name, used by links")
      isAccelerator = fields.optional(
        "accelerator", .bool, default: false, doc: "whether a rank can be placed here")
      host = fields.optional(
        "host", .text("the name of a host"),
        doc: "accelerators with the same host share it, and links inside one host are inner links; "
          + "an accelerator is its own host if absent")
    }
  }

  /// A link, or a cable of two.
  public struct Edge: Sendable, Equatable {
    public var from: String
    public var to: String
    public var link: LinkSpecification
    /// The way back of a cable.
    public var back: LinkSpecification
    public var isDuplex: Bool
    public var name: String?
    /// A cable whose ways are alike unless `back` is given.
    public init(
      from: String, to: String, _ link: LinkSpecification, back: LinkSpecification? = nil,
      isDuplex: Bool = true, name: String? = nil
    ) {
      self.from = from
      self.to = to
      self.link = link
      self.back = back ?? link
      self.isDuplex = isDuplex
      self.name = name
    }
    init(_ fields: inout FieldReader) {
      from = fields.required("from", .text("the name of a node"), doc: "where it starts")
      to = fields.required("to", .text("the name of a node"), doc: "where it ends")
      link = LinkSpecification(&fields)
      isDuplex = fields.optional(
        "duplex", .bool, default: true, doc: "whether there is a link back")
      back = link.back(&fields, doc: "what differs on the link back; nothing if absent")
      if !isDuplex, fields.has("back") {
        fields.report("back", .conflict("without duplex there is no way back; remove one of both"))
      }
      name = fields.optional(
        "name", .text("a name"), doc: "name used by routes and messages; `from->to` if absent")
    }
  }

  /// A fixed route.
  public struct Route: Sendable, Equatable {
    public var from: String
    public var to: String
    public var via: [String]
    public init(from: String, to: String, via: [String]) {
      self.from = from
      self.to = to
      self.via = via
    }
    init(_ fields: inout FieldReader) {
      from = fields.required("from", .text("the name of a node"), doc: "where the route starts")
      to = fields.required("to", .text("the name of a node"), doc: "where it ends")
      via = fields.required(
        "via", .list(of: .text("the name of a link", example: "a->b")),
        doc: "names of the links in order; the way back of a duplex link is `to->from`")
    }
  }

  public var nodes: [Node]
  public var edges: [Edge]
  public var routes: [Route]

  /// - Precondition: names are unique and links and routes name existing things.
  public init(nodes: [Node], edges: [Edge], routes: [Route] = []) {
    self.nodes = nodes
    self.edges = edges
    self.routes = routes
    precondition(problems.isEmpty, problems.map(\.text).joined(separator: "; "))
  }

  public init(_ fields: inout FieldReader) {
    nodes = fields.records("nodes", doc: "hosts, accelerators and switches") { Node(&$0) }
    edges = fields.records("links", doc: "links between nodes") { Edge(&$0) }
    routes = fields.records("routes", doc: "fixed routes; other pairs take a shortest way") {
      Route(&$0)
    }
    if fields.isDescribing { return }
    let found = problems
    for problem in found {
      fields.report(problem.key, .invalid(found: problem.text, expected: problem.remedy))
    }
    if !found.isEmpty {
      (nodes, edges, routes) = ([Node("a", isAccelerator: true)], [], [])
      return
    }
    let topology = makeTopology()
    if let (a, b) = topology.checkReachability() {
      fields.report(
        "links",
        .invalid(
          found: "accelerator \"\(topology.nodeNames[b.index])\" cannot be reached from "
            + "\"\(topology.nodeNames[a.index])\"",
          expected: "add links that join them"))
    }
  }

  public var acceleratorCount: Int { nodes.count(where: \.isAccelerator) }

  public func makeTopology() -> Topology {
    let (ids, hosts) = numbering
    var builder = TopologyBuilder(name: "graph(\(nodes.count) nodes)")
    for node in nodes {
      if node.isAccelerator {
        _ = builder.addAccelerator(node.name, host: hosts[node.hostName!]!)
      } else {
        _ = builder.addSwitch(node.name)
      }
    }
    var links: [String: LinkID] = [:]
    for edge in edges {
      let (from, to) = (ids[edge.from]!, ids[edge.to]!)
      let (a, b) = (nodes[from.index], nodes[to.index])
      let inner = a.hostName != nil && a.hostName == b.hostName
      let name = edge.name ?? "\(edge.from)->\(edge.to)"
      links[name] = builder.link(from: from, to: to, edge.link, name: name, inner: inner)
      if edge.isDuplex {
        let back = "\(edge.to)->\(edge.from)"
        links[back] = builder.link(from: to, to: from, edge.back, name: back, inner: inner)
      }
    }
    for route in routes {
      builder.route(from: ids[route.from]!, to: ids[route.to]!, over: route.via.map { links[$0]! })
    }
    return builder.build()
  }

  /// Node ids by name, and host numbers by name, in the order written.
  private var numbering: (nodes: [String: NodeID], hosts: [String: Int]) {
    var ids: [String: NodeID] = [:]
    var hosts: [String: Int] = [:]
    for (index, node) in nodes.enumerated() {
      ids[node.name] = NodeID(index)
      if node.isAccelerator, let host = node.hostName, hosts[host] == nil {
        hosts[host] = hosts.count
      }
    }
    return (ids, hosts)
  }

  private struct Problem {
    var key: String
    var text: String
    var remedy: String
  }

  private var problems: [Problem] {
    var found: [Problem] = []
    func checkName(_ name: String, _ key: String, _ noun: String) {
      guard let (text, remedy) = PlaceName.problem(name, of: noun) else { return }
      found.append(Problem(key: key, text: text, remedy: remedy))
    }
    for node in nodes { checkName(node.name, "nodes", "node") }
    for edge in edges { if let name = edge.name { checkName(name, "links", "link") } }
    var names: Set<String> = []
    for node in nodes where !names.insert(node.name).inserted {
      found.append(
        Problem(key: "nodes", text: "two nodes are called \"\(node.name)\"", remedy: "rename one"))
    }
    if acceleratorCount == 0 {
      found.append(
        Problem(
          key: "nodes", text: "no node takes a rank",
          remedy: #"write "accelerator": true at the nodes that do"#))
    }
    let known = nodes.map(\.name)
    func check(_ name: String, _ key: String, _ owner: String) {
      if names.contains(name) { return }
      let hint = Spelling.suggestion(for: name, among: known).map { "did you mean \"\($0)\"?" }
      found.append(
        Problem(
          key: key, text: "\(owner) names an unknown node \"\(name)\"",
          remedy: hint ?? "add it to nodes"))
    }
    var ends: [String: (from: String, to: String)] = [:]
    func addLink(_ name: String, _ from: String, _ to: String) {
      if ends.updateValue((from, to), forKey: name) != nil {
        found.append(
          Problem(
            key: "links", text: "two links are called \"\(name)\"",
            remedy: "name one of them, or write duplex: false"))
      }
    }
    for edge in edges {
      let owner = "the link \(edge.name ?? "\(edge.from)->\(edge.to)")"
      check(edge.from, "links", owner)
      check(edge.to, "links", owner)
      if edge.from == edge.to {
        found.append(
          Problem(key: "links", text: "\(owner) joins a node to itself", remedy: "remove it"))
        continue
      }
      addLink(edge.name ?? "\(edge.from)->\(edge.to)", edge.from, edge.to)
      if edge.isDuplex { addLink("\(edge.to)->\(edge.from)", edge.to, edge.from) }
    }
    for route in routes {
      let owner = "the route \(route.from)->\(route.to)"
      check(route.from, "routes", owner)
      check(route.to, "routes", owner)
      if route.via.isEmpty {
        found.append(
          Problem(key: "routes", text: "\(owner) has no links", remedy: "list them in order"))
        continue
      }
      var place = route.from
      for name in route.via {
        guard let link = ends[name] else {
          found.append(
            Problem(
              key: "routes", text: "\(owner) names an unknown link \"\(name)\"",
              remedy: "links are named `from->to` unless they have a name"))
          break
        }
        if link.from != place {
          found.append(
            Problem(
              key: "routes", text: "\(owner) is broken: \"\(name)\" does not start at \"\(place)\"",
              remedy: "list its links in order"))
          break
        }
        place = link.to
      }
      if Set(route.via).count < route.via.count {
        found.append(
          Problem(key: "routes", text: "\(owner) uses a link twice", remedy: "remove the detour"))
      }
      if ends[route.via.last ?? ""]?.to != route.to, found.isEmpty {
        found.append(
          Problem(
            key: "routes", text: "\(owner) ends at \"\(place)\"", remedy: "let it end at its target"
          ))
      }
    }
    return found
  }
}
