import SimKernel

/// The settings of the ns-3 backends of SimAI and ASTRA-sim, as `KEY value ...` lines.
///
/// Which keys mean what differs between versions of the backend, so every line is kept as it is; the
/// known rates and sizes have accessors with units.
public struct NS3Configuration: Sendable, Equatable {
  public struct Entry: Sendable, Equatable {
    public var key: String
    public var values: [String]
    public var line: Int
  }
  public var entries: [Entry]

  public init(path: String) throws(InterchangeError) { self = try Self.read(TextLines(path: path)) }
  public init(bytes: [UInt8], path: String) throws(InterchangeError) {
    self = try Self.read(TextLines(bytes: bytes, path: path))
  }
  private init(entries: [Entry]) { self.entries = entries }

  /// The values of `key`.
  public subscript(key: String) -> [String]? { entries.first { $0.key == key }?.values }

  /// Bytes of payload in a packet.
  public var packetPayload: ByteCount? {
    self["PACKET_PAYLOAD_SIZE"]?.first.flatMap { Int64($0) }.map { .bytes($0) }
  }
  /// Of a switch; the format counts mebibytes.
  public var bufferSize: ByteCount? {
    self["BUFFER_SIZE"]?.first.flatMap { Int64($0) }.map { .mebibytes($0) }
  }

  private static func read(_ text: TextLines) throws(InterchangeError) -> NS3Configuration {
    var lines = text
    var entries: [Entry] = []
    while let words = lines.nextWords() {
      let key = words[0]
      guard key.utf8.allSatisfy({ $0 == 95 || ($0 >= 48 && $0 <= 57) || ($0 >= 65 && $0 <= 90) }),
        words.count >= 2
      else {
        throw lines.failure("\"\(key.prefix(40))\"", "expected a KEY in capitals and its value")
      }
      try checkMap(words, lines)
      entries.append(
        Entry(key: String(key), values: words.dropFirst().map(String.init), line: lines.number))
    }
    guard !entries.isEmpty else { throw lines.failure("no settings", "KEY value lines") }
    return NS3Configuration(entries: entries)
  }

  /// `KMAX_MAP 6 25000000000 400 ...`: a number, and as many pairs of rate and threshold.
  private static func checkMap(
    _ words: [Substring], _ lines: TextLines
  ) throws(InterchangeError) {
    guard words[0].hasSuffix("_MAP") else { return }
    let count = try lines.integer(words[1], 0...1000, "the number of pairs")
    guard words.count == 2 + 2 * Int(count) else {
      throw lines.failure("\((words.count - 2) / 2) pairs", "expected \(count)")
    }
    for word in words.dropFirst(2) { _ = try lines.decimal(word, timesTenTo: 0, "a pair's number") }
  }
}
