import SimKernel

/// Writes a GOAL schedule in its text form, as ``GOALReader`` and LogGOPSim's txt2bin read it.
///
/// A sink like any other, so that reading into it copies a schedule:
///
///     var writer = GOALWriter()
///     try GOALReader.read(path: "a.goal", into: &writer)
///     try writer.write(path: "b.goal")
///
/// Operations are called `l1`, `l2`, ... in each rank; a requirement stands behind the operations it
/// is about. GOAL counts nanoseconds and knows no collectives.
public struct GOALWriter: GOALSink {
  private var body: [UInt8] = []
  private var isInRank = false
  private var count = 0

  public init() {}

  /// The schedule so far.
  public var bytes: [UInt8] { isInRank ? body + Array("}\n".utf8) : body }

  /// Writes the schedule to `path`; the file appears whole or not at all.
  public func write(path: String) throws(InterchangeError) {
    let file = try OutputFile(path: path)
    try file.write(bytes)
    try file.finish()
  }

  private mutating func line(_ text: String) { body.append(contentsOf: Array((text + "\n").utf8)) }

  public mutating func begin(ranks: Int) { line("num_ranks \(ranks)") }

  public mutating func begin(rank: Int) {
    if isInRank { line("}") }
    isInRank = true
    count = 0
    line("\nrank \(rank) {")
  }

  private mutating func operation(_ text: String, _ cpu: UInt8, _ nic: UInt8) -> Int {
    count += 1
    let places = (cpu > 0 ? " cpu \(cpu)" : "") + (nic > 0 ? " nic \(nic)" : "")
    line("l\(count): \(text)\(places)")
    return count - 1
  }

  public mutating func calculate(nanoseconds: Int, cpu: UInt8, line: Int) -> Int {
    operation("calc \(nanoseconds)", cpu, 0)
  }
  public mutating func send(
    bytes: Int, to destination: Int, tag: Int32, cpu: UInt8, nic: UInt8, line: Int
  ) -> Int { operation("send \(bytes)b to \(destination) tag \(tag)", cpu, nic) }
  public mutating func receive(
    bytes: Int, from source: Int?, tag: Int32?, cpu: UInt8, nic: UInt8, line: Int
  ) -> Int { operation("recv \(bytes)b from \(source ?? -1) tag \(tag ?? -1)", cpu, nic) }

  public mutating func require(_ later: Int, after earlier: Int, onStart: Bool) {
    line("l\(later + 1) \(onStart ? "irequires" : "requires") l\(earlier + 1)")
  }
}
