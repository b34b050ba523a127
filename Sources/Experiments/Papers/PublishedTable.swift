import SimKernel

/// A published number, or the range in which it is said to lie.
public enum PublishedValue: Sendable, Equatable {
  case number(Double)
  case range(ClosedRange<Double>)

  /// The number, or the middle of the range.
  public var middle: Double {
    switch self {
    case .number(let value): value
    case .range(let range): (range.lowerBound + range.upperBound) / 2
    }
  }
  /// `12.5`, or `10...40`.
  public var text: String {
    switch self {
    case .number(let value): JSONNumber.shortest(value)
    case .range(let range):
      JSONNumber.shortest(range.lowerBound) + "..." + JSONNumber.shortest(range.upperBound)
    }
  }
}

/// One published number with its place in the sweep.
public struct PublishedCase: Sendable {
  /// One label for each of ``PublishedTable/axes``.
  public var labels: [String]
  public var value: PublishedValue
  var position: TextPosition?
}

/// Published numbers by the coordinates of a sweep: `{"by": [axis, ...], "values": {...}}`, an object
/// of labels for each axis, numbers or `[low, high]` innermost, null for what the paper leaves out.
public struct PublishedTable: Sendable {
  /// The swept paths that tell the cases apart.
  public var axes: [String]
  /// In the order written.
  public var cases: [PublishedCase]

  /// Reads the record.
  public init(_ fields: inout FieldReader) {
    axes = fields.required(
      "by", .list(of: .text("a swept path", example: "workload.model"), atLeast: 1),
      doc: "swept paths, outermost first")
    cases = fields.required(
      "values", .published(depth: axes.count),
      doc: "for each axis an object by its labels; numbers or [low, high] innermost, null for none")
  }
}

extension FieldKind where Value == [PublishedCase] {
  /// Objects of labels, `depth` of them inside one another, around numbers.
  static func published(depth: Int) -> Self {
    let expectation = "an object by the labels of each axis, with numbers innermost"
    let example = #"{"4 Gbps": {"p3": 96.6}}"#
    return FieldKind(
      expectation: expectation, example: example, schema: #"{"type":"object"}"#,
      placeholder: { [] },
      read: { node in
        var cases: [PublishedCase] = []
        if let found = collect(node, depth: depth, labels: [], into: &cases) {
          return .failure(found)
        }
        return cases.isEmpty
          ? .failure(
            .init(.invalid(found: "a table without numbers", expected: "give it at least one")))
          : .success(cases)
      },
      show: { _ in "{}" })
  }

  /// Appends what `node` holds; returns the first thing in it that is no part of a table.
  private static func collect(
    _ node: JSONNode, depth: Int, labels: [String], into cases: inout [PublishedCase]
  ) -> Issue.Problem.Found? {
    func wrong(_ expected: String, _ example: String) -> Issue.Problem.Found {
      .init(
        .wrongType(found: node.kindName, expected: expected, example: example), deeper: labels,
        position: node.position)
    }
    if depth > 0 {
      guard let members = node.members else {
        return wrong("an object by the labels of the next axis", #"{"4 Gbps": 96.6}"#)
      }
      for member in members {
        let found = collect(
          member.node, depth: depth - 1, labels: labels + [member.key], into: &cases)
        if let found { return found }
      }
      return nil
    }
    if node.isNull { return nil }
    let value: PublishedValue
    if let number = node.number {
      value = .number(number)
    } else if let ends = node.elements, ends.count == 2, let low = ends[0].number,
      let high = ends[1].number, low <= high
    {
      value = .range(low...high)
    } else {
      return wrong("a number, [low, high] or null", "96.6")
    }
    cases.append(PublishedCase(labels: labels, value: value, position: node.position))
    return nil
  }
}
