import Foundation
import SimKernel

/// A scenario as written: JSON with positions, nothing checked yet beyond being JSON.
public struct ScenarioFile: Sendable {
  /// The whole document, with command-line changes applied.
  public var root: JSONNode
  /// The path it was read from, or `<stdin>`.
  public var origin: String
  /// Relative paths inside the scenario start here.
  public var directory: URL

  /// A scenario that was made in memory.
  public init(root: JSONNode, origin: String, directory: URL) {
    self.root = root
    self.origin = origin
    self.directory = directory
  }

  /// The scenario at `path`; `-` reads standard input.
  ///
  /// - Throws: ``InputError`` if it cannot be read, `JSONError` with line and column if it is not JSON.
  public static func read(_ path: String) throws -> ScenarioFile {
    let data: Data
    if path == "-" {
      do {
        data = try FileHandle.standardInput.readToEnd() ?? Data()
      } catch {
        throw InputError(
          path: "<stdin>", reason: InputError.reason(error), advice: "pipe a scenario into simnet")
      }
    } else {
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
        throw InputError(path: path, reason: "is a folder", advice: "name a scenario file")
      }
      do {
        data = try Data(contentsOf: URL(fileURLWithPath: path))
      } catch {
        throw InputError(path: path, reason: InputError.reason(error), advice: "check the path")
      }
    }
    let origin = path == "-" ? "<stdin>" : path
    let root = try data.withUnsafeBytes { try JSONNode.parse($0, origin: origin) }
    let directory =
      path == "-"
      ? URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
      : URL(fileURLWithPath: path).deletingLastPathComponent()
    return ScenarioFile(root: root, origin: origin, directory: directory)
  }

  /// Applies `path=value` as `--set` does.
  ///
  /// The value is JSON if it reads as such and text otherwise; `a,b,c` outside of brackets and
  /// quotes makes an axis of the sweep, replacing one of the same path.
  ///
  /// - Throws: `InvalidInput` if there is no `=`, or if the path leads through a plain value.
  public mutating func set(_ assignment: String) throws(InvalidInput) {
    guard let equals = assignment.firstIndex(of: "="), equals != assignment.startIndex else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--set"]),
          problem: .invalid(
            found: "\"\(assignment)\" assigns nothing",
            expected: "write --set path=value, for example --set workload.batch_per_worker=64"))
      ])
    }
    let path = FieldPath(parsing: String(assignment[..<equals]))
    let text = String(assignment[assignment.index(after: equals)...])
    let origin = "--set \(assignment[..<equals])"
    let values = Self.split(text).map { Self.value($0, origin: origin) }
    // What is set replaces an axis of the same path, which would overwrite it.
    let (others, place) = axes(except: path)
    if values.count > 1 {
      let axis = JSONNode(
        .array(values), at: TextPosition(origin: origin, line: 1, column: 1))
      let member = JSONMember(String(assignment[..<equals]), axis)
      var sweep = others
      sweep.insert(member, at: place ?? sweep.count)
      replaceSweep(sweep, at: root["sweep"]?.position ?? axis.position)
      return
    }
    if place != nil { replaceSweep(others, at: root["sweep"]?.position) }
    guard root.set(path.parts, to: values[0]) else {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--set"]),
          problem: .invalid(
            found: "\(path) leads through a plain value or past the end of a list",
            expected: "see: simnet explain \(path.parts.first ?? "")"))
      ])
    }
  }

  /// The axes of the sweep without one for `path`, and where that one was; one that moves together
  /// with others leaves them.
  private func axes(except path: FieldPath) -> (members: [JSONMember], place: Int?) {
    var place: Int?
    var kept: [JSONMember] = []
    for member in root["sweep"]?.members ?? [] {
      guard SweepAxisReader.groups.contains(member.key) else {
        if FieldPath(parsing: member.key) == path {
          place = kept.count
        } else {
          kept.append(member)
        }
        continue
      }
      var isTouched = false
      let groups = (member.node.elements ?? [member.node]).compactMap {
        Self.group($0, except: path, &isTouched)
      }
      if !isTouched {
        kept.append(member)
      } else {
        place = place ?? kept.count
        if !groups.isEmpty {
          kept.append(JSONMember(member.key, JSONNode(.array(groups), at: member.node.position)))
        }
      }
    }
    return (kept, place)
  }

  /// `group` of axes without one for `path`; nil if nothing is left of it.
  private static func group(
    _ group: JSONNode, except path: FieldPath, _ isTouched: inout Bool
  ) -> JSONNode? {
    var group = group
    // Drawn axes stand one level deeper than others.
    let place = group["axes"]?.members == nil ? [] : ["axes"]
    guard let members = group.get(place)?.members else { return group }
    let others = members.filter { FieldPath(parsing: $0.key) != path }
    if others.count == members.count { return group }
    isTouched = true
    if others.isEmpty { return nil }
    _ = group.set(place, to: JSONNode(.object(others), at: group.get(place)?.position))
    return group
  }

  /// Replaces the sweep; without axes there is none.
  private mutating func replaceSweep(_ members: [JSONMember], at position: TextPosition?) {
    if members.isEmpty {
      guard case .object(var all) = root.value else { return }
      all.removeAll { $0.key == "sweep" }
      root.value = .object(all)
    } else {
      _ = root.set(["sweep"], to: JSONNode(.object(members), at: position))
    }
  }

  /// Splits at commas outside of brackets, braces and quotes.
  private static func split(_ text: String) -> [String] {
    var parts: [String] = [""]
    var depth = 0
    var quoted = false
    var escaped = false
    for character in text {
      defer { escaped = quoted && !escaped && character == "\\" }
      switch character {
      case "\"" where !escaped: quoted.toggle()
      case "[" where !quoted, "{" where !quoted: depth += 1
      case "]" where !quoted, "}" where !quoted: depth -= 1
      case "," where !quoted && depth == 0:
        parts.append("")
        continue
      default: break
      }
      parts[parts.count - 1].append(character)
    }
    // Several values may be written with spaces after the commas, as people do.
    return parts.count == 1 ? parts : parts.map { $0.trimmingCharacters(in: .whitespaces) }
  }

  /// `text` as JSON if it is, else as a string.
  private static func value(_ text: String, origin: String) -> JSONNode {
    if let node = try? JSONNode.parse(text, origin: origin) { return node }
    return JSONNode(.string(text), at: TextPosition(origin: origin, line: 1, column: 1))
  }
}

/// A file that could not be read or written, or that holds what cannot be used.
public struct InputError: Error, CustomStringConvertible {
  /// What is at fault, which decides the exit code.
  public enum Kind: Sendable {
    /// The system refused, or the place is taken: 74.
    case system
    /// What the file holds: 65, as for a bad scenario.
    case content
  }
  public var path: String
  public var reason: String
  public var advice: String
  public var kind: Kind
  public init(path: String, reason: String, advice: String, kind: Kind = .system) {
    self.path = path
    self.reason = reason
    self.advice = advice
    self.kind = kind
  }
  public var description: String { "\(path): \(reason); \(advice)" }

  /// What the system says, without Foundation's wrapping.
  public static func reason(_ error: any Error) -> String {
    let wrapped = error as NSError
    if let inner = wrapped.userInfo[NSUnderlyingErrorKey] as? NSError,
      inner.domain == NSPOSIXErrorDomain
    {
      return String(cString: strerror(Int32(inner.code)))
    }
    if wrapped.domain == NSPOSIXErrorDomain {
      return String(cString: strerror(Int32(wrapped.code)))
    }
    switch CocoaError.Code(rawValue: wrapped.code) {
    case .fileReadNoSuchFile, .fileNoSuchFile: return "no such file"
    case .fileReadNoPermission, .fileWriteNoPermission: return "permission denied"
    case .fileWriteFileExists: return "a file is in the way"
    case .fileReadTooLarge: return "the file is too large"
    default: return wrapped.localizedDescription
    }
  }
}
