import SimKernel

/// The build that made a number: two builds of one version may still have other columns.
public struct BuildVersion: Hashable, Sendable, CustomStringConvertible {
  /// The version of simnet.
  public var simnet: String
  /// The version of libzstd that it compresses with.
  public var libzstd: String
  /// Names the columns of a result.
  public var columns: String

  /// This build.
  public static let current: BuildVersion = {
    var digest = StableHash()
    for name in ResultColumns.measurements { digest.combine(name) }
    return BuildVersion(
      simnet: SimnetVersion.current, libzstd: SimnetVersion.libzstd,
      columns: StableHash.hexadecimal(digest.words.0))
  }()

  init(simnet: String, libzstd: String, columns: String) {
    self.simnet = simnet
    self.libzstd = libzstd
    self.columns = columns
  }

  /// The build that a line of ``description`` names; nil for any other line.
  init?(line: String) {
    let parts = line.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 6, parts[0] == "simnet", parts[2] == "libzstd", parts[4] == "columns"
    else { return nil }
    self.init(simnet: String(parts[1]), libzstd: String(parts[3]), columns: String(parts[5]))
  }

  /// `simnet 1.0 libzstd 1.5 columns 0123456789abcdef`.
  public var description: String { "simnet \(simnet) libzstd \(libzstd) columns \(columns)" }
}
