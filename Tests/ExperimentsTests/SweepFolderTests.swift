import Experiments
import Foundation
import SimKernel
import Testing

/// Sweeps in folders: shards, resuming, merging.
@Suite struct SweepFolderTests {
  private let variants = #"""
    , "replicates": 2, "sweep": {
      "cluster.topology.link.bandwidth": ["1 Gbps", "10 Gbps"],
      "communication": {"fp32": {}, "fp16": {"compression": "fp16"},
        "sign": {"strategy": "all_gather", "compression": "ef_sign"}}}
    """#

  private func table(_ results: SweepResults) throws -> [[String]] {
    var rows: [[String]] = []
    try results.forEachRow { rows.append($0) }
    return rows
  }

  @Test(arguments: [1, 2, 4, 7])
  func shardsMergeToWhatOneRunMakes(count: Int) throws {
    let scratch = try Scratch()
    let file = try scratch.scenario(quick(variants))
    let whole = try SweepRunner(file).run(SweepOptions()).table.rows
    let folder = SweepFolder(path: scratch.path("d"), scenario: file)
    var seen: [Int] = []
    for index in (0..<count).reversed() {
      let shard = try #require(Shard(index, of: count))
      seen += shard.points(of: 6)
      let runner = try SweepRunner(file, shard: shard, threads: 2)
      #expect(runner.count == Array(shard.points(of: 6)).count)
      _ = try folder.prepare(runner)
      let results = try runner.execute(
        SweepOptions(jobs: 2, journalPath: folder.journalPath(shard)))
      #expect(results.finishedPoints == results.totalPoints)
    }
    #expect(seen.sorted() == Array(0..<6))
    #expect(folder.journals.count == min(count, 6))
    let again = try SweepFolder(reading: scratch.path("d"))
    let merged = try SweepRunner(again.scenario).results(journals: again.journals)
    #expect(try table(merged) == whole && merged.missingPoints.isEmpty)
  }

  @Test func gapsAreNamed() throws {
    let scratch = try Scratch()
    let file = try scratch.scenario(quick(variants))
    let folder = SweepFolder(path: scratch.path("d"), scenario: file)
    let shard = try #require(Shard(1, of: 3))
    let part = try SweepRunner(file, shard: shard)
    _ = try folder.prepare(part)
    _ = try part.execute(SweepOptions(journalPath: folder.journalPath(shard)))
    let results = try SweepRunner(file).results(journals: folder.journals)
    // Points 0 and 3 are what points 1 and 4 are compared with.
    #expect(results.missingPoints == [2, 5] && results.finishedPoints == 4)
    #expect(Set(try table(results).map { $0[1] }) == ["0", "1", "3", "4"])
  }

  @Test func failuresAreKeptUntilTheyAreToBeRetried() throws {
    let scratch = try Scratch()
    let faults =
      #", "sweep": {"faults": {"none": [], "cut": [{"at": "1 us", "link": "h0->switch", "up": false}]}}"#
    let runner = try SweepRunner(scratch.scenario(quick(faults)))
    func run(retrying: Bool) throws -> (failures: Int, lines: Int) {
      let results = try runner.execute(
        SweepOptions(journalPath: scratch.path("j"), retriesFailures: retrying))
      #expect(results.finishedPoints == 1 && results.missingPoints.isEmpty)
      #expect(results.failures.first?.reason.contains("waits") == true)
      return (results.failures.count, try scratch.read("j").split(separator: "\n").count)
    }
    let first = try run(retrying: false)
    #expect(first.failures == 1)
    #expect(try run(retrying: false).lines == first.lines)
    #expect(try run(retrying: true).lines > first.lines)
  }

  @Test func theFirstFailureMayEndIt() throws {
    let scratch = try Scratch()
    let cut = #"[{"at": "1 us", "link": "h0->switch", "up": false}]"#
    let text = quick(
      #", "sweep": {"faults": [\#(cut)], "workload.batch_per_worker": [1, 2, 3, 4, 5, 6]}"#)
    let results = try SweepRunner(scratch.scenario(text)).execute(
      SweepOptions(stopsAtFailure: true))
    #expect(results.failures.count == 1 && results.missingPoints.count == 5)
  }

  @Test func anotherScenarioKeepsWhatIsPartOfBoth() throws {
    let scratch = try Scratch()
    func folder(_ batches: String) throws -> (SweepFolder, SweepRunner) {
      let file = try scratch.scenario(
        quick(#", "sweep": {"workload.batch_per_worker": [\#(batches)]}"#))
      return (SweepFolder(path: scratch.path("d"), scenario: file), try SweepRunner(file))
    }
    let (first, runner) = try folder("8, 16")
    #expect(try !first.prepare(runner))
    _ = try runner.execute(SweepOptions(journalPath: first.journalPath(.whole)))
    #expect(try !first.prepare(runner))
    let (second, more) = try folder("16, 24")
    #expect(try second.prepare(more))
    #expect(try more.results(journals: second.journals).missingPoints == [1])
  }

  @Test func aFinishedSweepIsKnownWithoutALookAtItsPoints() throws {
    let scratch = try Scratch()
    try scratch.write("table.csv", "name,elements\nfc,1000\n")
    let text = quick().replacing("\"resnet18\"", with: #"{"file": "table.csv"}"#)
    let file = try scratch.scenario(text)
    let folder = SweepFolder(path: scratch.path("d"), scenario: file)
    #expect(!folder.isFinished)
    let runner = try SweepRunner(file)
    _ = try folder.prepare(runner)
    let results = try runner.execute(SweepOptions(journalPath: folder.journalPath(.whole)))
    #expect(!folder.isFinished)
    try folder.write(results, to: folder.resultsPath, arguments: [], wallTime: 0)
    #expect(folder.isFinished)
    // Another input, another scenario, a shorter table: then it is not.
    try scratch.write("table.csv", "name,elements\nfc,2000\n")
    #expect(!folder.isFinished)
    try scratch.write("table.csv", "name,elements\nfc,1000\n")
    #expect(folder.isFinished)
    let other = SweepFolder(
      path: folder.path, scenario: try scratch.scenario(text, set: ["seed=9"]))
    #expect(!other.isFinished)
    let csv = try scratch.read("d/results.csv")
    try scratch.write("d/results.csv", String(csv.dropLast()))
    #expect(!folder.isFinished)
  }

  @Test func otherBuildsAreNamedAndMayFillGaps() throws {
    let scratch = try Scratch()
    let file = try scratch.scenario(quick())
    let runner = try SweepRunner(file)
    let whole = try runner.execute(SweepOptions(journalPath: scratch.path("j")))
    let row = try #require(try table(whole).first)
    // The same journal, as another version would have written it.
    let lines = try scratch.read("j").split(separator: "\n")
    let columns = try #require(lines[0].split(separator: " ").last)
    try scratch.write("k", "simnet 9.9 libzstd 1.0 columns \(columns)\n")
    let results = try runner.results(journals: [scratch.path("j"), scratch.path("k")])
    #expect(results.otherBuilds == ["simnet 9.9 libzstd 1.0 columns \(columns)"])
    #expect(try table(results) == [row])
    #expect(try runner.results(journals: [scratch.path("k")], mixing: true).missingPoints == [0])
  }

  @Test func scriptsSurviveAnyPath() {
    let scripts = SweepScripts(
      executable: "/opt/my tools/simnet", folder: "/data/it's here", shards: 8,
      pending: [0, 1, 2, 5, 7], jobs: 3, title: "a b/c", options: ["--partition=long"])
    #expect(scripts.array == "0-2,5,7")
    #expect(scripts.slurmArray.contains("#SBATCH --array=0-2,5,7\n"))
    #expect(scripts.slurmArray.contains("#SBATCH --partition=long\n"))
    #expect(scripts.slurmArray.contains("#SBATCH --job-name=simnet-a-b-c-array\n"))
    #expect(
      scripts.slurmArray.contains(
        #"exec '/opt/my tools/simnet' sweep '/data/it'\''s here' --shard "$SLURM_ARRAY_TASK_ID/8" --jobs 3"#
      ))
    #expect(scripts.parallel.contains("::: 0 1 2 5 7\n"))
  }
}
