import Foundation
import SimKernel

/// The append-only record of a sweep's finished runs: what makes a killed sweep resumable.
///
/// One line a run: a 128-bit checksum, the run's id, and its cells as a JSON array of strings. A
/// torn or damaged line is skipped and its run repeated; ids carry scenario, seed, replicate and
/// version, so a line of another sweep is never mistaken for one of this.
public final class Journal {
  private let path: String
  private var descriptor: Int32
  private var pending: [UInt8] = []
  private var lastSync = DispatchTime.now()
  /// Finished runs found when the journal was opened.
  public private(set) var finished: [String: [String]] = [:]

  /// Opens or creates the journal at `path` and reads what it holds.
  ///
  /// - Throws: ``InputError`` if it cannot be read or written.
  public init(path: String) throws(InputError) {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw AtomicFile.failure(path, "cannot be opened") }
    let data = FileManager.default.contents(atPath: path) ?? Data()
    for line in data.split(separator: 0x0A) {
      if let (id, cells) = Self.parse(String(decoding: line, as: UTF8.self)) {
        finished[id] = cells
      }
    }
    // A torn last line must not swallow the next one.
    if let last = data.last, last != 0x0A { pending.append(0x0A) }
  }

  deinit { close(descriptor) }

  /// Appends a finished run; it is on disk after the next ``flush()``, at most 0.2 s later.
  public func append(id: String, cells: [String]) throws(InputError) {
    let body = id + " " + JSONNode(.array(cells.map { JSONNode(.string($0)) })).compactText
    pending += Array((Self.checksum(body) + " " + body + "\n").utf8)
    if DispatchTime.now().uptimeNanoseconds - lastSync.uptimeNanoseconds > 200_000_000 {
      try flush()
    }
  }

  /// Writes and syncs what is pending.
  public func flush() throws(InputError) {
    if pending.isEmpty { return }
    guard AtomicFile.write(pending, to: descriptor), fdatasync(descriptor) == 0 else {
      throw AtomicFile.failure(path, "could not be appended to")
    }
    pending.removeAll(keepingCapacity: true)
    lastSync = DispatchTime.now()
  }

  /// Removes the journal once its results are safe in the CSV.
  public func remove() { unlink(path) }

  private static func parse(_ line: String) -> (String, [String])? {
    let parts = line.split(separator: " ", maxSplits: 2)
    guard parts.count == 3, checksum(parts[1] + " " + parts[2]) == parts[0],
      let cells = try? JSONNode.parse(String(parts[2]), origin: "journal").elements
    else { return nil }
    return (String(parts[1]), cells.compactMap(\.string))
  }

  private static func checksum(_ body: some StringProtocol) -> String {
    var hash = StableHash()
    hash.combine(String(body))
    return hash.hexadecimal
  }
}
