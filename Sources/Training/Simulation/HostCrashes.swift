import Networks
import SimKernel

/// A host that stops at once and comes back later, empty.
public struct HostCrash: Sendable, Equatable {
  public var time: SimTime
  public var host: Int
  /// How long it is away.
  public var away: SimDuration
  public init(time: SimTime, host: Int, away: SimDuration) {
    self.time = time
    self.host = host
    self.away = away
  }
}

/// Crashes that come by chance: each host runs for an exponential time of one mean, then crashes.
public struct RandomCrashes: Sendable, Equatable {
  /// Mean time of a host from its start, or return, to its next crash.
  public var mean: SimDuration
  public var away: SimDuration
  public var seed: UInt64
  public var replicate: Int
  public init(mean: SimDuration, away: SimDuration, seed: UInt64, replicate: Int) {
    self.mean = mean
    self.away = away
    self.seed = seed
    self.replicate = replicate
  }

  /// How long `host` runs before its crash number `number`, from 0.
  func gap(host: Int, number: Int) -> SimDuration {
    var stream = RandomStream(
      seed: seed, replicate: replicate, purpose: RandomPurpose("host crash"),
      entity: (host << 32) | number)
    return mean.scaled(by: stream.exponential())
  }
}

/// The crashes of a run.
public struct HostCrashes: Sendable, Equatable {
  public var listed: [HostCrash]
  public var random: RandomCrashes?
  public init(listed: [HostCrash] = [], random: RandomCrashes? = nil) {
    self.listed = listed
    self.random = random
  }
  public static let none = HostCrashes()
  public var isEmpty: Bool { listed.isEmpty && random == nil }
}

/// Which hosts are away, and what that and the faults of a scenario do to links.
struct HostStates {
  private let crashes: HostCrashes
  /// The hosts of the ranks of each job, ascending.
  private let hostsOfJob: [[Int]]
  private let jobsOfHost: [[Int]]
  /// When each host is back; in the past for those that are there.
  private var returns: [SimTime]
  /// How often each host has crashed by chance.
  private var counts: [Int]
  /// Whether faults have a link up.
  private var isUp: [Bool]
  /// How many hosts that are away a link belongs to.
  private var away: [Int32]

  init(_ crashes: HostCrashes, plans: [JobPlan], topology: Topology) {
    self.crashes = crashes
    if crashes.isEmpty {
      hostsOfJob = []
      jobsOfHost = []
      returns = []
      counts = []
      isUp = []
      away = []
      return
    }
    hostsOfJob = plans.map { plan in
      let hosts =
        plan.hosts.isEmpty
        ? topology.accelerators.indices.filter { plan.nodes.contains(topology.accelerators[$0]) }
          .map { topology.hostOfAccelerator[$0] } : plan.hosts
      return Array(Set(hosts)).sorted()
    }
    var jobs: [[Int]] = Array(
      repeating: [], count: max(topology.hostCount, (hostsOfJob.joined().max() ?? -1) + 1))
    for (job, hosts) in hostsOfJob.enumerated() { for host in hosts { jobs[host].append(job) } }
    jobsOfHost = jobs
    returns = Array(repeating: .zero, count: jobs.count)
    counts = Array(repeating: 0, count: jobs.count)
    isUp = Array(repeating: true, count: topology.links.count)
    away = Array(repeating: 0, count: topology.links.count)
  }

  /// The events of the first crash of every host.
  func firstEvents() -> [(event: JobEvent, time: SimTime)] {
    var events = crashes.listed.enumerated().map { index, crash in
      (JobEvent(world: .hostCrashes, rank: crash.host, index: index), crash.time)
    }
    for host in jobsOfHost.indices where !jobsOfHost[host].isEmpty {
      if let event = nextEvent(of: host, after: .zero) { events.append(event) }
    }
    return events
  }

  /// The next crash of `host` by chance, if it runs from `start` on; nil if there is none.
  private func nextEvent(of host: Int, after start: SimTime) -> (JobEvent, SimTime)? {
    guard let random = crashes.random else { return nil }
    let time = start + random.gap(host: host, number: counts[host])
    return time == .never ? nil : (JobEvent(world: .hostCrashes, rank: host, index: -1), time)
  }

  /// The jobs with ranks on `host`.
  func jobs(of host: Int) -> [Int] { host < jobsOfHost.count ? jobsOfHost[host] : [] }
  /// When all hosts of `job` are there.
  func isWhole(_ job: Int) -> SimTime {
    hostsOfJob[job].map { returns[$0] }.max() ?? .zero
  }

  /// `event` takes its host away; returns its return, and its next crash by chance unless `isOver`.
  ///
  /// A host that is away already stays away at least as long.
  mutating func crash(
    _ event: JobEvent, at now: SimTime, isOver: Bool
  ) -> [(event: JobEvent, time: SimTime)] {
    let host = Int(event.rank)
    let isListed = event.index >= 0
    let length = isListed ? crashes.listed[Int(event.index)].away : crashes.random!.away
    let end = now + length
    returns[host] = max(returns[host], end)
    var events: [(event: JobEvent, time: SimTime)] = []
    if end != .never { events.append((JobEvent(world: .hostReturns, rank: host, index: 0), end)) }
    if !isListed {
      counts[host] += 1
      if !isOver, let next = nextEvent(of: host, after: end) { events.append(next) }
    }
    return events
  }

  /// Counts a host of `link` as away or back; returns whether the link is up from now on.
  mutating func turn(_ link: LinkID, isAway: Bool) -> Bool {
    away[link.index] += isAway ? 1 : -1
    return isUp[link.index] && away[link.index] == 0
  }
  /// A fault changes `link`; returns whether it is up from now on, nil if that does not change.
  mutating func fault(_ link: LinkID, isUp up: Bool?) -> Bool? {
    guard let up, !crashes.isEmpty else { return up }
    isUp[link.index] = up
    return up && away[link.index] == 0
  }
}
