import Experiments
import Reporting
import SimKernel
import Testing
import Training

/// Trace files and charts say what the run did.
@Suite struct TimelineTests {
  private func text(_ write: (@escaping ([UInt8]) throws -> Void) throws -> Void) throws -> String {
    var bytes: [UInt8] = []
    try write { bytes += $0 }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// An event with its times in picoseconds, read from their digits.
  private struct Event {
    var node: JSONNode
    var start: Int64
    var length: Int64
    var phase: String { node["ph"]?.string ?? "" }
    var lane: Int { Int(node["tid"]?.number ?? 0) }
  }

  private func events(_ text: String) throws -> [Event] {
    func digits(_ line: Substring, _ key: String) -> Int64? {
      guard let range = line.firstRange(of: key) else { return nil }
      return millionths(line[range.upperBound...].prefix { $0.isNumber || $0 == "." })
    }
    return try text.split(separator: "\n").filter { $0.hasPrefix("{\"ph\"") }.map { line in
      let object = line.hasSuffix(",") ? line.dropLast() : line
      return Event(
        node: try JSONNode.parse(String(object), origin: "line"),
        start: digits(line, "\"ts\":") ?? -1,
        length: digits(line, "\"exact_dur_us\":") ?? digits(line, "\"dur\":") ?? 0)
    }
  }

  @Test("lanes have no overlap, and each span is on one of them", arguments: TraceLab.variants)
  func lanes(_ variant: [String]) throws {
    let (_, timeline) = try TraceLab.run(variant)
    let lanes = TimelineLanes(timeline)
    var count = 0
    for process in lanes.processes {
      for lane in process.lanes {
        count += lane.slices.count
        #expect(lane.slices.allSatisfy { $0.start <= $0.end })
        for (a, b) in zip(lane.slices, lane.slices.dropFirst()) { #expect(a.end <= b.start) }
      }
    }
    #expect(
      count == timeline.spans.count + timeline.exchanges.count + timeline.reductions.count
        + timeline.iterations.count + 2 * timeline.transfers.count)
    #expect(!timeline.transfers.isEmpty)
    #expect(timeline.start == timeline.iterations.map(\.start).min())
  }

  @Test("sums over the timeline are the columns of the result", arguments: TraceLab.variants)
  func sums(_ variant: [String]) throws {
    let (run, timeline) = try TraceLab.run(variant)
    let row = run.table.rows[0]
    func column(_ name: String) -> String { run.table.cell(name, row) }
    var sum = IterationSum()
    for span in timeline.iterations { sum += span.account }
    let mean = sum.mean(of: timeline.iterations.count)
    #expect(mean.total.exactSeconds == column("iteration_time_s"))
    #expect(mean.communication.exactSeconds == column("exposed_communication_s"))
    #expect(mean.stragglers.exactSeconds == column("straggler_wait_s"))
    // Forward and backward run alone on their stream here.
    let compute = timeline.spans.filter { $0.kind == .forward || $0.kind == .backward }
      .reduce(0) { $0 + ($1.end - $1.start).picoseconds }
    #expect(compute == timeline.iterations.reduce(0) { $0 + $1.account.compute.picoseconds })
    #expect(mean.compute.exactSeconds == column("compute_time_s"))
    #expect((timeline.end - .zero).exactSeconds == column("makespan_s"))
    for span in timeline.spans {
      let own = try #require(
        timeline.iterations.first { $0.worker == span.worker && $0.iteration == span.iteration })
      #expect(own.start <= span.start && span.end <= own.end)
    }
  }

  @Test(
    "chrome's form is JSON whose times are exact and whose arrows have two ends",
    arguments: TraceLab.variants)
  func chrome(_ variant: [String]) throws {
    let (_, timeline) = try TraceLab.run(variant)
    let text = try text(ChromeTrace(timeline).write)
    let root = try JSONNode.parse(text, origin: "trace")
    let events = try events(text)
    #expect(root["traceEvents"]?.elements?.count == events.count)
    #expect(root["otherData"]?["seed"]?.number == 3)
    #expect(root["otherData"]?["simnet_version"]?.string == SimnetVersion.current)
    #expect(events.allSatisfy { $0.node["pid"]?.number ?? 0 >= 1 && $0.node["tid"]?.number != 0 })

    let slices = events.filter { $0.phase == "X" }
    let expected =
      timeline.spans.reduce(0) { $0 + ($1.end - $1.start).picoseconds }
      + timeline.exchanges.reduce(0) { $0 + ($1.end - $1.start).picoseconds }
      + timeline.reductions.reduce(0) { $0 + ($1.end - $1.start).picoseconds }
      + timeline.iterations.reduce(0) { $0 + ($1.end - $1.start).picoseconds }
      + timeline.transfers.reduce(0) {
        $0 + ($1.left - $1.start).picoseconds + ($1.delivered - $1.arrivalStart).picoseconds
      }
    #expect(slices.reduce(0) { $0 + $1.length } == expected)
    #expect(slices.map(\.start).min() == timeline.start.picoseconds)

    var starts: [Double: Event] = [:]
    for event in events where event.phase == "s" {
      #expect(starts.updateValue(event, forKey: event.node["id"]!.number!) == nil)
    }
    let ends = events.filter { $0.phase == "f" }
    #expect(ends.count == starts.count && !ends.isEmpty)
    for end in ends {
      #expect(end.node["bp"]?.string == "e")
      let start = try #require(starts[end.node["id"]!.number!])
      #expect(start.start <= end.start && start.lane != end.lane)
    }
    // A viewer that rounds to nanoseconds must find no overlap.
    var last: [Int: Int64] = [:]
    for slice in slices {
      let written = slice.node["dur"]!.number!
      let begin = (slice.start + 500) / 1000
      #expect(last[slice.lane] ?? 0 <= (slice.start + 499) / 1000)
      last[slice.lane] = begin + Int64(written * 1000 + 0.5)
    }
  }

  @Test("queues begin and end empty and links never carry more than they can")
  func counters() throws {
    let (_, timeline) = try TraceLab.run(["communication.schedule.bucket=1 MiB"])
    let events = try events(try text(ChromeTrace(timeline).write))
    var latest: [Double: Double] = [:]
    var most = 0.0
    for event in events where event.node["name"]?.string == "waiting to be sent" {
      let units = event.node["args"]!["units"]!.number!
      #expect(units >= 0)
      most = max(most, units)
      latest[event.node["pid"]!.number!] = units
    }
    #expect(latest.count == 4 && latest.values.allSatisfy { $0 == 0 })
    #expect(most >= 1)
    #expect(timeline.links.count == 8)
    for use in timeline.links {
      #expect(use.shares.allSatisfy { $0 >= 0 && $0 <= 1 + 1e-9 })
      let link = timeline.topology.links[use.link.index]
      let carried =
        use.shares.reduce(0, +) * timeline.slotLength.seconds
        * Double(link.bandwidth.bitsPerSecond) / 8
      let own = timeline.transfers.filter { $0.source == link.from || $0.destination == link.to }
      let sent = own.reduce(0.0) { $0 + Double($1.size.bytes) }
      #expect((carried - sent).magnitude <= 1e-6 * sent)
    }
  }

  @Test(
    "picoseconds are written digit by digit",
    arguments: [
      (0, "0"), (1, "0.000001"), (1_000_000, "1"), (1_500_000, "1.5"),
      (9_223_372_036_854_775_806, "9223372036854.775806"), (123_456_789, "123.456789"),
      (10_000_010, "10.00001"),
    ] as [(Int64, String)])
  func decimals(picoseconds: Int64, text: String) throws {
    var (_, timeline) = try TraceLab.run()
    var span = timeline.spans[0]
    (span.start, span.end) = (.zero, .zero + .picoseconds(picoseconds))
    timeline.spans = [span]
    timeline.exchanges = []
    timeline.transfers = []
    timeline.reductions = []
    timeline.iterations = []
    timeline.links = []
    let trace = try self.text(ChromeTrace(timeline).write)
    #expect(trace.contains("\"ts\":0,\"dur\":\(text),"))
  }

  @Test("only chosen iterations and workers are kept, and too much is refused")
  func selection() throws {
    let selection = TimelineSelection(
      iterations: NumberRanges([1...1]), workers: NumberRanges([0...0, 2...2]))
    let (_, timeline) = try TraceLab.run([], selection: selection)
    #expect(timeline.iterations.map { timeline.counted($0.iteration, of: $0.job) } == [1, 1])
    #expect(timeline.spans.allSatisfy { [0, 2].contains($0.worker.index) && $0.iteration == 2 })
    // In a ring of four, 0 and 2 send to and receive from the others only.
    #expect(Set(timeline.transfers.map { $0.sender.index }) == [0, 1, 2, 3])
    #expect(TimelineLanes(timeline).processes.map(\.rank) == [0, 2])
    #expect(throws: RecordedRun.Stopped.self) {
      try TraceLab.run([], selection: TimelineSelection(limit: 10))
    }
    for wrong in [
      TimelineSelection(iterations: NumberRanges([3...3])),
      TimelineSelection(workers: NumberRanges([4...4])),
    ] {
      #expect(throws: InvalidInput.self) { try TraceLab.run([], selection: wrong) }
    }
  }

  @Test("rows are the slices of the lanes")
  func rows() throws {
    let (_, timeline) = try TraceLab.run(["communication.compression=fp16"])
    var rows: [[String]] = []
    TimelineTable(timeline).forEachRow { rows.append($0) }
    let slices = TimelineLanes(timeline).processes.flatMap(\.lanes).reduce(0) {
      $0 + $1.slices.count
    }
    #expect(rows.count == slices)
    #expect(rows.allSatisfy { $0.count == TimelineTable.columns.count })
    #expect(
      Set(rows.map { $0[3] }).isSuperset(of: ["compute", "encode", "decode", "send", "receive"]))
  }

  @Test(
    "a chart is well formed and has a bar for all that can be seen", arguments: TraceLab.variants)
  func chart(_ variant: [String]) throws {
    let (_, timeline) = try TraceLab.run(variant)
    let chart = GanttChart(timeline, millimetres: 170)
    let svg = chart.svg()
    try expectWellFormed(svg)
    #expect(svg.contains(">worker 3<") || svg.contains(">worker 2<"))
    #expect(svg.contains(">forward<") && svg.contains("iteration 2"))
    #expect(!svg.contains("style=") && !svg.contains("class="))
    #expect(svg == chart.svg())
  }

  @Test("ranges are read as they are written")
  func ranges() throws {
    #expect(try NumberRanges("0,3..5", option: "-x").ranges == [0...0, 3...5])
    #expect(try NumberRanges("7", option: "-x").text == "7")
    for wrong in ["", "1,", "-1", "3..1", "1.2", "1...2", "a", "1..", "..2", "9999999999999999999"]
    {
      #expect(throws: InvalidInput.self, "\(wrong)") { try NumberRanges(wrong, option: "-x") }
    }
  }
}

/// Checks that tags nest and attributes are quoted, and that nothing foreign is in between.
func expectWellFormed(_ svg: String) throws {
  var open: [Substring] = []
  var rest = svg[...]
  while let start = rest.firstIndex(of: "<") {
    #expect(!rest[..<start].contains(">") && !rest[..<start].contains("\""))
    let end = try #require(rest[start...].firstIndex(of: ">"))
    var tag = rest[rest.index(after: start)..<end]
    rest = rest[rest.index(after: end)...]
    if tag.hasPrefix("/") {
      #expect(open.popLast() == tag.dropFirst())
      continue
    }
    let isClosed = tag.hasSuffix("/")
    if isClosed { tag = tag.dropLast() }
    #expect(tag.count(where: { $0 == "\"" }) % 2 == 0)
    #expect(!tag.contains("nan") && !tag.contains("inf"))
    if !isClosed { open.append(tag.prefix { $0 != " " }) }
  }
  #expect(open.isEmpty)
}
