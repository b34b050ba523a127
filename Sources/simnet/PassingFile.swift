import Foundation

/// A file in a folder of its own, both of which go away with it.
final class PassingFile {
  /// Where the file may be made.
  let path: String
  private let folder: String

  /// Makes the folder for a file of this name.
  ///
  /// - Throws: what keeps the folder from being made.
  init(_ name: String) throws {
    folder = NSTemporaryDirectory() + "/simnet-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    path = folder + "/" + name
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }
}
