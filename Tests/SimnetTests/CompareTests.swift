import Foundation
import SimKernel
import Testing

/// `simnet compress --compare`: pipelines side by side.
@Suite struct CompareTests {
  private static let gradient = Simnet.fixtures
    .appendingPathComponent("Gradients/mlp-digits.middle.w0.npy").path

  /// The two speeds at the end of a row, which differ from run to run, as `#`.
  private func withoutSpeeds(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
      let words = line.split(separator: " ")
      guard words.count >= 6, Double(words[words.count - 1]) != nil,
        Double(words[words.count - 2]) != nil
      else { return String(line) }
      return words.dropLast(2).joined(separator: " ") + " # #"
    }.joined(separator: "\n")
  }

  private func compare(
    _ file: String, _ pipelines: [String], _ extra: [String] = [],
    environment: [String: String] = ["COLUMNS": "96"]
  ) throws -> Finished {
    try Simnet.run(
      ["compress", file, "--compare"] + pipelines.flatMap { ["--pipeline", $0] } + extra,
      environment: environment)
  }

  @Test func theTableMarksWhatIsSmallestForItsError() throws {
    let run = try compare(
      Self.gradient, ["none", "fp16", "bf16", "int8", "intn:bits=8", "top_k:ratio=0.01"],
      ["--scope", "bucket:512"])
    #expect(run.status == 0 && run.errors == "")
    let text = withoutSpeeds(run.output.replacingOccurrences(of: Self.gradient, with: "FILE"))
    #expect(
      text == """
        FILE: 17226 elements, scope bucket:512
           pipeline          ratio  bits/element  rel. error  cosine  encode GB/s  decode GB/s
        * none 1.00x 32.00 0 1.000 # #
        * fp16 2.00x 16.00 0.000207 1.000 # #
        bf16 2.00x 16.00 0.00163 1.000 # #
        * int8 3.96x 8.063 0.00997 1.000 # #
        * intn:bits=8 3.96x 8.063 0.00997 1.000 # #
        * top_k:ratio=0.01 45.4x 0.6242 0.910 0.4144 # #
          * smallest for its error: none (error 0, 32.00 bits), fp16 (error 0.000207, 16.00 bits), int8
            (error 0.00997, 8.063 bits), intn:bits=8 (error 0.00997, 8.063 bits), top_k:ratio=0.01
            (error 0.910, 0.6242 bits)
          bf16 is never the choice: fp16 is closer at the same size
          a tie in size and error: int8, intn:bits=8

        """)
  }

  @Test func rowsHoldTheSameInEveryFormat() throws {
    let pipelines = ["fp16", "bf16", "3lc"]
    let csv = try compare(Self.gradient, pipelines, ["--format", "csv"]).output
    let header = csv.split(separator: "\n")[0].split(separator: ",").map(String.init)
    #expect(csv.split(separator: "\n").count == 4)
    for format in ["json", "jsonl"] {
      let run = try compare(Self.gradient, pipelines, ["--format", format])
      let rows =
        format == "json"
        ? try #require(try JSONNode.parse(run.output, origin: format).elements)
        : try run.output.split(separator: "\n").map {
          try JSONNode.parse(String($0), origin: format)
        }
      #expect(rows.count == 3)
      for (row, pipeline) in zip(rows, pipelines) {
        #expect(row.members?.map(\.key) == header)
        #expect(row["pipeline"]?.string == pipeline)
        #expect(row["pareto"]?.string == (pipeline == "bf16" ? "no" : "yes"))
        #expect(row["elements"]?.number == 17_226)
      }
      #expect(rows[0]["payload_bits_per_element"]?.number == 16)
      #expect(rows[0]["payload_bits"]?.number == Double(16 * 17_226))
    }
  }

  @Test func everyFileHasItsTable() throws {
    let run = try Simnet.run([
      "compress", Self.gradient, Self.gradient, "--compare", "--pipeline", "fp16",
    ])
    #expect(run.output.components(separatedBy: "17226 elements, scope model").count == 3)
  }

  @Test func aPipelineThatFailsLeavesTheOthersAndSaysWhy() throws {
    let scratch = try Scratch()
    var data = Data()
    for value in [1, 70_000, -3, 0.5] as [Float] {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
    }
    try data.write(to: URL(fileURLWithPath: scratch.path("g.f32")))
    let run = try compare(scratch.path("g.f32"), ["fp16", "bf16"])
    #expect(run.status == 4)
    #expect(run.output.contains("!  fp16      failed"))
    #expect(run.output.contains("! fp16 failed: codec fp16, tensor "))
    #expect(run.output.contains("70000.0 is beyond the largest float16"))
    #expect(run.output.contains("*  bf16 "))
    let csv = try compare(scratch.path("g.f32"), ["fp16", "bf16"], ["--format", "csv"])
    #expect(csv.status == 4 && csv.output.contains(",no,\"codec fp16, tensor "))
  }

  @Test func severalPipelinesNeedTheFlag() throws {
    let run = try Simnet.run([
      "compress", Self.gradient, "--pipeline", "fp16", "--pipeline", "bf16",
    ])
    #expect(run.status == 64 && run.output == "" && run.errors.contains("add --compare"))
    let wrong = try compare(Self.gradient, ["fp61", "top_k:ratio=2"])
    #expect(wrong.status == 64 && wrong.output == "")
    #expect(wrong.errors.contains("2 problems"))
  }
}
