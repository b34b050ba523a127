import Foundation
import SimKernel

/// Whole text files, with the errors of all other inputs.
enum TextFile {
  /// The text at `path`, `-` being standard input, and what messages call the file.
  ///
  /// - Throws: ``InputError`` if it cannot be read or is no UTF-8.
  static func read(_ path: String) throws -> (text: String, origin: String) {
    let origin = path == "-" ? "<stdin>" : path
    let data: Data
    do {
      if path == "-" {
        data = try FileHandle.standardInput.readToEnd() ?? Data()
      } else {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
        {
          throw InputError(path: path, reason: "is a folder", advice: "name a file")
        }
        data = try Data(contentsOf: URL(fileURLWithPath: path))
      }
    } catch let error as InputError {
      throw error
    } catch {
      throw InputError(path: origin, reason: InputError.reason(error), advice: "check the path")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw InputError(
        path: origin, reason: "is not text in UTF-8", advice: "name another file", kind: .content)
    }
    return (text, origin)
  }
}
