import SimKernel

/// When a simulated number counts as the published one.
///
/// A published range counts as met by any number in it, whatever the band.
public enum ToleranceBand: Sendable, Equatable {
  /// |simulated / published - 1| is at most this.
  case relative(Double)
  /// |simulated - published| is at most this.
  case absolute(Double)
  /// Both lie on the same side of 0 and further from it than this; published numbers nearer to it say
  /// nothing.
  case sign(beyond: Double)
  /// Simulated numbers differ in the same direction as the published ones, for any two cases that
  /// differ on `along` alone and whose published numbers are further apart than `apart`.
  case order(apart: Double, along: [String])

  /// The bands by name.
  public static let registry = Registry<ToleranceBand>(
    noun: "tolerance", discriminator: "kind",
    entries: [
      .init("relative", summary: "the ratio to the published number is near 1") { fields in
        .relative(
          fields.required("within", .positive, doc: "the largest |simulated / published - 1|"))
      },
      .init("absolute", summary: "the difference from the published number is small") { fields in
        .absolute(fields.required("within", .positive, doc: "the largest |simulated - published|"))
      },
      .init("sign", summary: "simulated and published numbers lie on the same side of 0") {
        fields in
        .sign(
          beyond: fields.optional(
            "beyond", .nonNegative, default: 0,
            doc: "numbers up to this far from 0 are neither; published ones of them say nothing"))
      },
      .init("order", summary: "simulated numbers rank as the published ones do") { fields in
        .order(
          apart: fields.optional(
            "apart", .nonNegative, default: 0,
            doc: "published numbers no further apart than this say nothing"),
          along: fields.required(
            "along", .list(of: .text("a swept path", example: "workload.model"), atLeast: 1),
            doc: "the axes along which cases are compared"))
      },
    ])

  /// `10 %`, `+-0.005`, `sign`, `order`.
  public var text: String {
    switch self {
    case .relative(let within): JSONNumber.shortest((within * 1e6).rounded() / 1e4) + " %"
    case .absolute(let within): "+-" + JSONNumber.shortest(within)
    case .sign: "sign"
    case .order: "order"
    }
  }
  /// Whether errors are shares of the published numbers, instead of differences.
  public var isRelative: Bool {
    if case .relative = self { true } else { false }
  }

  /// How far `simulated` is from `published`: a share of it for ``relative(_:)``, else a difference;
  /// of a range, from its nearer end.
  public func error(_ simulated: Double, _ published: PublishedValue) -> Double {
    let target: Double
    switch published {
    case .number(let value): target = value
    case .range(let range):
      target = min(max(simulated, range.lowerBound), range.upperBound)
      if target == simulated { return 0 }
    }
    return isRelative ? simulated / target - 1 : simulated - target
  }

  /// Which of the cases are within the band; `simulated` has a number for each.
  ///
  /// - Complexity: O(cases), O(cases squared) for an order.
  public func isWithin(_ table: PublishedTable, _ simulated: [Double]) -> [Bool] {
    table.cases.indices.map { index in
      let published = table.cases[index].value
      guard simulated[index].isFinite else { return false }
      let error = error(simulated[index], published)
      if case .range = published { return error == 0 }
      switch self {
      case .relative(let within), .absolute(let within): return error.magnitude <= within
      case .sign(let beyond):
        let isTold = published.middle.magnitude > beyond
        return !isTold
          || (simulated[index].magnitude > beyond
            && simulated[index].sign == published.middle.sign)
      case .order(let apart, let along):
        return table.cases.indices.allSatisfy { other in
          let difference = published.middle - table.cases[other].value.middle
          let differ = table.axes.indices.filter {
            table.cases[index].labels[$0] != table.cases[other].labels[$0]
          }
          guard difference.magnitude > apart, differ.allSatisfy({ along.contains(table.axes[$0]) })
          else { return true }
          let simulation = simulated[index] - simulated[other]
          return simulation != 0 && simulation.sign == difference.sign
        }
      }
    }
  }
}
