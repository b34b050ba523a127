import SwiftProtobuf

/// Reads and writes Chakra traces in their protobuf form, `.et`.
///
/// A file is a row of messages, each behind its length as a varint: the trace's metadata, then the
/// nodes. Schema 0.0.4 and what its converters call 1.0.1 to 1.1.1 number their fields alike; files of
/// schemas before October 2023 are recognised and refused.
public enum ChakraFile {
  /// Longer messages are refused: a node has kilobytes.
  static let longestMessage = 1 << 28
  private static let largestFile = 1 << 33

  /// Reads the trace at `path`, plain or gzip'd.
  ///
  /// Whether parents are there is not looked at; see ``ChakraTrace/graph(rank:)``.
  ///
  /// - Complexity: O(bytes), 50 MB/s or so.
  /// - Throws: `InterchangeError` with the byte where a message begins.
  public static func read(path: String) throws(InterchangeError) -> ChakraTrace {
    var stream = try ByteStream(path: path)
    return try read(bytes: try stream.readAll(limit: largestFile), path: path)
  }

  /// Reads a trace in memory, called `path` in messages.
  public static func read(bytes: [UInt8], path: String) throws(InterchangeError) -> ChakraTrace {
    var frames = ChakraFrames(bytes: bytes, path: path)
    var trace = ChakraTrace(version: "", nodes: [], origin: path)
    guard let first = try frames.next() else {
      throw InterchangeError(
        path: path, found: "an empty file", expected: "a Chakra trace begins with its metadata",
        byteOffset: 0)
    }
    let head: ChakraGlobalMetadata = try frames.message(first)
    trace.version = head.version
    trace.attributes = head.attr.map(\.neutral)
    var nodes: [ChakraTrace.Node] = []
    while let frame = try frames.next() {
      let message: ChakraNode = try frames.message(frame)
      // The schemas of before October 2023 had their attributes in field 11 and no field 10.
      if message.attr.isEmpty, !message.unknownFields.data.isEmpty, message.dataDeps.isEmpty {
        throw InterchangeError(
          path: path, found: "a node in a schema before 0.0.4",
          expected: "convert the trace again with a chakra_converter of October 2023 or later",
          byteOffset: frame.lowerBound)
      }
      nodes.append(ChakraTrace.Node(message, at: frame.lowerBound))
    }
    trace.nodes = nodes
    return trace
  }

  /// The bytes of `trace` as a `.et` file.
  public static func bytes(of trace: ChakraTrace) -> [UInt8] {
    var head = ChakraGlobalMetadata()
    head.version = trace.version
    head.attr = trace.attributes.map(\.message)
    var bytes: [UInt8] = []
    append(head, to: &bytes)
    for node in trace.nodes { append(node.message, to: &bytes) }
    return bytes
  }

  /// Writes `trace` to `path` as a `.et` file, which appears whole or not at all.
  public static func write(_ trace: ChakraTrace, path: String) throws(InterchangeError) {
    let file = try OutputFile(path: path)
    try file.write(bytes(of: trace))
    try file.finish()
  }

  private static func append(_ message: some Message, to bytes: inout [UInt8]) {
    // A message without required fields always serialises.
    let body: [UInt8] = try! message.serializedBytes()
    var length = body.count
    while length >= 0x80 {
      bytes.append(UInt8(length & 0x7F) | 0x80)
      length >>= 7
    }
    bytes.append(UInt8(length))
    bytes += body
  }
}

/// The messages of a file, by their places.
struct ChakraFrames {
  let bytes: [UInt8]
  let path: String
  private var place = 0

  init(bytes: [UInt8], path: String) {
    self.bytes = bytes
    self.path = path
  }

  private func failure(_ found: String, _ expected: String, _ offset: Int) -> InterchangeError {
    InterchangeError(path: path, found: found, expected: expected, byteOffset: offset)
  }

  /// Where the next message lies, without its length; nil at the end.
  mutating func next() throws(InterchangeError) -> Range<Int>? {
    if place == bytes.count { return nil }
    let start = place
    var length = 0
    var shift = 0
    while true {
      guard place < bytes.count else {
        throw failure("the file ends in a length", "a whole file", start)
      }
      let byte = bytes[place]
      place += 1
      length |= Int(byte & 0x7F) << shift
      shift += 7
      if byte < 0x80 { break }
      if shift > 28 {
        throw failure("bytes that are no message length", "a Chakra .et file", start)
      }
    }
    guard length <= ChakraFile.longestMessage, length <= bytes.count - place else {
      throw failure(
        "a message of \(length) bytes where \(bytes.count - place) are left",
        "a whole Chakra .et file", start)
    }
    defer { place += length }
    return place..<place + length
  }

  /// The message there.
  func message<M: Message>(_ frame: Range<Int>) throws(InterchangeError) -> M {
    do {
      return try M(serializedBytes: Array(bytes[frame]))
    } catch {
      throw failure(
        "a message that is no \(M.protoMessageName)", "a Chakra .et file of schema 0.0.4 or later",
        frame.lowerBound)
    }
  }
}
