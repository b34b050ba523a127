import SimKernel

/// What NVIDIA's nccl-tests print: the time of one collective at each size.
///
/// Both layouts are read, that of releases before 2.13 (`error`, no `root`) and later (`#wrong`,
/// `root`), as every row ends with time, algorithm bandwidth, bus bandwidth and a verdict, once or
/// twice: out of place, then in place. Whatever is no row is skipped, as libraries and launchers
/// write into the same stream.
public struct NCCLTestsLog: Sendable, Equatable {
  /// One size.
  public struct Row: Sendable, Equatable {
    public var size: ByteCount
    /// Seconds out of place, then in place if that was measured.
    public var times: [Double]
    /// Bus bandwidth over algorithm bandwidth, which depends on the operation and the ranks; nil
    /// where both were printed as zero.
    public var busFactor: Double?
  }

  /// In the order of the log; a size may come several times, and may be zero.
  public var rows: [Row]
  /// As many as headers name, each once; nil if they name none.
  public var ranks: Int?
  /// Numbers of lines that begin like a row and are none: cut short, or with something in between.
  public private(set) var brokenLines: [Int] = []

  /// The first few of ``brokenLines``.
  public var brokenLinesText: String {
    let more = brokenLines.count > 8 ? " and \(brokenLines.count - 8) more" : ""
    return brokenLines.prefix(8).map(String.init).joined(separator: ", ") + more
  }

  /// Reads the log at `path`.
  ///
  /// - Throws: ``InterchangeError`` if it cannot be read, is larger than 64 MiB, or has no row.
  public init(path: String) throws(InterchangeError) {
    let file = try InputFile(path: path)
    guard file.size <= 1 << 26 else {
      throw InterchangeError(
        path: path, found: "\(file.size) bytes", expected: "a log of nccl-tests of at most 64 MiB")
    }
    let bytes = try file.bytes(at: 0, count: file.size)
    self.init(text: String(decoding: bytes, as: UTF8.self))
    if rows.isEmpty {
      throw InterchangeError(
        path: path, found: "no row of nccl-tests",
        expected: "lines such as '1048576  262144  float  sum  -1  74.78  14.02  24.54  0  ...'")
    }
  }

  /// Reads as many rows as there are in `text`.
  public init(text: String) {
    rows = []
    // A log may hold the output of several runs, each with its header.
    var named: Set<Int> = []
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() {
      let words = line.split(whereSeparator: \.isWhitespace)
      if words.count > 2, words[0] == "#", words[1] == "Rank", let rank = Int(words[2]) {
        named.insert(rank)
      }
      if let row = Self.row(words) {
        rows.append(row)
      } else if words.count >= 3, Self.begins(words) {
        brokenLines.append(index + 1)
      }
    }
    ranks = named.isEmpty ? nil : named.count
  }

  /// Whether a line begins as rows do.
  private static func begins(_ words: [Substring]) -> Bool {
    guard let bytes = Int64(words[0]), bytes >= 0, Int64(words[1]) != nil else { return false }
    // The name of a type, such as float or int8.
    return words[2].first?.isLetter == true
  }

  private static func row(_ words: [Substring]) -> Row? {
    guard words.count >= 7, begins(words), let bytes = Int64(words[0]) else { return nil }
    var times: [Double] = []
    var factor: Double?
    // From the end, since what stands before depends on operation and release.
    var end = words.count
    while end >= 7, times.count < 2, let found = group(words[end - 4..<end]) {
      times.insert(found.time / 1e6, at: 0)
      if found.algorithm > 0, found.bus > 0 { factor = found.bus / found.algorithm }
      end -= 4
    }
    if times.isEmpty { return nil }
    return Row(size: .bytes(bytes), times: times, busFactor: factor)
  }

  /// Time in microseconds, two bandwidths in GB/s, and a verdict that is a number or N/A.
  private static func group(
    _ words: ArraySlice<Substring>
  ) -> (time: Double, algorithm: Double, bus: Double)? {
    let (time, algorithm, bus, verdict) = (
      Double(words[words.startIndex]), Double(words[words.startIndex + 1]),
      Double(words[words.startIndex + 2]), words[words.startIndex + 3]
    )
    guard let time, let algorithm, let bus, time.isFinite, time > 0, algorithm >= 0, bus >= 0,
      verdict == "N/A" || Double(verdict) != nil
    else { return nil }
    return (time, algorithm, bus)
  }
}
