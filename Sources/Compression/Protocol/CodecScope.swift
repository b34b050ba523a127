import SimKernel

/// Over which elements one scale or one selection reaches.
public enum CodecScope: Sendable, Hashable, CustomStringConvertible {
  /// The whole flat gradient.
  case model
  /// Each tensor on its own.
  case layer
  /// Consecutive runs of so many elements of the flat gradient.
  ///
  /// The last run may be shorter: its scale is that of the zero-padded bucket, and the padding is
  /// not sent.
  case bucket(Int)

  /// The text of a scenario or an option: `model`, `layer`, `bucket:512`.
  public var description: String {
    switch self {
    case .model: "model"
    case .layer: "layer"
    case .bucket(let size): "bucket:\(size)"
    }
  }

  /// Reads `model`, `layer` or `bucket:N` with N >= 1; nil for anything else.
  public init?(_ text: String) {
    switch text {
    case "model": self = .model
    case "layer": self = .layer
    default:
      guard text.hasPrefix("bucket:"), let size = Int(text.dropFirst(7)), size >= 1, size < 1 << 40
      else { return nil }
      self = .bucket(size)
    }
  }
}

extension FieldKind where Value == CodecScope {
  /// A scope: `"model"`, `"layer"` or `"bucket:512"`.
  public static var scope: FieldKind<CodecScope> {
    let expectation = "\"model\", \"layer\" or \"bucket:N\" with N >= 1"
    return FieldKind(
      expectation: expectation, example: #""bucket:512""#,
      schema: #"{"type":"string","pattern":"^(model|layer|bucket:[1-9][0-9]*)$"}"#,
      placeholder: { .model },
      read: { node in
        guard let text = node.string else {
          return .failure(.wrongType(node, expectation, #""bucket:512""#))
        }
        guard let scope = CodecScope(text) else {
          return .failure(
            .init(.invalid(found: "\(JSONNode.quoted(text)) is not a scope", expected: expectation))
          )
        }
        return .success(scope)
      },
      show: { JSONNode.quoted($0.description) })
  }
}

/// Where one tensor lies in the flat gradient.
public struct TensorRange: Sendable, Hashable {
  /// Its name, such as `fc1.weight`.
  public var name: String
  /// The first element's position in the flat gradient.
  public var offset: Int
  /// The number of elements.
  public var count: Int
  /// Its dimensions, outermost first; empty if unknown.
  public var shape: [Int]

  public init(name: String, offset: Int, count: Int, shape: [Int] = []) {
    self.name = name
    self.offset = offset
    self.count = count
    self.shape = shape
  }

  /// One tensor that covers a whole flat gradient of `count` elements.
  public static func whole(_ count: Int, name: String = "gradient") -> [TensorRange] {
    [TensorRange(name: name, offset: 0, count: count, shape: [count])]
  }
}
