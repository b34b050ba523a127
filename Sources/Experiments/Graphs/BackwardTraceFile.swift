import SimKernel
import Training

/// Reads the measurements of "Is network the bottleneck of distributed training?" (Zhang et al.,
/// NetAI 2020, doi:10.1145/3405671.3405810): lines of two numbers.
public enum BackwardTraceFile {
  /// The backward pass in the file at `path` (`*.bk.log`).
  ///
  /// A line of explanation, the number of batches and of layers, then a line for each gradient with
  /// the microseconds since the one before it and its bytes. Of several batches the first is read.
  ///
  /// - Throws: `InvalidInput` with the lines that are wrong, ``InputError`` if it cannot be read.
  public static func readBackward(_ path: String) throws -> BackwardReplay {
    let lines = try NumberLines(path)
    guard lines.rows.count >= 3, let layers = Int(lines.rows[2]), layers > 0,
      lines.rows.count >= 3 + layers
    else {
      throw InvalidInput([
        lines.issue(
          min(3, lines.rows.count),
          .invalid(
            found: "\(max(0, lines.rows.count - 3)) lines of gradients",
            expected: "the third line has their number, from 1"))
      ])
    }
    let pairs = try lines.pairs(3..<(3 + layers))
    return BackwardReplay(
      pairs.map { .init(wait: .microseconds($0.0), size: .bytes(Int64($0.1.rounded()))) })
  }

  /// The times of adding two vectors in the file at `path` (`cuda_vec_add.log`): bytes, seconds.
  ///
  /// - Throws: as ``readBackward(_:)``.
  public static func readAdditions(_ path: String) throws -> InterpolatedTimes {
    let lines = try NumberLines(path)
    let used = lines.rows.indices.filter { !lines.rows[$0].isEmpty }
    let pairs = try lines.pairs(0..<((used.last ?? -1) + 1))
    for index in pairs.indices.dropFirst() where pairs[index].0 <= pairs[index - 1].0 {
      throw InvalidInput([
        lines.issue(
          index + 1,
          .invalid(found: "a size that is not larger", expected: "sizes have to ascend"))
      ])
    }
    guard !pairs.isEmpty else {
      throw InvalidInput([
        lines.issue(1, .invalid(found: "no line", expected: "expected bytes and seconds"))
      ])
    }
    return InterpolatedTimes(pairs.map { (size: $0.0, seconds: $0.1) })
  }
}

/// The lines of a file, two numbers each.
private struct NumberLines {
  let rows: [Substring]
  let origin: String

  init(_ path: String) throws {
    let (text, origin) = try TextFile.read(path)
    self.origin = origin
    rows = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
  }

  func issue(_ line: Int, _ problem: Issue.Problem) -> Issue {
    Issue(
      path: FieldPath(["line"]), position: TextPosition(origin: origin, line: line, column: 1),
      problem: problem)
  }

  /// The numbers on some lines, both from 0 and below 2^53.
  func pairs(_ range: Range<Int>) throws(InvalidInput) -> [(Double, Double)] {
    var pairs: [(Double, Double)] = []
    var issues: [Issue] = []
    for index in range {
      let values = rows[index].split(separator: ",").map { Double($0) ?? -1 }
      if values.count == 2, values.allSatisfy({ $0 >= 0 && $0 < 0x1p53 }) {
        pairs.append((values[0], values[1]))
      } else if issues.count < 20 {
        issues.append(
          issue(
            index + 1,
            .invalid(
              found: "\"\(rows[index].prefix(40))\"",
              expected: "expected two numbers from 0 with a comma between them")))
      }
    }
    if !issues.isEmpty { throw InvalidInput(issues) }
    return pairs
  }
}
