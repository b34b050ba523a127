import SimKernel

/// A model as PipeDream's profiler measured it: layers with times and sizes, and which feeds which.
///
///     node4 -- Conv2d(3, 64) -- forward_compute_time=1.5, backward_compute_time=2.9,
///       activation_size=822083584.000, parameter_size=7168.000
///     <tab>node4 -- node5
///
/// Times are milliseconds for one minibatch, sizes bytes; activations of several outputs are summed.
public struct PipeDreamGraph: Sendable, Equatable {
  public struct Layer: Sendable, Equatable {
    /// As in the file: `node4`.
    public var id: String
    public var description: String
    public var forward: SimDuration
    public var backward: SimDuration
    public var activations: ByteCount
    public var parameters: ByteCount
    public var line: Int
  }
  /// `from` feeds `to`; both are indices of ``layers``.
  public struct Edge: Sendable, Equatable {
    public var from: Int
    public var to: Int
  }

  public var layers: [Layer]
  public var edges: [Edge]

  public init(path: String) throws(InterchangeError) { self = try Self.read(TextLines(path: path)) }
  public init(bytes: [UInt8], path: String) throws(InterchangeError) {
    self = try Self.read(TextLines(bytes: bytes, path: path))
  }

  private static func read(_ text: TextLines) throws(InterchangeError) -> PipeDreamGraph {
    var lines = text
    var layers: [Layer] = []
    var edges: [(from: Substring, to: Substring, line: Int)] = []
    var indices: [Substring: Int] = [:]
    while let line = lines.nextLine() {
      let parts = line.split(separator: "--", omittingEmptySubsequences: false).map(trim)
      if parts.count == 1, parts[0].isEmpty { continue }
      if parts.count == 2, line.first == "\t" || line.first == " " {
        edges.append((parts[0], parts[1], lines.number))
        continue
      }
      guard parts.count >= 3 else {
        throw lines.failure(
          "\"\(line.prefix(40))\"",
          "expected 'node1 -- layer -- forward_compute_time=...' or an edge")
      }
      let layer = try layer(parts, lines)
      guard indices.updateValue(layers.count, forKey: parts[0]) == nil else {
        throw lines.failure("\(parts[0]) again", "one line for each node")
      }
      layers.append(layer)
    }
    guard !layers.isEmpty else { throw lines.failure("no layers", "a PipeDream graph") }
    var graph = PipeDreamGraph(layers: layers, edges: [])
    for edge in edges {
      guard let from = indices[edge.from], let to = indices[edge.to] else {
        let missing = indices[edge.from] == nil ? edge.from : edge.to
        throw InterchangeError(
          path: "\(lines.path):\(edge.line)", found: "an edge with \"\(missing.prefix(40))\"",
          expected: "nodes of the file")
      }
      graph.edges.append(Edge(from: from, to: to))
    }
    try graph.checkOrder(lines.path)
    return graph
  }

  private init(layers: [Layer], edges: [Edge]) {
    self.layers = layers
    self.edges = edges
  }

  private static func trim(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
    return text
  }

  private static func layer(
    _ parts: [Substring], _ lines: TextLines
  ) throws(InterchangeError) -> Layer {
    var values: [Substring: Substring] = [:]
    for pair in parts[parts.count - 1].split(separator: ",") {
      let sides = pair.split(separator: "=", maxSplits: 1).map(trim)
      guard sides.count == 2 else {
        throw lines.failure("\"\(pair.prefix(40))\"", "expected key=value")
      }
      values[sides[0]] = sides[1]
    }
    func value(_ key: String) throws(InterchangeError) -> Substring {
      guard let text = values[Substring(key)] else {
        throw lines.failure("\(parts[0]) without \(key)", "\(key)=a number")
      }
      return text
    }
    return Layer(
      id: String(parts[0]),
      description: parts[1..<parts.count - 1].joined(separator: "--"),
      forward: try lines.duration(
        try value("forward_compute_time"), timesTenTo: 9, "forward_compute_time"),
      backward: try lines.duration(
        try value("backward_compute_time"), timesTenTo: 9, "backward_compute_time"),
      activations: .bytes(try sizes(try value("activation_size"), lines)),
      parameters: .bytes(
        try lines.decimal(try value("parameter_size"), timesTenTo: 0, "parameter_size")),
      line: lines.number)
  }

  /// A size, or several outputs' sizes as `[6291456.0; 131072.0]`, which are summed.
  private static func sizes(
    _ word: Substring, _ lines: TextLines
  ) throws(InterchangeError) -> Int64 {
    guard word.hasPrefix("[") else {
      return try lines.decimal(word, timesTenTo: 0, "activation_size")
    }
    guard word.hasSuffix("]") else {
      throw lines.failure("activation_size is \"\(word.prefix(40))\"", "expected [a; b]")
    }
    var total: Int64 = 0
    for part in word.dropFirst().dropLast().split(separator: ";") {
      let size = try lines.decimal(trim(part), timesTenTo: 0, "activation_size")
      let (sum, overflow) = total.addingReportingOverflow(size)
      if overflow { throw lines.failure("sizes beyond 2^63", "bytes") }
      total = sum
    }
    return total
  }

  private func checkOrder(_ path: String) throws(InterchangeError) {
    _ = try forwardGraph(origin: path)
  }

  /// The forward pass as a graph, one operation a layer.
  ///
  /// - Throws: naming the nodes of a cycle by their numbers in the file, from 0.
  public func forwardGraph(origin: String) throws(InterchangeError) -> TraceGraph {
    var parents = [[UInt64]](repeating: [], count: layers.count)
    for edge in edges { parents[edge.to].append(UInt64(edge.from)) }
    var builder = TraceGraphBuilder(origin: origin)
    for (index, layer) in layers.enumerated() {
      builder.add(
        TraceGraph.Node(
          id: UInt64(index), name: builder.names.index(of: layer.id), rank: 0, work: .compute,
          duration: layer.forward),
        after: parents[index])
    }
    return try builder.build()
  }
}
