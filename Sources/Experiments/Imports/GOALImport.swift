import Interchange
import SimKernel

/// A GOAL schedule made of the Chakra traces of all ranks: for messages between pairs, which a
/// scenario's graph of one worker cannot hold.
public struct GOALImport: Sendable {
  public private(set) var bytes: [UInt8]
  public private(set) var ranks: Int
  public private(set) var operations: Int

  /// - Parameter files: a trace of each rank, whose number its name holds.
  /// - Throws: `InterchangeError` for other formats, missing or repeated ranks, collectives, and what
  ///   the files hold.
  public init(_ files: [String], droppingCycles: Bool = false) throws(InterchangeError) {
    var graphs: [TraceGraph] = []
    var known: Set<Int> = []
    for path in files {
      let format = try FileFormat.recognise(path: path)
      guard format == .chakra || format == .chakraJSON else {
        throw InterchangeError(
          path: path, found: "\(format.title) for a GOAL schedule",
          expected: "Chakra traces with sends and receives")
      }
      let trace = try ChakraFiles.read(path, format)
      guard let rank = trace.rank, known.insert(rank).inserted else {
        throw InterchangeError(
          path: path,
          found: trace.rank.map { "a second file of rank \($0)" } ?? "no rank in its name",
          expected: "a file for each rank, such as name.3.et")
      }
      graphs.append(
        try trace.graph(
          rank: rank, droppingMissingParents: true, droppingCycles: droppingCycles))
    }
    let graph = try TraceGraph(merging: graphs, origin: files.first ?? "")
    guard graph.rankCount == files.count else {
      throw InterchangeError(
        path: files.first ?? "",
        found: "\(files.count) files for ranks up to \(graph.rankCount - 1)",
        expected: "a file for each rank")
    }
    var writer = GOALWriter()
    try graph.write(to: &writer, origin: files.first ?? "")
    bytes = writer.bytes
    ranks = graph.rankCount
    operations = graph.nodes.count
  }
}
