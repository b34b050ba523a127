import SimKernel

/// PipeDream's profiles (Narayanan et al., SOSP 2019, doi:10.1145/3341301.3359646).
extension LayerProfile {
  /// The profile in `text`, a `graph.txt` of PipeDream's profiler: a line for each node with its
  /// forward and backward time in milliseconds, its activations and parameters in bytes, and a line
  /// `node1 -- node2` behind a tab for each edge.
  ///
  /// Layers come in the order of their numbers, which is that of the program; where an edge leads
  /// backwards, in the first order that the edges allow. A layer is called `node7.Conv2d`. Of several
  /// activations, as `[1.0; 2.0]`, the sum counts.
  ///
  /// - Throws: `InvalidInput` with the line of everything that is wrong.
  public static func pipeDream(
    _ text: String, name: String, origin: String
  ) throws(InvalidInput) -> LayerProfile {
    var reader = PipeDreamReader(origin: origin)
    var number = 0
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      number += 1
      reader.read(line, number)
    }
    return try reader.profile(name)
  }
}

private struct PipeDreamReader {
  struct Node {
    var number: Int
    var line: Int
    var layer: LayerProfile.Layer
  }
  let origin: String
  let issues = IssueCollector()
  var nodes: [Node] = []
  var indexOf: [String: Int] = [:]
  var edges: [(from: String, to: String, line: Int)] = []

  init(origin: String) { self.origin = origin }

  func report(_ line: Int, _ key: String, _ problem: Issue.Problem) {
    issues.report(
      Issue(
        path: FieldPath([key]), position: TextPosition(origin: origin, line: line, column: 1),
        problem: problem))
  }

  mutating func read(_ text: Substring, _ line: Int) {
    let isEdge = text.first == "\t" || text.first == " "
    let trimmed = text.drop { $0 == "\t" || $0 == " " }
    if trimmed.isEmpty { return }
    let parts = Self.split(trimmed, by: " -- ")
    if isEdge {
      guard parts.count == 2 else {
        report(
          line, "edge",
          .invalid(found: "\"\(trimmed)\"", expected: "an edge reads \"node1 -- node2\""))
        return
      }
      edges.append((String(parts[0]), String(Self.trimmed(parts[1])), line))
      return
    }
    guard parts.count >= 3, let fields = parts.last,
      let number = Int(parts[0].drop { !$0.isNumber })
    else {
      report(
        line, "node",
        .invalid(
          found: "\"\(trimmed.prefix(60))\"",
          expected:
            "a node reads \"node1 -- Conv2d(...) -- forward_compute_time=1.0, "
            + "backward_compute_time=2.0, activation_size=8.0, parameter_size=4.0\""))
      return
    }
    let id = String(parts[0])
    if let first = indexOf[id] {
      report(
        line, "node",
        .invalid(found: "a second \"\(id)\"", expected: "the first is on line \(nodes[first].line)")
      )
      return
    }
    let values = self.values(fields, line)
    // A description may hold the separator, but begins with the layer's type.
    let type = parts[1].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
    indexOf[id] = nodes.count
    nodes.append(
      Node(
        number: number, line: line,
        layer: LayerProfile.Layer(
          name: "\(id).\(type)", forward: .milliseconds(values[0]),
          backward: .milliseconds(values[1]),
          parameters: ByteCount(Int64(values[3].rounded())),
          activations: ByteCount(Int64(values[2].rounded())), predecessors: [])))
  }

  private static let keys = [
    "forward_compute_time", "backward_compute_time", "activation_size", "parameter_size",
  ]

  private func values(_ text: Substring, _ line: Int) -> [Double] {
    var values = [Double](repeating: -1, count: Self.keys.count)
    for field in Self.split(text, by: ", ") {
      let pair = field.split(separator: "=", maxSplits: 1)
      let key = String(Self.trimmed(pair.first ?? ""))
      guard pair.count == 2, let index = Self.keys.firstIndex(of: key) else {
        report(
          line, "node",
          .unknownKey(
            found: key, suggestion: Spelling.suggestion(for: key, among: Self.keys),
            known: Self.keys))
        continue
      }
      var sum = 0.0
      for part in pair[1].split(whereSeparator: { "[]; ".contains($0) }) {
        sum += Double(part) ?? .nan
      }
      // Below 2^40 ms a time fits, and so does a size.
      if sum >= 0, sum < 0x1p40, !pair[1].isEmpty {
        values[index] = sum
      } else {
        values[index] = 0
        report(
          line, key,
          .outOfRange(found: "\"\(Self.trimmed(pair[1]))\"", expected: "a number from 0"))
      }
    }
    for (index, value) in values.enumerated() where value < 0 {
      values[index] = 0
      report(line, Self.keys[index], .missingKey(expected: "a number", example: "1.0"))
    }
    return values
  }

  func profile(_ name: String) throws(InvalidInput) -> LayerProfile {
    if nodes.isEmpty, issues.errors.isEmpty {
      report(
        1, "node", .invalid(found: "no node", expected: "expected a line for each layer"))
    }
    let sorted = nodes.indices.sorted { (nodes[$0].number, $0) < (nodes[$1].number, $1) }
    var place = [Int32](repeating: 0, count: nodes.count)
    for (position, node) in sorted.enumerated() { place[node] = Int32(position) }
    var from: [Int32] = []
    var to: [Int32] = []
    for edge in edges {
      for end in [edge.from, edge.to] where indexOf[end] == nil {
        let known = nodes.map { "node\($0.number)" }
        report(
          edge.line, "edge",
          .unknownName(
            noun: "node", found: end, suggestion: Spelling.suggestion(for: end, among: known),
            known: known))
      }
      if let a = indexOf[edge.from], let b = indexOf[edge.to] {
        from.append(place[a])
        to.append(place[b])
      }
    }
    let rows = GraphEdges(count: nodes.count, from: from, to: to)
    let order = rows.topologicalOrder()
    if order.count < nodes.count {
      let names = rows.circle(outside: order).map { "node\(nodes[sorted[$0]].number)" }
      report(
        nodes[sorted[rows.circle(outside: order)[0]]].line, "edge",
        .invalid(found: "\(OperationGraphError.circle(names))", expected: "remove one of the edges")
      )
    }
    try issues.throwIfInvalid()
    var position = [Int](repeating: 0, count: nodes.count)
    for (index, node) in order.enumerated() { position[Int(node)] = index }
    return LayerProfile(
      name: name,
      layers: order.map { node in
        var layer = nodes[sorted[Int(node)]].layer
        let row =
          Int(rows.predecessorOffsets[Int(node)])..<Int(rows.predecessorOffsets[Int(node) + 1])
        layer.predecessors = rows.predecessors[row].map { position[Int($0)] }.sorted()
        return layer
      })
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
  }

  /// The pieces of `text` between occurrences of an ASCII `separator`.
  private static func split(_ text: Substring, by separator: String) -> [Substring] {
    let bytes = Array(separator.utf8)
    let utf8 = text.utf8
    var pieces: [Substring] = []
    var start = utf8.startIndex
    var index = start
    while index != utf8.endIndex {
      if utf8[index...].starts(with: bytes) {
        pieces.append(text[start..<index])
        index = utf8.index(index, offsetBy: bytes.count)
        start = index
      } else {
        index = utf8.index(after: index)
      }
    }
    pieces.append(text[start...])
    return pieces
  }
}
