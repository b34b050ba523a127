import Networks
import SimKernel
import Training

/// What a scenario's faults do to single links, instant by instant.
///
/// A failure with a reroute time is played in two steps, which need no help from a network model: at
/// once the link carries nothing, though routing does not know, so that traffic on it and traffic
/// that starts stand still; when the time has passed it goes down, and traffic takes another way. If
/// it recovers in between, nothing was rerouted. Under the packet model what is on the link is lost at
/// once, what comes to its port waits there as far as it has room, and both are sent again.
struct FaultSchedule {
  /// A link between the two steps of its failure.
  private struct Silence {
    var link: LinkID
    var end: SimTime
  }

  private var changes: [LinkFault] = []
  private var silent: [Silence] = []
  private var isDown: [Bool]
  private var bandwidths: [Bandwidth]

  private let background: Background

  private init(_ topology: Topology, _ background: Background) {
    self.background = background
    isDown = [Bool](repeating: false, count: topology.links.count)
    bandwidths = topology.links.map(\.bandwidth)
  }

  /// The changes of links, ordered by time; names that `topology` lacks become issues at their place
  /// in `root`.
  ///
  /// Of the bandwidth that a fault gives a link, `background` takes its share, as it has of the links
  /// of `topology`. Crashes are left to the run, or taken for hosts that are cut off.
  static func links(
    of settings: [FaultSettings], _ topology: Topology, _ background: Background, root: JSONNode,
    crashesAreOutages: Bool = false, issues: IssueCollector
  ) -> [LinkFault] {
    if settings.isEmpty { return [] }
    var steps: [(fault: FaultSettings, links: [LinkID])] = []
    for (index, fault) in settings.enumerated() {
      switch find(fault.place, topology) {
      case .success(let links):
        if fault.crash == nil {
          steps.append((fault, links))
        } else if crashesAreOutages {
          for step in fault.outage { steps.append((step, links)) }
        }
      case .failure(let found):
        let path = ["faults", String(index)] + found.deeper
        issues.report(
          Issue(path: FieldPath(path), position: root.get(path)?.position, problem: found.problem))
      }
    }
    var schedule = FaultSchedule(topology, background)
    let ordered = steps.enumerated().sorted {
      ($0.element.fault.time, $0.offset) < ($1.element.fault.time, $1.offset)
    }
    for (_, step) in ordered { schedule.play(step.fault, step.links) }
    schedule.endSilences(until: .never)
    return schedule.changes
  }

  /// The hosts that crash, in the order of the list, and by chance.
  static func crashes(of scenario: Scenario) -> HostCrashes {
    var crashes = HostCrashes.none
    for fault in scenario.faults {
      guard let away = fault.crash, case .host(let host) = fault.place else { continue }
      crashes.listed.append(HostCrash(time: .zero + fault.time, host: host, away: away))
    }
    crashes.random = scenario.hostFailures.map {
      RandomCrashes(mean: $0.mean, away: $0.away, seed: scenario.seed, replicate: 0)
    }
    return crashes
  }

  /// The links of a place.
  private static func find(
    _ place: FaultSettings.Place, _ topology: Topology
  ) -> Result<[LinkID], Issue.Problem.Found> {
    switch place {
    case .link(let name):
      if let link = topology.links.firstIndex(where: { $0.name == name }) {
        return .success([LinkID(link)])
      }
      return .failure(unknown("link", name, topology.links.map(\.name), topology))
    case .node(let name):
      if let node = topology.nodeNames.firstIndex(of: name) {
        return .success(topology.links(of: NodeID(node)))
      }
      return .failure(unknown("node", name, topology.nodeNames, topology))
    case .host(let number):
      if number < topology.hostCount { return .success(topology.links(ofHost: number)) }
      return .failure(
        .init(
          .outOfRange(
            found: String(number),
            expected: "a host of \(topology.name): 0...\(topology.hostCount - 1)"),
          deeper: ["host"]))
    }
  }

  private static func unknown(
    _ key: String, _ name: String, _ names: [String], _ topology: Topology
  ) -> Issue.Problem.Found {
    let shown = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ..." : "")
    return .init(
      .invalid(
        found: "\(topology.name) has no \(key) \"\(name)\"",
        expected: Spelling.suggestion(for: name, among: names).map { "did you mean \"\($0)\"?" }
          ?? "its \(key)s are: \(shown)"),
      deeper: [key])
  }

  // MARK: - Playing

  private mutating func play(_ fault: FaultSettings, _ links: [LinkID]) {
    let now = SimTime.zero + fault.time
    endSilences(until: now)
    for link in links {
      let index = link.index
      let bandwidth = fault.bandwidth.map { background.remaining(of: $0, on: link) }
      if let bandwidth { bandwidths[index] = bandwidth }
      let place = silent.firstIndex { $0.link == link }
      switch (fault.isUp, place) {
      case (true?, let place?):
        silent.remove(at: place)
        add(now, link, bandwidths[index], nil)
      case (_, .some):
        // It carries nothing as it is; a new bandwidth counts from its recovery on.
        break
      case (false?, nil) where fault.rerouteTime > .zero && !isDown[index]:
        add(now, link, .bitsPerSecond(0), nil)
        silent.append(Silence(link: link, end: now + fault.rerouteTime))
      default:
        if let isUp = fault.isUp { isDown[index] = !isUp }
        add(now, link, bandwidth, fault.isUp)
      }
    }
  }

  /// Takes down what has been silent for long enough at `now`, in the order of time.
  private mutating func endSilences(until now: SimTime) {
    let due = silent.enumerated().filter { $0.element.end <= now && $0.element.end != .never }
      .sorted { ($0.element.end, $0.offset) < ($1.element.end, $1.offset) }
    silent.removeAll { $0.end <= now }
    for (_, silence) in due {
      isDown[silence.link.index] = true
      add(silence.end, silence.link, bandwidths[silence.link.index], false)
    }
  }

  private mutating func add(_ time: SimTime, _ link: LinkID, _ bandwidth: Bandwidth?, _ up: Bool?) {
    changes.append(LinkFault(time: time, link: link, bandwidth: bandwidth, isUp: up))
  }
}
