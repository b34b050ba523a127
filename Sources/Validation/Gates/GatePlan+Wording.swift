import SimKernel

extension GatePlan {
  /// How many replicates the gate needs and why, one line a fact.
  public var explanation: String {
    var lines = ["\(replicates) replicates for \(specification.condition)"]
    lines.append(
      "reliability \(specification.reliability), \(specification.mode.rawValue), adaptivity "
        + "\(specification.adaptivity.rawValue), \(specification.steps) "
        + (specification.steps == 1 ? "step" : "steps"))
    for plan in clauses { lines += Self.lines(of: plan) }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func lines(of plan: ClausePlan) -> [String] {
    let head = "  \(plan.clause): \(plan.replicates) replicates"
    let odds = "error probability \(probability(plan.logOdds)) an estimate"
    switch plan.reason {
    case .hoeffding(let parts):
      var lines = ["\(head), Hoeffding, \(odds)"]
      for part in parts {
        lines.append(
          "    \(part.variable.rawValue) within \(rounded(part.tolerance)) of a range "
            + "\(rounded(part.width)) wide: \(part.replicates)")
      }
      return lines
    case .bennett(let difference):
      return [
        "\(head), Bennett, \(odds)",
        "    n - o differs from 0 in at most \(rounded(difference)) of the replicates; only those, "
          + "\(plan.labelledReplicates), need labels",
      ]
    }
  }

  /// exp(-`logOdds`) to three digits, which may be far below the smallest double.
  private static func probability(_ logOdds: Double) -> String {
    let decades = logOdds / DeterministicMath.log(10)
    var exponent = decades.rounded(.up)
    var digits = (DeterministicMath.pow(10, exponent - decades) * 100).rounded() / 100
    if digits >= 10 {
      digits /= 10
      exponent -= 1
    }
    return "\(digits)e-\(Int(exponent))"
  }

  /// `value` to twelve digits after the point, which hides what division leaves behind.
  private static func rounded(_ value: Double) -> Double {
    let scaled = (value * 1e12).rounded() / 1e12
    return value.magnitude < 1e-6 || value.magnitude > 1e3 ? value : scaled
  }
}
