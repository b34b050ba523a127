import Interchange
import SimKernel
import Testing

@Suite struct KinetoTests {
  /// A trace of every construct: escapes, white space, floats, strings as threads, collectives.
  static let small = """
    {"schemaVersion": 1, "deviceProperties": [{"id": 0, "name": "A100", "x": {"y": [1, null]}}],
     "distributedInfo": {"backend": "nccl", "rank": 3, "world_size": 8, "pg_config":
       [{"pg_name": "0", "pg_desc": "default_pg", "backend_config": "cuda:nccl", "pg_size": 8,
         "ranks": [0, 1, 2, 3, 4, 5, 6, 7]}]},
     "traceEvents": [
      {"ph": "M", "name": "process_name", "pid": 1, "tid": 0, "ts": 0, "args": {"name": "p"}},
      {"ph": "X", "cat": "kernel", "name": "k\\"\\u00e9", "pid": 0, "tid": 7,
       "ts": 4486879450798.836, "dur": 7151.925,
       "args": {"stream": 7, "device": 0, "correlation": 42, "External id": 5}},
      {"ph":"X","cat":"user_annotation","name":"nccl:all_reduce","pid":"Spans","tid":"T (0)",
       "ts":4486879450798,"dur":0.001,"args":{"Input Dims":[[3,5],[]],"Input type":["float","int"]}},
      {"ph": "X", "cat": "kernel", "name": "ncclDevKernel", "pid": 0, "tid": 20, "ts": 4486879451e3,
       "dur": 1, "args": {"Collective name": "_allgather_base", "In msg nelems": 100,
        "dtype": "BFloat16", "Group size": 2, "Process Group Name": "1",
        "Process Group Ranks": "[0, 1]"}},
      {"ph": "f", "id": 1, "pid": 0, "tid": 7, "ts": 4486879450799, "cat": "ac2g", "name": "ac2g"}
     ], "traceName": "x.json", "displayTimeUnit": "ms", "baseTimeNanoseconds": 1790857026000000000}
    """

  @Test func everyConstructIsRead() throws {
    let trace = try KinetoTrace(bytes: Array(Self.small.utf8), path: "small")
    #expect(trace.header.rank == 3 && trace.header.worldSize == 8)
    #expect(trace.header.groups.first?.ranks == [0, 1, 2, 3, 4, 5, 6, 7])
    #expect(trace.header.devices == ["A100"])
    #expect(trace.header.traceName == "x.json" && trace.header.otherKeys == ["displayTimeUnit"])
    #expect(trace.phaseCounts == [3, 0, 1, 1, 0, 0, 0])
    #expect(
      trace.events.map { trace.names[$0.name] } == ["k\"é", "nccl:all_reduce", "ncclDevKernel"])
    // To the picosecond: 836 ns apart, though a Double near 4.4e12 us steps by 0.5 ns and more.
    #expect(trace.origin == 4_486_879_450_798_000_000)
    #expect(trace.events.map(\.start.picoseconds) == [836_000, 0, 202_000_000])
    #expect(trace.events.map(\.duration.picoseconds) == [7_151_925_000, 1_000, 1_000_000])
    #expect(trace.events[0].stream == 7 && trace.events[0].correlation == 42)
    #expect(trace.events[0].externalID == 5 && trace.events[0].collective == -1)
    #expect(trace.names[trace.events[1].process] == "Spans")
    #expect(trace.names[trace.events[1].thread] == "T (0)")
    #expect(trace.collectives.map(\.kind) == [.allReduce, .allGather])
    #expect(trace.collectives.map(\.name) == ["nccl:all_reduce", "_allgather_base"])
    #expect(trace.collectives.map { $0.bytes?.bytes } == [60, 200])
    #expect(trace.collectives[1].groupName == "1" && trace.collectives[1].groupSize == 2)
    #expect(trace.collectives[1].groupRanks == [0, 1])
  }

  @Test(arguments: [1, 2, 3, 7, 64, 1000]) func theChunkSizeChangesNothing(_ chunk: Int) throws {
    let whole = try KinetoTrace(bytes: Array(Self.small.utf8), path: "small")
    let parts = try KinetoTrace(bytes: Array(Self.small.utf8), path: "small", chunkSize: chunk)
    #expect(parts.names == whole.names && parts.header == whole.header)
    #expect(parts.events.map(\.start) == whole.events.map(\.start))
    #expect(parts.collectives == whole.collectives)
  }

  @Test func everyEndThatIsTooEarlyIsRefusedWithAByte() {
    let bytes = Array(Self.small.utf8)
    for count in 0..<bytes.count {
      _ = positionedError("the first \(count) bytes") {
        _ = try KinetoTrace(bytes: Array(bytes[..<count]), path: "cut")
      }
    }
  }

  @Test func noByteMakesItCrash() {
    let bytes = Array(Self.small.utf8)
    var random = SplitMix(state: 11)
    for _ in 0..<5000 {
      var copy = bytes
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        copy[Int.random(in: 0..<copy.count, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      _ = try? KinetoTrace(
        bytes: copy, path: "damaged", chunkSize: Int.random(in: 1...99, using: &random))
    }
  }

  @Test(arguments: [
    ("{\"traceEvents\": [{\"ph\": \"X\", \"ts\": 1}]}", "byte 17: a complete event without dur"),
    ("{\"traceEvents\": [{\"ph\": \"X\", \"ts\": 1x, \"dur\": 1}]}", "byte 36: found 'x'"),
    (
      "{\"traceEvents\": [{\"ph\": \"X\", \"ts\": 01, \"dur\": 1}]}",
      "byte 35: \"01\" is no JSON number"
    ),
    ("{\"traceEvents\": [1]}", "byte 17: found '1'; expected an object"),
    ("{\"traceEvents\": [{}]} x", "byte 22: found 'x' after the end"),
    ("{\"traceEvents\": [{},]}", "byte 20: found a trailing comma"),
    ("{\"a\": tru}", "byte 6: found 't'; expected true"),
    (
      "{\"traceEvents\": [{\"ph\":\"X\",\"ts\":1,\"dur\":1}, {\"ph\":\"X\",\"ts\":1e15,\"dur\":1}]}",
      "byte 44: an event more than 106 days from the first"
    ),
  ]) func faultsAreNamedWithTheirByte(_ text: String, _ expected: String) {
    let message = positionedError(text) {
      _ = try KinetoTrace(bytes: Array(text.utf8), path: "t.json")
    }
    #expect(message.hasPrefix("t.json, " + expected), "\(message)")
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason))
  func theSharedTracesHoldWhatTheirReadmeSays() throws {
    func trace(_ name: String) throws -> KinetoTrace {
      try KinetoTrace(path: SharedTraces.path(name))
    }
    let large = try trace("pytorch-et-param/resnet_kineto.json.gz")
    #expect(large.phaseCounts.reduce(0, +) == 111_631 && large.events.count == 75_548)
    let nccl = try trace("kineto-hta/nccl_data.json.gz")
    #expect(nccl.phaseCounts.reduce(0, +) == 40_573)
    #expect(nccl.header.rank == 0 && nccl.header.worldSize == 2)
    for (rank, count) in [(0, 20), (1, 20)] {
      let sampled = try trace("kineto-hta/sampled_rank-\(rank).json.gz")
      #expect(sampled.header.rank == rank && sampled.header.worldSize == 128)
      _ = count
    }
    for rank in 0..<8 {
      let name = SharedTraces.files("pytorch-et-param/dlrm8/worker\(rank)_").first!
      let worker = try trace(name)
      #expect(worker.header.rank == rank && worker.header.backend == "nccl")
      #expect(!worker.collectives.isEmpty && worker.collectives.allSatisfy { $0.bytes != nil })
    }
    for rank in 0..<2 {
      let own = try trace("recorded-ddp/kineto_gloo2_resnet18_rank\(rank).json.gz")
      #expect(own.header.rank == rank && own.header.groups.first?.ranks == [0, 1])
      #expect(own.collectives.map(\.name).filter { $0 == "gloo:all_reduce" }.count == 2)
      #expect(own.collectives.map(\.kind).contains(.broadcast))
      let bytes = own.collectives.filter { $0.kind == .allReduce }.map { $0.bytes!.bytes }
      #expect(bytes.contains(3_963_456 * 4))
    }
  }

  @Test(.enabled(if: SharedTraces.isHere, SharedTraces.reason))
  func damagedCopiesOfSharedTracesAreRefusedWithAByte() throws {
    for name in SharedTraces.files("kineto-hta/", ".gz") where !name.contains("nccl_data") {
      for (number, copy) in damagedCopies(of: try SharedTraces.bytes(name)).enumerated() {
        _ = positionedError("\(name) \(number)") { _ = try KinetoTrace(bytes: copy, path: name) }
      }
    }
  }
}
