import SimKernel

/// Ways between hosts of different sites by least latency, as routing protocols with link costs
/// find them; ties go to fewer links, then to the site and the link given first.
struct SiteRouting: RoutingRule {
  private let siteOfHost: [Int32]
  /// From each host to its site's router; the link back has the next number.
  private let accessLinks: [Int32]
  /// `next[goal * sites + site]` is the link to take at `site`, or -1 if there is no way.
  private let next: [Int32]
  private let ends: [Int32]
  private let firstLink: Int
  private let sites: Int

  /// Links between sites are numbered from `firstLink` on.
  ///
  /// - Complexity: O(sites² · sites) time for dense networks, O(sites²) memory.
  init(
    sites: Int, siteOfHost: [Int32], accessLinks: [Int32], firstLink: Int,
    links: [(from: Int, to: Int, latency: SimDuration)]
  ) {
    self.sites = sites
    self.siteOfHost = siteOfHost
    self.accessLinks = accessLinks
    self.firstLink = firstLink
    ends = links.map { Int32($0.to) }
    var into = [[Int]](repeating: [], count: sites)
    for (index, link) in links.enumerated() { into[link.to].append(index) }
    var next = [Int32](repeating: -1, count: sites * sites)
    for goal in 0..<sites {
      // Dijkstra from the goal backwards; a cost is (latency, links).
      var costs = [(SimDuration, Int)](repeating: (.unbounded, .max), count: sites)
      var isDone = [Bool](repeating: false, count: sites)
      costs[goal] = (.zero, 0)
      while true {
        var nearest = -1
        for site in 0..<sites where !isDone[site] && costs[site].1 != .max {
          if nearest < 0 || costs[site] < costs[nearest] { nearest = site }
        }
        if nearest < 0 { break }
        isDone[nearest] = true
        for index in into[nearest] {
          let from = links[index].from
          let cost = (costs[nearest].0 + links[index].latency, costs[nearest].1 + 1)
          if cost < costs[from] {
            costs[from] = cost
            next[goal * sites + from] = Int32(firstLink + index)
          }
        }
      }
    }
    self.next = next
  }

  var sharesShortestWays: Bool { false }

  func route(from source: Int, to target: Int, key: UInt64) -> [LinkID]? {
    var path = [LinkID(rawValue: accessLinks[source])]
    var site = Int(siteOfHost[source])
    let goal = Int(siteOfHost[target])
    while site != goal {
      let link = next[goal * sites + site]
      if link < 0 { return nil }
      path.append(LinkID(rawValue: link))
      site = Int(ends[Int(link) - firstLink])
    }
    path.append(LinkID(rawValue: accessLinks[target] + 1))
    return path
  }
}
