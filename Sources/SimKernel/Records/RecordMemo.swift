/// Remembers the parts of a scenario that were read, so that the points of a sweep, which share
/// most of them, read each only once.
///
/// Equal JSON at the same place gives equal values and equal issues; an issue then carries the
/// position of the first reading. Not for several threads at once.
public final class RecordMemo {
  struct Key: Hashable {
    var place: String
    var first: UInt64
    var second: UInt64
  }
  struct Entry {
    var value: Any
    var issues: [Issue]
  }
  private var entries: [Key: Entry] = [:]
  private var bytes: [UInt8] = []

  /// So that an axis of a million values does not keep them all.
  private static let capacity = 4096

  /// Nothing yet.
  public init() {}

  /// What `read` makes of `node` at `place`, made only once.
  func value<Value>(
    _ node: JSONNode, place: String, issues: IssueCollector, read: (IssueCollector) -> Value
  ) -> Value {
    bytes.removeAll(keepingCapacity: true)
    node.appendCanonical(to: &bytes)
    var hash = StableHash()
    bytes.withUnsafeBytes { hash.combine(bytes: $0) }
    let (first, second) = hash.words
    let key = Key(place: place, first: first, second: second)
    if let known = entries[key], let value = known.value as? Value {
      for issue in known.issues { issues.report(issue) }
      return value
    }
    let own = IssueCollector()
    let value = read(own)
    if entries.count >= Self.capacity { entries.removeAll(keepingCapacity: true) }
    entries[key] = Entry(value: value, issues: own.issues)
    for issue in own.issues { issues.report(issue) }
    return value
  }
}
