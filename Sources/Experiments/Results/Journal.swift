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
  private let path: String
  private let descriptor: Int32
  /// Lines that are not on disk.
  private let pending: Mutex<[UInt8]>
  /// Held while something is being written, so that no line stands inside another.
  private let writing = Mutex<Void>(())
  /// What went wrong when nobody was there to hear of it.
  private let failure = Mutex<InputError?>(nil)
  /// Set once and only cancelled; dispatch sources may be used by any thread.
  private nonisolated(unsafe) let timer: any DispatchSourceTimer

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
    var start: [UInt8] = []
    if end > 0, pread(descriptor, &last, 1, end - 1) == 1, last != 0x0A { start.append(0x0A) }
    pending = Mutex(start + Array("\(BuildVersion.current)\n".utf8))
    // Runs may take hours: the next one's end is no time to write down the last one's. The queue is
    // its own, as the shared ones are busy with runs.
    timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "journal"))
    timer.setEventHandler { [weak self] in
      do throws(InputError) { try self?.flush() } catch {
        self?.failure.withLock { $0 = $0 ?? error }
      }
    }
    timer.schedule(deadline: .now() + 0.2, repeating: 0.2)
    timer.activate()
  }

  deinit {
    timer.cancel()
    close(descriptor)
  }

  /// Appends a finished run; it is on disk after the next ``flush()``, at most 0.2 s and a write
  /// later.
  ///
  /// - Throws: ``InputError`` if an earlier run could not be written.
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
    pending.withLock { pending in
      pending.append(contentsOf: checksum.utf8)
      pending.append(0x20)
      pending += line
      pending.append(0x0A)
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  /// Writes and syncs what is pending: many runs for one sync.
  ///
  /// - Throws: ``InputError`` if that fails; what was pending is kept for the next time.
  public func flush() throws(InputError) {
    let error = writing.withLock { _ -> InputError? in
      let bytes = pending.withLock { pending in
        defer { pending = [] }
        return pending
      }
      if bytes.isEmpty || AtomicFile.write(bytes, to: descriptor) && fdatasync(descriptor) == 0 {
        return nil
      }
      let error = AtomicFile.failure(path, "could not be appended to")
      // Some of it may stand there, torn; a line that stands there twice counts once.
      pending.withLock { $0 = [0x0A] + bytes + $0 }
      return error
    }
    if let error { throw error }
  }

  /// Names the content of a line.
  static func checksum(_ line: ArraySlice<UInt8>) -> RunID {
    var hash = StableHash()
    line.withUnsafeBytes { hash.combine(bytes: $0) }
    return RunID(hash)
  }
}
