import Foundation
import Testing

/// Results are the same bytes whatever the instruction set: `make test` builds the program a second
/// time without `-march` and names it in `SIMNET_BASELINE`.
@Suite struct BaselineBuildTests {
  private static let baseline = ProcessInfo.processInfo.environment["SIMNET_BASELINE"].map {
    $0.hasPrefix("/") ? $0 : Simnet.root.appendingPathComponent($0).path
  }

  @Test(.enabled(if: baseline != nil, "SIMNET_BASELINE names no second build"))
  func sweepsGiveTheSameBytes() throws {
    let arguments = [
      "run", Simnet.root.appendingPathComponent("Scenarios/quickstart.json").path, "--format",
      "csv", "--set", "replicates=1", "--set", "workload.model=resnet18,alexnet", "--set",
      "workload.iterations=2",
    ]
    let here = try Simnet.run(arguments)
    let there = try Running(arguments, program: try #require(Self.baseline)).wait(300)
    #expect(here.status == 0 && there.status == 0, "\(here.errors)\(there.errors)")
    #expect(here.output.split(separator: "\n").count == 49)
    #expect(here.output == there.output)
  }

  @Test(
    .enabled(if: baseline != nil, "SIMNET_BASELINE names no second build"),
    arguments: [
      "fp16", "bf16", "int8", "fp8", "int4", "mxfp8", "mxfp4", "uint8_affine", "natural",
      "qsgd:s=127",
      "terngrad", "signsgd", "ef_sign", "onebit", "drive", "rht_usq", "top_k:ratio=0.01",
      "random_k:ratio=0.01", "threshold:v=0.001", "gaussian_k:ratio=0.01", "sidco_e:ratio=0.01",
      "redsync:ratio=0.01", "dgc:ratio=0.01", "stc:ratio=0.01", "wangni:ratio=0.01", "3lc",
      "count_sketch:ratio=0.02", "omnireduce", "powersgd", "zstd:level=3",
      "top_k:ratio=0.1|fp16|zstd:level=3",
    ])
  func codecsGiveTheSameSizesAndErrors(_ pipeline: String) throws {
    let file = Simnet.fixtures.appendingPathComponent("Gradients/mlp-digits.middle.w0.npy").path
    let arguments = ["compress", file, "--pipeline", pipeline, "--format", "csv"]
    let here = try Simnet.run(arguments)
    let there = try Running(arguments, program: try #require(Self.baseline)).wait(60)
    // All but the two speeds at the end.
    func figures(_ text: String) -> [Substring] {
      text.split(separator: "\n").last?.split(separator: ",").dropLast(2) ?? []
    }
    #expect(figures(here.output).count == 7, "\(here.errors)")
    #expect(figures(here.output) == figures(there.output))
  }
}
