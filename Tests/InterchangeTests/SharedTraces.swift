import Foundation
import Interchange
import Testing

/// `shared/traces` beside the repository or above it, if it is there.
enum SharedTraces {
  static let folder: String? = {
    var place = URL(fileURLWithPath: #filePath)
    while place.path != "/" {
      place.deleteLastPathComponent()
      let folder = place.appendingPathComponent("shared/traces").path
      if FileManager.default.fileExists(atPath: folder) { return folder }
    }
    return nil
  }()
  static let isHere = folder != nil
  static let reason: Comment = "shared/traces is not beside the repository"

  static func path(_ name: String) -> String { (folder ?? "") + "/" + name }

  /// The files whose paths below `shared/traces` begin with `start` and end with `end`, by name.
  static func files(_ start: String = "", _ end: String = "") -> [String] {
    guard let folder else { return [] }
    let all = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return all.filter { name in
      var isFolder: ObjCBool = false
      return name.hasPrefix(start) && name.hasSuffix(end)
        && FileManager.default.fileExists(atPath: folder + "/" + name, isDirectory: &isFolder)
        && !isFolder.boolValue
    }.sorted()
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }
}

/// A small generator with a fixed seed (Steele, Lea, Flood 2014).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}

/// Ten copies of `bytes` that cannot be read: `cuts` that end early, the others with a stretch of
/// `filler`.
///
/// A text of lines that is cut at the end of one may be a shorter text: of those all are stretches.
func damagedCopies(
  of bytes: [UInt8], filler: UInt8 = 1, seed: UInt64 = 7, cuts: Int = 5
) -> [[UInt8]] {
  var random = SplitMix(state: seed)
  // The ends of files are white space, which may well be missing.
  let last = bytes.lastIndex { $0 > 32 } ?? 0
  return (0..<10).map { number in
    var copy = bytes
    if number < cuts {
      copy.removeSubrange(Int.random(in: 1..<max(2, last), using: &random)...)
    } else {
      let start = Int.random(in: 0..<max(1, bytes.count - 16), using: &random)
      for index in start..<min(start + 16, bytes.count) { copy[index] = filler }
    }
    return copy
  }
}

/// The error that `read` throws, which must name a byte or a line.
func positionedError(
  _ label: String, _ read: () throws -> Void,
  sourceLocation: SourceLocation = #_sourceLocation
) -> String {
  do {
    try read()
    Issue.record("\(label) was read", sourceLocation: sourceLocation)
    return ""
  } catch let error as InterchangeError {
    let hasLine = error.path.split(separator: ":").dropFirst().contains { Int($0) != nil }
    #expect(
      error.byteOffset != nil || hasLine, "\(label): \(error)", sourceLocation: sourceLocation)
    return error.description
  } catch {
    Issue.record("\(label): \(error)", sourceLocation: sourceLocation)
    return ""
  }
}
