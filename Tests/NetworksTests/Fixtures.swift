import Networks
import SimKernel
import Testing

let tenGigabit = LinkSpecification(bandwidth: .gigabitsPerSecond(10), latency: .microseconds(2))

/// A link without latency.
func plain(_ bitsPerSecond: Int64) -> LinkSpecification {
  LinkSpecification(bandwidth: .bitsPerSecond(bitsPerSecond))
}

func request(
  _ topology: Topology, _ from: Int, _ to: Int, _ bytes: Int64, at start: SimTime = .zero
) -> FlowRequest {
  FlowRequest(
    source: topology.accelerators[from], destination: topology.accelerators[to],
    size: .bytes(bytes), start: start)
}

func transfer(
  _ topology: Topology, _ sequence: Int64, _ from: Int, _ to: Int, _ bytes: Int64, group: Int = 0
) -> Transfer {
  Transfer(
    id: TransferID(job: JobID(0), sequence: sequence), group: GroupID(group),
    source: topology.accelerators[from], destination: topology.accelerators[to],
    size: .bytes(bytes))
}

func picoseconds(_ time: SimTime?) -> Int64? { time?.picoseconds }

/// One small instance of every registered topology.
let smallTopologies: [(kind: String, json: String)] = [
  ("star", #"{"kind":"star","hosts":5,"link":{"bandwidth":"10 Gbps","latency":"2 us"}}"#),
  ("ring", #"{"kind":"ring","hosts":7,"link":{"bandwidth":"10 Gbps","latency":"2 us"}}"#),
  ("full_mesh", #"{"kind":"full_mesh","hosts":5,"link":{"bandwidth":"10 Gbps"}}"#),
  (
    "leaf_spine",
    #"{"kind":"leaf_spine","leaves":3,"spines":2,"hosts_per_leaf":[2,3,1],"host_link":{"bandwidth":"10 Gbps","latency":"2 us"},"fabric_link":{"bandwidth":"40 Gbps","latency":"1 us"}}"#
  ),
  ("fat_tree", #"{"kind":"fat_tree","k":4,"link":{"bandwidth":"10 Gbps","latency":"1 us"}}"#),
  ("torus", #"{"kind":"torus","dimensions":[4,3,2],"link":{"bandwidth":"10 Gbps"}}"#),
  (
    "dragonfly",
    #"{"kind":"dragonfly","routers_per_group":4,"hosts_per_router":2,"global_links_per_router":2,"groups":5,"host_link":{"bandwidth":"10 Gbps"},"local_link":{"bandwidth":"10 Gbps"},"global_link":{"bandwidth":"10 Gbps","latency":"1 us"}}"#
  ),
  (
    "hosts",
    #"{"kind":"hosts","hosts":3,"accelerators_per_host":4,"nics_per_host":2,"inner_link":{"bandwidth":"600 Gbps","latency":"300 ns"},"nic_link":{"bandwidth":"100 Gbps","latency":"1 us"},"fabric":{"leaves":2,"spines":2,"fabric_link":{"bandwidth":"100 Gbps","latency":"1 us"}}}"#
  ),
  (
    "pods",
    #"{"kind":"pods","hosts":3,"hosts_per_pod":2,"accelerators_per_host":4,"nics_per_host":2,"inner_link":{"bandwidth":"300 GB/s"},"nic_link":{"bandwidth":"200 Gbps","latency":"1 us"},"spines":2,"spine_link":{"bandwidth":"400 Gbps"}}"#
  ),
  (
    "wan",
    #"{"kind":"wan","sites":[{"name":"paris","hosts":[{"count":2,"bandwidth":"10 Gbps"},{"bandwidth":"1 Gbps"}]},{"name":"oslo","hosts":[{"bandwidth":"2 Gbps","latency":"5 ms","back":{"bandwidth":"5 Gbps"}}]},{"name":"via"}],"links":[{"from":"paris","to":"via","bandwidth":"1 Gbps","latency":"8 ms"},{"from":"via","to":"oslo","bandwidth":"1 Gbps","latency":"9 ms","back":{"latency":"30 ms"}}]}"#
  ),
  (
    "graph",
    #"{"kind":"graph","nodes":[{"name":"a","accelerator":true},{"name":"b","accelerator":true},{"name":"s"}],"links":[{"from":"a","to":"s","bandwidth":"1 Gbps"},{"from":"s","to":"b","bandwidth":"2 Gbps","latency":"1 us"}]}"#
  ),
  ("preset", #"{"kind":"preset","preset":"8xa100_pod","hosts":2}"#),
]

/// The names of the links that a pair takes.
func way(_ topology: Topology, _ from: Int, _ to: Int, key: UInt64 = 0) -> [String] {
  topology.route(from: topology.accelerators[from], to: topology.accelerators[to], key: key)!
    .map { topology.links[$0.index].name }
}

/// Expects a way between all pairs, each connected and without a link that occurs twice; returns the
/// number of links of the longest.
func longestWay(_ topology: Topology, keys: [UInt64] = [0, 5]) -> Int {
  var longest = 0
  for from in topology.accelerators {
    for to in topology.accelerators {
      for key in keys {
        guard let route = topology.route(from: from, to: to, key: key) else {
          Testing.Issue.record("no way from \(from) to \(to)")
          continue
        }
        #expect(route == topology.route(from: from, to: to, key: key))
        var place = from
        for link in route {
          #expect(topology.links[link.index].from == place)
          place = topology.links[link.index].to
        }
        #expect(place == to && Set(route).count == route.count)
        longest = max(longest, route.count)
      }
    }
  }
  return longest
}

/// Reads a topology; the issues say what is wrong with it.
func read(_ json: String) throws -> (any TopologySpecification, [SimKernel.Issue]) {
  let issues = IssueCollector()
  let node = try JSONNode.parse(json, origin: "test")
  let value = FieldReader.member(
    of: TopologyCatalog.registry, node, path: FieldPath(["topology"]), issues: issues)
  return (value, issues.issues)
}

func topology(_ kind: String) throws -> Topology {
  try read(smallTopologies.first { $0.kind == kind }!.json).0.makeTopology()
}

/// A network that expectations can mention, which noncopyable values they cannot.
final class NetworkBox {
  private var network: any NetworkModel & ~Copyable

  init(_ network: consuming any NetworkModel & ~Copyable) { self.network = network }

  func send(_ transfer: Transfer, at now: SimTime) { network.send(transfer, at: now) }
  func cancel(group: GroupID, at now: SimTime) { network.cancel(group: group, at: now) }
  func change(link: LinkID, bandwidth: Bandwidth?, up: Bool?, at now: SimTime) {
    network.change(link: link, bandwidth: bandwidth, up: up, at: now)
  }
  func advance(to now: SimTime) { network.advance(to: now) }
  var nextEventTime: SimTime { network.nextEventTime }
  var waiting: [WaitingTransfer] { network.waiting }
  func usage(of link: LinkID) -> LinkUsage { network.usage(of: link) }
  func drain() -> [Notice] {
    var notices: [Notice] = []
    network.drain(into: &notices)
    return notices
  }

  /// Advances through all events and returns every notice with its instant, -1 for the first ones.
  func play() -> [(at: Int64, notice: Notice)] {
    var result: [(Int64, Notice)] = drain().map { (-1, $0) }
    while nextEventTime != .never {
      let now = nextEventTime
      advance(to: now)
      result += drain().map { (now.picoseconds, $0) }
    }
    return result
  }
}
