import Foundation
import SimKernel

/// Writes the append-only record of finished runs: what makes a killed sweep resumable.
///
/// Each writer begins with a line that names its build. Then one line a run: a 128-bit checksum, the run's id, and its cells as a JSON array of strings - or,
/// for a run that failed, the reason as one string. A torn or damaged line is skipped when read and
/// its run repeated; ids carry scenario, seed, replicate and version, so a line of another sweep is
/// never mistaken for one of this. Nothing is ever rewritten, so that readers need no lock.
public final class Journal {
  private let path: String
  private let descriptor: Int32
  private var pending: [UInt8] = []
  private var lastSync = DispatchTime.now()

  /// Opens or creates the journal at `path` for appending.
  ///
  /// - Throws: ``InputError`` if it cannot be read or written.
  public init(path: String) throws(InputError) {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw AtomicFile.failure(path, "cannot be opened") }
    // A torn last line must not swallow the next one.
    let end = lseek(descriptor, 0, SEEK_END)
    var last: UInt8 = 0x0A
    if end > 0, pread(descriptor, &last, 1, end - 1) == 1, last != 0x0A { pending.append(0x0A) }
    pending += Array("\(BuildVersion.current)\n".utf8)
  }

  deinit { close(descriptor) }

  /// Appends a finished run; it is on disk after the next ``flush()``, at most 0.2 s later.
  public func append(_ id: RunID, cells: [String]) throws(InputError) {
    var body: [UInt8] = [0x5B]
    for (index, cell) in cells.enumerated() {
      if index > 0 { body.append(0x2C) }
      JSONNode.append(quoted: cell, to: &body)
    }
    body.append(0x5D)
    try append(id, body)
  }

  /// Appends a run that failed because of `reason`.
  public func append(_ id: RunID, failure reason: String) throws(InputError) {
    var body: [UInt8] = []
    JSONNode.append(quoted: reason, to: &body)
    try append(id, body)
  }

  private func append(_ id: RunID, _ content: [UInt8]) throws(InputError) {
    var line = Array("\(id) ".utf8)
    line += content
    pending.append(contentsOf: Self.checksum(line[...]).description.utf8)
    pending.append(0x20)
    pending += line
    pending.append(0x0A)
    if DispatchTime.now().uptimeNanoseconds - lastSync.uptimeNanoseconds > 200_000_000 {
      try flush()
    }
  }

  /// Writes and syncs what is pending: many runs for one sync.
  public func flush() throws(InputError) {
    lastSync = DispatchTime.now()
    if pending.isEmpty { return }
    guard AtomicFile.write(pending, to: descriptor), fdatasync(descriptor) == 0 else {
      throw AtomicFile.failure(path, "could not be appended to")
    }
    pending.removeAll(keepingCapacity: true)
  }

  /// Names the content of a line.
  static func checksum(_ line: ArraySlice<UInt8>) -> RunID {
    var hash = StableHash()
    line.withUnsafeBytes { hash.combine(bytes: $0) }
    return RunID(hash)
  }
}
