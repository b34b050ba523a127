/// What a pipeline's record looks like after a stage, known before any gradient is: the type a chain
/// is checked with.
public struct PayloadForm: Sendable, Equatable {
  /// Which elements the values stand for.
  public enum Coverage: Sendable, Equatable {
    /// All, in order.
    case dense
    /// Those an index stream names, different on every worker.
    case selected
    /// Those a seed common to all workers names.
    case sharedSelection
  }

  /// What the values are.
  public enum Content: Sendable, Equatable {
    /// Numbers of this type that mean themselves.
    case numbers(ElementType)
    /// Whole numbers that mean something only together with a scale of their scope.
    case codes
    /// Factors that only the stage which made them can multiply out.
    case factors
    /// Bytes that only the stage which made them can read.
    case opaque
  }

  public var coverage: Coverage
  public var content: Content
  public var aggregation: Aggregation
  /// Whether the payload's size depends on the gradient, so that a gather needs a size exchange.
  public var isVariableSize: Bool
  /// The codec that gave the record this form, for messages.
  public var maker: String

  public init(
    coverage: Coverage, content: Content, aggregation: Aggregation, isVariableSize: Bool,
    maker: String
  ) {
    self.coverage = coverage
    self.content = content
    self.aggregation = aggregation
    self.isVariableSize = isVariableSize
    self.maker = maker
  }

  /// The dense float32 gradient a pipeline starts from.
  public static var gradient: PayloadForm {
    PayloadForm(
      coverage: .dense, content: .numbers(.float32), aggregation: .summable,
      isVariableSize: false, maker: "the gradient")
  }

  /// What the record holds, as a message says it.
  public var summary: String {
    let what =
      switch content {
      case .numbers(let type): "\(type.title) values"
      case .codes: "scaled codes"
      case .factors: "low-rank factors"
      case .opaque: "opaque bytes"
      }
    return coverage == .dense ? what : "selected \(what)"
  }
}

/// Why two stages do not follow one another.
public struct FormMismatch: Error, Sendable, Equatable {
  /// What the stage needs and what it was given, and what to do.
  public var reason: String
  public init(_ reason: String) { self.reason = reason }
}

extension PayloadForm {
  /// Refuses anything but float32 numbers, dense or selected.
  public func requireFloats(for codec: String) -> FormMismatch? {
    if content == .numbers(.float32) { return nil }
    return FormMismatch(
      "\(codec) works on float32 values but \(maker) leaves \(summary); put \(codec) before \(maker)"
    )
  }
  /// Refuses anything but the dense float32 gradient.
  public func requireDenseFloats(for codec: String) -> FormMismatch? {
    if let mismatch = requireFloats(for: codec) { return mismatch }
    if coverage == .dense { return nil }
    return FormMismatch(
      "\(codec) selects from the whole gradient but \(maker) has already selected; use one of them")
  }
}
