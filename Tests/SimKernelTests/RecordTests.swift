import SimKernel
import Testing

/// A family with a member that needs nothing, one with fields, and one that nests.
private enum Codec: Equatable {
  case none
  case topK(ratio: Double, exact: Bool)
  case chunked(size: ByteCount, inner: Int)

  static let registry = Registry<Codec>(
    noun: "codec", discriminator: "codec",
    entries: [
      .init("none", summary: "sends the gradient as it is") { _ in .none },
      .init("top_k", summary: "keeps the largest elements") { fields in
        .topK(
          ratio: fields.required("ratio", .fraction, doc: "share that is kept"),
          exact: fields.optional("exact", .bool, default: true, doc: "no sampling"))
      },
      .init("chunked", summary: "cuts the gradient") { fields in
        .chunked(
          size: fields.required("size", .size, doc: "bytes a chunk"),
          inner: fields.defaultedRecord("inner", doc: "inside") {
            $0.optional("depth", .integer(1...8), default: 3, doc: "levels")
          })
      },
    ])
}

private enum Colour: String, CaseIterable { case red, green, blue }

private struct Sample {
  var rate: Bandwidth
  var delay: SimDuration
  var colour: Colour
  var title: String?
  var sizes: [ByteCount]
  var codec: Codec
  var fallback: Codec
  var spare: Codec?
  var chain: [Codec]
  var jobs: [Int]
  var links: [(name: String, value: Bandwidth)]
  var inner: Int
  var outer: Int?

  init(_ fields: inout FieldReader) {
    rate = fields.required("rate", .bandwidth, doc: "speed of the link")
    delay = fields.optional("delay", .duration, default: .microseconds(5), doc: "one way")
    colour = fields.optional("colour", .choice("colour"), default: .green, doc: "of the line")
    title = fields.optional("title", .text(), doc: "a \"name\"")
    sizes = fields.optional(
      "sizes", .list(of: .size, atLeast: 1), default: [.mebibytes(1)], doc: "s")
    codec = fields.variant("codec", Codec.registry, doc: "how to compress")
    fallback = fields.variant("fallback", Codec.registry, default: "none", doc: "otherwise")
    spare = fields.optionalVariant("spare", Codec.registry, doc: "or this")
    chain = fields.variants("chain", Codec.registry, doc: "in turn") { text in
      text.contains("!")
        ? .failure(.init(.invalid(found: text, expected: "no '!'")))
        : .success(
          JSONNode(.array(text.split(separator: "|").map { JSONNode(.string(String($0))) })))
    }
    jobs = fields.records("jobs", doc: "work") { $0.required("n", .count(), doc: "workers") }
    links = fields.map("links", doc: "by name") { $0.required("rate", .bandwidth, doc: "speed") }
    inner = fields.record("inner", doc: "needed") {
      $0.required("n", .integer(0...9), doc: "a digit")
    }
    outer = fields.optionalRecord("outer", doc: "not needed") {
      $0.required("n", .integer(0...9), doc: "a digit")
    }
    if let title, title.isEmpty { fields.report("title", .conflict("an empty title")) }
  }
}

@Suite struct FieldReaderTests {
  private func read(_ text: String) throws -> (Sample, [SimKernel.Issue]) {
    let issues = IssueCollector()
    let node = try JSONNode.parse(text, origin: "s")
    return (FieldReader.read(node, issues: issues) { Sample(&$0) }, issues.issues)
  }
  private func messages(_ text: String) throws -> [String] {
    try read(text).1.map(\.description)
  }

  private static let least = #""rate": "10 Gbps", "codec": "none", "inner": {"n": 1}"#

  @Test func `the least record takes every default`() throws {
    let (sample, issues) = try read("{\(Self.least)}")
    #expect(issues == [])
    #expect(sample.rate == .gigabitsPerSecond(10))
    #expect(sample.delay == .microseconds(5))
    #expect(sample.colour == .green)
    #expect(sample.title == nil)
    #expect(sample.sizes == [.mebibytes(1)])
    #expect(sample.codec == .none && sample.fallback == .none && sample.spare == nil)
    #expect(sample.chain.isEmpty && sample.jobs.isEmpty && sample.links.isEmpty)
    #expect(sample.inner == 1 && sample.outer == nil)
  }

  @Test func `every field is read`() throws {
    let (sample, issues) = try read(
      #"""
      {"rate": "1.25 GB/s", "delay": "3 ms", "colour": "blue", "title": "T", "sizes": ["1 kB"],
       "codec": {"codec": "top_k", "ratio": 0.01, "exact": false},
       "fallback": {"codec": "chunked", "size": "4 KiB", "inner": {"depth": 2}},
       "spare": {"codec": "chunked", "size": "1 B"},
       "chain": ["none", {"codec": "top_k", "ratio": 1}],
       "jobs": [{"n": 3}, {"n": 4}], "links": {"b": {"rate": "1 Gbps"}, "a": {"rate": "2 Gbps"}},
       "inner": {"n": 9}, "outer": {"n": 0}}
      """#)
    #expect(issues == [])
    #expect(sample.rate == .gigabitsPerSecond(10))
    #expect(sample.delay == .milliseconds(3))
    #expect(sample.colour == .blue)
    #expect(sample.title == "T")
    #expect(sample.sizes == [ByteCount(1_000)])
    #expect(sample.codec == .topK(ratio: 0.01, exact: false))
    #expect(sample.fallback == .chunked(size: .kibibytes(4), inner: 2))
    #expect(sample.spare == .chunked(size: ByteCount(1), inner: 3))
    #expect(sample.chain == [.none, .topK(ratio: 1, exact: true)])
    #expect(sample.jobs == [3, 4])
    #expect(sample.links.map(\.name) == ["b", "a"])
    #expect(sample.outer == 0)
  }

  @Test func `null is absent`() throws {
    let (sample, issues) = try read(
      "{\(Self.least), \"delay\": null, \"title\": null, \"outer\": null, \"chain\": null,"
        + " \"jobs\": null, \"spare\": null, \"fallback\": null}")
    #expect(issues == [])
    #expect(sample.delay == .microseconds(5))
    #expect(try messages(#"{"rate": null, "codec": "none", "inner": {"n": 1}}"#).count == 1)
  }

  @Test func `a name, a list of names and a single member all stand for a chain`() throws {
    for text in [#""none|none""#, #"["none", {"codec": "none"}]"#] {
      #expect(try read("{\(Self.least), \"chain\": \(text)}").0.chain == [.none, .none])
    }
    #expect(try read("{\(Self.least), \"chain\": {\"codec\": \"none\"}}").0.chain == [.none])
    #expect(
      try messages("{\(Self.least), \"chain\": \"none!\"}") == [#"s:1:66: chain: none!; no '!'"#])
  }

  @Test func `all problems are reported in one pass with their places`() throws {
    let found = try messages(
      #"""
      {
        "rate": 10,
        "delay": "5 parsec",
        "colour": "gren",
        "sizes": ["1 kB", "oops"],
        "codec": {"codec": "topk", "ratio": 2},
        "spare": {"codec": "top_k", "ratio": 1.5, "exakt": true},
        "chain": ["none", 7],
        "jobs": [{"n": 0}, {}],
        "links": {"up": {"rate": "0 Gbps"}},
        "iner": 5
      }
      """#)
    let expected = [
      #"s:2:11: rate: 10 has no unit; write for example "10 Gbps""#,
      #"s:3:12: delay: "5 parsec" does not end in a known unit; units are: us, ms, s, ns, ps, µs, min, h"#,
      #"s:4:13: colour: unknown colour "gren"; did you mean "green"?"#,
      #"s:5:21: sizes[1]: "oops" is not a number with a unit; write a size, for example "25 MiB""#,
      #"s:6:22: codec: unknown codec "topk"; did you mean "top_k"?"#,
      #"s:7:40: spare.ratio: found 1.5, expected 0 < fraction <= 1"#,
      #"s:7:54: spare.exakt: unknown key "exakt"; did you mean "exact"?"#,
      #"s:8:21: chain[1]: found a number, expected a codec, for example "none""#,
      #"s:9:18: jobs[0].n: found 0, expected a whole number >= 1"#,
      #"s:9:22: jobs[1].n: missing; expected a whole number >= 1, for example 1"#,
      #"s:10:28: links.up.rate: found "0 Gbps", expected a bandwidth above 0"#,
      #"s:1:1: inner: missing; expected an object, for example { }"#,
      #"s:11:11: iner: unknown key "iner"; did you mean "inner"?"#,
    ]
    #expect(found == expected)
  }

  @Test func `what stands where a record should is one problem and no more`() throws {
    #expect(
      try messages("{\(Self.least), \"outer\": 5}")
        == [#"s:1:66: outer: found a number, expected an object, for example { }"#])
    #expect(
      try messages("[]")
        == [#"s:1:1: the scenario: found an array, expected an object, for example { }"#])
  }

  @Test func `a missing variant is one problem and no more`() throws {
    #expect(
      try messages(#"{"rate": "1 Gbps", "inner": {"n": 1}}"#)
        == [#"s:1:1: codec: missing; expected a codec, for example "none""#])
    let registry = Registry<Codec>(
      noun: "codec", discriminator: "codec",
      entries: Array(Codec.registry.entries.dropFirst()))
    let issues = IssueCollector()
    _ = FieldReader.read(JSONNode(.object([])), issues: issues) { fields in
      fields.variant("codec", registry, doc: "the first member has a required field")
    }
    #expect(issues.issues.count == 1)
  }

  @Test func `a variant without its name says which names there are`() throws {
    let found = try messages("{\(Self.least), \"spare\": {\"ratio\": 1}}")
    #expect(
      found == [
        #"s:1:66: spare.codec: missing; expected a codec (none, top_k, chunked), for example "none""#
      ])
    let wrong = try messages("{\(Self.least), \"spare\": {\"codec\": 3}}")
    #expect(wrong.count == 1)
    #expect(wrong[0].hasPrefix("s:1:76: spare.codec: found a number"))
  }

  @Test func `checks across fields report at the key`() throws {
    let (_, issues) = try read("{\(Self.least), \"title\": \"\"}")
    #expect(issues.map(\.description) == ["s:1:66: title: an empty title"])
    #expect(issues[0].severity == .error)
  }

  @Test func `presence is that of a value`() throws {
    let node = try JSONNode.parse(#"{"a": 1, "b": null}"#, origin: "s")
    let issues = IssueCollector()
    FieldReader.read(node, issues: issues, allowing: ["a", "b"]) { fields in
      #expect(fields.has("a") && !fields.has("b") && !fields.has("c"))
      #expect(fields.peek("a")?.number == 1)
      #expect(!fields.isDescribing)
    }
    #expect(issues.issues == [])
  }

  @Test func `warnings forbid nothing`() throws {
    let issues = IssueCollector()
    FieldReader.read(JSONNode(.object([])), issues: issues) {
      $0.report(nil, .note("think twice"), severity: .warning)
    }
    #expect(issues.warnings.count == 1)
    #expect(issues.warnings[0].description == "warning: the scenario: think twice")
    try issues.throwIfInvalid()
    issues.report(SimKernel.Issue(path: FieldPath(["a"]), problem: .conflict("no")))
    #expect(throws: InvalidInput.self) { try issues.throwIfInvalid() }
  }
}

@Suite struct RecordDescriptionTests {
  private static let sample = RecordDescription.of(name: "sample", summary: "a sample") {
    _ = Sample(&$0)
  }

  @Test func `the same declaration describes every field`() {
    #expect(
      Self.sample.fields.map(\.key) == [
        "rate", "delay", "colour", "title", "sizes", "codec", "fallback", "spare", "chain", "jobs",
        "links", "inner", "outer",
      ])
    #expect(Self.sample.fields.filter(\.required).map(\.key) == ["rate", "codec", "inner"])
    #expect(
      Self.sample.fields.map { $0.defaultValue ?? "-" } == [
        "-", #""5 us""#, #""green""#, "-", #"["1 MiB"]"#, "-", #""none""#, "-", "[]", "[]", "{}",
        "-", "-",
      ])
  }

  @Test func `a registry describes every member`() {
    #expect(Codec.registry.names == ["none", "top_k", "chunked"])
    #expect(
      Codec.registry.descriptions.map { $0.fields.map(\.key) } == [
        [], ["ratio", "exact"], ["size", "inner"],
      ])
    #expect(Codec.registry["top_k"]?.summary == "keeps the largest elements")
    #expect(Codec.registry["nothing"] == nil)
  }

  @Test func `a path leads through members, lists and maps`() {
    #expect(Self.sample.find(["codec", "top_k", "ratio"])?.field.doc == "share that is kept")
    #expect(Self.sample.find(["codec", "ratio"])?.field.doc == "share that is kept")
    #expect(Self.sample.find(["codec", "top_k"])?.field.doc == "keeps the largest elements")
    #expect(Self.sample.find(["chain", "0", "ratio"])?.field.key == "ratio")
    #expect(Self.sample.find(["chain", "ratio"])?.field.key == "ratio")
    #expect(Self.sample.find(["jobs", "1", "n"])?.field.doc == "workers")
    #expect(Self.sample.find(["links", "up", "rate"])?.field.doc == "speed")
    #expect(Self.sample.find(["codec", "chunked", "inner", "depth"])?.field.doc == "levels")
    #expect(Self.sample.find(["codec", "chunked", "inner", "depth"])?.trail.count == 4)
    #expect(Self.sample.find(["rate", "x"]) == nil)
    #expect(Self.sample.find(["nothing"]) == nil)
    #expect(Self.sample.find([]) == nil)
  }

  @Test func `the JSON Schema is JSON with every field and default`() throws {
    let text = Self.sample.schemaDocument(id: "sample")
    let schema = try JSONNode.parse(text, origin: "schema")
    #expect(schema["$schema"]?.string == "https://json-schema.org/draft/2020-12/schema")
    #expect(schema["additionalProperties"]?.compactText == "false")
    #expect(schema["properties"]?.members?.map(\.key) == Self.sample.fields.map(\.key))
    #expect(schema["required"]?.compactText == #"["rate","codec","inner"]"#)
    for field in Self.sample.fields {
      let property = schema["properties"]?[field.key]
      #expect(property?["description"]?.string == field.doc)
      #expect(property?["default"]?.compactText == field.defaultValue)
    }
    #expect(
      schema.get(["properties", "codec", "anyOf", "2", "properties", "ratio", "maximum"])?
        .number == 1)
    #expect(
      schema.get(["properties", "codec", "anyOf", "2", "required"])?.compactText
        == #"["codec","ratio"]"#)
  }
}

@Suite struct FieldKindTests {
  private func rate(_ text: String) throws -> Bandwidth {
    try QuantityText.parse(text, as: .bandwidth, option: "--rate")
  }
  private func delay(_ text: String) throws -> SimDuration {
    try QuantityText.parse(text, as: .duration, option: "--delay")
  }
  private func refusal(_ text: String) -> SimKernel.Issue.Problem? {
    do throws(InvalidInput) {
      _ = try QuantityText.parse(text, as: .duration, option: "--delay")
      return nil
    } catch { return error.issues.first?.problem }
  }

  @Test func `bits and bytes differ by the case of one letter`() throws {
    #expect(try rate("10 Gbps") == .gigabitsPerSecond(10))
    #expect(try rate("10 Gb/s") == .gigabitsPerSecond(10))
    #expect(try rate("1.25 GB/s") == .gigabitsPerSecond(10))
    #expect(try rate("1 GiB/s") == Bandwidth(bitsPerSecond: 8 << 30))
    #expect(try rate("800Gbit/s") == .gigabitsPerSecond(800))
    #expect(try rate("9.6 kbps") == Bandwidth(bitsPerSecond: 9_600))
  }

  @Test(
    arguments: [
      ("1e3 us", 1_000_000_000), ("5us", 5_000_000), (" 5 us ", 5_000_000), ("0 s", 0),
      ("8.3 us", 8_300_000), ("0.0001 ns", 1), ("1.5 ps", 2), ("1 µs", 1_000_000),
      ("2 min", 120_000_000_000_000),
      ("1 h", 3_600_000_000_000_000), ("1E-3 ms", 1_000_000), ("-0 us", 0), ("+2 ps", 2),
      (".5 ns", 500),
    ] as [(String, Int64)])
  func `durations are read with their units`(text: String, picoseconds: Int64) throws {
    #expect(try delay(text) == .picoseconds(picoseconds))
  }

  @Test func `a quantity that cannot be is refused for the right reason`() {
    let example = #""5 us""#
    #expect(refusal("10") == .missingUnit(found: "\"10\"", example: example))
    #expect(refusal("10 ") == .missingUnit(found: "\"10 \"", example: example))
    for text in ["10 parsec", "10 US", "5 Gbps", "5-us", "0x5 us", "1_0 us", "5 u s"] {
      guard case .wrongUnit(let found, _) = refusal(text) else {
        Testing.Issue.record("\(text) was not refused for its unit")
        continue
      }
      #expect(found == text)
    }
    for text in ["-1 us", "-1e-9 s", "1e10 h"] {
      guard case .outOfRange = refusal(text) else {
        Testing.Issue.record("\(text) was not refused for its range")
        continue
      }
    }
    for text in [
      "nan us", "inf us", "1e400 s", "", " ", "us", "- us", "--5 us", "1.2.3 us", "e5 us",
    ] {
      guard case .invalid = refusal(text) else {
        Testing.Issue.record("\(text) was not refused as a number")
        continue
      }
    }
  }

  @Test func `a command-line quantity names its option`() {
    #expect(throws: InvalidInput.self) { try rate("0 Gbps") }
    do {
      _ = try rate("10")
    } catch {
      #expect("\(error)" == #"--rate: "10" has no unit; write for example "10 Gbps""#)
    }
  }

  @Test func `numbers keep to their bounds`() {
    func reads<Value>(_ kind: FieldKind<Value>, _ node: JSONNode) -> Bool {
      if case .success = kind.read(node) { return true }
      return false
    }
    #expect(reads(.fraction, 1) && reads(.fraction, 1e-300) && !reads(.fraction, 0))
    #expect(!reads(.fraction, 1.0000001))
    #expect(reads(.nonNegative, 0) && !reads(.nonNegative, -1e-9))
    #expect(reads(.positive, 1e-9) && !reads(.positive, 0))
    #expect(!reads(.positive, JSONNode(.number(JSONNumber(.nan)))))
    #expect(!reads(.positive, JSONNode(.number(JSONNumber(.infinity)))))
    #expect(reads(.number(in: -1...2), -1) && !reads(.number(in: -1...2), 2.5))
    #expect(
      reads(.integer(0...9), 9) && reads(.integer(0...9), 9.0) && !reads(.integer(0...9), 9.5))
    #expect(!reads(.integer(0...9), 10) && !reads(.integer(0...9), "9"))
    #expect(reads(.count(), 1) && !reads(.count(), 0) && !reads(.count(), 1e30))
    #expect(reads(.bool, true) && !reads(.bool, 1))
    #expect(reads(.text(), "x") && !reads(.text(), 1))
  }

  /// Every kind's example, placeholder and default must be acceptable to itself.
  @Test func `what a kind shows it reads back`() throws {
    func check<Value: Sendable>(_ kind: FieldKind<Value>) throws {
      let example = try JSONNode.parse(kind.example, origin: "example")
      guard case .success(let value) = kind.read(example) else {
        Testing.Issue.record("\(kind.expectation) refuses its example \(kind.example)")
        return
      }
      #expect(throws: Never.self) { try JSONNode.parse(kind.schema, origin: "schema") }
      for shown in [kind.show(value), kind.show(kind.placeholder())] {
        let node = try JSONNode.parse(shown, origin: "shown")
        guard case .success(let again) = kind.read(node) else {
          Testing.Issue.record("\(kind.expectation) refuses what it shows: \(shown)")
          continue
        }
        #expect(kind.show(again) == shown)
      }
    }
    try check(.bandwidth)
    try check(.duration)
    try check(.size)
    try check(.fraction)
    try check(.nonNegative)
    try check(.positive)
    try check(.number(in: 0.5...2))
    try check(.integer(3...4))
    try check(.count())
    try check(.bool)
    try check(.text())
    try check(FieldKind<Colour>.choice("colour"))
    try check(.list(of: .bandwidth, atLeast: 1))
    try check(.list(of: .list(of: .count())))
    try check(.any("anything", example: "{}"))
  }

  @Test func `a list says which element is wrong`() throws {
    let node = try JSONNode.parse(#"[["1 Gbps"], ["1 Gbps", 5]]"#, origin: "t")
    let kind = FieldKind<[[Bandwidth]]>.list(of: .list(of: .bandwidth))
    guard case .failure(let found) = kind.read(node) else {
      Testing.Issue.record("accepted")
      return
    }
    #expect(found.deeper == ["1", "1"])
    #expect(found.position?.description == "t:1:25")
    guard case .failure = FieldKind<[Int]>.list(of: .count(), atLeast: 1).read(JSONNode(.array([])))
    else {
      Testing.Issue.record("an empty list was accepted")
      return
    }
  }
}
