/// What a node, link or site may be called.
enum PlaceName {
  /// What is wrong with `name` as that of a `noun`, and what to do; nil if nothing is.
  ///
  /// Results, faults and routes name places in a line of text, so a name has characters and none that
  /// would break the line.
  static func problem(_ name: String, of noun: String) -> (found: String, expected: String)? {
    if name.isEmpty { return ("a \(noun) is called \"\"", "give it a name") }
    let breaks = name.unicodeScalars.contains { $0.properties.generalCategory == .control }
    if !breaks { return nil }
    let shown = name.unicodeScalars.map {
      $0.properties.generalCategory == .control ? "?" : String($0)
    }.joined()
    return (
      "a \(noun) is called \"\(shown)\", where ? stands for a control character",
      "use characters that can be seen"
    )
  }
}
