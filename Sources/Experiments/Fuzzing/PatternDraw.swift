import SimKernel

/// Draws texts that match a pattern of a JSON Schema.
///
/// Of regular expressions it knows what the schemas here use: literals, escapes, classes, groups of
/// alternatives, `*`, `+` and `?`, anchors. A class that holds a digit, a point and an exponent
/// stands for a number, of which it draws a whole one.
struct PatternDraw {
  private let pattern: [Character]
  private var position = 0

  /// A text that matches `pattern`, drawn from `random`.
  static func text(_ pattern: String, _ random: inout RandomStream) -> String {
    var draw = PatternDraw(pattern: Array(pattern))
    return draw.alternatives(&random)
  }

  private init(pattern: [Character]) { self.pattern = pattern }

  /// Alternatives up to a closing parenthesis or the end.
  ///
  /// Each is less likely than the one before: units, for one, have the usual ones first.
  private mutating func alternatives(_ random: inout RandomStream) -> String {
    var chosen = sequence(&random)
    while position < pattern.count, pattern[position] == "|" {
      position += 1
      let next = sequence(&random)
      if random.index(below: 3) == 0 { chosen = next }
    }
    return chosen
  }

  private mutating func sequence(_ random: inout RandomStream) -> String {
    var text = ""
    while position < pattern.count, pattern[position] != "|", pattern[position] != ")" {
      text += piece(&random)
    }
    return text
  }

  /// One atom with its quantifier.
  private mutating func piece(_ random: inout RandomStream) -> String {
    let start = position
    var text = atom(&random)
    let end = position
    guard position < pattern.count else { return text }
    let isNumber = Self.isNumber(pattern[start..<end])
    switch pattern[position] {
    case "+", "*", "?":
      let isRequired = pattern[position] == "+"
      position += 1
      if isNumber { return Self.numbers[random.index(below: Self.numbers.count)] }
      if !isRequired { text = "" }
      // A few more of the same kind; spaces and the like are left out.
      if !isRequired, pattern[start] == "\\" { return "" }
      let after = position
      while random.index(below: 3) == 0, text.count < 4 {
        position = start
        text += atom(&random)
      }
      position = after
    default: break
    }
    return text
  }

  private mutating func atom(_ random: inout RandomStream) -> String {
    let first = pattern[position]
    position += 1
    switch first {
    case "^", "$": return ""
    case "(":
      let text = alternatives(&random)
      position += 1
      return text
    case "[":
      var members: [Character] = []
      while position < pattern.count, pattern[position] != "]" {
        let low = pattern[position]
        // A hyphen between two characters is a range, at an end it is itself.
        if position + 2 < pattern.count, pattern[position + 1] == "-", pattern[position + 2] != "]",
          let from = low.asciiValue, let to = pattern[position + 2].asciiValue, from <= to
        {
          members += (from...to).map { Character(UnicodeScalar($0)) }
          position += 3
        } else {
          members.append(low)
          position += 1
        }
      }
      position += 1
      return members.isEmpty ? "" : String(members[random.index(below: members.count)])
    case "\\":
      guard position < pattern.count else { return "" }
      let escaped = pattern[position]
      position += 1
      switch escaped {
      case "s": return " "
      case "d": return String(random.index(below: 10))
      default: return String(escaped)
      }
    case ".": return "x"
    default: return String(first)
    }
  }

  private static func isNumber(_ atom: ArraySlice<Character>) -> Bool {
    atom.first == "[" && atom.contains("0") && atom.contains(".") && atom.contains("e")
  }

  /// Small and usual ones, and the ends: nothing, fractions of the smallest unit, a great many.
  private static let numbers = [
    "1", "10", "2.5", "100", "5", "0.5", "25", "0", "1e3", "1e-3", "0.1", "3", "1e9", "-1",
  ]
}
