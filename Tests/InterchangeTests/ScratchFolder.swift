import Foundation
import Interchange
import Testing

/// A folder that goes away with the test.
final class ScratchFolder {
  let path: String

  init() throws {
    // In memory where there is such a folder: the damage tests write thousands of small files.
    let memory = "/dev/shm"
    let root = FileManager.default.isWritableFile(atPath: memory) ? memory : NSTemporaryDirectory()
    path = root + "/simnet-interchange-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of `name`, holding `bytes`.
  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    let place = path + "/" + name
    try Data(bytes).write(to: URL(fileURLWithPath: place))
    return place
  }
  func path(_ name: String) -> String { path + "/" + name }
  func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }
  var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
  }
}

/// `../shared/gradients` beside the repository, if it is there.
let sharedGradients: String? = {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  let folder = root.deletingLastPathComponent().appendingPathComponent("shared/gradients").path
  return FileManager.default.fileExists(atPath: folder) ? folder : nil
}()

/// The little-endian bytes of `value`.
func bytes<Value: BitwiseCopyable>(of value: Value) -> [UInt8] {
  withUnsafeBytes(of: value) { Array($0) }
}

/// A safetensors file with the given header text and data.
func safetensors(_ header: String, _ data: [UInt8]) -> [UInt8] {
  bytes(of: UInt64(header.utf8.count)) + Array(header.utf8) + data
}

/// An `.npy` file of the given version, header text and data.
func npy(_ header: String, _ data: [UInt8], version: UInt8 = 1) -> [UInt8] {
  let length =
    version == 1 ? bytes(of: UInt16(header.utf8.count)) : bytes(of: UInt32(header.utf8.count))
  return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + Array(header.utf8) + data
}

/// What reading `path` throws; a failed test if it does not.
func failure(_ path: String) -> String {
  do throws(InterchangeError) {
    _ = try GradientFile.read(path: path)
    Issue.record("\(path) was read")
    return ""
  } catch { return error.description }
}
