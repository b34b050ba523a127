import CodecFuzzing
import Glibc

/// Runs the mutation loop of the family `SIMNET_FUZZ_FAMILY` for `SIMNET_FUZZ_SECONDS` seconds, or one case from
/// a file.
///
/// Every case is written to the artifact before it runs, so that what kills the process remains.
@main
struct LoopEntry {
  static func main() {
    let environment = { (name: String) in getenv(name).map { String(cString: $0) } }
    guard let family = environment("SIMNET_FUZZ_FAMILY").flatMap(CodecFamily.init) else {
      fatalError("SIMNET_FUZZ_FAMILY must be one of the families")
    }
    if CommandLine.arguments.count == 2, let bytes = read(CommandLine.arguments[1]) {
      do { _ = try FuzzCase(family).run(bytes) } catch { fatalError("\(error)") }
      return
    }
    let seconds = environment("SIMNET_FUZZ_SECONDS").flatMap(Double.init) ?? 60
    let seed = environment("SEED").flatMap(UInt64.init) ?? 1
    let artifact = environment("ARTIFACT") ?? "crash-\(family.rawValue)"
    let clock = ContinuousClock()
    let start = clock.now
    var loop = MutationLoop(family, seed: seed)
    let file = open(artifact, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    if file < 0 { fatalError("cannot write \(artifact)") }
    while clock.now - start < .seconds(seconds) {
      loop.draw()
      // One open file for all cases: opening one for each took most of the time.
      if pwrite(file, loop.current, loop.current.count, 0) != loop.current.count
        || ftruncate(file, loop.current.count) != 0
      {
        fatalError("cannot write \(artifact)")
      }
      do { try loop.runCurrent() } catch { fatalError("\(error)") }
    }
    unlink(artifact)
    print("Done \(loop.executions) runs, \(loop.effective) reached a codec")
  }

  private static func read(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&buffer, 1, buffer.count, file)
    return Array(buffer[..<count])
  }
}
