import SimKernel

/// What others take of some links all the time, as one entry under `network.background`.
///
/// A constant share: (1 - load) x bandwidth is left for what is simulated, under every model. Bursts
/// of others, which would queue, are not modelled; give them as a job of their own.
public struct BackgroundLoad: Sendable, Equatable {
  /// The links concerned, by name.
  public var links: NamePattern
  /// The share of their bandwidth that is taken, more than 0 and less than 1.
  public var load: Double

  public init(links: NamePattern, load: Double) {
    self.links = links
    self.load = load
  }

  init(_ fields: inout FieldReader) {
    links = NamePattern(
      fields.required(
        "links", .text("a pattern of link names", example: "leaf*->spine*"),
        doc: "directed links whose names match; * stands for any characters, ? for one"))
    load = fields.required("load", .fraction, doc: "the share of their bandwidth that is taken")
    if load >= 1 {
      fields.report(
        "load", .outOfRange(found: "\(load)", expected: "less than 1, or nothing would be left"))
      load = 0
    }
  }
}

/// The background of every link of a topology.
public struct Background: Sendable {
  /// What is left of each link's bandwidth, from 0 to 1; empty if nothing is taken.
  private let left: [Double]

  /// Adds up `loads` on the links of `topology`.
  ///
  /// A pattern without a link, and loads that leave nothing of one, become issues at
  /// `network.background` in `root`.
  public init(
    _ loads: [BackgroundLoad], _ topology: Topology, root: JSONNode, issues: IssueCollector
  ) {
    if loads.isEmpty {
      left = []
      return
    }
    var taken = [Double](repeating: 0, count: topology.links.count)
    for (index, entry) in loads.enumerated() {
      var isUsed = false
      var full: Link?
      for (link, value) in topology.links.enumerated() where entry.links.matches(value.name) {
        isUsed = true
        taken[link] += entry.load
        if taken[link] >= 1 { full = full ?? value }
      }
      let path = ["network", "background", String(index), isUsed ? "load" : "links"]
      func report(_ problem: Issue.Problem) {
        issues.report(
          Issue(path: FieldPath(path), position: root.get(path)?.position, problem: problem))
      }
      if !isUsed {
        let names = topology.links.prefix(4).map(\.name).joined(separator: ", ")
        report(
          .invalid(
            found: "\(topology.name) has no link \"\(entry.links.text)\"",
            expected: "its \(topology.links.count) links are called \(names), ..."))
      } else if let full {
        report(.conflict("the loads on \(full.name) leave nothing of it; give less than 1 in all"))
      }
    }
    left = taken.map { max(0, 1 - $0) }
  }

  /// What is left of `bandwidth` on `link`.
  public func remaining(of bandwidth: Bandwidth, on link: LinkID) -> Bandwidth {
    left.isEmpty || left[link.index] == 1
      ? bandwidth
      : .bitsPerSecond(Int64((Double(bandwidth.bitsPerSecond) * left[link.index]).rounded()))
  }

  /// `topology` with what is left of each link.
  public func applied(to topology: Topology) -> Topology {
    if left.isEmpty { return topology }
    var index = 0
    return topology.mapLinks { link in
      link.bandwidth = remaining(of: link.bandwidth, on: LinkID(index))
      index += 1
    }
  }
}
