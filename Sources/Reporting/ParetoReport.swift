import Experiments
import SimKernel
import Validation

/// The Pareto-optimal points of results, group by group.
///
/// A point is everything that differs in a swept column (and job, and file, where there are several);
/// its objectives are means over its replicates. Points with an unknown objective are left out and
/// counted.
public struct ParetoReport {
  /// One point.
  struct Point {
    var labels: [String]
    var values: [Double]
    /// Standard deviations over the replicates; nil of one.
    var spreads: [Double?]
    var replicates: Int
    /// The mean gradient error; nil where unknown.
    var error: Double?
    var isOptimal = false
    /// The optimal points of its group that dominate it, by their place in the group.
    var dominators: [Int] = []
  }
  /// Points that were met under the same circumstances.
  struct Group {
    var labels: [String]
    var points: [Point]
  }

  /// A column of labels; one that tells nothing is for files alone.
  struct Label {
    var name: String
    var isShown: Bool
  }

  private let objectives: [JudgedMetric]
  /// The columns that name a group, and those that name a point inside it.
  private let context: [Label]
  private let variant: [Label]
  private let groups: [Group]
  private let unknown: Int
  private let showsDominated: Bool
  /// Whether the gradient error is shown beside the objectives, since it is none of them.
  private let showsError: Bool

  /// The fronts of `files`, whose rows are taken together.
  ///
  /// - Parameters:
  ///   - by: the columns that tell groups apart; nil takes the swept columns that say nothing of how
  ///     gradients are communicated, and the job.
  ///   - showsDominated: whether the others are shown with who dominates them.
  /// - Throws: `InputError` for columns that are missing and a file given twice, `InvalidInput` for
  ///   groups by none of the columns.
  public init(
    _ files: [ResultsFile], objectives: [JudgedMetric], by: [String]? = nil,
    showsDominated: Bool = false
  ) throws {
    precondition(objectives.count >= 2, "one objective has no front")
    for (index, file) in files.enumerated()
    where files[..<index].contains(where: { $0.path == file.path }) {
      throw InputError(
        path: file.path, reason: "is given twice", advice: "name it once", kind: .content)
    }
    var swept: [String] = []
    for file in files {
      for name in file.swept(except: objectives.map(\.name)) where !swept.contains(name) {
        swept.append(name)
      }
    }
    if files.contains(where: { $0.column("job") != nil }) { swept.append("job") }
    if files.count > 1 { swept.insert("file", at: 0) }
    for name in by ?? [] where !swept.contains(name) {
      throw InvalidInput([
        Issue(
          path: FieldPath(["--by"]),
          problem: .unknownName(
            noun: "column", found: name,
            suggestion: Spelling.suggestion(for: name, among: swept), known: swept))
      ])
    }
    let context = by ?? swept.filter { !$0.contains("communication") && $0 != "file" }
    let variant = swept.filter { !context.contains($0) }
    var order: [[String]] = []
    var rows: [[String]: [[Double?]]] = [:]
    var errors: [[String]: [Double?]] = [:]
    for file in files {
      var measured: [Int] = []
      for objective in objectives { measured.append(try file.required(objective.name)) }
      let places = swept.map { file.column($0) }
      let error = file.column(Self.error)
      for row in file.rows {
        let key = zip(swept, places).map { name, place in
          name == "file" && place == nil ? file.path : place.map { row[$0] } ?? ""
        }
        if rows[key] == nil { order.append(key) }
        rows[key, default: []].append(measured.map { ResultsFile.number(row[$0]) })
        errors[key, default: []].append(error.flatMap { ResultsFile.number(row[$0]) })
      }
    }
    var groupOrder: [[String]] = []
    var members: [[String]: [Point]] = [:]
    var unknown = 0
    for key in order {
      let values = rows[key] ?? []
      let known = values.compactMap { row in row.contains { $0 == nil } ? nil : row.map { $0 ?? 0 }
      }
      guard known.count == values.count else {
        unknown += 1
        continue
      }
      let ownErrors = (errors[key] ?? []).compactMap { $0 }
      let statistics = objectives.indices.map { place in
        RunningStatistics(known.map { $0[place] })
      }
      func pick(_ names: [String]) -> [String] {
        names.map { name in key[swept.firstIndex(of: name) ?? 0] }
      }
      let group = pick(context)
      if members[group] == nil { groupOrder.append(group) }
      members[group, default: []].append(
        Point(
          labels: pick(variant), values: statistics.map(\.mean),
          spreads: statistics.map { $0.count > 1 ? $0.standardDeviation : nil },
          replicates: known.count,
          error: ownErrors.count == known.count ? RunningStatistics(ownErrors).mean : nil))
    }
    let directions = objectives.map(\.direction)
    groups = groupOrder.map { key in
      var points = members[key] ?? []
      let flags = ParetoFront.isOptimal(points.map(\.values), directions)
      for index in points.indices { points[index].isOptimal = flags[index] }
      if showsDominated {
        let front = points.indices.filter { flags[$0] }
        for index in points.indices where !flags[index] {
          points[index].dominators = front.filter {
            ParetoFront.dominates(points[$0].values, points[index].values, directions)
          }
        }
      }
      return Group(labels: key, points: points)
    }
    self.objectives = objectives
    self.unknown = unknown
    self.showsDominated = showsDominated
    showsError = !objectives.contains { $0.name == Self.error }
    func label(_ name: String) -> Label {
      let place = swept.firstIndex(of: name) ?? 0
      return Label(
        name: name, isShown: name != "job" || Set(order.map { $0[place] }).count > 1)
    }
    self.context = context.map(label)
    self.variant = variant.map(label)
  }

  private static let error = "gradient_rel_l2"

  // MARK: - The answer

  /// Groups in the order met, within each the points by the first objective.
  public var document: AnswerDocument {
    let names = (context + variant).filter(\.isShown).map(\.name)
    var columns = (context + variant).map { label in
      AnswerTable.Column(
        label.name, label.isShown ? ColumnNames.short(label.name, among: names) : nil, .left)
    }
    for objective in objectives {
      columns += [
        .init(objective.name, objective.name), .init(objective.name + "_sd", "sd"),
      ]
    }
    if showsError { columns.append(.init(Self.error, "error")) }
    columns += [.init("replicates"), .init("pareto", showsDominated ? "optimal" : nil, .left)]
    if showsDominated { columns.append(.init("dominated_by", "dominated by", .left)) }
    var table = AnswerTable("points", columns, expendable: ["sd"])
    for group in groups {
      for point in sorted(group) where showsDominated || point.isOptimal {
        var cells: [AnswerTable.Cell] = (group.labels + point.labels).map { .text($0) }
        for index in objectives.indices {
          cells.append(.number(point.values[index]))
          cells.append(
            .number(
              point.spreads[index],
              shown: point.spreads[index].map { Numbers.significant($0, 2) }))
        }
        if showsError {
          cells.append(
            .number(
              point.error, shown: point.error.map { Numbers.significant($0, 3) } ?? "unknown"))
        }
        cells += [
          .count(point.replicates), .text(point.isOptimal ? "yes" : "no"),
        ]
        if showsDominated {
          cells.append(
            .text(point.dominators.map { name(group.points[$0]) }.joined(separator: "; ")))
        }
        table.add(cells)
      }
    }
    return AnswerDocument(heading: heading, tables: [table], notes: notes)
  }

  private func sorted(_ group: Group) -> [Point] {
    let sign = objectives[0].direction == .lowerIsBetter ? 1.0 : -1.0
    let order = group.points.indices.sorted { a, b in
      let (own, other) = (group.points[a].values[0] * sign, group.points[b].values[0] * sign)
      return own != other ? own < other : a < b
    }
    return order.map { group.points[$0] }
  }

  private func name(_ point: Point) -> String {
    let shown = zip(variant, point.labels).filter(\.0.isShown).map(\.1)
    return shown.isEmpty ? point.labels.joined(separator: ", ") : shown.joined(separator: ", ")
  }

  private var heading: [String] {
    let parts = objectives.map { objective in
      "\(objective.direction == .lowerIsBetter ? "low" : "high") \(objective.name)"
    }
    return ["Pareto-optimal in " + parts.joined(separator: " and ")]
  }

  private var notes: [String] {
    let all = groups.reduce(0) { $0 + $1.points.count }
    let optimal = groups.reduce(0) { $0 + $1.points.count(where: \.isOptimal) }
    var notes = [
      "\(optimal) of \(all) points in \(groups.count) \(groups.count == 1 ? "group" : "groups") are "
        + "optimal: no other is at least as good in every objective and better in one; means over "
        + "replicates, sd is their standard deviation"
    ]
    for group in groups {
      for (index, point) in group.points.enumerated() where point.isOptimal {
        let twins = group.points.indices.filter {
          group.points[$0].isOptimal && group.points[$0].values == point.values
        }
        if twins.count > 1, twins[0] == index {
          let place = zip(context, group.labels).filter(\.0.isShown).map(\.1)
            .joined(separator: ", ")
          notes.append(
            "a tie\(place.isEmpty ? "" : " (\(place))"): "
              + twins.map { name(group.points[$0]) }.joined(separator: ", "))
        }
      }
    }
    if unknown > 0 {
      notes.append(
        "\(unknown) \(unknown == 1 ? "point" : "points") left out: an objective is unknown")
    }
    return notes
  }
}
