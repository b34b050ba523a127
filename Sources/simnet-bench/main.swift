import Glibc

let known = Benchmark.all.map(\.name) + ["all"]
let chosen = CommandLine.arguments.count > 1 ? Array(CommandLine.arguments.dropFirst()) : ["all"]

if let unknown = chosen.first(where: { !known.contains($0) }) {
  var talk = "simnet-bench: unknown group \"\(unknown)\"\n"
  talk += "usage: simnet-bench [\(known.joined(separator: "|"))]...\n"
  for benchmark in Benchmark.all { talk += "  \(benchmark.name): \(benchmark.summary)\n" }
  talk.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
  exit(64)
}

Table.printHeader()
for benchmark in Benchmark.all where chosen.contains("all") || chosen.contains(benchmark.name) {
  benchmark.run { row in
    Table.print(row)
    // A reader of a pipe sees each row when it is measured.
    fflush(nil)
  }
}
