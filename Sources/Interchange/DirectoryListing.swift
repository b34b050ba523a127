import Glibc

/// The names in a folder, and the order people expect of them.
enum DirectoryListing {
  /// The names of the entries of `path`, in no particular order.
  static func names(in path: String) throws(InterchangeError) -> [String] {
    guard let directory = opendir(path) else {
      throw InputFile.systemError(path, "the folder cannot be read")
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      // The name is a C string inside the entry, which stays valid until the next call.
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) {
          String(cString: $0)
        }
      }
      names.append(name)
    }
    return names
  }

  /// Whether `a` comes before `b`: runs of digits compare as numbers, all else byte by byte; names
  /// that differ only in leading zeros compare byte by byte.
  static func precedes(_ a: String, _ b: String) -> Bool {
    let (x, y) = (Array(a.utf8), Array(b.utf8))
    var (i, j) = (0, 0)
    while i < x.count, j < y.count {
      if x[i] &- 0x30 < 10, y[j] &- 0x30 < 10 {
        let (first, second) = (number(x, &i), number(y, &j))
        if first.count != second.count { return first.count < second.count }
        if first != second { return first.lexicographicallyPrecedes(second) }
      } else if x[i] != y[j] {
        return x[i] < y[j]
      } else {
        i += 1
        j += 1
      }
    }
    if x.count - i != y.count - j { return x.count - i < y.count - j }
    return x.lexicographicallyPrecedes(y)
  }

  /// The digits from `index` on without leading zeros.
  private static func number(_ bytes: [UInt8], _ index: inout Int) -> ArraySlice<UInt8> {
    while index < bytes.count, bytes[index] == 0x30 { index += 1 }
    let start = index
    while index < bytes.count, bytes[index] &- 0x30 < 10 { index += 1 }
    return bytes[start..<index]
  }
}
