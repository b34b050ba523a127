import Foundation
import SimKernel

/// Where the runs of some journals are: 40 bytes a run are kept, the cells stay on disk.
///
/// Safe to share between threads: nothing is written after `init`, and `pread` keeps no position.
public final class JournalIndex: @unchecked Sendable {
  private struct Place {
    var file: Int32
    var length: Int32
    var offset: Int64
    var hasFailed: Bool
  }
  private var places: [RunID: Place] = [:]
  private var descriptors: [Int32] = []
  /// The builds that wrote the journals, each once, in the order they were met.
  public private(set) var builds: [BuildVersion] = []

  /// Reads `paths`, in which the last line about a run counts, but none about a failure after one
  /// about its success.
  ///
  /// A file that does not exist is empty.
  ///
  /// - Throws: ``InputError`` if one cannot be read.
  public init(_ paths: [String]) throws(InputError) {
    for path in paths { try scan(path) }
  }

  deinit { for descriptor in descriptors { close(descriptor) } }

  /// The number of finished runs.
  public var finishedCount: Int { places.values.count { !$0.hasFailed } }

  /// Whether the run is finished.
  public func isFinished(_ id: RunID) -> Bool { places[id].map { !$0.hasFailed } ?? false }

  /// Whether the run has failed and was not finished since.
  public func hasFailed(_ id: RunID) -> Bool { places[id]?.hasFailed ?? false }

  /// The cells of a finished run; nil if it is not finished, or its line has gone bad since.
  public func cells(_ id: RunID) -> [String]? {
    guard let place = places[id], !place.hasFailed, let bytes = read(place) else { return nil }
    return bytes.withUnsafeBytes { buffer in
      var reader = JSONReader(buffer, origin: "journal")
      var cells: [String] = []
      cells.reserveCapacity(64)
      var first = true
      do throws(JSONError) {
        try reader.beginArray()
        while try reader.nextElement(first: &first) { cells.append(try reader.string()) }
        try reader.end()
      } catch { return nil }
      return cells
    }
  }

  /// Why a failed run failed.
  public func failure(_ id: RunID) -> String? {
    guard let place = places[id], place.hasFailed, let bytes = read(place) else { return nil }
    return bytes.withUnsafeBytes {
      (try? JSONNode.parse($0, origin: "journal"))?.string
    }
  }

  private func read(_ place: Place) -> [UInt8]? {
    let count = Int(place.length)
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      initialized = max(
        0, pread(descriptors[Int(place.file)], buffer.baseAddress!, count, off_t(place.offset)))
    }
    return bytes.count == count ? bytes : nil
  }

  // MARK: - Scanning

  /// The checksum and the id, each with its space.
  private static let prefix = 66

  private func scan(_ path: String) throws(InputError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0, errno == ENOENT { return }
    guard descriptor >= 0 else { throw AtomicFile.failure(path, "cannot be opened") }
    let file = Int32(descriptors.count)
    descriptors.append(descriptor)
    var buffer: [UInt8] = []
    // Where in the file the buffer begins.
    var base: Int64 = 0
    while true {
      let kept = buffer.count
      let wanted = max(1 << 20, kept)
      buffer.append(contentsOf: repeatElement(0, count: wanted))
      let count = buffer.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress! + kept, wanted, off_t(base) + off_t(kept))
      }
      guard count >= 0 else { throw AtomicFile.failure(path, "cannot be read") }
      buffer.removeLast(wanted - count)
      var start = 0
      while let end = buffer[start...].firstIndex(of: 0x0A) {
        take(buffer[start..<end], file, base + Int64(start))
        start = end + 1
      }
      if count == 0 {
        // A line that lacks nothing but its end counts.
        take(buffer[start...], file, base + Int64(start))
        return
      }
      buffer.removeSubrange(..<start)
      base += Int64(start)
    }
  }

  private func take(_ line: ArraySlice<UInt8>, _ file: Int32, _ offset: Int64) {
    let start = line.startIndex
    if line.first == 0x73 {
      let build = BuildVersion(line: String(decoding: line, as: UTF8.self))
      if let build, !builds.contains(build) { builds.append(build) }
      return
    }
    guard line.count > Self.prefix, line.count < Int(Int32.max), line[start + 32] == 0x20,
      line[start + 65] == 0x20,
      let checksum = RunID(hexadecimal: line[start..<start + 32]),
      let id = RunID(hexadecimal: line[(start + 33)..<(start + 65)]),
      checksum == Journal.checksum(line[(start + 33)...])
    else { return }
    let hasFailed = line[start + Self.prefix] != 0x5B
    if hasFailed, isFinished(id) { return }
    places[id] = Place(
      file: file, length: Int32(line.count - Self.prefix), offset: offset + Int64(Self.prefix),
      hasFailed: hasFailed)
  }
}
