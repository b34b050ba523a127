import SimKernel

/// A condition on the points of a sweep: those that do not meet it are dropped.
///
///     "workload.batch_per_worker * workload.accumulation_steps <= 1024"
///     "communication != 'top_k 1%' || cluster.topology.link.bandwidth < 100 Gbps"
///
/// Numbers, quantities with units, texts in quotes, `true` and `false`, and paths: a swept path is
/// what the CSV shows of it, another one what the scenario says. `+ - * /` know dimensions; `== != <
/// <= > >=` compare; `! && ||` and parentheses combine.
struct SweepConstraint: Sendable {
  indirect enum Expression: Sendable {
    case constant(Value)
    case path(String)
    case arithmetic(Character, Expression, Expression)
    case comparison(String, Expression, Expression)
    case not(Expression)
    case and(Expression, Expression)
    case or(Expression, Expression)
  }
  enum Value: Sendable {
    case quantity(Quantity)
    case text(String)
    case bool(Bool)
  }

  let text: String
  let position: TextPosition?
  private let expression: Expression

  /// The constraints of the list `node`; what cannot be read is reported.
  static func read(_ node: JSONNode, issues: IssueCollector) -> [SweepConstraint] {
    (node.elements ?? [node]).enumerated().compactMap { index, element in
      let path = FieldPath(["sweep", "constraints", String(index)])
      guard let text = element.string else {
        issues.report(
          Issue(
            path: path, position: element.position,
            problem: .wrongType(
              found: element.kindName, expected: "a condition",
              example: #""workload.batch_per_worker <= 64""#)))
        return nil
      }
      var parser = SweepConstraintParser(text)
      do throws(SweepConstraintParser.Failure) {
        return SweepConstraint(
          text: text, position: element.position, expression: try parser.parse())
      } catch {
        issues.report(
          Issue(
            path: path, position: element.position,
            problem: .invalid(
              found: "a condition that cannot be read:\n  \(text.prefix(500))\n"
                + String(repeating: " ", count: error.offset + 2) + "^ found "
                + (error.found.map { "\"\($0)\"" } ?? "the end"),
              expected: error.expected)))
        return nil
      }
    }
  }

  /// Whether the point meets the constraint.
  ///
  /// - Throws: `InvalidInput` if a path has no value, or values cannot be compared.
  func isMet(
    by root: JSONNode, columns: [String], labels: [String]
  ) throws(InvalidInput) -> Bool {
    let context = Context(constraint: self, root: root, columns: columns, labels: labels)
    guard case .bool(let flag) = try context.value(of: expression) else {
      throw context.failure("it is a value, not a condition", "compare it, for example by <=")
    }
    return flag
  }

  /// One point, for evaluation.
  private struct Context {
    let constraint: SweepConstraint
    let root: JSONNode
    let columns: [String]
    let labels: [String]

    func failure(_ found: String, _ expected: String) -> InvalidInput {
      InvalidInput([
        Issue(
          path: FieldPath(["sweep", "constraints"]), position: constraint.position,
          problem: .invalid(found: "\"\(constraint.text)\": \(found)", expected: expected))
      ])
    }

    func value(of expression: Expression) throws(InvalidInput) -> Value {
      switch expression {
      case .constant(let value): return value
      case .path(let path): return try value(at: path)
      case .not(let operand): return .bool(!(try flag(operand)))
      case .and(let a, let b): return .bool(try flag(a) ? try flag(b) : false)
      case .or(let a, let b): return .bool(try flag(a) ? true : try flag(b))
      case .arithmetic(let symbol, let a, let b): return .quantity(try result(symbol, a, b))
      case .comparison(let symbol, let a, let b): return .bool(try compare(symbol, a, b))
      }
    }

    private func value(at path: String) throws(InvalidInput) -> Value {
      let parts = FieldPath(parsing: path)
      let column = columns.firstIndex { FieldPath(parsing: $0) == parts }
      let node = root.get(parts.parts)
      if case .number(let number)? = node?.value { return .quantity(Quantity(number.double)) }
      if case .bool(let flag)? = node?.value { return .bool(flag) }
      guard let text = column.map({ labels[$0] }) ?? node?.string else {
        throw failure(
          node == nil
            ? "a point has nothing at \(path)" : "\(path) is \(node!.kindName)",
          "write \(path) in the scenario, or name a path that holds a number, a text or a flag")
      }
      return Quantity(text).map { .quantity($0) } ?? .text(text)
    }

    private func flag(_ expression: Expression) throws(InvalidInput) -> Bool {
      guard case .bool(let flag) = try value(of: expression) else {
        throw failure("a value stands where a condition should", "compare it, for example by <=")
      }
      return flag
    }

    private func result(
      _ symbol: Character, _ a: Expression, _ b: Expression
    ) throws(InvalidInput) -> Quantity {
      guard case .quantity(let x) = try value(of: a), case .quantity(let y) = try value(of: b)
      else {
        throw failure("\"\(symbol)\" between values that are no numbers", "calculate with numbers")
      }
      switch symbol {
      case "*":
        return Quantity(x.value * y.value, bits: x.bits + y.bits, seconds: x.seconds + y.seconds)
      case "/":
        return Quantity(x.value / y.value, bits: x.bits - y.bits, seconds: x.seconds - y.seconds)
      default:
        guard x.isLike(y) else {
          throw failure("\"\(symbol)\" between different quantities", "add and subtract like ones")
        }
        return Quantity(
          symbol == "+" ? x.value + y.value : x.value - y.value, bits: x.bits, seconds: x.seconds)
      }
    }

    private func compare(
      _ symbol: String, _ a: Expression, _ b: Expression
    ) throws(InvalidInput) -> Bool {
      switch (try value(of: a), try value(of: b)) {
      case (.quantity(let x), .quantity(let y)):
        guard x.isLike(y) else {
          throw failure(
            "\"\(symbol)\" between different quantities",
            "compare sizes with sizes, for example with 25 MiB, and numbers with numbers")
        }
        switch symbol {
        case "<": return x.value < y.value
        case "<=": return x.value <= y.value
        case ">": return x.value > y.value
        case ">=": return x.value >= y.value
        case "==": return x.value == y.value
        default: return x.value != y.value
        }
      case (.text(let x), .text(let y)) where ["==", "!="].contains(symbol):
        return (x == y) == (symbol == "==")
      case (.bool(let x), .bool(let y)) where ["==", "!="].contains(symbol):
        return (x == y) == (symbol == "==")
      case (.text, .text), (.bool, .bool):
        throw failure("\"\(symbol)\" between texts or flags", "compare them by == or !=")
      // A named variant beside a quantity is simply not equal to it.
      case _ where ["==", "!="].contains(symbol): return symbol == "!="
      default:
        throw failure("\"\(symbol)\" between a number and a text", "compare like with like")
      }
    }
  }
}
