/// What a sweep needs to run elsewhere: a static binary, a folder that all hosts see, and a script.
public struct SweepScripts: Sendable {
  /// The simnet to run, by its whole path.
  public var executable: String
  /// The whole path of the sweep's folder, where its manifest is.
  public var folder: String
  /// The shards in all.
  public var shards: Int
  /// Those that have something left to do, in ascending order.
  public var pending: [Int]
  /// Runs at a time in each shard.
  public var jobs: Int
  /// Names the job for people.
  public var title: String
  /// Options for every `sbatch`, as they are written on its command line.
  public var options: [String]

  public init(
    executable: String, folder: String, shards: Int, pending: [Int], jobs: Int, title: String,
    options: [String] = []
  ) {
    self.executable = executable
    self.folder = folder
    self.shards = shards
    self.pending = pending
    self.jobs = jobs
    self.title = title
    self.options = options
  }

  private var program: String { ShellText.quoted(executable) }
  private var place: String { ShellText.quoted(folder) }

  /// The `--array=` list of the pending shards, such as `0-3,7`.
  public var array: String { Self.ranges(pending) }

  static func ranges(_ numbers: [Int]) -> String {
    var parts: [(first: Int, last: Int)] = []
    for number in numbers {
      if let last = parts.last, last.last + 1 == number {
        parts[parts.count - 1].last = number
      } else {
        parts.append((number, number))
      }
    }
    return parts.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }
      .joined(separator: ",")
  }

  /// A batch script for a Slurm job array: one element a pending shard.
  ///
  /// Slurm sends USR1 a minute before the time limit, so that the shard flushes what it has; the same
  /// submission then goes on from there.
  public var slurmArray: String {
    """
    #!/bin/sh
    \(directives(name: "array"))
    #SBATCH --array=\(array)
    #SBATCH --cpus-per-task=\(jobs)
    #SBATCH --signal=B:USR1@60
    # The count of shards is written out: a part of the array counts only itself.
    exec \(program) sweep \(place) --shard "$SLURM_ARRAY_TASK_ID/\(shards)" --jobs \(jobs) --quiet

    """
  }

  /// A batch script that merges what the array left; to be submitted to run after it.
  public var slurmMerge: String {
    """
    #!/bin/sh
    \(directives(name: "merge"))
    exec \(program) merge \(place) -o \(ShellText.quoted(folder + "/results.csv"))

    """
  }

  /// A script that submits both.
  public var slurmSubmit: String {
    """
    #!/bin/sh
    set -e
    # --parsable prints the job's number, on some clusters followed by ";" and the cluster.
    job=$(sbatch --parsable \(ShellText.quoted(folder + "/array.sbatch")))
    sbatch --dependency="afterok:${job%%;*}" --kill-on-invalid-dep=yes \\
      \(ShellText.quoted(folder + "/merge.sbatch"))

    """
  }

  private func directives(name: String) -> String {
    let word = title.map { $0.isLetter || $0.isNumber ? $0 : "-" }.prefix(40)
    var lines = ["#SBATCH --job-name=simnet-\(String(word))-\(name)"]
    lines.append("#SBATCH --output=\"\(folder)/slurm-\(name)-%A_%a.log\"")
    lines += options.map { "#SBATCH \($0)" }
    return lines.joined(separator: "\n")
  }

  /// A script for GNU parallel, which runs the shards on this machine or, with `-S`, on others.
  public var parallel: String {
    """
    #!/bin/sh
    set -e
    # Options of GNU parallel may be given: -j 8, -S host1,host2, --eta, --halt soon,fail=1
    parallel -q "$@" \\
      \(program) sweep \(place) --shard '{}/\(shards)' --jobs \(jobs) --quiet \\
      ::: \(pending.map(String.init).joined(separator: " "))
    \(program) merge \(place) -o \(ShellText.quoted(folder + "/results.csv"))

    """
  }
}
