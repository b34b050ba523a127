import Networks
import SimKernel
import Synchronization

/// What the links of one run carried.
public struct LinkLoads: Sendable {
  public var topology: Topology
  /// By link.
  public var usage: [LinkUsage]
  /// How long the run took, warm-up included.
  public var duration: SimDuration

  /// The share of the run in which something crossed `link`.
  public func busyShare(_ link: Int) -> Double {
    duration > .zero ? usage[link].busy.seconds / duration.seconds : 0
  }
}

/// What every link of every run of a sweep carried, for a file beside the results.
///
/// Runs that a journal holds are not repeated and leave no account, so a sweep that wants one runs
/// without a journal.
public final class LinkAccounts: Sendable {
  /// What one run left behind.
  struct Account: Sendable {
    var topology: Topology
    var usage: [LinkUsage]
    /// Empty if the model has no ports.
    var ports: [PortReport]
    var end: SimTime
  }

  private struct Key: Hashable {
    var configuration: Int32
    var replicate: Int32
  }

  // Looked up only, never walked: the order of the file is that of the points.
  private let accounts = Mutex<[Key: Account]>([:])

  /// No accounts yet.
  public init() {}

  func record(_ account: Account, configuration: Int32, replicate: Int32) {
    let key = Key(configuration: configuration, replicate: replicate)
    accounts.withLock { $0[key] = account }
  }

  /// The columns of ``write(to:of:)``.
  ///
  /// `busy_share` is the share of the run in which something crossed the link, `utilization` the
  /// payload it carried over what its line rate would have; columns of ports are empty where the
  /// model has none.
  public static let columns =
    [
      "point", "replicate", "link", "from", "to", "bandwidth_bits_per_s", "bytes", "busy_s",
      "busy_share", "utilization",
    ] + PortReport.columns

  /// Writes every link of every finished run of `runner` to `path`, in the order of points; the
  /// ending decides the format.
  public func write(to path: String, of runner: SweepRunner) throws {
    try RowFormat.write(to: path, Self.columns) { emit in
      for entry in runner.survey.entries {
        for replicate in 0..<entry.replicates {
          let key = Key(configuration: entry.own, replicate: replicate)
          guard let account = accounts.withLock({ $0[key] }) else { continue }
          let head = [String(entry.point), String(replicate)]
          for link in account.usage.indices { try emit(head + Self.row(account, link)) }
        }
      }
    }
  }

  /// What the links of the only point of `runner` carried; nil if it was not run.
  func loads(of runner: SweepRunner, replicate: Int) -> LinkLoads? {
    guard let entry = runner.survey.entries.first else { return nil }
    let key = Key(configuration: entry.own, replicate: Int32(replicate))
    return accounts.withLock { $0[key] }.map {
      LinkLoads(topology: $0.topology, usage: $0.usage, duration: $0.end - SimTime.zero)
    }
  }

  private static func row(_ account: Account, _ index: Int) -> [String] {
    let (topology, usage) = (account.topology, account.usage[index])
    let link = topology.links[index]
    let length = (account.end - SimTime.zero).seconds
    let volume = Double(link.bandwidth.bitsPerSecond) * length
    let cells = [
      link.name, topology.nodeNames[link.from.index], topology.nodeNames[link.to.index],
      String(link.bandwidth.bitsPerSecond), String(usage.carried.bytes), usage.busy.exactSeconds,
      JSONNumber.shortest(length > 0 ? usage.busy.seconds / length : 0),
      JSONNumber.shortest(volume > 0 ? Double(usage.carried.bytes) * 8 / volume : 0),
    ]
    return cells + PortReport.cells(account.ports.isEmpty ? nil : account.ports[index])
  }
}
