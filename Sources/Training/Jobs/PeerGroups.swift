import Collectives

/// Who exchanges encoded gradients with whom.
///
/// Usually all workers do. Where only what travels between hosts is compressed, the workers of a host
/// share the gradient among them, and each exchanges its share with those in its place on the other
/// hosts.
struct PeerGroups: Equatable {
  /// The groups that exchange encoded payloads; empty for one group of all workers.
  private(set) var groups: [[Int]]
  /// The workers of every host; empty unless compression is between hosts.
  private(set) var hosts: [[Int]]
  /// The place of every worker's host in `hosts`; empty with it.
  private var hostPlaces: [Int] = []
  /// Workers in one group.
  private(set) var count: Int
  /// Into how many parts the workers of a host cut the gradient.
  private(set) var shares: Int
  /// What a group may know about its ranks.
  private(set) var shape: GroupShape

  /// One group of all workers; `hosts` is the host of each.
  init(hosts: [Int]) {
    groups = []
    self.hosts = []
    count = hosts.count
    shares = 1
    shape = GroupShape(hosts: hosts)
  }

  /// Groups across hosts; nil if hosts have different numbers of workers.
  init?(betweenHosts hosts: [Int]) {
    let members = Self.members(hosts)
    let perHost = members.first?.count ?? 1
    guard members.allSatisfy({ $0.count == perHost }) else { return nil }
    self.init(hosts: hosts)
    if perHost == 1 { return }
    self.hosts = members
    hostPlaces = Array(repeating: 0, count: hosts.count)
    for (place, workers) in members.enumerated() {
      for worker in workers { hostPlaces[worker] = place }
    }
    groups = (0..<perHost).map { place in members.map { $0[place] } }
    count = members.count
    shares = perHost
    shape = GroupShape(rankCount: members.count)
  }

  /// The workers of every host, hosts in the order of their first workers.
  static func members(_ hosts: [Int]) -> [[Int]] {
    var order: [Int: Int] = [:]
    var members: [[Int]] = []
    for (worker, host) in hosts.enumerated() {
      if let place = order[host] {
        members[place].append(worker)
      } else {
        order[host] = members.count
        members.append([worker])
      }
    }
    return members
  }

  /// Which representative's payload `worker` sends: its own, or that of its host.
  func representative(of worker: Int) -> Int {
    hosts.isEmpty ? worker : hostPlaces[worker]
  }

  /// What one worker handles of `elements`: the largest share.
  func share(_ elements: Int) -> Int { (elements + shares - 1) / shares }
}
