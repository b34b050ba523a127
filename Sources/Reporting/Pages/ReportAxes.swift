import Experiments
import SimKernel

/// Which column becomes the horizontal axis, which tells series apart, and which panels.
struct ReportAxes: Sendable {
  /// The numbers of a swept column.
  struct Numbers: Sendable {
    /// One a point, in base units.
    var values: [Double]
    /// What is marked: the swept values where they are few.
    var marks: [ChartAxis.Mark]?
    var unit: ChartUnit
    var distinct: Int
  }

  let data: ReportData
  /// Swept columns that tell points apart, and the job where there are several.
  let columns: [String]
  /// Of ``columns``, those that say what is compared.
  let variants: [String]
  /// The horizontal axis; nil if nothing numeric is swept.
  let x: String?
  let numbers: Numbers?
  /// Whether ``x`` is a measured column rather than a swept one.
  let isMeasured: Bool
  /// The columns whose values name a series, and those that name a panel.
  let series: [String]
  let panels: [String]
  /// Whether points lie scattered over several axes, so that lines would join strangers.
  let isScattered: Bool
  /// The series' names in the order that decides their colours.
  let seriesNames: [String]

  /// Chooses axes where `x` and `series` do not name them.
  ///
  /// - Throws: `InvalidInput` for a column that is not there, or has no numbers.
  init(_ data: ReportData, x wanted: String? = nil, series wantedSeries: String? = nil)
    throws(InvalidInput)
  {
    self.data = data
    let swept = data.table.swept
    func distinct(_ column: String) -> Int {
      Set(data.points.map { data.label(column, $0) }).count
    }
    var columns = swept.filter { distinct($0) > 1 }
    if distinct("job") > 1 { columns.append("job") }
    let variantPlaces = SweepReport.variants(of: swept)
    let variants = variantPlaces.map { swept[$0] }.filter(columns.contains)
    let known = data.table.header.filter { name in
      swept.contains(name) || ResultColumns.measurements.contains(name)
        || ResultColumns.comparisons.contains(name)
    }
    func check(_ name: String, _ option: String) throws(InvalidInput) {
      if known.contains(name) { return }
      throw InvalidInput([
        Issue(
          path: FieldPath([option]),
          problem: .unknownName(
            noun: "column", found: name,
            suggestion: Spelling.suggestion(for: name, among: known), known: known))
      ])
    }
    if let wantedSeries { try check(wantedSeries, "--series") }

    // The horizontal axis.
    let numeric = columns.compactMap { column in
      Self.numbers(of: column, data).map { (column, $0) }
    }
    var chosen: (String, Numbers)?
    var isMeasured = false
    if let wanted {
      try check(wanted, "--x")
      if let found = numeric.first(where: { $0.0 == wanted }) {
        chosen = found
      } else if !swept.contains(wanted),
        data.points.contains(where: { ReportData.value(wanted, $0) != nil })
      {
        isMeasured = true
        chosen = (
          wanted,
          Numbers(
            values: data.points.map { ReportData.value(wanted, $0) ?? .nan }, marks: nil,
            unit: ChartText.unit(of: wanted), distinct: data.points.count)
        )
      } else {
        throw InvalidInput([
          Issue(
            path: FieldPath(["--x"]),
            problem: .invalid(
              found: "\(wanted) has no two numbers of one unit",
              expected: "name one of "
                + (numeric.map(\.0) + ["iteration_time_s", "wire_bytes"]).joined(separator: ", ")))
        ])
      }
    } else {
      let context = numeric.filter { !variants.contains($0.0) && $0.0 != wantedSeries }
      chosen = context.last ?? numeric.last { $0.0 != wantedSeries && variants.count > 1 }
      if chosen == nil, variants.count == 1, columns.count == 1 {
        chosen = numeric.first { $0.0 != wantedSeries }
      }
    }
    let axis = chosen?.0
    // A sampled sweep has hardly a value twice.
    let sampled = numeric.filter { $0.1.distinct > 8 && $0.1.distinct * 3 > data.points.count }
      .map(\.0)
    isScattered = isMeasured || sampled.filter { $0 != axis }.count > 0

    // Series: what is compared; panels: the rest, but for what follows from the axis.
    var series =
      wantedSeries.map { [$0] } ?? variants.filter { $0 != axis || isMeasured }
    let open = columns.filter { $0 != axis && !series.contains($0) && !sampled.contains($0) }
    let followers =
      axis.map { axis in
        open.filter { column in
          numeric.contains { $0.0 == column } && Self.follows(column, from: axis, data)
        }
      } ?? []
    var panels = open.filter { !followers.contains($0) }
    if series.isEmpty, let last = panels.popLast() { series = [last] }

    self.columns = columns
    self.variants = variants
    self.isMeasured = isMeasured
    x = axis
    numbers = chosen?.1
    self.series = series
    self.panels = panels
    var names: [String] = []
    var seen: Set<String> = []
    for point in data.points {
      let name = Self.joined(series, data, point)
      if seen.insert(name).inserted { names.append(name) }
    }
    seriesNames = names
  }

  /// The name of the series that `point` belongs to.
  func seriesName(_ point: PointSummary) -> String { Self.joined(series, data, point) }
  /// The name of its panel.
  func panelName(_ point: PointSummary) -> String { Self.joined(panels, data, point) }
  /// The values of `columns` as words.
  func name(_ columns: [String], _ point: PointSummary) -> String {
    Self.joined(columns, data, point)
  }
  /// Everything that tells `point` from the others.
  func fullName(_ point: PointSummary) -> String { Self.joined(columns, data, point) }

  /// The axis for charts.
  func axis() -> ChartAxis {
    guard let x, let numbers else { return ChartAxis("") }
    let positive = numbers.values.filter(\.isFinite)
    return ChartAxis(
      isMeasured
        ? ChartText.title(of: x)
        : ColumnNames.short(x, among: data.table.swept)
          .replacing("_", with: " "),
      unit: numbers.unit,
      isLogarithmic: Scale.suitsLogarithm(positive), marks: numbers.marks)
  }

  private static func joined(
    _ columns: [String], _ data: ReportData, _ point: PointSummary
  ) -> String {
    columns.compactMap { column -> String? in
      let label = data.label(column, point)
      // Of several files, some sweep what others do not.
      if label.isEmpty { return nil }
      // A bare number says nothing without its column.
      guard label.first?.isNumber == true, label.allSatisfy({ $0.isNumber || $0 == "." }) else {
        return label
      }
      return ColumnNames.short(column, among: data.table.swept).replacing("_", with: " ") + " "
        + label
    }.joined(separator: ", ")
  }

  /// Whether every value of `axis` comes with one of `column`.
  private static func follows(_ column: String, from axis: String, _ data: ReportData) -> Bool {
    var pairs: [String: String] = [:]
    for point in data.points {
      let value = data.label(column, point)
      if let known = pairs.updateValue(value, forKey: data.label(axis, point)), known != value {
        return false
      }
    }
    return true
  }

  /// The column as numbers, if all of its values are numbers of one kind and two differ.
  private static func numbers(of column: String, _ data: ReportData) -> Numbers? {
    var values: [Double] = []
    var scale: AxisScale?
    var units: Set<String> = []
    var marks: [ChartAxis.Mark] = []
    for point in data.points {
      let text = data.label(column, point)
      // Of several files, some sweep what others do not.
      if text.isEmpty {
        values.append(.nan)
        continue
      }
      guard let (value, own) = AxisScale.read(text), value.isFinite else { return nil }
      if let scale, !scale.measuresLike(own) { return nil }
      scale = own
      units.insert(own.unit)
      values.append(value)
      if !marks.contains(where: { $0.value == value }), marks.count <= 12 {
        marks.append(.init(value, text))
      }
    }
    let distinct = Set(values.filter(\.isFinite)).count
    guard distinct > 1, let scale else { return nil }
    marks.sort { $0.value < $1.value }
    var unit = ChartText.unit(of: scale)
    if marks.count > 12 {
      return Numbers(
        values: ChartText.inBaseUnits(values, scale), marks: nil, unit: unit, distinct: distinct)
    }
    if units.count == 1 {
      marks = marks.map { .init($0.value, ChartUnit.short(scale.inUnits($0.value))) }
      unit = scale.unit.isEmpty ? .number : .named(scale.unit)
    }
    return Numbers(
      values: ChartText.inBaseUnits(values, scale),
      marks: zip(ChartText.inBaseUnits(marks.map(\.value), scale), marks).map {
        .init($0, $1.label)
      },
      unit: unit, distinct: distinct)
  }
}
