import Glibc

/// The memory this process occupies.
enum Resident {
  /// Bytes of resident pages, from `/proc/self/statm`; 0 where there is none.
  static var bytes: Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 128)
    guard fgets(&text, Int32(text.count), file) != nil else { return 0 }
    // The second number counts resident pages.
    let space = UInt8(ascii: " ")
    let digits = text.map { UInt8(bitPattern: $0) }.drop { $0 != space }.dropFirst()
      .prefix { $0 != space }
    let pages = Int(String(decoding: digits, as: UTF8.self)) ?? 0
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
