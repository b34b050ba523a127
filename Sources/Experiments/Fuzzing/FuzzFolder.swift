import Foundation
import Interchange
import SimKernel

/// The files that drawn scenarios may name, in a folder of their own that goes away with it.
public final class FuzzFolder: Sendable {
  /// Where the files are.
  public let url: URL

  /// A model of a few thousand parameters with one tensor of each kind, so that a scenario runs in
  /// milliseconds.
  static let model = """
    # name: fuzzed
    # batch: 4
    tensor,shape,macs,forward_us,backward_us
    embed.weight,50x8,400,10,20
    conv.weight,8x3x3x3,5000,30,60
    conv.bias,8,0,0,0
    norm.weight,8,8,1,2
    fc.weight,16x40,640,5,11
    fc.bias,16,0,0,0
    one,1,1,1,1

    """

  /// A device with codec costs of its own.
  static let device = """
    {"simnet_device": 1, "name": "fuzzed-host", "codecs_run_on": "cpu",
     "codecs": [{"pipeline": "fp16", "encode": {"launch": "2 us", "bandwidth": "4 GB/s"},
       "decode": {"launch": "1 us", "bandwidth": "8 GB/s"}}]}

    """

  /// Texts for fields that take any: the files, links of several topologies, and short names that
  /// come to refer to one another.
  public static let words = [
    "model.csv", "device.json", "worker0.npy", "worker1.npy", "a", "b", "c", "a", "b",
    "host0->switch", "switch->host1", "host0->host1", "host1->host0", "a->b", "*weight*", "*bias*",
    "fp16", "top_k:ratio=0.1", "top_k:ratio=0.25|fp16|zstd", "qsgd:s=7", "int8:shared_range=true",
    "missing.csv", "",
  ]

  /// Writes the files.
  ///
  /// - Throws: ``InputError`` or `InterchangeError` if that cannot be done.
  public init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("simnet-fuzz-\(UUID().uuidString)", isDirectory: true)
    let path = url.appendingPathComponent("model.csv").path
    try AtomicFile.write(Self.model, to: path)
    try AtomicFile.write(Self.device, to: url.appendingPathComponent("device.json").path)
    for worker in 0..<2 {
      var random = RandomStream(
        seed: 1, purpose: RandomPurpose("recorded gradient"), entity: worker)
      let values = (0..<1_500).map { _ in Float(random.normal()) * 0.01 }
      try NPY.write(
        GradientFile(
          origin: "fuzz",
          tensors: [GradientTensor(name: "w", shape: [30, 50], offset: 0, count: 1_500)],
          values: values), path: url.appendingPathComponent("worker\(worker).npy").path)
    }
  }

  deinit { try? FileManager.default.removeItem(at: url) }
}
