import Compression
import SimKernel

/// Recorded gradients under `../shared/gradients`, which a checkout may lack.
enum SharedGradients {
  /// The tensors of a safetensors file by name.
  struct File {
    private let bytes: [UInt8]
    private let header: JSONNode
    private let start: Int

    /// nil, with a message, if there is no such file.
    init?(_ name: String) throws {
      guard let bytes = Support.sharedBytes("gradients/\(name).safetensors") else {
        print("no ../shared/gradients/\(name).safetensors: this check was left out")
        return nil
      }
      let length = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
      self.bytes = bytes
      start = 8 + length
      header = try JSONNode.parse(String(decoding: bytes[8..<start], as: UTF8.self), origin: name)
    }

    /// The names of the parameters in flat order.
    func order() throws -> [String] {
      guard let text = header["__metadata__"]?["order"]?.string else { return [] }
      return try JSONNode.parse(text, origin: "order").elements?.compactMap(\.string) ?? []
    }
    func shape(_ tensor: String) -> [Int] {
      header[tensor]?["shape"]?.elements?.map { Int($0.number ?? 0) } ?? []
    }
    func values(_ tensor: String) -> [Float] {
      let place = header[tensor]?["data_offsets"]?.elements?.map { Int($0.number ?? 0) } ?? [0, 0]
      return stride(from: start + place[0], to: start + place[1], by: 4).map { at in
        var word: UInt32 = 0
        for byte in 0..<4 { word |= UInt32(bytes[at + byte]) << UInt32(8 * byte) }
        return Float(bitPattern: word)
      }
    }
    /// The flat gradient of tensors whose names begin with `prefix`.
    func flat(_ prefix: String = "") throws -> [Float] {
      try order().flatMap { values(prefix + $0) }
    }
    func tensors(_ prefix: String = "") throws -> [TensorRange] {
      Support.tensors(shaped: try order().map { ($0, shape(prefix + $0)) })
    }
  }

  /// The four workers' flat gradients of one model and stage; nil if they are not there.
  static func workers(_ model: String) throws -> [[Float]]? {
    var result: [[Float]] = []
    for rank in 0..<4 {
      guard let file = try File("\(model).w\(rank)") else { return nil }
      result.append(try file.flat())
    }
    return result
  }
}
