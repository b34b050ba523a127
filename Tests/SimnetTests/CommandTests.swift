import Foundation
import SimKernel
import Testing

/// The commands beside `run`.
@Suite struct CommandTests {
  @Test(arguments: [
    "codecs", "topologies", "presets", "collectives", "models", "devices", "schedules",
    "transports",
    "gradients", "stragglers",
  ]) func everyFamilyIsListedInBothFormats(_ family: String) throws {
    let table = try Simnet.run(["list", family])
    #expect(table.status == 0 && table.errors == "")
    #expect(!table.output.contains("\u{1B}"))
    let json = try Simnet.run(["list", family, "--format", "json"])
    let entries = try #require(try JSONNode.parse(json.output, origin: family).elements)
    #expect(!entries.isEmpty)
    for entry in entries {
      let name = try #require(entry["name"]?.string)
      #expect(table.output.contains(name), "\(name) is missing in the table")
    }
  }

  @Test func presetsAreSpelledOutForAnyNumberOfHosts() throws {
    let few = try Simnet.run(["list", "presets"])
    #expect(!few.output.contains("spine_link"))
    let many = try Simnet.run(["list", "presets", "--hosts", "64", "--format", "json"])
    let entries = try #require(try JSONNode.parse(many.output, origin: "presets").elements)
    let pod = try #require(entries.first { $0["name"]?.string == "8xh100_pod" })
    #expect(pod["topology"]?["hosts"]?.number == 64)
    #expect(pod["topology"]?["spines"]?.number == 16)
    let wrong = try Simnet.run(["list", "codecs", "--hosts", "4"])
    #expect(wrong.status == 64 && wrong.errors.contains("--hosts belongs to presets"))
  }

  @Test(arguments: [
    "workload", "workload.batch_per_worker", "communication.schedule", "cluster.topology",
    "communication.compression", "communication.compression.top_k.ratio", "faults[0].at",
    "jobs[1].workload.model", "network.transport", "gradients.files", "simnet",
  ]) func pathsAreExplained(_ path: String) throws {
    let run = try Simnet.run(["explain", path])
    #expect(run.status == 0 && run.errors == "")
    #expect(run.output.contains(": "))
  }

  @Test func withoutAPathTheTopKeysAreExplained() throws {
    let run = try Simnet.run(["explain"])
    for key in ["simnet", "cluster", "workload", "jobs", "sweep"] {
      #expect(run.output.contains("\n\(key) "))
    }
  }

  @Test func aSlipInAPathGetsASuggestion() throws {
    let run = try Simnet.run(["explain", "comunication"])
    #expect(run.status == 65 && run.output == "")
    #expect(run.errors.contains("did you mean \"communication\"?"))
    let deep = try Simnet.run(["explain", "workload.precison"])
    #expect(deep.errors.contains("did you mean \"precision\"?"))
  }

  @Test func theSchemaIsJSON() throws {
    let run = try Simnet.run(["schema"])
    let schema = try JSONNode.parse(run.output, origin: "schema")
    #expect(schema["$schema"]?.string == "https://json-schema.org/draft/2020-12/schema")
    #expect(schema["properties"]?["cluster"] != nil)
  }

  @Test func validateCountsPointsAndRuns() throws {
    let path = Simnet.scenarios.appendingPathComponent("small.json").path
    let run = try Simnet.run(["validate", path])
    #expect(run.status == 0 && run.errors == "")
    #expect(run.output == "\(path): valid; 6 points, 12 runs\n")
  }

  @Test func versionAndHelpAndCompletion() throws {
    #expect(try Simnet.run(["--version"]).output.hasPrefix("simnet "))
    let help = try Simnet.run(["--help"])
    #expect(help.status == 0 && help.output.contains("run"))
    for shell in ["bash", "zsh", "fish"] {
      let script = try Simnet.run(["--generate-completion-script", shell])
      #expect(script.status == 0 && script.output.contains("simnet"))
    }
  }

  // MARK: - compress

  /// A version 1 npy file of single-precision values.
  private func npy(_ values: [Float]) -> Data {
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(values.count),), }"
    while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
    header += "\n"
    var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0])
    data.append(contentsOf: [UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)])
    data.append(contentsOf: Array(header.utf8))
    for value in values {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
    }
    return data
  }

  @Test func everyCommandsHelpHasAnExample() throws {
    let dump = try JSONNode.parse(
      try Simnet.run(["--experimental-dump-help"]).output, origin: "help")
    var seen = 0
    func check(_ command: JSONNode, _ path: [String]) throws {
      let name = path + [try #require(command["commandName"]?.string)]
      if name.last == "help" { return }
      let text = (command["abstract"]?.string ?? "") + (command["discussion"]?.string ?? "")
      #expect(text.contains("Example: \(name.joined(separator: " "))"), "\(name)")
      seen += 1
      for child in command["subcommands"]?.elements ?? [] { try check(child, name) }
    }
    try check(try #require(dump["command"]), [])
    #expect(seen > 12)
  }

  @Test(arguments: [
    // (pipeline, scope, payload bits of n = 1000 values)
    ("none", "model", 32_000), ("fp16", "model", 16_000), ("bf16", "model", 16_000),
    // k = 10 pairs of a 32-bit index and a 32-bit value.
    ("top_k:ratio=0.01", "model", 640),
  ]) func sizesFollowTheFormulas(_ pipeline: String, _ scope: String, _ bits: Int) throws {
    let scratch = try Scratch()
    let values = (0..<1000).map { Float(($0 * 7919) % 1009) / 1009 - 0.5 }
    try npy(values).write(to: URL(fileURLWithPath: scratch.path("g.npy")))
    let run = try Simnet.run([
      "compress", scratch.path("g.npy"), scratch.path("g.npy"), "--pipeline", pipeline, "--scope",
      scope, "--format", "json",
    ])
    #expect(run.status == 0 && run.errors == "")
    let rows = try #require(try JSONNode.parse(run.output, origin: "json").elements)
    #expect(rows.count == 2)
    for row in rows {
      let keys = [
        "elements", "payload_bits", "encoded_bytes", "compression_ratio", "rel_l2", "cosine",
        "encode_gigabytes_per_s", "decode_gigabytes_per_s",
      ]
      for key in keys { #expect(row[key]?.number != nil, "\(key) is missing") }
      #expect(row["elements"]?.number == 1000)
      #expect(row["payload_bits"]?.number == Double(bits))
      #expect((row["encoded_bytes"]?.number ?? 0) * 8 >= Double(bits))
    }
  }

  @Test func damagedFilesAreRefused() throws {
    let scratch = try Scratch()
    let good = npy([1, 2, 3, 4])
    try good.dropLast(5).write(to: URL(fileURLWithPath: scratch.path("short.npy")))
    try npy([1, .nan, 3]).write(to: URL(fileURLWithPath: scratch.path("nan.npy")))
    for (name, part) in [("short.npy", "byte"), ("nan.npy", "nan at ")] {
      let run = try Simnet.run(["compress", scratch.path(name), "--pipeline", "fp16"])
      #expect(run.status == 65 && run.output == "")
      #expect(run.errors.contains(part) && run.errors.split(separator: "\n").count == 1)
    }
    let missing = try Simnet.run(["compress", scratch.path("none.npy"), "--pipeline", "fp16"])
    #expect(missing.status == 74)
    let unknown = try Simnet.run(["compress", scratch.path("nan.npy"), "--pipeline", "fp61"])
    #expect(unknown.status == 64 && unknown.errors.contains("did you mean \"fp16\"?"))
  }

  // MARK: - collective

  @Test(arguments: [2, 3, 4, 8, 17]) func aRingOnAStarTakesItsClosedForm(_ n: Int) throws {
    let run = try Simnet.run([
      "collective", "all_reduce", "--algorithm", "ring", "--ranks", String(n), "--min", "8B",
      "--max", "64 MB", "--factor", "10", "--topology", "star", "--bandwidth", "10 Gbps",
      "--latency", "10 us", "--network", "flow", "--transport", "ideal", "--format", "json",
    ])
    #expect(run.status == 0)
    let rows = try #require(try JSONNode.parse(run.output, origin: "json").elements)
    #expect(rows.count == 7)
    for row in rows {
      let size = try #require(row["size_bytes"]?.number)
      let time = try #require(row["time_s"]?.number)
      // Chunks are whole bytes: a step takes as long as its largest chunk.
      let chunk = (size / Double(n)).rounded(.up)
      let expected = 2 * Double(n - 1) * (2 * 10e-6 + chunk / 1.25e9)
      #expect((time - expected).magnitude < 1e-9 + 1e-9 * expected)
      let bandwidth = size / time / 1e9
      #expect(((row["algbw_gigabytes_per_s"]?.number ?? 0) / bandwidth - 1).magnitude < 1e-9)
      let bus = bandwidth * 2 * Double(n - 1) / Double(n)
      #expect(((row["busbw_gigabytes_per_s"]?.number ?? 0) / bus - 1).magnitude < 1e-9)
    }
  }

  @Test func aTopologyMayComeFromAFile() throws {
    let scratch = try Scratch()
    try scratch.write(
      "star.json",
      #"{"kind": "star", "hosts": 4, "link": {"bandwidth": "10 Gbps", "latency": "10 us"}}"#)
    let sizes = [
      "--ranks", "4", "--algorithm", "ring", "--min", "1 MB", "--max", "1 MB", "--format", "csv",
    ]
    let file = try Simnet.run(
      ["collective", "all_reduce", "--topology", scratch.path("star.json")] + sizes)
    let named = try Simnet.run(
      ["collective", "all_reduce", "--bandwidth", "10 Gbps", "--latency", "10 us"] + sizes)
    #expect(file.status == 0 && file.output == named.output)
    #expect(file.output.split(separator: "\n").count == 2)
    let small = try Simnet.run(
      ["collective", "all_reduce", "--topology", scratch.path("star.json"), "--ranks", "5"])
    #expect(small.status == 64 && small.errors.contains("5 ranks"))
  }

  @Test(arguments: [
    ("all_to_all", "pairwise", 3.0), ("scatter", "direct", 1), ("gather", "direct", 1),
    ("barrier", "dissemination", 2),
  ]) func blocksMoveAsTheirClosedFormsSay(
    _ operation: String, _ algorithm: String, _ latencies: Double
  ) throws {
    let run = try Simnet.run([
      "collective", operation, "--ranks", "4", "--min", "4 MB", "--max", "4 MB", "--algorithm",
      algorithm, "--latency", "10 us", "--format", "json",
    ])
    #expect(run.status == 0, "\(run.errors)")
    let row = try #require(try JSONNode.parse(run.output, origin: "json").elements?.first)
    // Three blocks of a megabyte pass every link, or the root's.
    let bytes = operation == "barrier" ? 0 : 3e6
    let expected = latencies * 20e-6 + bytes / 1.25e9
    #expect(((row["time_s"]?.number ?? 0) / expected - 1).magnitude < 1e-9)
    #expect(row["algorithm"]?.string == algorithm)
  }

  @Test func aMillionRanksAreTimedBySymmetry() throws {
    for algorithm in ["ring", "tree"] {
      let run = try Simnet.run([
        "collective", "all_reduce", "--algorithm", algorithm, "--ranks", "1048576", "--network",
        "alpha_beta", "--latency", "1 us", "--format", "csv",
      ])
      #expect(run.status == 0, "\(run.errors)")
      // The sizes from 8 B to 128 MB, by doubling, and the header.
      #expect(run.output.split(separator: "\n").count == 25)
    }
  }

  @Test func anAllToAllTakesTheSizeOfEveryBlock() throws {
    let sizes = ["--ranks", "2", "--min", "3 MB", "--max", "3 MB", "--format", "json"]
    let run = try Simnet.run(
      ["collective", "all_to_all_v", "--blocks", "[[1, 2], [1, 0]]"] + sizes)
    #expect(run.status == 0, "\(run.errors)")
    let row = try #require(try JSONNode.parse(run.output, origin: "json").elements?.first)
    #expect(((row["time_s"]?.number ?? 0) / 1.6e-3 - 1).magnitude < 1e-9)
    for (blocks, status, part) in [
      ("[[1, 2], [1]]", 65, "a row of 1 among 2"), ("[[1, -2], [1, 0]]", 65, "-2"),
      ("[[1]]", 64, "1 lines of 1 sizes do not fit 2 ranks"),
    ] as [(String, Int32, String)] {
      let refused = try Simnet.run(["collective", "all_to_all_v", "--blocks", blocks] + sizes)
      #expect(refused.status == status && refused.errors.contains(part), "\(refused.errors)")
    }
  }

  @Test func slipsInOptionsNameTheOption() throws {
    for (arguments, part) in [
      (["allreduce"], "did you mean \"all_reduce\"?"),
      (["all_reduce", "--transport", "tpc"], "--transport: unknown transport \"tpc\""),
      (["all_reduce", "--network", "flo"], "--network: unknown"),
      (["all_reduce", "--topology", "strar"], "did you mean \"star\"?"),
      (["all_reduce", "--bandwidth", "10"], "--bandwidth: \"10\" has no unit"),
      (["all_reduce", "--min", "1 GB", "--max", "1 MB"], "--min: 1 GB is more than --max 1 MB"),
    ] {
      let run = try Simnet.run(["collective"] + arguments)
      #expect(run.status == 64 && run.output == "")
      #expect(run.errors.contains(part), "\(run.errors)")
    }
    let far = try Simnet.run([
      "collective", "all_reduce", "--ranks", "2", "--min", "8B", "--max", "1 kB", "--factor",
      "1e300", "--format", "csv",
    ])
    #expect(far.status == 0 && far.output.split(separator: "\n").count == 2)
  }

  // MARK: - schema

  @Test func theScenariosOfTheRepositoryMeetTheSchema() throws {
    let probe = try Simnet.shell("python3 -c 'import jsonschema'", in: Simnet.root.path)
    guard probe.status == 0 else {
      print("skipped: python3 has no module jsonschema")
      return
    }
    let scratch = try Scratch()
    try scratch.write("schema.json", try Simnet.run(["schema"]).output)
    try scratch.write(
      "check.py",
      """
      import json, sys, jsonschema
      schema = json.load(open(sys.argv[1]))
      jsonschema.Draft202012Validator.check_schema(schema)
      validator = jsonschema.Draft202012Validator(schema)
      for path in sys.argv[2:]:
          for error in validator.iter_errors(json.load(open(path))):
              print(path, error.json_path, error.message[:300])
      """)
    var files: [String] = []
    for folder in [Simnet.root.appendingPathComponent("Scenarios"), Simnet.scenarios] {
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      files += names.filter { $0.hasSuffix(".json") }.map { folder.path + "/" + $0 }
    }
    #expect(files.count >= 4)
    let listed = files.map { "'\($0)'" }.joined(separator: " ")
    let run = try Simnet.shell("python3 check.py schema.json \(listed)", in: scratch.folder)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output == "")
  }
}
