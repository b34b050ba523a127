import SimKernel

extension DataSchema {
  /// The schema as JSON; what is as its absence says is left out.
  public var node: JSONNode {
    var members = Members()
    members.add("simnet_data_schema", JSONNode(integerLiteral: Self.formatVersion))
    if rows != 0...Int.max { members.add("rows", Self.counts(rows)) }
    if let rowRatio { members.add("row_ratio", Domain.bounds(rowRatio, from: 0)) }
    if let key {
      var own = Members()
      own.add("columns", Self.texts(key.columns))
      if key.maximumUnpaired != 0 { own.add("max_unpaired", key.maximumUnpaired) }
      members.add("key", own.node)
    }
    members.add(
      "columns", JSONNode(.object(columns.map { JSONMember($0.name, $0.node) })))
    return members.node
  }

  /// The schema as the text of a file, which `parse` reads back as the same schema: a line for
  /// every property of a column, so that a change is a line of a diff.
  public var text: String {
    var out = ""
    Self.write(node, depth: 0, to: &out)
    return out + "\n"
  }

  /// What has to be merged into the file (RFC 7396: keys replace, null removes) to make `change`.
  ///
  /// Merging it is the same as `applying` the change.
  public func mergePatch(for change: SchemaChange) -> JSONNode {
    Self.difference(node, applying(change).node) ?? JSONNode(.object([]))
  }

  // MARK: - Parts

  fileprivate static func texts(_ texts: [String]) -> JSONNode {
    JSONNode(.array(texts.map { JSONNode(.string($0)) }))
  }

  fileprivate static func counts(_ range: ClosedRange<Int>) -> JSONNode {
    var members = Members()
    members.add("min", JSONNode(integerLiteral: range.lowerBound))
    if range.upperBound != .max {
      members.add("max", JSONNode(integerLiteral: range.upperBound))
    }
    return members.node
  }

  /// Objects of plain values on one line, others a member a line.
  private static func write(_ node: JSONNode, depth: Int, to out: inout String) {
    guard let members = node.members, !members.isEmpty else {
      out += node.prettyText
      return
    }
    if depth > 0, members.allSatisfy({ $0.node.members == nil }) {
      let parts = members.map { "\(JSONNode.quoted($0.key)): \($0.node.prettyText)" }
      out += "{ " + parts.joined(separator: ", ") + " }"
      return
    }
    out += "{\n"
    for (index, member) in members.enumerated() {
      out += String(repeating: "  ", count: depth + 1) + JSONNode.quoted(member.key) + ": "
      write(member.node, depth: depth + 1, to: &out)
      out += index == members.count - 1 ? "\n" : ",\n"
    }
    out += String(repeating: "  ", count: depth) + "}"
  }

  /// The merge patch that turns `old` into `new`; nil if they are the same.
  private static func difference(_ old: JSONNode, _ new: JSONNode) -> JSONNode? {
    guard let before = old.members, let after = new.members else {
      return old.compactText == new.compactText ? nil : new
    }
    var changes: [JSONMember] = []
    for member in after {
      if let known = old[member.key] {
        if let change = difference(known, member.node) {
          changes.append(JSONMember(member.key, change))
        }
      } else {
        changes.append(member)
      }
    }
    for member in before where new[member.key] == nil {
      changes.append(JSONMember(member.key, JSONNode(.null)))
    }
    return changes.isEmpty ? nil : JSONNode(.object(changes))
  }
}

/// Members in the order in which they are added.
private struct Members {
  private var members: [JSONMember] = []
  var node: JSONNode { JSONNode(.object(members)) }

  mutating func add(_ key: String, _ node: JSONNode) { members.append(JSONMember(key, node)) }
  mutating func add(_ key: String, _ value: Double) { add(key, JSONNode(floatLiteral: value)) }
  mutating func add(_ key: String, _ value: String) { add(key, JSONNode(.string(value))) }
  mutating func add(_ key: String, _ value: Bool) { add(key, JSONNode(.bool(value))) }
}

extension ColumnSchema {
  fileprivate var node: JSONNode {
    var members = Members()
    members.add("type", type.name)
    if stage != .production { members.add("stage", stage.rawValue) }
    if !absentIn.isEmpty { members.add("absent_in", DataSchema.texts(absentIn)) }
    if minimumFraction > 0 || minimumCount > 0 {
      var presence = Members()
      presence.add("min_fraction", minimumFraction)
      presence.add("min_count", JSONNode(integerLiteral: minimumCount))
      members.add("presence", presence.node)
    }
    if let separator { members.add("separator", separator) }
    members.add("valency", DataSchema.counts(valency))
    if domain != .any { members.add("domain", domain.node) }
    if allowsNaN { members.add("nan", true) }
    if allowsInfinity { members.add("infinity", true) }
    if isUnique { members.add("unique", true) }
    if let drift { members.add("drift", drift.node) }
    if let skew { members.add("skew", skew.node) }
    if let featureSkew {
      var skew = Members()
      skew.add("tolerance", featureSkew.tolerance)
      skew.add("max_fraction", featureSkew.maximumFraction)
      members.add("feature_skew", skew.node)
    }
    return members.node
  }
}

extension Domain {
  fileprivate var node: JSONNode {
    switch self {
    case .any: return JSONNode(.null)
    case .range(let range): return Self.bounds(range, from: -.infinity)
    case .values(let values, let mass):
      var members = Members()
      members.add("values", DataSchema.texts(values))
      if mass != 1 { members.add("min_mass", mass) }
      return members.node
    }
  }

  /// The ends of `range` that are not as their absence says: `from` and infinity.
  fileprivate static func bounds(_ range: ClosedRange<Double>, from lowest: Double) -> JSONNode {
    var members = Members()
    if range.lowerBound != lowest { members.add("min", range.lowerBound) }
    if range.upperBound != .infinity { members.add("max", range.upperBound) }
    return members.node
  }
}

extension Comparator {
  fileprivate var node: JSONNode {
    var members = Members()
    members.add("distance", distance.rawValue)
    members.add("threshold", threshold)
    return members.node
  }
}
