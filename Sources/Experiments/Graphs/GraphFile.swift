import SimKernel
import Training

/// Reads graphs of operations: simnet's JSON, or a PipeDream profile (`graph.txt`).
public enum GraphFile {
  /// What the options of a command make of a file.
  public struct Options: Sendable {
    /// Replaces what the file says of its channels; of a profile, which says nothing, it is needed.
    public var channel: GraphChannel?
    /// What graph to make of a profile.
    public var pass: GraphPass?

    public init(channel: GraphChannel? = nil, pass: GraphPass? = nil) {
      self.channel = channel
      self.pass = pass
    }
  }

  /// The graph in the file at `path`; `-` is standard input.
  ///
  /// A file whose first character is a brace is JSON, any other a profile. Of a profile all of training
  /// is made unless `options` say otherwise; over 10 Gbps without latency.
  ///
  /// - Throws: `InvalidInput` with the place of everything that is wrong, `JSONError` for what is no
  ///   JSON, ``InputError`` if the file cannot be read.
  public static func read(_ path: String, options: Options = Options()) throws -> OperationGraph {
    let (text, origin) = try TextFile.read(path)
    if text.utf8.first(where: { !" \t\r\n".utf8.contains($0) }) == UInt8(ascii: "{") {
      if let pass = options.pass {
        throw InvalidInput([
          Issue(
            path: FieldPath(["--pass"]),
            problem: .conflict(
              "\(origin) is a graph, and \(pass.rawValue) is made of profiles; remove the option"))
        ])
      }
      return try OperationGraph.read(
        try JSONNode.parse(text, origin: origin), channel: options.channel)
    }
    let profile = try LayerProfile.pipeDream(text, name: Self.name(path), origin: origin)
    do {
      return try profile.graph(
        options.pass ?? .training,
        channel: options.channel ?? GraphChannel(bandwidth: .gigabitsPerSecond(10)))
    } catch {
      throw InvalidInput([
        error.issue(
          at: FieldPath(["graph"]), TextPosition(origin: origin, line: 1, column: 1))
      ])
    }
  }

  /// The file's name without its folder and endings.
  private static func name(_ path: String) -> String {
    if path == "-" { return "standard input" }
    let file = path.split(separator: "/").last ?? ""
    return String(file.split(separator: ".").first ?? file)
  }
}
