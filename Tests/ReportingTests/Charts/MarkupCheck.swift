/// Whether markup is well formed XML: enough of a parser to notice what a browser or LaTeX would.
enum MarkupCheck {
  struct Fault: Error, CustomStringConvertible {
    var description: String
  }

  /// The elements of `text` in order: their names with their attributes.
  ///
  /// - Throws: `Fault` for tags that do not match, attributes without quotes or given twice, and bare
  ///   `<` or `&`.
  static func elements(_ text: String) throws -> [(name: String, attributes: [String: String])] {
    let bytes = Array(text.utf8)
    var place = 0
    var open: [String] = []
    var found: [(name: String, attributes: [String: String])] = []
    func fault(_ what: String) -> Fault {
      let near = String(
        decoding: bytes.dropFirst(max(0, place - 60)).prefix(120), as: UTF8.self)
      return Fault(description: "\(what) near \(near)")
    }
    func starts(_ word: String) -> Bool { bytes.dropFirst(place).starts(with: word.utf8) }
    func skip(past word: String) throws {
      while !starts(word) {
        place += 1
        if place >= bytes.count { throw fault("no \(word)") }
      }
      place += word.utf8.count
    }
    func isName(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: ":"):
        true
      default: false
      }
    }
    func name() throws -> String {
      let start = place
      while place < bytes.count, isName(bytes[place]) { place += 1 }
      if start == place { throw fault("no name") }
      return String(decoding: bytes[start..<place], as: UTF8.self)
    }
    func space() {
      while place < bytes.count, bytes[place] == 0x20 || bytes[place] == 0x0A { place += 1 }
    }
    func reference() throws -> String {
      for (entity, meaning) in [
        ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"),
      ] where starts(entity) {
        place += entity.utf8.count
        return meaning
      }
      throw fault("a bare &")
    }
    while place < bytes.count {
      if bytes[place] == UInt8(ascii: "&") {
        _ = try reference()
      } else if bytes[place] < 0x20, bytes[place] != 0x0A {
        throw fault("a control character")
      } else if bytes[place] != UInt8(ascii: "<") {
        place += 1
      } else if starts("<![CDATA[") {
        try skip(past: "]]>")
      } else if starts("<?") || starts("<!DOCTYPE") {
        try skip(past: ">")
      } else if starts("</") {
        place += 2
        let closing = try name()
        guard open.popLast() == closing, starts(">") else { throw fault("</\(closing)>") }
        place += 1
      } else {
        place += 1
        let opening = try name()
        var attributes: [String: String] = [:]
        space()
        while place < bytes.count, isName(bytes[place]) {
          let key = try name()
          guard starts("=\"") else { throw fault("\(key) without quotes") }
          place += 2
          var value: [UInt8] = []
          while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
            if bytes[place] == UInt8(ascii: "<") { throw fault("< in \(key)") }
            if bytes[place] == UInt8(ascii: "&") {
              value += Array(try reference().utf8)
            } else {
              value.append(bytes[place])
              place += 1
            }
          }
          place += 1
          let text = String(decoding: value, as: UTF8.self)
          if attributes.updateValue(text, forKey: key) != nil { throw fault("\(key) twice") }
          space()
        }
        found.append((opening, attributes))
        if starts("/>") {
          place += 2
        } else if starts(">") {
          place += 1
          open.append(opening)
        } else {
          throw fault("<\(opening)")
        }
      }
    }
    if let left = open.last { throw fault("\(left) is not closed") }
    return found
  }
}
