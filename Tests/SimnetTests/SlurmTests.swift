import Foundation
import Testing

/// Sweeps through a real Slurm of one node, which a script of the repository starts on loopback.
@Suite struct SlurmTests {
  @Test func arraysMergeToTheBytesOfOneRunEvenIfAShardIsKilled() throws {
    let script = Simnet.root.appendingPathComponent("Tools/slurm-test.sh").path
    let scenario = Simnet.scenarios.appendingPathComponent("cluster.json").path
    let done = try Running([script, Simnet.program, scenario], program: "/bin/bash").wait(400)
    if done.status == 77 {
      print(done.output)
      return
    }
    #expect(done.status == 0, "\(done.output)\(done.errors)")
    #expect(done.output.hasSuffix("killed, resumed and merged: the same bytes\n"))
  }
}
