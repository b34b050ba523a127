import Experiments
import Foundation
import SimKernel
import Validation

/// The steps of a gate in a file, one user at a time.
///
/// A step is in the file before its verdict is told, so that no crash gives a verdict away for
/// nothing; the file is replaced whole, so that none leaves half a line.
final class GateState {
  let path: String
  /// The steps so far.
  private(set) var ledger: GateLedger
  private let lock: Int32

  /// Opens the record at `path`, which need not exist, and keeps others out until it is let go.
  ///
  /// - Throws: `InputError` if it cannot be read or written, `JSONError` and `InvalidInput` if it is
  ///   damaged.
  init(_ path: String) throws {
    self.path = path
    try AtomicFile.prepareFolder(of: path)
    // The record itself is replaced, and a lock on it with it.
    lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard lock >= 0, flock(lock, LOCK_EX) == 0 else {
      throw InputError(
        path: path + ".lock", reason: String(cString: strerror(errno)),
        advice: "name a record in a folder that can be written")
    }
    guard FileManager.default.fileExists(atPath: path) else {
      ledger = GateLedger()
      return
    }
    let text: String
    do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw InputError(path: path, reason: InputError.reason(error), advice: "check the path")
    }
    ledger = try GateLedger.parse(text, origin: path)
  }

  deinit { close(lock) }

  /// Adds a step and makes it last.
  func record(_ entry: GateLedger.Entry, of plan: GatePlan) throws(InputError) {
    var next = ledger
    next.append(entry, of: plan)
    try AtomicFile.write(next.text, to: path)
    ledger = next
  }

  /// Names the content of the file at `path`.
  static func hash(_ path: String) throws(InputError) -> String {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw InputError(path: path, reason: InputError.reason(error), advice: "check the path")
    }
    var hash = StableHash()
    data.withUnsafeBytes { hash.combine(bytes: $0) }
    return hash.hexadecimal
  }
}
