/// A pattern of names, as of tensors or links: `*` stands for any characters, `?` for one.
public struct NamePattern: Sendable, Hashable {
  public let text: String

  public init(_ text: String) { self.text = text }

  /// Whether the whole of `name` fits.
  ///
  /// - Complexity: O(name x pattern), without recursion.
  public func matches(_ name: String) -> Bool {
    let pattern = Array(text.utf8)
    let subject = Array(name.utf8)
    var (p, s) = (0, 0)
    // Where to go on after the last star took one more character.
    var retry: (p: Int, s: Int)?
    while s < subject.count {
      if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
        retry = (p + 1, s)
        p += 1
      } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") || pattern[p] == subject[s] {
        p += 1
        s += 1
      } else if let (star, at) = retry {
        retry = (star, at + 1)
        (p, s) = (star, at + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
