import Glibc

/// Where an output really goes.
public enum OutputPath {
  /// The file that a write to `path` would change: where its symbolic links lead, which need not exist.
  ///
  /// Renaming a file into place would otherwise replace the link.
  public static func target(of path: String) -> String {
    var path = path
    // More links in a row than this are a circle, which the system reports when the file is opened.
    for _ in 0..<40 {
      guard let next = destination(of: path) else { return path }
      let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
      path = next.hasPrefix("/") ? next : folder + next
    }
    return path
  }

  private static func destination(of path: String) -> String? {
    withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { buffer in
      // In bounds: readlink writes at most the given count, and says how much.
      let count = readlink(path, buffer.baseAddress!, buffer.count)
      return count < 0
        ? nil : String(decoding: UnsafeRawBufferPointer(rebasing: buffer[..<count]), as: UTF8.self)
    }
  }

  /// Creates the folders that lead to `path` as far as they are missing; what cannot be created is
  /// reported when the file is.
  static func makeFolders(of path: String) {
    var end = path.startIndex
    while let slash = path[end...].firstIndex(of: "/") {
      if slash > path.startIndex { mkdir(String(path[..<slash]), 0o777) }
      end = path.index(after: slash)
    }
  }
}
