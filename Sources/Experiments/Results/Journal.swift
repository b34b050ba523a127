import Foundation
import SimKernel
import Synchronization

/// Writes the append-only record of finished runs: what makes a killed sweep resumable.
///
/// Each writer begins with a line that names its build. Then one line a run: a 128-bit checksum, the
/// run's id, and its cells as a JSON array of strings - or, for a run that failed, the reason as one
/// string. A torn or damaged line is skipped when read and its run repeated; ids carry scenario,
/// seed, replicate and version, so a line of another sweep is never mistaken for one of this.
/// Nothing is ever rewritten, so that readers need no lock.
///
/// Threads share a journal: they make their lines by themselves, and while one waits for the disk
/// the others go on.
public final class Journal: Sendable {
  private struct State {
    var pending: [UInt8] = []
    var lastSync = DispatchTime.now()
  }

  private let path: String
  private let descriptor: Int32
  private let state: Mutex<State>
  /// Held while something is being written, so that no line stands inside another.
  private let writing = Mutex<Void>(())

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
    var start = State()
    if end > 0, pread(descriptor, &last, 1, end - 1) == 1, last != 0x0A {
      start.pending.append(0x0A)
    }
    start.pending += Array("\(BuildVersion.current)\n".utf8)
    state = Mutex(start)
  }

  deinit { close(descriptor) }

  /// Appends a finished run; it is on disk after the next ``flush()``, at most 0.2 s later.
  public func append(_ id: RunID, cells: [String]) throws(InputError) {
    var content: [UInt8] = [0x5B]
    for (index, cell) in cells.enumerated() {
      if index > 0 { content.append(0x2C) }
      JSONNode.append(quoted: cell, to: &content)
    }
    content.append(0x5D)
    try append(id, content)
  }

  /// Appends a run that failed because of `reason`.
  public func append(_ id: RunID, failure reason: String) throws(InputError) {
    var content: [UInt8] = []
    JSONNode.append(quoted: reason, to: &content)
    try append(id, content)
  }

  private func append(_ id: RunID, _ content: [UInt8]) throws(InputError) {
    var line = Array("\(id) ".utf8)
    line += content
    let checksum = Self.checksum(line[...]).description
    let isDue = state.withLock { state in
      state.pending.append(contentsOf: checksum.utf8)
      state.pending.append(0x20)
      state.pending += line
      state.pending.append(0x0A)
      let now = DispatchTime.now()
      guard now.uptimeNanoseconds - state.lastSync.uptimeNanoseconds > 200_000_000 else {
        return false
      }
      state.lastSync = now
      return true
    }
    if isDue { try flush() }
  }

  /// Writes and syncs what is pending: many runs for one sync.
  public func flush() throws(InputError) {
    let isWritten = writing.withLock { _ in
      let bytes = state.withLock { state in
        state.lastSync = DispatchTime.now()
        defer { state.pending = [] }
        return state.pending
      }
      return bytes.isEmpty
        || AtomicFile.write(bytes, to: descriptor) && fdatasync(descriptor) == 0
    }
    if !isWritten { throw AtomicFile.failure(path, "could not be appended to") }
  }

  /// Names the content of a line.
  static func checksum(_ line: ArraySlice<UInt8>) -> RunID {
    var hash = StableHash()
    line.withUnsafeBytes { hash.combine(bytes: $0) }
    return RunID(hash)
  }
}
