extension FileFormat {
  /// The format of the file or folder at `path`, by its content.
  ///
  /// Only raw floating-point numbers, which look like anything, are told by their extension.
  ///
  /// - Throws: `InterchangeError` that lists what simnet reads, if it is none of that.
  public static func recognise(path: String) throws(InterchangeError) -> FileFormat {
    if InputFile.isDirectory(path) { return .npyFolder }
    let head = try FileHead(path: path)
    if head.isEmpty {
      throw InterchangeError(
        path: path, found: "an empty file", expected: "something to read", byteOffset: 0)
    }
    if let format = binary(head) { return format }
    if head.first == UInt8(ascii: "{") || head.first == UInt8(ascii: "[") {
      if let format = try json(path, isArray: head.first == UInt8(ascii: "[")) { return format }
    } else if let format = text(head) {
      return format
    }
    if ["bin", "f32", "raw"].contains(FileName.fileExtension(of: path)) { return .rawFloats }
    throw InterchangeError(
      path: path, found: head.known?.content ?? "content that simnet does not know",
      expected: head.known?.use
        ?? "it understands: " + allCases.map(\.title).joined(separator: "; "))
  }

  private static func binary(_ head: FileHead) -> FileFormat? {
    let bytes = head.bytes
    if bytes.starts(with: [0x93] + Array("NUMPY".utf8)) { return .npy }
    if bytes.count > 8, bytes[8] == UInt8(ascii: "{") {
      let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      if length < 100_000_000 { return .safetensors }
    }
    // The metadata of a Chakra trace: its length, then field 1 or 2 with a length, or nothing.
    guard head.isBinary else { return nil }
    var frames = ChakraFrames(bytes: bytes, path: head.path)
    guard let first = try? frames.next() ?? nil else {
      // The metadata may be longer than the head.
      return bytes.count > 4 && [0x0A, 0x12].contains(bytes[3]) && head.isCut ? .chakra : nil
    }
    if !first.isEmpty, ![0x0A, 0x12].contains(bytes[first.lowerBound]) { return nil }
    let metadata: ChakraGlobalMetadata? = try? frames.message(first)
    return metadata == nil ? nil : .chakra
  }

  /// By the keys at the top, up to one that decides.
  private static func json(
    _ path: String, isArray: Bool
  ) throws(InterchangeError) -> FileFormat? {
    // The bare array form of trace events, which is an array of objects with ph.
    if isArray {
      var reader = try KinetoReader(path: path)
      return (try reader.next())?.phase == .other ? nil : .kineto
    }
    var json = try JSONStream(try ByteStream(path: path))
    var keys: Set<String> = []
    try json.beginObject()
    while let key = try json.nextName() {
      keys.insert(key)
      switch key {
      case "traceEvents", "distributedInfo", "deviceProperties": return .kineto
      case "nodes" where keys.contains("schema") || keys.contains("start_ts"):
        return .pyTorchTrace
      case "schema" where keys.contains("nodes"): return .pyTorchTrace
      case "workload_graph": return .chakraJSON
      case "logical-dims": return .logicalTopology
      case "memory-type": return .remoteMemory
      case "npus_count": return .analyticalNetwork
      case "scheduling-policy", "preferred-dataset-splits", "active-chunks-per-dimension",
        "endpoint-delay", "local-mem-bw":
        return .systemConfiguration
      case "cluster", "jobs", "question": return .scenario
      case _ where key.hasSuffix("-implementation"): return .systemConfiguration
      default: try json.skip()
      }
    }
    return nil
  }

  private static func text(_ head: FileHead) -> FileFormat? {
    guard !head.isBinary else { return nil }
    let lines = head.lines
    guard let first = lines.first else { return nil }
    let words = first.split { $0 == " " || $0 == "\t" || $0 == "\r" }
    let word = String(words.first ?? "")
    if word == "num_ranks" || first.hasPrefix("//") || first.hasPrefix("/*") {
      return lines.contains { $0.hasPrefix("num_ranks") || $0.hasPrefix("rank ") } ? .goal : nil
    }
    if LayerWorkload.parallelisms.contains(word) { return .layerWorkload }
    if word == "Nodes" {
      return lines.contains { $0.hasPrefix("Tiers") || $0.hasPrefix("Tier ") }
        ? .htsimTopology : .htsimConnections
    }
    if first.hasPrefix("node"), first.contains(" -- "), first.contains("forward_compute_time") {
      return .pipeDream
    }
    if CommaSeparated.cells(first[...]) == DeepBenchTable.header { return .deepBench }
    if first.hasPrefix("Size,") { return .efficiencyTable }
    if first.hasPrefix("first line is for") { return .netAIBackward }
    let cells = word.split(separator: ",", omittingEmptySubsequences: false)
    if words.count == 1, cells.count == 2, Int(cells[0]) != nil, Double(cells[1]) != nil {
      return .vectorAdd
    }
    if lines.contains(where: { $0.hasPrefix("npus_count:") }) { return .analyticalNetwork }
    if lines.contains(where: { $0.hasPrefix("TP:") || $0.hasPrefix("busbw:") }) {
      return .busBandwidths
    }
    if lines.contains(where: { $0.hasPrefix("# nThread") || $0.contains("out-of-place") })
      || !NCCLTestsLog(text: head.text).rows.isEmpty
    {
      return .ncclTests
    }
    if lines.contains(where: { $0.hasPrefix("PACKET_PAYLOAD_SIZE") || $0.hasPrefix("CC_MODE") }) {
      return .ns3Configuration
    }
    // A topology may begin with a comment.
    let rest = lines.first { !$0.hasPrefix("#") }
    if let rest, rest.hasPrefix("Nodes") {
      return lines.contains { $0.hasPrefix("Tier") } ? .htsimTopology : .htsimConnections
    }
    return nil
  }
}

/// The first bytes of a file, unpacked.
private struct FileHead {
  let path: String
  private(set) var bytes: [UInt8] = []
  /// Whether there is more than ``bytes``.
  private(set) var isCut = false

  private static let size = 1 << 16

  init(path: String) throws(InterchangeError) {
    self.path = path
    var stream = try ByteStream(path: path, chunkSize: Self.size)
    var chunk = [UInt8](repeating: 0, count: Self.size)
    while bytes.count < Self.size {
      var count = 0
      var failure: InterchangeError?
      chunk.withUnsafeMutableBytes { buffer in
        do throws(InterchangeError) { count = try stream.read(into: buffer) } catch {
          failure = error
        }
      }
      if let failure { throw failure }
      if count == 0 { return }
      bytes += chunk[..<count]
    }
    isCut = true
  }

  var isEmpty: Bool { bytes.isEmpty }
  /// The first byte that is no white space, after a byte-order mark.
  var first: UInt8? {
    let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    return bytes[start...].first { $0 > 32 }
  }
  var isBinary: Bool {
    bytes.contains { $0 < 32 && $0 != 9 && $0 != 10 && $0 != 13 }
  }
  var text: String { String(decoding: bytes, as: UTF8.self) }
  /// Lines that are not empty.
  var lines: [String] { text.split { $0 == "\n" || $0 == "\r\n" }.map(String.init) }

  /// Content that simnet does not read, and what to do instead.
  var known: (content: String, use: String)? {
    if text.contains("switchguid=") {
      return (
        "an ibnetdiscover listing of an InfiniBand fabric, which has no rates",
        "write the fabric as cluster.topology: simnet list topologies"
      )
    }
    if text.hasPrefix("file,pattern,ranks,datasize_bytes,L_ns") {
      return (
        "finish times by LogGOPSim", "play the schedules it names: simnet goal SCHEDULE --loggp ..."
      )
    }
    if text.hasPrefix("{"), text.contains("\"generator\": \"SimGrid") {
      return (
        "flows and their finish times by SimGrid",
        "give simnet flows a table of id, source, destination, bytes and start_s with --topology"
      )
    }
    return nil
  }
}
