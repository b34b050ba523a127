import Glibc

let known = Benchmark.all.map(\.name) + ["all"]
let words = CommandLine.arguments.dropFirst().filter { !["--full", "--brief"].contains($0) }
// What follows `codecs` names codecs, not groups.
let filters = words.first == "codecs" ? Array(words.dropFirst()) : []
let chosen = words.isEmpty ? ["all"] : filters.isEmpty ? Array(words) : ["codecs"]
// A group that is asked for by name gets the time it needs.
let isFull = CommandLine.arguments.contains("--full") || !words.isEmpty
let extent: Benchmark.Extent =
  isFull && !CommandLine.arguments.contains("--brief") ? .full : .brief

if let unknown = chosen.first(where: { !known.contains($0) }) {
  var talk = "simnet-bench: unknown group \"\(unknown)\"\n"
  talk += "usage: simnet-bench [--full|--brief] [\(known.joined(separator: "|"))]...\n"
  for benchmark in Benchmark.all { talk += "  \(benchmark.name): \(benchmark.summary)\n" }
  talk.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
  exit(64)
}

Table.printHeader()
for benchmark in Benchmark.all where chosen.contains("all") || chosen.contains(benchmark.name) {
  let group = benchmark.name == "codecs" ? Benchmark.codecs(filters) : benchmark
  group.run(extent) { row in
    Table.print(row)
    // A reader of a pipe sees each row when it is measured.
    fflush(nil)
  }
}
