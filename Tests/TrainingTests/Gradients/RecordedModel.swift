import Foundation
import Training

/// The models whose gradients were recorded, and where their files are.
enum RecordedModel: String, CaseIterable {
  case mlp = "mlp-digits"
  case resnet = "resnet8-digits"
  case chargpt = "chargpt"
  case wordemb = "wordemb"

  /// Tensors in forward order.
  var tensors: [GradientTensor] {
    switch self {
    case .mlp:
      return linear("fc1", 128, 64) + linear("fc2", 64, 128) + linear("fc3", 10, 64)
    case .wordemb:
      return [matrix("emb.weight", .embedding, 4096, 8)] + linear("fc1", 32, 16)
        + linear("fc2", 64, 32)
    case .resnet:
      var all = [convolution("stem.weight", 8, 1, 3)] + norm("bn", 8)
      for (name, i, o) in [("b1", 8, 8), ("b2", 8, 16), ("b3", 16, 32)] {
        all.append(convolution("\(name).conv1.weight", o, i, 3))
        all += norm("\(name).bn1", o)
        all.append(convolution("\(name).conv2.weight", o, o, 3))
        all += norm("\(name).bn2", o)
        if i != o { all.append(convolution("\(name).short.weight", o, i, 1)) }
      }
      return all + linear("fc", 10, 32)
    case .chargpt:
      var all = [
        matrix("tok.weight", .embedding, 128, 48), matrix("pos.weight", .embedding, 64, 48),
      ]
      for layer in ["layers.0", "layers.1"] {
        all += norm("\(layer).ln1", 48) + norm("\(layer).ln2", 48)
        all += linear("\(layer).qkv", 144, 48) + linear("\(layer).proj", 48, 48)
        all += linear("\(layer).up", 192, 48) + linear("\(layer).down", 48, 192)
      }
      return all + norm("ln", 48) + [matrix("head.weight", .linear, 128, 48)]
    }
  }

  /// The four workers' flat gradients: from the fixtures, else from `../shared`; nil without either.
  func gradients(_ stage: TrainingStage) -> [[Float]]? {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let name = "\(rawValue).\(stage.rawValue)"
    var workers: [[Float]] = []
    for worker in 0..<4 {
      let fixture = root.appendingPathComponent("Tests/Fixtures/Gradients/\(name).w\(worker).npy")
      let shared = root.deletingLastPathComponent()
        .appendingPathComponent("shared/gradients/\(name).w\(worker).safetensors")
      if let data = try? Data(contentsOf: fixture) {
        workers.append(Self.floats(data, from: 10 + Int(data[8]) + 256 * Int(data[9])))
      } else if let data = try? Data(contentsOf: shared) {
        workers.append(safetensors(data))
      } else {
        return nil
      }
    }
    return workers
  }

  private func safetensors(_ data: Data) -> [Float] {
    let size = (0..<8).reduce(0) { $0 | Int(data[$1]) << (8 * $1) }
    let header = try? JSONSerialization.jsonObject(with: data.subdata(in: 8..<8 + size))
    guard let entries = header as? [String: [String: Any]] else { return [] }
    return tensors.flatMap { tensor -> [Float] in
      guard let range = entries[tensor.name]?["data_offsets"] as? [Int] else { return [] }
      return Self.floats(data.subdata(in: 8 + size + range[0]..<8 + size + range[1]), from: 0)
    }
  }

  private static func floats(_ data: Data, from start: Int) -> [Float] {
    data.withUnsafeBytes { bytes in
      stride(from: start, to: bytes.count, by: 4).map {
        Float(
          bitPattern: UInt32(
            littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
      }
    }
  }

  private func matrix(_ name: String, _ kind: GradientKind, _ o: Int, _ i: Int) -> GradientTensor {
    GradientTensor(name: name, kind: kind, shape: [o, i])
  }
  private func linear(_ name: String, _ o: Int, _ i: Int) -> [GradientTensor] {
    [
      matrix("\(name).weight", .linear, o, i),
      GradientTensor(name: "\(name).bias", kind: .bias, shape: [o]),
    ]
  }
  private func norm(_ name: String, _ n: Int) -> [GradientTensor] {
    ["weight", "bias"].map { GradientTensor(name: "\(name).\($0)", kind: .norm, shape: [n]) }
  }
  private func convolution(_ name: String, _ o: Int, _ i: Int, _ k: Int) -> GradientTensor {
    GradientTensor(name: name, kind: .conv, shape: [o, i, k, k])
  }
}
