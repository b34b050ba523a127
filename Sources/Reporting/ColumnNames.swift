/// Names of swept paths as a table's titles show them.
enum ColumnNames {
  /// The shortest end of `path` that no other of `paths` has too.
  static func short(_ path: String, among paths: [String]) -> String {
    let parts = path.split(separator: ".")
    for count in 1..<max(2, parts.count) {
      let end = parts.suffix(count).joined(separator: ".")
      if !paths.contains(where: { $0 != path && ($0 == end || $0.hasSuffix("." + end)) }) {
        return end
      }
    }
    return path
  }
}
