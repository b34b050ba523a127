import Compression
import SimKernel

/// Draws pipelines of one family, parameters and all, from the declarations of the codecs.
public struct PipelineDraw: Sendable {
  /// How a parameter's values are drawn, read off its JSON Schema.
  private enum Parameter: Sendable {
    case choice([JSONNode])
    case integer(low: Int, high: Int)
    case number(low: Double, high: Double)
    /// Nothing is known but an example.
    case example(JSONNode)
  }
  private struct Stage: Sendable {
    var name: String
    var parameters: [(key: String, isRequired: Bool, draw: Parameter)]
  }

  public let family: CodecFamily
  private let first: [Stage]
  private let following: [Stage]

  public init(_ family: CodecFamily) {
    self.family = family
    let all = CodecCatalog.registry.descriptions.map { record in
      Stage(
        name: record.name,
        parameters: record.fields.map { ($0.key, $0.required, Self.parameter($0.shape)) })
    }
    let names = family.codecs
    first = all.filter { names.contains($0.name) }
    following = all
  }

  /// A pipeline, or nil where the drawn parameters or stages are refused.
  func pipeline(_ input: inout FuzzInput) -> CompressionPipeline? {
    guard !first.isEmpty else { return nil }
    var stages = [stage(first, &input)]
    if family == .chains {
      for _ in 0..<1 + input.index(below: 2) { stages.append(stage(following, &input)) }
    }
    let issues = IssueCollector()
    let pipeline = CompressionPipeline.read(
      JSONNode(.array(stages)), path: FieldPath(["pipeline"]), issues: issues)
    return issues.errors.isEmpty ? pipeline : nil
  }

  private func stage(_ stages: [Stage], _ input: inout FuzzInput) -> JSONNode {
    let stage = stages[input.index(below: stages.count)]
    var members = [JSONMember("codec", JSONNode(.string(stage.name)))]
    for (key, isRequired, draw) in stage.parameters where input.bool() || isRequired {
      members.append(JSONMember(key, value(draw, &input)))
    }
    return JSONNode(.object(members))
  }

  private func value(_ parameter: Parameter, _ input: inout FuzzInput) -> JSONNode {
    let way = input.index(below: 5)
    switch parameter {
    case .choice(let values): return values[way % values.count]
    case .example(let node): return node
    case .integer(let low, let high):
      let value =
        switch way {
        case 0, 1: low &+ Int(input.byte())
        case 2: low &+ input.word()
        case 3: high
        default: low
        }
      return JSONNode(.number(JSONNumber(min(max(value, low), high))))
    case .number(let low, let high):
      let value =
        switch way {
        case 0: (Double(input.byte()) + 1) / 256
        case 1: 1 + Double(input.byte()) / 16
        case 2: Double(sign: .plus, exponent: -Int(input.byte()), significand: 1)
        case 3: input.bool() ? low : high
        default: Double(input.float())
        }
      return JSONNode(.number(JSONNumber(value.isFinite ? value : 1)))
    }
  }

  private static func parameter(_ shape: FieldShape) -> Parameter {
    switch shape {
    case .value(_, let example, let schema):
      let fallback = Parameter.example(node(example))
      let schema = node(schema)
      if let names = schema["enum"]?.elements, !names.isEmpty { return .choice(names) }
      func bound(_ keys: [String]) -> Double? {
        for key in keys { if let value = schema[key]?.number { return value } }
        return nil
      }
      let low = bound(["minimum", "exclusiveMinimum"])
      let high = bound(["maximum", "exclusiveMaximum"])
      switch schema["type"]?.string {
      case "boolean": return .choice([true, false])
      case "integer":
        return .integer(
          low: low.flatMap { Int(exactly: $0) } ?? 0,
          high: high.flatMap { Int(exactly: $0) } ?? Int.max)
      case "number": return .number(low: low ?? -1e30, high: high ?? 1e30)
      default: return fallback
      }
    case .variant(_, _, let members):
      return .choice(members.map { JSONNode(.string($0.name)) })
    case .record, .list, .map: return .example(JSONNode(.null))
    }
  }

  private static func node(_ text: String) -> JSONNode {
    (try? JSONNode.parse(text, origin: "declaration")) ?? JSONNode(.null)
  }
}
