import Foundation

/// Whether paths lead to one file.
enum FileIdentity {
  /// Whether both exist and are the same file, whatever the paths look like.
  static func isSame(_ a: String, _ b: String) -> Bool {
    var (first, second) = (stat(), stat())
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_ino == second.st_ino
      && first.st_dev == second.st_dev
  }
}
