import Foundation
import SimKernel
import Testing
import Training

/// `../shared/traces/netai-training-bottleneck` beside the repository, if it is there.
private let logs: URL? = {
  let root = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { url, _ in
    url.deletingLastPathComponent()
  }
  let folder = root.deletingLastPathComponent()
    .appendingPathComponent("shared/traces/netai-training-bottleneck")
  return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
}()

@Suite("Recorded backward logs")
struct RecordedLogTests {
  @Test(
    "the carried times are the log's", .enabled(if: logs != nil),
    arguments: ["resnet50", "resnet101", "vgg16"])
  func carried(model: String) throws {
    let text = try String(
      contentsOf: #require(logs).appendingPathComponent(model + ".bk.log"), encoding: .utf8)
    let events = text.split(separator: "\n").dropFirst(3).map { line in
      let cells = line.split(separator: ",")
      return (wait: Double(cells[0])!, size: Int(cells[1])!)
    }
    let profile = try #require(DeviceCatalog.profile(named: "v100"))
    let table = try #require(ModelCatalog.table(named: model))
    let times = profile.computeTimes(model: table, batch: 32, precision: .fp32)
    // Backward order: every event of a tensor's size and time, the others only add time.
    var tensor = table.tensors.count - 1
    var elapsed = 0.0
    var passed = 0
    for event in events {
      elapsed += event.wait * 1e6
      if tensor >= 0, event.size == table.tensors[tensor].elements * 4,
        abs(Double(times.readyOffsets[tensor].picoseconds) - elapsed) < 2
      {
        tensor -= 1
      } else {
        passed += 1
      }
    }
    #expect(tensor == -1, "every tensor has its event")
    #expect(passed == (model == "vgg16" ? 26 : 0))
  }
}
