import SimKernel

/// The measured bus bandwidths that SimAI's analytical mode takes, `busbw.yaml`.
///
/// Groups `TP:`, `DP:`, `EP:`, `PP:`, and in each a collective and a number in 10^9 bytes a second, or
/// `null`. The commas before the colons are as SimAI writes them.
public struct BusBandwidths: Sendable, Equatable {
  public struct Entry: Sendable, Equatable {
    /// `TP`, `DP`, `EP` or `PP`.
    public var group: String
    /// nil for the one number of a group, as of PP.
    public var collective: CollectiveKind?
    /// nil where the file says null.
    public var bandwidth: Bandwidth?
  }
  public var entries: [Entry]

  public init(path: String) throws(InterchangeError) { self = try Self.read(TextLines(path: path)) }
  public init(bytes: [UInt8], path: String) throws(InterchangeError) {
    self = try Self.read(TextLines(bytes: bytes, path: path))
  }
  private init(entries: [Entry]) { self.entries = entries }

  private static func read(_ text: TextLines) throws(InterchangeError) -> BusBandwidths {
    let yaml = try FlatYAML(text)
    var group: String?
    var entries: [Entry] = []
    for entry in yaml.entries {
      if entry.values.isEmpty, !entry.isList {
        guard ["TP", "DP", "EP", "PP"].contains(entry.key) else {
          throw yaml.failure(entry, "the group \"\(entry.key)\"", "expected TP, DP, EP or PP")
        }
        group = String(entry.key)
        continue
      }
      guard let group else {
        throw yaml.failure(entry, "\"\(entry.key)\" outside of a group", "expected TP: first")
      }
      let kind = CollectiveKind(named: String(entry.key))
      guard kind != nil || entry.key == "busbw", let value = entry.values.first, !entry.isList
      else {
        throw yaml.failure(
          entry, "\"\(entry.key)\"", "expected a collective or busbw, and a number or null")
      }
      var bandwidth: Bandwidth?
      if value != "null" {
        guard let number = Double(value), number > 0, number < 1e6 else {
          throw yaml.failure(entry, "\"\(value)\"", "expected GB/s above 0, or null")
        }
        bandwidth = .gigabytesPerSecond(number)
      }
      entries.append(Entry(group: group, collective: kind, bandwidth: bandwidth))
    }
    guard !entries.isEmpty else {
      throw InterchangeError(path: "\(yaml.path):1", found: "no bandwidths", expected: "TP: ...")
    }
    return BusBandwidths(entries: entries)
  }
}
