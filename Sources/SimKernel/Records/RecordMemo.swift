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
  /// What was read last at each place.
  private var recent: [String: (node: JSONNode, entry: Entry)] = [:]
  private var bytes: [UInt8] = []

  /// So that an axis of a million values does not keep them all.
  private static let capacity = 4096

  /// Nothing yet.
  public init() {}

  /// What `read` makes of `node` at `place`, made only once.
  func value<Value>(
    _ node: JSONNode, place: String, issues: IssueCollector, read: (IssueCollector) -> Value
  ) -> Value {
    let storage = Self.storage(node)
    if storage != nil, let last = recent[place], Self.storage(last.node) == storage,
      let value = last.entry.value as? Value
    {
      for issue in last.entry.issues { issues.report(issue) }
      return value
    }
    bytes.removeAll(keepingCapacity: true)
    node.appendCanonical(to: &bytes)
    var hash = StableHash()
    bytes.withUnsafeBytes { hash.combine(bytes: $0) }
    let (first, second) = hash.words
    let key = Key(place: place, first: first, second: second)
    let entry: Entry
    let result: Value
    if let known = entries[key], let value = known.value as? Value {
      (entry, result) = (known, value)
    } else {
      let own = IssueCollector()
      result = read(own)
      entry = Entry(value: result, issues: own.issues)
      if entries.count >= Self.capacity { entries.removeAll(keepingCapacity: true) }
      entries[key] = entry
    }
    recent[place] = (node, entry)
    for issue in entry.issues { issues.report(issue) }
    return result
  }

  /// Where the members of an object are: as long as this memo holds them nothing else can be there,
  /// and whoever changes them changes a copy.
  private static func storage(_ node: JSONNode) -> UnsafeRawPointer? {
    guard case .object(let members) = node.value, !members.isEmpty else { return nil }
    return members.withUnsafeBufferPointer { UnsafeRawPointer($0.baseAddress) }
  }
}
