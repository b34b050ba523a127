import Foundation
import SimKernel
import Testing

/// `simnet sweep`, `merge` and `status` from outside: outputs, exit codes, kills.
@Suite struct SweepCommandTests {
  private let small = Simnet.scenarios.appendingPathComponent("small.json").path
  private static let long = Simnet.scenarios.appendingPathComponent("long.json").path

  /// A scenario of `points` points that take no time.
  private static func cheap(_ points: Int, replicates: Int = 1) -> String {
    """
    {"simnet": 1, "title": "cheap", "replicates": \(replicates),
     "cluster": {"device": "a100", "topology": {"kind": "star", "hosts": 2,
       "link": {"bandwidth": "10 Gbps", "latency": "5 us"}}},
     "network": {"model": "alpha_beta"},
     "workload": {"model": "resnet18", "batch_per_worker": 32, "iterations": 2, "warmup": 0},
     "sweep": {"random": {"points": \(points), "axes": {
       "cluster.topology.link.bandwidth": {"from": "1 Gbps", "to": "100 Gbps", "scale": "log"},
       "workload.batch_per_worker": {"from": 1, "to": 256}}}}}
    """
  }

  @Test func aWholeSweepIsWhatRunMakesAndIsNotRepeated() throws {
    let scratch = try Scratch()
    let expected = try Simnet.run(["run", small, "--format", "csv"]).output
    let first = try Simnet.run(["sweep", small, "--out", "d"], in: scratch.folder)
    #expect(first.status == 0 && first.output == "" && first.errors == "wrote d/results.csv\n")
    #expect(try scratch.read("d/results.csv") == expected)
    let again = try Simnet.run(["sweep", small, "--out", "d"], in: scratch.folder)
    #expect(again.status == 0 && again.errors == "d/results.csv is finished; nothing to do\n")
    let folder = try Simnet.run(["sweep", "d", "-q"], in: scratch.folder)
    #expect(folder.status == 0 && folder.errors == "")
    // The table is gone, the journal is not: nothing is computed again.
    try FileManager.default.removeItem(atPath: scratch.path("d/results.csv"))
    let journal = try scratch.read("d/shard-0-of-1.journal")
    #expect(try Simnet.run(["sweep", "d/", "-q"], in: scratch.folder).status == 0)
    #expect(try scratch.read("d/results.csv") == expected)
    #expect(try scratch.read("d/shard-0-of-1.journal") == journal)
    let fresh = try Simnet.run(
      ["sweep", "d", "--no-resume", "-q", "--set", "seed=4"], in: scratch.folder)
    #expect(fresh.status == 0)
    #expect(try scratch.read("d/results.csv") != expected)
  }

  @Test func theFolderIsNamedAfterTheScenario() throws {
    let scratch = try Scratch()
    #expect(try Simnet.run(["sweep", small, "-q"], in: scratch.folder).status == 0)
    #expect(scratch.names == ["small.sweep"])
  }

  @Test func shardsMergeToTheSameBytesAndGapsAreRefused() throws {
    let scratch = try Scratch()
    let expected = try Simnet.run(["run", small, "--format", "csv"]).output
    for index in [2, 0] {
      let done = try Simnet.run(
        ["sweep", small, "--out", "d", "--shard", "\(index)/4", "-q"], in: scratch.folder)
      #expect(done.status == 0 && done.output == "" && done.errors == "")
    }
    // Points 0, 1 and 3 are what points 2 and 4 are compared with, and so there as well.
    let gap = try Simnet.run(["merge", "d", "-o", "all.csv"], in: scratch.folder)
    #expect(gap.status == 4 && gap.output == "" && !scratch.names.contains("all.csv"))
    #expect(
      gap.errors == """
        d: 1 of 6 points are missing: 5; run simnet sweep d
        nothing was written; --allow-partial leaves them out

        """, "\(gap.errors)")
    let part = try Simnet.run(
      ["merge", "d", "-o", "part.csv", "--allow-partial"], in: scratch.folder)
    #expect(part.status == 0 && part.errors == "wrote part.csv: 5 of 6 points\n")
    // All but the last point with its two replicates.
    let lines = expected.split(separator: "\n")
    #expect(try scratch.read("part.csv").split(separator: "\n") == Array(lines.dropLast(2)))
    let list = try Simnet.run(
      ["sweep", "d", "--list-missing", "--shards", "4"], in: scratch.folder)
    #expect(list.status == 0 && list.output == "1\n")
    for index in [3, 1] {
      #expect(
        try Simnet.run(["sweep", "d", "--shard", "\(index)/4", "-q"], in: scratch.folder).status
          == 0)
    }
    let none = try Simnet.run(
      ["sweep", "d", "--list-missing", "--shards", "4"], in: scratch.folder)
    #expect(none.status == 0 && none.output == "" && none.errors == "")
    let whole = try Simnet.run(["merge", "d", "-o", "all.csv"], in: scratch.folder)
    #expect(whole.status == 0 && whole.errors == "wrote all.csv: 6 of 6 points\n")
    #expect(try scratch.read("all.csv") == expected)
    let lines2 = try Simnet.run(["merge", "d", "-o", "all.jsonl"], in: scratch.folder)
    #expect(lines2.status == 0)
    #expect(
      try scratch.read("all.jsonl") == (try Simnet.run(["run", small, "--format", "jsonl"]).output))
    let status = try Simnet.run(["status", "d"], in: scratch.folder)
    #expect(status.status == 0)
    #expect(
      status.output.hasPrefix("small, \"quoted\": 6 of 6 points are done, 0 failed, 0 missing\n"))
    #expect(status.output.contains("  shard-1-of-4.journal: "))
    let json = try JSONNode.parse(
      try Simnet.run(["status", "d", "--format", "json"], in: scratch.folder).output,
      origin: "status")
    #expect(json["finished"]?.number == 6 && json["journals"]?.elements?.count == 3)
  }

  @Test func tenKillsAtRandomMomentsLeaveTheSameBytes() throws {
    let scratch = try Scratch()
    try scratch.write("s.json", Self.cheap(1500))
    let expected = try Simnet.run(["run", "s.json", "--format", "csv"], in: scratch.folder).output
    var random = RandomStream(seed: 11, purpose: RandomPurpose("moments of death"))
    for _ in 0..<10 {
      let running = try Running(["sweep", "s.json", "--out", "d", "-q"], in: scratch.folder)
      usleep(UInt32(random.uniform() * 250_000))
      running.send(SIGKILL)
      let end = try running.wait(60)
      #expect(end.status == 0 || end.status == 128 + SIGKILL)
    }
    let last = try Simnet.run(["sweep", "s.json", "--out", "d", "-q"], in: scratch.folder)
    #expect(last.status == 0 && last.errors == "")
    #expect(try scratch.read("d/results.csv") == expected)
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGUSR1]) func aSignalFlushesAndTheSameCommandGoesOn(
    _ signal: Int32
  ) throws {
    let code: Int32 = signal == SIGINT ? 130 : 143
    let scratch = try Scratch()
    let arguments = ["sweep", Self.long, "--out", "d", "-j", "1"]
    let running = try Running(arguments, in: scratch.folder)
    for _ in 0..<6000 {
      if let journal = try? scratch.read("d/shard-0-of-1.journal"), journal.contains("\n") { break }
      usleep(10_000)
    }
    running.send(signal)
    let end = try running.wait(60)
    #expect(end.status == code && end.output == "")
    #expect(end.errors.contains("of 40 points are done; the same command goes on from here\n"))
    #expect(!FileManager.default.fileExists(atPath: scratch.path("d/results.csv")))
    #expect(try !scratch.read("d/shard-0-of-1.journal").isEmpty)
  }

  @Test func theTimeMayBeLimited() throws {
    let scratch = try Scratch()
    let end = try Simnet.run(
      ["sweep", Self.long, "--out", "d", "-j", "1", "--max-time", "300 ms"], in: scratch.folder)
    #expect(end.status == 143)
    #expect(end.errors.contains("interrupted: "))
  }

  @Test func failedPointsAreKeptUntilTheyAreRetried() throws {
    let scratch = try Scratch()
    let text = Self.cheap(3).replacing(
      "\"random\"",
      with:
        #""faults": {"none": [], "cut": [{"at": "1 us", "link": "h0->switch", "up": false}]}, "random""#
    )
    try scratch.write("s.json", text)
    let first = try Simnet.run(["sweep", "s.json", "--out", "d"], in: scratch.folder)
    #expect(first.status == 4 && first.output == "")
    #expect(first.errors.contains("point 3, replicate 0: "))
    #expect(
      first.errors.hasSuffix(
        "3 of 6 points failed; finished ones are kept, --retry-failed tries the rest again\n"))
    let again = try Simnet.run(["sweep", "s.json", "--out", "d"], in: scratch.folder)
    #expect(again.status == 4 && again.errors == first.errors)
    let retried = try Simnet.run(
      ["sweep", "s.json", "--out", "d", "--retry-failed", "--fail-fast", "-j", "1"],
      in: scratch.folder)
    #expect(retried.status == 4)
    let merge = try Simnet.run(["merge", "d", "-o", "x.csv"], in: scratch.folder)
    #expect(
      merge.status == 4
        && merge.errors == """
          d: 3 of 6 points failed; simnet status d says why
          nothing was written; --allow-partial leaves them out

          """
    )
    let status = try Simnet.run(["status", "d"], in: scratch.folder)
    #expect(
      status.status == 0 && status.output.contains("3 of 6 points are done, 3 failed, 0 missing"))
  }

  @Test func aDryRunListsThePointsAndTheirShards() throws {
    let run = try Simnet.run(["sweep", small, "--dry-run", "--shards", "4"])
    #expect(run.status == 0)
    #expect(
      run.output == """
        point,shard,cluster.topology.link.bandwidth,communication
        0,0,1 Gbps,fp32
        1,1,1 Gbps,fp16
        2,2,1 Gbps,top_k 1%
        3,3,10 Gbps,fp32
        4,0,10 Gbps,fp16
        5,1,10 Gbps,top_k 1%

        """)
    #expect(
      run.errors
        == "6 points, 12 runs without baselines; 4 shards of 1 to 2 points; nothing was run\n")
  }

  @Test func scriptsAreWrittenAndReadByTheShell() throws {
    let scratch = try Scratch()
    let folder = scratch.path("it's a folder")
    for (kind, names) in [
      ("slurm", ["array.sbatch", "merge.sbatch", "submit.sh", "sweep.json"]),
      ("parallel", ["parallel.sh", "sweep.json"]),
    ] {
      let out = folder + kind
      let run = try Simnet.run(
        ["sweep", small, "--out", out, "--emit", kind, "--shards", "3", "--partition", "long"])
      #expect(run.status == 0 && run.errors == "", "\(run.errors)")
      #expect(run.output == "\(out)/\(kind == "slurm" ? "submit.sh" : "parallel.sh")\n")
      let found = try FileManager.default.contentsOfDirectory(atPath: out).sorted()
      #expect(found == names)
      for name in names where !name.hasSuffix(".json") {
        let checked = try Simnet.shell("bash -n '\(name)'", in: out)
        #expect(checked.status == 0, "\(checked.errors)")
      }
    }
    // GNU parallel may not be there; one that runs its commands one after the other is enough.
    try scratch.write(
      "parallel",
      """
      #!/bin/bash
      words=()
      while [ "$1" != ":::" ]; do [ "$1" = -q ] || words+=("$1"); shift; done
      shift
      for value; do "${words[@]//\\{\\}/$value}" || exit; done
      """)
    let done = try Simnet.shell(
      "chmod +x parallel; PATH=\"$PWD:$PATH\" sh \"it's a folderparallel/parallel.sh\"",
      in: scratch.folder)
    #expect(done.status == 0, "\(done.errors)")
    let expected = try Simnet.run(["run", small, "--format", "csv"]).output
    #expect(try scratch.read("it's a folderparallel/results.csv") == expected)
  }

  @Test(arguments: [
    (["sweep", "nowhere.json"], 74, "no such file"),
    (["sweep", "."], 74, "sweep.json"),
    (["merge", "nowhere", "-o", "x.csv"], 74, "name a folder that simnet sweep --out made"),
    (["status", "nowhere"], 74, "no such file"),
    (["sweep", "x.json", "--shard", "4/4"], 64, "4/4"),
    (["sweep", "x.json", "--shard", "1"], 64, "shard"),
    (["sweep", "x.json", "--jobs", "0"], 64, "--jobs must be at least 1"),
    (["sweep", "x.json", "--max-time", "50"], 64, "--max-time needs a duration such as 50min"),
    (["sweep", "x.json", "--max-time", "50 MB"], 64, "--max-time needs a duration"),
    (["sweep", "x.json", "--dry-run", "--list-missing"], 64, "exclude one another"),
    (["sweep", "x.json", "--shard", "0/2", "--engine", "slurm"], 64, "clusters take --shards"),
    (["sweep", "x.json", "--engine", "cloud"], 64, "cloud"),
    (["merge", "x"], 64, "output"),
  ]) func whatCannotBeDoneIsSaidOnce(
    _ arguments: [String], _ code: Int32, _ part: String
  ) throws {
    let scratch = try Scratch()
    let run = try Simnet.run(arguments, in: scratch.folder)
    #expect(run.status == code && run.output == "" && run.errors.contains(part), "\(run.errors)")
    #expect(scratch.names == [])
  }

  @Test func aMissingBatchSystemIsNamed() throws {
    let scratch = try Scratch()
    let run = try Simnet.run(
      ["sweep", small, "--out", "d", "--engine", "slurm"], in: scratch.folder,
      environment: ["PATH": "/nowhere"])
    #expect(run.status == 74 && run.errors.contains("is sbatch there?"), "\(run.errors)")
  }

  @Test func noInputIsEverOverwritten() throws {
    let scratch = try Scratch()
    try scratch.write("s.json", Self.cheap(2))
    let text = try scratch.read("s.json")
    #expect(try Simnet.run(["run", "s.json", "-o", "./s.json"], in: scratch.folder).status == 64)
    #expect(try scratch.read("s.json") == text)
    #expect(
      try Simnet.run(["sweep", "s.json", "--out", "d", "-q"], in: scratch.folder).status == 0)
    let journal = try scratch.read("d/shard-0-of-1.journal")
    for path in ["d/sweep.json", "d/../d/shard-0-of-1.journal"] {
      let run = try Simnet.run(["merge", "d", "-o", path], in: scratch.folder)
      #expect(run.status == 74 && run.errors.contains("is a file of the sweep itself"))
    }
    #expect(try scratch.read("d/shard-0-of-1.journal") == journal)
    let results = try scratch.read("d/results.csv")
    let infer = try Simnet.run(
      ["data", "infer", "d/results.csv", "-o", "d/results.csv"], in: scratch.folder)
    #expect(infer.status == 64)
    #expect(try scratch.read("d/results.csv") == results)
    // Somebody else's table, and no name at all.
    try FileManager.default.createDirectory(
      atPath: scratch.path("mine"), withIntermediateDirectories: true)
    try scratch.write("mine/results.csv", "a\n1\n")
    let foreign = try Simnet.run(["sweep", "s.json", "--out", "mine"], in: scratch.folder)
    #expect(foreign.status == 74 && foreign.errors.contains("no sweep made it"))
    #expect(try scratch.read("mine/results.csv") == "a\n1\n")
    #expect(try Simnet.run(["sweep", "s.json", "--out", ""], in: scratch.folder).status == 64)
  }

  @Test func aSweepIsMergedWithoutItsInputs() throws {
    let scratch = try Scratch()
    try scratch.write("table.csv", "name,elements\nfc,100000\n")
    try scratch.write(
      "s.json", Self.cheap(3).replacing("\"resnet18\"", with: #"{"file": "table.csv"}"#))
    #expect(
      try Simnet.run(["sweep", "s.json", "--out", "d", "-q"], in: scratch.folder).status == 0)
    try FileManager.default.removeItem(atPath: scratch.path("table.csv"))
    let status = try Simnet.run(["status", "d"], in: scratch.folder)
    #expect(status.status == 0 && status.output.contains("3 of 3 points are done"))
    let merge = try Simnet.run(["merge", "d", "-o", "all.csv"], in: scratch.folder)
    #expect(merge.status == 0)
    #expect(try scratch.read("all.csv") == (try scratch.read("d/results.csv")))
    #expect(try Simnet.run(["sweep", "d", "--no-resume"], in: scratch.folder).status == 65)
  }

  @Test func onlyFilesAreJournals() throws {
    let scratch = try Scratch()
    try scratch.write("s.json", Self.cheap(2))
    #expect(
      try Simnet.run(["sweep", "s.json", "--out", "d", "-q"], in: scratch.folder).status == 0)
    #expect(mkfifo(scratch.path("d/shard-3-of-9.journal"), 0o600) == 0)
    let status = try Simnet.run(["status", "d"], in: scratch.folder, limit: 30)
    #expect(status.status == 0 && status.output.contains("2 of 2 points are done"))
  }
}
