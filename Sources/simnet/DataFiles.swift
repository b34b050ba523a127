import Experiments
import Foundation
import SimKernel
import Validation

/// Tables that the data commands read: CSV, JSON Lines, JSON lists of flat objects, and model tables
/// of either form.
enum DataFiles {
  /// The table in the file at `path`.
  ///
  /// - Throws: `InputError` if it cannot be read, `JSONError` or `InvalidInput` if it is no table.
  static func table(_ path: String) throws -> DataTable {
    let text = try text(path)
    let first = text.utf8.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
    let isJSON = first == UInt8(ascii: "[") || first == UInt8(ascii: "{")
    if path.hasSuffix(".jsonl") || path.hasSuffix(".ndjson") {
      return try table(of: try lines(text, path), path)
    }
    return isJSON ? try document(text, path) : try csv(text, path)
  }

  /// The schema in the file at `path`.
  static func schema(_ path: String) throws -> DataSchema {
    try DataSchema.parse(try text(path), origin: path)
  }

  private static func text(_ path: String) throws(InputError) -> String {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      throw InputError(path: path, reason: "is a folder", advice: "name a file")
    }
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw InputError(path: path, reason: InputError.reason(error), advice: "check the path")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw InputError(
        path: path, reason: "is not text in UTF-8", advice: "give CSV or JSON", kind: .content)
    }
    return text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
  }

  private static func invalid(_ place: String, _ found: String, _ expected: String) -> InvalidInput
  {
    InvalidInput([
      Issue(path: FieldPath([place]), problem: .invalid(found: found, expected: expected))
    ])
  }

  // MARK: - CSV

  /// Comment lines, which model tables have, may stand before the header.
  private static func csv(_ text: String, _ path: String) throws(InvalidInput) -> DataTable {
    var rest = text[...]
    while rest.first == "#" { rest = rest.drop { $0 != "\n" }.dropFirst() }
    let rows: [[String]]
    do throws(CSV.Damage) { rows = try CSV.parse(String(rest)) } catch {
      throw invalid(path, "\(error)", "give a whole CSV file")
    }
    guard let header = rows.first else {
      throw invalid(path, "there is no header", "give a table with named columns")
    }
    var issues: [Issue] = []
    for (index, row) in rows.dropFirst().enumerated() where row.count != header.count {
      issues.append(
        Issue(
          path: FieldPath(["\(path), row \(index + 1)"]),
          problem: .invalid(
            found: "\(row.count) cells", expected: "the header has \(header.count)")))
      // A wrong header makes every row wrong.
      if issues.count == 10 { break }
    }
    if !issues.isEmpty { throw InvalidInput(issues) }
    let columns = header.enumerated().map { index, name in
      DataColumn(name, cells: rows.dropFirst().map { $0[index] })
    }
    do throws(DataTable.Malformation) { return try DataTable(columns) } catch {
      throw invalid(path, "\(error)", "give every column a name of its own")
    }
  }

  // MARK: - JSON

  private static func lines(_ text: String, _ path: String) throws(InvalidInput) -> [JSONNode] {
    var nodes: [JSONNode] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    where !line.allSatisfy({ $0 == " " || $0 == "\r" }) {
      let start = TextPosition(origin: path, line: index + 1, column: 1)
      do throws(JSONError) {
        nodes.append(try JSONNode.parse(String(line), origin: path).placed(at: start))
      } catch {
        var place = start
        place.column = error.position.column
        throw InvalidInput([
          Issue(
            path: FieldPath(["line \(index + 1)"]), position: place,
            problem: .invalid(found: error.message, expected: "give one object a line"))
        ])
      }
    }
    return nodes
  }

  /// A list of records, or a model table, whose records are its tensors.
  private static func document(_ text: String, _ path: String) throws -> DataTable {
    let root: JSONNode
    do throws(JSONError) {
      root = try JSONNode.parse(text, origin: path)
    } catch {
      // One object a line is no document, whatever the file is called.
      guard let records = try? lines(text, path), records.count > 1 else { throw error }
      return try table(of: records, path)
    }
    if let records = root.elements { return try table(of: records, path) }
    if let tensors = root["tensors_forward_order"]?.elements { return try table(of: tensors, path) }
    throw invalid(
      path, "an object that is no model table", "give a list of flat objects, or one a line")
  }

  /// The table of flat objects; its columns are their keys in the order in which they first occur.
  private static func table(of records: [JSONNode], _ path: String) throws(InvalidInput)
    -> DataTable
  {
    var names: [String] = []
    var places: [String: Int] = [:]
    var columns: [[[String]]] = []
    var issues: [Issue] = []
    for (row, record) in records.enumerated() {
      guard let members = record.members else {
        issues.append(
          Issue(
            path: FieldPath([String(row)]), position: record.position,
            problem: .wrongType(
              found: record.kindName, expected: "a flat object", example: #"{"point": 0}"#)))
        continue
      }
      for member in members {
        let place: Int
        if let known = places[member.key] {
          place = known
        } else {
          place = names.count
          places[member.key] = place
          names.append(member.key)
          columns.append([[String]](repeating: [], count: records.count))
        }
        guard let values = values(of: member.node) else {
          issues.append(
            Issue(
              path: FieldPath([String(row), member.key]),
              position: member.node.position ?? record.position,
              problem: .wrongType(
                found: "\(member.node.kindName) inside a record",
                expected: "a value or a list of values", example: "1")))
          continue
        }
        columns[place][row] = values
      }
      if issues.count >= 10 { break }
    }
    if !issues.isEmpty { throw InvalidInput(issues) }
    do throws(DataTable.Malformation) {
      return try DataTable(zip(names, columns).map { DataColumn($0, rows: $1) })
    } catch { throw invalid(path, "\(error)", "give every column a name of its own") }
  }

  /// What a cell holds.
  ///
  /// Nil if it is nested. Null is no value.
  private static func values(of node: JSONNode) -> [String]? {
    switch node.value {
    case .null: return []
    case .bool(let flag): return [flag ? "true" : "false"]
    case .number(let number): return [number.text]
    case .string(let text): return text.isEmpty ? [] : [text]
    case .object: return nil
    case .array(let elements):
      var all: [String] = []
      for element in elements {
        guard element.elements == nil, let values = values(of: element) else { return nil }
        all += values
      }
      return all
    }
  }
}
