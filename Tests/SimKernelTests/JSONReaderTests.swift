import SimKernel
import Testing

@Suite struct JSONReaderTests {
  private func failure(_ text: String) -> String? {
    do throws(JSONError) {
      _ = try JSONNode.parse(text, origin: "t")
      return nil
    } catch { return error.description }
  }

  @Test func `every kind of value is read`() throws {
    let node = try JSONNode.parse(
      #" {"a": null, "b": [true, false], "c": -1.5e2, "d": "x", "e": {}, "f": [], "g": 0} "#,
      origin: "t")
    #expect(
      node.compactText
        == #"{"a":null,"b":[true,false],"c":-150,"d":"x","e":{},"f":[],"g":0}"#)
    #expect(node["b"]?.elements?.count == 2)
    #expect(node["c"]?.number == -150)
    #expect(node["nothing"] == nil)
    #expect(node.members?.map(\.key) == ["a", "b", "c", "d", "e", "f", "g"])
  }

  @Test(arguments: [
    (#""\" \\ \/ \b \f \n \r \t""#, "\" \\ / \u{8} \u{C} \n \r \t"),
    (#""\u0041\u00e9\u20AC""#, "Aé€"), (#""\uD83D\uDE00!""#, "😀!"),
    (#""\ud800\udc00\uDBFF\uDFFF""#, "\u{10000}\u{10FFFF}"), (#""é€😀""#, "é€😀"), (#""""#, ""),
    (#""\u0000""#, "\u{0}"),
  ])
  func `escapes are undone`(text: String, expected: String) throws {
    #expect(try JSONNode.parse(text, origin: "t").string == expected)
    let again = try JSONNode.parse(JSONNode.quoted(expected), origin: "t")
    #expect(again.string == expected)
  }

  @Test(arguments: [
    (#""\q""#, #"t:1:4: \q is not a JSON escape"#),
    (#""\u12""#, #"t:1:4: \u needs four hexadecimal digits"#),
    (#""\u12G4""#, #"t:1:4: \u needs four hexadecimal digits"#),
    (#""\ud800""#, "t:1:8: a high surrogate without its low half"),
    (#""\ud800\u0041""#, "t:1:8: a high surrogate without its low half"),
    (#""\ud800x""#, "t:1:8: a high surrogate without its low half"),
    (#""\udc00""#, #"t:1:8: \u names no character"#),
    ("\"a\nb\"", "t:1:3: a control character inside a string; is a closing quote missing?"),
    ("\"a\\\nb\"", "t:1:4: a control character after a backslash"),
    ("\"a", "t:1:1: a string that never ends"), ("\"a\\\"", "t:1:1: a string that never ends"),
    ("\"\\", "t:1:1: a string that never ends"),
  ])
  func `a wrong string is named with its place`(text: String, message: String) {
    #expect(failure(text) == message)
  }

  @Test(arguments: [
    ("", "t:1:1: the text ends where a value should begin"),
    ("  \n ", "t:2:2: the text ends where a value should begin"),
    ("[1,]", "t:1:4: a trailing comma; remove it"),
    ("{\"a\":1,\n }", "t:2:2: a trailing comma; remove it"),
    ("[,1]", "t:1:2: ',' does not begin a JSON value"),
    ("[1 2]", "t:1:4: expected ',' or ']'"),
    ("{\"a\" 1}", "t:1:6: expected ':' after the key \"a\""),
    ("{\"a\":1 \"b\":2}", "t:1:8: expected ',' or '}'"),
    ("{a:1}", "t:1:2: expected a key in double quotes"),
    ("{\"a\":}", "t:1:6: a value is missing here; is there a trailing comma?"),
    ("[1] // done", "t:1:5: '/' after the end of the JSON value"),
    ("// first\n1", "t:1:1: JSON has no comments; remove this one"),
    ("{\n  /* x */ \"a\": 1}", "t:2:3: expected a key in double quotes"),
    ("1 2", "t:1:3: '2' after the end of the JSON value"),
    ("{\"a\":1,\n\"a\":2}", "t:2:5: the key \"a\" is given twice"),
    ("NaN", "t:1:1: 'N' does not begin a JSON value"), ("nan", "t:1:1: expected null"),
    ("Infinity", "t:1:1: 'I' does not begin a JSON value"),
    ("tru", "t:1:1: expected true or false"), ("[truex]", "t:1:6: expected ',' or ']'"),
    ("'a'", "t:1:1: ''' does not begin a JSON value"),
    ("\u{FFFD}", "t:1:1: byte 0xEF does not begin a JSON value"),
    ("[", "t:1:2: the text ends where a value should begin"),
    ("{", "t:1:2: the text ends inside an object or array"),
  ])
  func `a wrong structure is named with its place`(text: String, message: String) {
    // An array that ends early ends "inside" it, whichever part of the reader notices.
    let found = failure(text)
    if text == "[" {
      #expect(found == "t:1:2: the text ends inside an object or array")
    } else {
      #expect(found == message)
    }
  }

  @Test(arguments: [
    "-", "01", "-01", "1.", ".5", "+1", "1e", "1e+", "--1", "0x10", "1.e3", "1_000", "1e400",
    "-1e999",
  ])
  func `a wrong number is refused`(text: String) {
    #expect(failure(text) != nil)
    #expect(failure("[\(text)]") != nil)
  }

  @Test(
    arguments: [
      ("0", 0, 0), ("-0", -0.0, 0), ("1", 1, 1), ("-1.5", -1.5, nil), ("1e3", 1000, nil),
      ("1E+2", 100, nil), ("1.0", 1, nil), ("12e-1", 1.2, nil),
      ("9007199254740993", 9_007_199_254_740_992, 9_007_199_254_740_993),
      ("9223372036854775807", 0x1p63, .max),
      ("9223372036854775808", 0x1p63, nil),
      ("-9223372036854775808", -9_223_372_036_854_775_808, .min),
      ("-9223372036854775809", -9_223_372_036_854_775_808, nil),
      ("1.7976931348623157e308", .greatestFiniteMagnitude, nil),
      ("5e-324", .leastNonzeroMagnitude, nil),
      ("1e-400", 0, nil),
    ] as [(String, Double, Int64?)])
  func `numbers keep their exact integer where they have one`(
    text: String, double: Double, integer: Int64?
  ) throws {
    guard case .number(let number) = try JSONNode.parse(text, origin: "t").value else {
      Testing.Issue.record("not a number")
      return
    }
    #expect(number.double == double)
    #expect(number.integer == integer)
    let again = try JSONNode.parse(number.text, origin: "t")
    #expect(again.number == double)
  }

  @Test func `a byte-order mark is tolerated and has no column`() throws {
    let node = try JSONNode.parse("\u{FEFF}{\"a\": 1}", origin: "t")
    #expect(node.position?.description == "t:1:1")
    #expect(node["a"]?.position?.description == "t:1:7")
  }

  @Test func `bytes that are not UTF-8 are refused where the string begins`() {
    for bytes in [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0x5C, 0x6E, 0x80, 0x22]]
      as [[UInt8]]
    {
      bytes.withUnsafeBytes { raw in
        do throws(JSONError) {
          _ = try JSONNode.parse(raw, origin: "t")
          Testing.Issue.record("accepted")
        } catch { #expect(error.message == "a string that is not valid UTF-8") }
      }
    }
  }

  @Test func `positions count lines and bytes from one`() throws {
    let node = try JSONNode.parse(
      "{\r\n \"é\": [1,\n\t2],\n  \"b\": {\"c\": \"x\"}}", origin: "s.json")
    #expect(node.position?.description == "s.json:1:1")
    #expect(node["é"]?.position?.description == "s.json:2:8")
    #expect(node["é"]?.elements?[1].position?.description == "s.json:3:2")
    #expect(node.get(["b", "c"])?.position?.description == "s.json:4:14")
  }

  @Test func `nesting is limited to 512 levels`() {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(failure(nested(512)) == nil)
    #expect(failure(nested(513))?.hasSuffix("nested deeper than 512 levels") == true)
    #expect(failure(String(repeating: "{\"a\":", count: 100_000)) != nil)
    // Levels that were closed do not count.
    #expect(failure("[" + (0..<600).map { _ in "[]" }.joined(separator: ",") + "]") == nil)
  }

  @Test func `keys given twice are found in large objects too`() {
    for count in [2, 15, 16, 17, 100] {
      let members = (0..<count).map { "\"k\($0)\":\($0)" }
      #expect(failure("{" + members.joined(separator: ",") + "}") == nil)
      for again in [0, count / 2, count - 1] {
        let text = "{" + (members + ["\"k\(again)\":0"]).joined(separator: ",") + "}"
        #expect(failure(text)?.hasSuffix("the key \"k\(again)\" is given twice") == true)
      }
    }
  }

  private static let sample =
    #"{"a": [1, -2.5e3, true, null, "x\u00e9\n\ud83d\ude00"], "b": {"c": {}, "d": [[]]}, "é": false}"#

  @Test func `every truncation of a document is an error and never a crash`() {
    let bytes = Array(Self.sample.utf8)
    for length in 0..<bytes.count {
      bytes.prefix(length).withUnsafeBytes { raw in
        #expect(throws: JSONError.self) { try JSONNode.parse(raw, origin: "t") }
        #expect(throws: JSONError.self) {
          var reader = JSONReader(raw, origin: "t")
          try reader.skip()
        }
      }
    }
    #expect(failure(Self.sample) == nil)
  }

  @Test func `a document with one byte changed is read or refused and never a crash`() {
    var random = RandomStream(seed: 51, purpose: RandomPurpose("json"))
    let bytes = Array(Self.sample.utf8)
    for _ in 0..<20_000 {
      var damaged = bytes
      for _ in 0...random.index(below: 3) {
        damaged[random.index(below: bytes.count)] = UInt8(random.index(below: 256))
      }
      damaged.withUnsafeBytes { raw in
        guard let node = try? JSONNode.parse(raw, origin: "t") else { return }
        let text = node.canonicalText
        #expect((try? JSONNode.parse(text, origin: "t"))?.canonicalText == text)
      }
    }
  }

  @Test func `what is skipped is passed over whole`() throws {
    let bytes = Array((Self.sample + " 7").utf8)
    try bytes.withUnsafeBytes { raw in
      var reader = JSONReader(raw, origin: "t")
      try reader.skip()
      #expect(try reader.number() == 7)
      try reader.end()
    }
  }

  @Test func `a caller is told what it expected`() {
    let bytes = Array("[1]".utf8)
    bytes.withUnsafeBytes { raw in
      var reader = JSONReader(raw, origin: "t")
      #expect(throws: JSONError.self) { try reader.beginObject() }
      #expect(throws: JSONError.self) { try reader.string() }
      #expect(throws: JSONError.self) { try reader.null() }
      #expect(throws: JSONError.self) { try reader.bool() }
      #expect(throws: JSONError.self) { try reader.number() }
    }
  }
}

@Suite struct JSONNodeTests {
  private func node(_ text: String) throws -> JSONNode { try JSONNode.parse(text, origin: "t") }

  @Test func `canonical text sorts keys by bytes and reads back as itself`() throws {
    let text = try node(#"{"b":1,"a":[{"z":0,"y":"\u0001"}],"B":1.50,"é":2,"a\"":3}"#).canonicalText
    #expect(text == #"{"B":1.5,"a":[{"y":"\u0001","z":0}],"a\"":3,"b":1,"é":2}"#)
    #expect(try node(text).canonicalText == text)
  }

  @Test func `pretty text is indented and reads back as the same value`() throws {
    let value = try node(#"{"a":[1,2],"b":{"c":[{"d":null}]},"e":{},"f":[]}"#)
    #expect(
      value.prettyText == """
        {
          "a": [1, 2],
          "b": {
            "c": [
              {
                "d": null
              }
            ]
          },
          "e": {},
          "f": []
        }
        """)
    #expect(try node(value.prettyText).canonicalText == value.canonicalText)
  }

  @Test func `literals make nodes`() {
    let value = JSONNode(.array(["x", 3, 2.5, true]))
    #expect(value.compactText == #"["x",3,2.5,true]"#)
    #expect(value.position == nil)
    #expect(JSONNumber.shortest(0.1) == "0.1")
    #expect(JSONNumber.shortest(1e16) == "1e+16")
    #expect(JSONNumber(100.0).text == "100")
  }

  @Test func `kinds are named with an article`() throws {
    let names = try ["null", "true", "1", "\"a\"", "[]", "{}"].map { try node($0).kindName }
    #expect(names == ["null", "a boolean", "a number", "a string", "an array", "an object"])
  }

  @Test func `a path sets and gets through objects and arrays`() throws {
    var value = try node(#"{"a":{"b":[1,2]},"s":"x"}"#)
    func set(_ path: [String], to node: JSONNode) -> Bool { value.set(path, to: node) }
    #expect(set(["a", "b", "1"], to: 5))
    #expect(set(["a", "new", "deep"], to: "y"))
    #expect(!set(["s", "k"], to: 1))
    #expect(!set(["a", "b", "7"], to: 1))
    #expect(!set(["a", "b", "x"], to: 1))
    #expect(value.compactText == #"{"a":{"b":[1,5],"new":{"deep":"y"}},"s":"x"}"#)
    #expect(value.get(["a", "b", "0"])?.number == 1)
    #expect(value.get(["a", "b", "2"]) == nil)
    #expect(value.get(["s", "k"]) == nil)
    #expect(value.get([String]())?.members?.count == 2)
    #expect(set([], to: true))
    #expect(value.compactText == "true")
  }

  /// The examples of RFC 7396, appendix A.
  @Test(arguments: [
    (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
    (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
    (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
    (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
    (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
    (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
    (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
    (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
    (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#), (#"{"a":"foo"}"#, "null", "null"),
    (#"{"a":"foo"}"#, #""bar""#, #""bar""#), (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
    ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
    ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
  ])
  func `an overlay merges as RFC 7396 says`(target: String, patch: String, result: String) throws {
    var value = try node(target)
    value.merge(try node(patch))
    #expect(value.compactText == result)
  }
}

@Suite struct SpellingTests {
  @Test(
    arguments: [
      ("topk", "top_k"), ("top_kk", "top_k"), ("tpo_k", "top_k"), ("TOP_K", "top_k"),
      ("zsdt", "zstd"),
      ("zst", "zstd"), ("qsdg", "qsgd"), ("a", nil), ("banana", nil), ("", nil),
    ] as [(String, String?)])
  func `a slip is corrected and another word is not`(word: String, expected: String?) {
    let names = ["none", "fp16", "top_k", "qsgd", "zstd"]
    #expect(Spelling.suggestion(for: word, among: names) == expected)
  }

  @Test func `ties go to the earlier candidate and nothing is suggested among nothing`() {
    #expect(Spelling.suggestion(for: "cat", among: ["bat", "car"]) == "bat")
    #expect(Spelling.suggestion(for: "cat", among: []) == nil)
  }
}

@Suite struct FieldPathTests {
  @Test(
    arguments: [
      ("a.b[0].c", ["a", "b", "0", "c"]), ("a.b.0.c", ["a", "b", "0", "c"]), ("", []), ("x", ["x"]),
      ("a[1][2]", ["a", "1", "2"]),
    ] as [(String, [String])])
  func `paths are spelt with brackets or dots`(text: String, parts: [String]) {
    let path = FieldPath(parsing: text)
    #expect(path.parts == parts)
    #expect(
      FieldPath(parsing: path.description).parts == (parts.isEmpty ? ["the scenario"] : parts))
  }

  @Test func `a path prints indices in brackets`() {
    #expect(FieldPath(["jobs", "1", "ratio"]).description == "jobs[1].ratio")
    #expect(FieldPath().description == "the scenario")
    #expect(FieldPath().appending("a").appending("0").description == "a[0]")
  }
}
