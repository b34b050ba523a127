/// The device of every host of a cluster, where not all have the same.
public struct HostDevices: Sendable {
  /// The cluster's, then those of single hosts.
  public private(set) var profiles: [DeviceProfile]
  /// The position in ``profiles`` for each host.
  private var ofHost: [Int32]

  /// `device` on all `hosts`.
  public init(_ device: DeviceProfile, hosts: Int) {
    profiles = [device]
    ofHost = Array(repeating: 0, count: hosts)
  }

  /// Gives `hosts` another device.
  public mutating func set(_ device: DeviceProfile, on hosts: [Int]) {
    profiles.append(device)
    for host in hosts { ofHost[host] = Int32(profiles.count - 1) }
  }

  /// Whether `host` has the device of the cluster.
  public func isBase(_ host: Int) -> Bool { ofHost[host] == 0 }
  /// The position in ``profiles`` of what `host` has.
  func position(of host: Int) -> Int { Int(ofHost[host]) }
}

/// Workers with the same device: what they compute, and for how long.
struct WorkerClass: Sendable {
  var device: DeviceProfile
  var compute: ComputeTimes
}
