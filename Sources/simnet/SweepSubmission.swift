import ArgumentParser
import Experiments
import Foundation

/// Hands a sweep to a cluster: finds what is left to do, writes scripts, submits them.
struct SweepSubmission {
  let command: SweepCommand
  let folder: SweepFolder

  func run() throws {
    try folder.checkForeignFiles()
    let path = absolute(folder.path)
    if path.contains(where: { $0.isNewline || $0 == "\"" })
      || options.contains(where: { $0.contains(where: \.isNewline) })
    {
      throw ValidationError("scripts cannot hold line ends or quotes in paths and options")
    }
    let runner = try SweepRunner(folder.scenario, threads: command.threads)
    for warning in runner.warnings where !command.quiet { Terminal.say("\(warning)") }
    let shards = command.shards ?? min(16, runner.count)
    let results = try runner.results(journals: folder.journals)
    let left = results.missingPoints + (command.retryFailed ? results.failures.map(\.point) : [])
    let pending = Set(left.map { $0 % shards }).sorted()
    let scripts = SweepScripts(
      executable: Self.executable, folder: path, shards: shards,
      pending: pending, jobs: command.jobs ?? 1, title: runner.scenario.title,
      options: options)
    if command.listMissing {
      if !pending.isEmpty { Terminal.print(scripts.array + "\n") }
      return
    }
    if try folder.prepare(runner), !command.quiet {
      Terminal.say("\(folder.path) held another sweep; what is part of both is kept")
    }
    if pending.isEmpty {
      Terminal.say(
        "all \(runner.count) points are done; simnet merge \(folder.path) -o all.csv "
          + "puts them together")
      return
    }
    switch command.emit {
    case .parallel: try write(["parallel.sh": scripts.parallel])
    case .slurm, nil:
      try write([
        "array.sbatch": scripts.slurmArray, "merge.sbatch": scripts.slurmMerge,
        "submit.sh": scripts.slurmSubmit,
      ])
    }
    if command.emit != nil {
      let name = command.emit == .parallel ? "parallel.sh" : "submit.sh"
      Terminal.print("\(folder.path)/\(name)\n")
      return
    }
    try submit(pending.count)
  }

  private var options: [String] {
    var options = command.sbatch
    if let partition = command.partition { options.append("--partition=\(partition)") }
    if let time = command.time { options.append("--time=\(time)") }
    return options
  }

  /// This program: what a batch system starts may have another search path.
  private static var executable: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? CommandLine.arguments[0]
  }

  private func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }

  private func write(_ scripts: KeyValuePairs<String, String>) throws {
    for (name, text) in scripts {
      let path = "\(folder.path)/\(name)"
      try AtomicFile.write(text, to: path)
      chmod(path, 0o755)
    }
  }

  private func submit(_ count: Int) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [folder.path + "/submit.sh"]
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw InputError(
        path: folder.path + "/submit.sh",
        reason: "the batch system did not take it (exit code \(process.terminationStatus))",
        advice: "is sbatch there? --emit slurm only writes the scripts")
    }
    if !command.quiet {
      Terminal.say(
        "submitted \(count) \(count == 1 ? "shard" : "shards") and the merge after them; "
          + "simnet status \(folder.path) shows how far they are")
    }
  }
}
