import Glibc

let known = Benchmark.all.map(\.name) + ["all"]
let words = CommandLine.arguments.dropFirst().filter { $0 != "--full" }
let chosen = words.isEmpty ? ["all"] : Array(words)
// A group that is asked for by name gets the time it needs.
let extent: Benchmark.Extent =
  CommandLine.arguments.contains("--full") || !words.isEmpty ? .full : .brief

if let unknown = chosen.first(where: { !known.contains($0) }) {
  var talk = "simnet-bench: unknown group \"\(unknown)\"\n"
  talk += "usage: simnet-bench [--full] [\(known.joined(separator: "|"))]...\n"
  for benchmark in Benchmark.all { talk += "  \(benchmark.name): \(benchmark.summary)\n" }
  talk.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
  exit(64)
}

Table.printHeader()
for benchmark in Benchmark.all where chosen.contains("all") || chosen.contains(benchmark.name) {
  benchmark.run(extent) { row in
    Table.print(row)
    // A reader of a pipe sees each row when it is measured.
    fflush(nil)
  }
}
