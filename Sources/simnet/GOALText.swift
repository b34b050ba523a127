import Networks

/// Writes patterns in GOAL's text form.
enum GOALText {
  /// The schedule of `pattern`.
  ///
  /// - Complexity: O(messages) time and memory.
  static func text(of pattern: LogGPPattern) -> String {
    var text = "num_ranks \(pattern.ranks)\n"
    for operations in pattern.operations() {
      text += "\nrank \(operations.rank) {\n"
      for (index, send) in operations.sends.enumerated() {
        text += "s\(index): send \(send.size.bytes)b to \(send.peer) tag 0\n"
        if operations.isChained, index > 0 { text += "s\(index) irequires s\(index - 1)\n" }
      }
      for (index, receive) in operations.receives.enumerated() {
        text += "r\(index): recv \(receive.size.bytes)b from \(receive.peer) tag 0\n"
        for send in receive.releases { text += "s\(send) requires r\(index)\n" }
      }
      text += "}\n"
    }
    return text
  }
}
