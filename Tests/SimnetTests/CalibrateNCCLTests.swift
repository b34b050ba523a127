import Foundation
import Testing

/// `simnet calibrate nccl`.
@Suite struct CalibrateNCCLTests {
  /// 64 B to 64 MiB at 20 us and 5 GB/s.
  private func log() -> String {
    var text = "#   Rank  0 Pid 1\n#   Rank  1 Pid 1\nlauncher: noise in between\n"
    for power in 6...26 {
      let size = Double(1 << power)
      let time = 20 + size / 5e3
      let rate = size / time / 1e3
      text += "\(1 << power) \(1 << (power - 2)) float sum -1 \(time) \(rate) \(rate) 0 "
      text += "\(time * 2) \(rate / 2) \(rate / 2) 0\n"
    }
    return text
  }

  @Test func theLawAndItsErrorsAreShown() throws {
    let scratch = try Scratch()
    try scratch.write("log", log())
    let run = try Simnet.run(["calibrate", "nccl", "log"], in: scratch.folder)
    #expect(run.status == 0 && run.errors == "")
    let lines = run.output.split(separator: "\n").map {
      $0.split(separator: " ").joined(separator: " ")
    }
    #expect(lines.first == "log: 21 rows, 2 ranks")
    #expect(lines.contains("64-67108864 20.00 5.000 5.000"))
    #expect(lines.contains("below 32 KiB 4 0.0 % 0.0 %"))
    #expect(
      lines.contains("32 MiB and more 1 0.0 % 0.0 %") || lines.last?.hasPrefix("1 MiB to") == true)
    let inPlace = try Simnet.run(["calibrate", "nccl", "log", "--in-place"], in: scratch.folder)
    #expect(inPlace.output.contains("40.00"))
  }

  @Test func everySizeIsListed() throws {
    let scratch = try Scratch()
    try scratch.write("log", log())
    let run = try Simnet.run(
      ["calibrate", "nccl", "log", "--format", "csv"], in: scratch.folder)
    let lines = run.output.split(separator: "\n")
    #expect(lines[0] == "size_bytes,measured_s,predicted_s,relative_error,is_held_out")
    #expect(lines.count == 22 && lines[2].hasPrefix("128,") && lines[2].hasSuffix(",true"))
  }

  @Test func badInputIsNamed() throws {
    let scratch = try Scratch()
    try scratch.write("empty", "nothing here\n")
    try scratch.write("short", "8 2 float sum -1 50.0 2.0 3.5 0\n")
    let empty = try Simnet.run(["calibrate", "nccl", "empty"], in: scratch.folder)
    #expect(empty.status == 65 && empty.errors.contains("no row of nccl-tests"))
    let short = try Simnet.run(["calibrate", "nccl", "short"], in: scratch.folder)
    #expect(short.status == 65 && short.errors.contains("at least 4"))
    let missing = try Simnet.run(["calibrate", "nccl", "missing"], in: scratch.folder)
    #expect(missing.status == 74 && missing.errors.contains("missing"))
  }

  /// Real logs: launches and bandwidths are predicted to a few percent, and to less than a quarter
  /// where protocols change.
  @Test func realLogsArePredicted() throws {
    var folder = Simnet.root
    for _ in 0..<2 {
      if !FileManager.default.fileExists(atPath: folder.appendingPathComponent("../shared").path) {
        folder.deleteLastPathComponent()
      }
    }
    let logs = folder.appendingPathComponent("../shared/traces/nccl-tests").standardizedFileURL
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: logs.path) else {
      print("skipped: no shared/traces/nccl-tests beside the repository")
      return
    }
    var seen = 0
    for name in names.sorted() where name.hasPrefix("nccl_") || name.hasPrefix("aws-") {
      let run = try Simnet.run(
        ["calibrate", "nccl", logs.appendingPathComponent(name).path, "--format", "csv"])
      #expect(run.status == 0, "\(name): \(run.errors)")
      let errors = run.output.split(separator: "\n").filter { $0.hasSuffix(",true") }
        .compactMap { Double($0.split(separator: ",")[3])?.magnitude }
      #expect(errors.count >= 13)
      #expect(errors.reduce(0, +) / Double(errors.count) < 0.06, "\(name)")
      #expect(errors.max()! < 0.25, "\(name)")
      seen += 1
    }
    #expect(seen == 8)
  }
}
