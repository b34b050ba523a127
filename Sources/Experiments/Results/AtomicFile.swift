import Foundation
import Interchange

/// Writes files so that a reader sees either the old content or the new, whole.
public enum AtomicFile {
  /// Writes `content` as ``stream(to:_:)`` does.
  ///
  /// - Throws: ``InputError`` with the system's reason; the old file is then untouched.
  public static func write(_ content: String, to path: String) throws(InputError) {
    do {
      try stream(to: path) { try $0.append(Array(content.utf8)) }
    } catch let error as InputError {
      throw error
    } catch { preconditionFailure("writing throws nothing else: \(error)") }
  }

  /// Takes the bytes of a file that is being written.
  public final class Writer {
    private let path: String
    private let descriptor: Int32
    private var pending: [UInt8] = []

    fileprivate init(path: String, descriptor: Int32) {
      self.path = path
      self.descriptor = descriptor
    }

    /// Appends `bytes`.
    public func append(_ bytes: [UInt8]) throws(InputError) {
      pending += bytes
      if pending.count > 1 << 20 { try flush() }
    }

    fileprivate func flush() throws(InputError) {
      guard AtomicFile.write(pending, to: descriptor) else {
        throw AtomicFile.failure(path, "could not be written in full")
      }
      pending.removeAll(keepingCapacity: true)
    }
  }

  /// Writes what `fill` appends, piece by piece, beside `path` under a temporary name, syncs it, and
  /// renames it into place.
  ///
  /// A symbolic link stays one, and what it leads to is replaced. Missing folders are created.
  ///
  /// - Throws: what `fill` throws; ``InputError`` with the system's reason. The old file is then
  ///   untouched.
  public static func stream(to name: String, _ fill: (Writer) throws -> Void) throws {
    let path = OutputPath.target(of: name)
    try prepareFolder(of: path)
    // Hosts that share a file system may give the same number to two processes.
    let host = ProcessInfo.processInfo.hostName
    let temporary = path + ".tmp-\(host)-\(ProcessInfo.processInfo.processIdentifier)"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure(path, "cannot be written") }
    do {
      let writer = Writer(path: path, descriptor: descriptor)
      try fill(writer)
      try writer.flush()
      guard fsync(descriptor) == 0 else { throw failure(path, "could not be written in full") }
    } catch {
      close(descriptor)
      unlink(temporary)
      throw error
    }
    close(descriptor)
    guard rename(temporary, path) == 0 else {
      let error = failure(path, "could not be put in place")
      unlink(temporary)
      throw error
    }
    syncFolder(of: path)
  }

  /// Makes a rename outlast a power cut; a file system that cannot is not worth failing for.
  private static func syncFolder(of path: String) {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if descriptor < 0 { return }
    fsync(descriptor)
    close(descriptor)
  }

  /// Writes all of `bytes`, or returns false.
  static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
      var offset = 0
      while offset < buffer.count {
        let count = Foundation.write(
          descriptor, buffer.baseAddress! + offset, buffer.count - offset)
        if count < 0 {
          if errno == EINTR { continue }
          return false
        }
        offset += count
      }
      return true
    }
  }

  static func failure(_ path: String, _ what: String) -> InputError {
    InputError(
      path: path, reason: "\(what): \(String(cString: strerror(errno)))",
      advice: "check the folder and its permissions; nothing was changed")
  }

  /// Creates the folder of `path` if it is missing.
  public static func prepareFolder(of path: String) throws(InputError) {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw InputError(
        path: folder.path, reason: "cannot be created: \(InputError.reason(error))",
        advice: "choose another output with -o")
    }
    guard access(folder.path, W_OK) == 0 else {
      throw InputError(
        path: folder.path, reason: "cannot be written to: \(String(cString: strerror(errno)))",
        advice: "choose another output with -o")
    }
  }
}
