import SimKernel

/// Changes a drawn scenario where its issues point, until nothing is wrong with it.
///
/// It follows the issues alone and knows no setting by name: an unknown key goes, a missing one is
/// drawn, and what conflicts is drawn again, left out, or drawn again with all around it.
struct ScenarioRepair {
  let draw: SchemaDraw

  /// Changes `root` because of `issues`, which were found in round `round`.
  func apply(
    _ issues: [Issue], to root: inout JSONNode, round: Int, _ random: inout RandomStream
  ) {
    for issue in issues where issue.severity == .error {
      let path = issue.path.parts
      switch issue.problem {
      case .unknownKey: root.remove(path)
      case .missingKey: redraw(path, in: &root, &random)
      case .unknownName(_, _, _, let known) where root.get(path)?.string != nil && !known.isEmpty:
        _ = root.set(path, to: JSONNode(.string(known[random.index(below: known.count)])))
      default: change(path, in: &root, round: round, &random)
      }
    }
  }

  /// Changes what is at `path`, or the nearest thing around it that was written; later rounds reach
  /// further out.
  private func change(
    _ path: [String], in root: inout JSONNode, round: Int, _ random: inout RandomStream
  ) {
    var place = path
    while !place.isEmpty, root.get(place) == nil { place.removeLast() }
    while place.count > 1, random.index(below: 8) < min(4, 1 + round / 4) { place.removeLast() }
    if place.isEmpty {
      // The whole scenario conflicts with itself: one of its parts has to change.
      guard let members = root.members, !members.isEmpty else { return }
      place = [members[random.index(below: members.count)].key]
    }
    if isRequired(place, in: root) || random.index(below: 3) == 0 {
      redraw(place, in: &root, &random)
    } else {
      root.remove(place)
    }
  }

  /// Draws what stands at `path` or, where nothing can, since a member named in short has no keys,
  /// the nearest thing around it.
  private func redraw(
    _ path: [String], in root: inout JSONNode, _ random: inout RandomStream
  ) {
    var place = path
    while !place.isEmpty {
      if let schema = draw.schema(at: place, of: root),
        root.set(place, to: draw.value(of: schema, &random))
      {
        return
      }
      place.removeLast()
    }
  }

  /// Whether the record around `path` must have it; an element of a list need not be there.
  private func isRequired(_ path: [String], in root: JSONNode) -> Bool {
    guard let key = path.last, root.get(path.dropLast())?.elements == nil else { return false }
    guard let parent = draw.schema(at: path.dropLast(), of: root) else { return false }
    let records = (parent["anyOf"]?.elements ?? [parent]).filter { $0["properties"]?[key] != nil }
    return !records.isEmpty
      && records.allSatisfy { record in
        record["required"]?.elements?.contains { $0.string == key } ?? false
      }
  }
}

extension JSONNode {
  /// Removes the member or element at `path`, if there is one.
  mutating func remove(_ path: [String]) {
    guard let last = path.last, var parent = get(path.dropLast()) else { return }
    switch parent.value {
    case .object(var members):
      members.removeAll { $0.key == last }
      parent.value = .object(members)
    case .array(var elements):
      guard let index = Int(last), elements.indices.contains(index) else { return }
      elements.remove(at: index)
      parent.value = .array(elements)
    default: return
    }
    _ = set(path.dropLast(), to: parent)
  }
}
