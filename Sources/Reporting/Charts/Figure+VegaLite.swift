import SimKernel

extension Figure {
  /// The figure as a Vega-Lite 5 specification with its values inside: Satyanarayan et al.,
  /// "Vega-Lite: A Grammar of Interactive Graphics", IEEE TVCG 2017.
  public var vegaLite: String {
    let body =
      switch content {
      case .curves(let chart): Self.curves(chart)
      case .bars(let chart): Self.bars(chart)
      case .heatMap(let chart): Self.heatMap(chart)
      }
    return VegaNode.object(
      [
        ("$schema", .text("https://vega.github.io/schema/vega-lite/v5.json")),
        ("title", .text(title)),
        ("description", .text(([caption] + omissions).joined(separator: " "))),
      ] + body
    ).json.prettyText + "\n"
  }

  // MARK: - Kinds

  private static func curves(_ chart: XYChart) -> [(String, VegaNode)] {
    var values: [VegaNode] = []
    for panel in chart.panels {
      for series in panel.series {
        for point in series.points {
          var members: [(String, VegaNode)] = [
            ("panel", .text(panel.title)), ("series", .text(series.name)),
            ("x", .number(point.x * chart.x.shownPerUnit)),
            ("y", .number(point.y)),
          ]
          if let interval = point.interval {
            members += [
              ("low", .number(interval.lowerBound)), ("high", .number(interval.upperBound)),
            ]
          }
          if chart.front != nil { members.append(("optimal", .flag(point.isOptimal))) }
          values.append(.object(members))
        }
      }
    }
    let legend = chart.legend
    let color = VegaNode.object([
      ("field", .text("series")), ("type", .text("nominal")), ("title", .text("")),
      (
        "scale",
        .object([
          ("domain", .list(legend.map { .text($0.name) })),
          ("range", .list(legend.map { .text(Palette.paper(.series($0.style))) })),
        ])
      ),
    ])
    let x = axis("x", chart.x)
    // Vega-Lite has no place for zero on a logarithmic axis; a symmetric logarithm has.
    let smallest = chart.panels.flatMap { $0.series.flatMap { $0.points.map(\.y) } }
      .filter { $0 > 0 }.min()
    let hasZeros = chart.panels.contains { $0.series.contains { $0.points.contains { $0.y <= 0 } } }
    let y = axis("y", chart.y, symmetric: hasZeros ? smallest : nil)
    // Of one domain, so that colour, dashes and shape share one legend.
    let shape = VegaNode.object([
      ("field", .text("series")), ("type", .text("nominal")), ("title", .text("")),
      ("scale", .object([("domain", .list(legend.map { .text($0.name) }))])),
    ])
    var layers: [VegaNode] = []
    if chart.isJoined {
      layers.append(
        .object([
          ("mark", .object([("type", .text("line"))])),
          ("encoding", .object([("x", x), ("y", y), ("color", color), ("strokeDash", shape)])),
        ]))
    }
    layers.append(
      .object([
        (
          "mark",
          .object([("type", .text("point")), ("filled", .flag(true)), ("tooltip", .flag(true))])
        ),
        ("encoding", .object([("x", x), ("y", y), ("color", color), ("shape", shape)])),
      ]))
    if values.contains(where: { $0.has("low") }) {
      layers.append(
        .object([
          ("mark", .object([("type", .text("rule"))])),
          (
            "encoding",
            .object([
              ("x", x), ("y", .object([("field", .text("low")), ("type", .text("quantitative"))])),
              ("y2", .object([("field", .text("high"))])), ("color", color),
            ])
          ),
        ]))
    }
    return data(values) + facets(chart.panels.map(\.title), .list(layers))
  }

  private static func bars(_ chart: BarChart) -> [(String, VegaNode)] {
    var values: [VegaNode] = []
    var order: [String] = []
    for panel in chart.panels {
      for bar in panel.bars {
        if !order.contains(bar.label) { order.append(bar.label) }
        for (part, value) in zip(chart.parts, bar.values) {
          var members: [(String, VegaNode)] = [
            ("panel", .text(panel.title)), ("point", .text(bar.label)), ("part", .text(part)),
            ("value", .number(value)),
            ("order", .number(Double(chart.parts.firstIndex(of: part) ?? 0))),
          ]
          if let interval = bar.interval {
            members += [
              ("low", .number(interval.lowerBound)), ("high", .number(interval.upperBound)),
            ]
          }
          values.append(.object(members))
        }
      }
    }
    let inks = chart.parts.indices.map { chart.parts.count > 1 ? Ink.part($0) : .series(0) }
    let y = VegaNode.object([
      ("field", .text("point")), ("type", .text("nominal")), ("title", .text("")),
      ("sort", .list(order.map { .text($0) })),
    ])
    var layers: [VegaNode] = [
      .object([
        ("mark", .object([("type", .text("bar")), ("tooltip", .flag(true))])),
        (
          "encoding",
          .object([
            ("y", y),
            (
              "x",
              .object([
                ("field", .text("value")), ("type", .text("quantitative")),
                ("title", .text(title(chart.title, chart.unit))),
              ])
            ),
            (
              "color",
              .object([
                ("field", .text("part")), ("type", .text("nominal")), ("title", .text("")),
                (
                  "scale",
                  .object([
                    ("domain", .list(chart.parts.map { .text($0) })),
                    ("range", .list(inks.map { .text(Palette.paper($0)) })),
                  ])
                ),
              ])
            ),
            ("order", .object([("field", .text("order")), ("type", .text("quantitative"))])),
          ])
        ),
      ])
    ]
    if values.contains(where: { $0.has("low") }) {
      layers.append(
        .object([
          ("mark", .object([("type", .text("rule"))])),
          (
            "encoding",
            .object([
              ("y", y), ("x", .object([("field", .text("low")), ("type", .text("quantitative"))])),
              ("x2", .object([("field", .text("high"))])),
            ])
          ),
        ]))
    }
    let scales = VegaNode.object([
      ("scale", .object([("x", .text("independent")), ("y", .text("independent"))]))
    ])
    return data(values) + facets(chart.panels.map(\.title), .list(layers))
      + (chart.panels.count > 1 ? [("resolve", scales)] : [])
  }

  private static func heatMap(_ chart: HeatMap) -> [(String, VegaNode)] {
    var values: [VegaNode] = []
    var group = ""
    var order: [String] = []
    for row in chart.rows {
      if row.cells.isEmpty {
        group = row.label + ": "
        continue
      }
      order.append(group + row.label)
      for (column, cell) in zip(chart.columns, row.cells) {
        guard let cell else { continue }
        values.append(
          .object([
            ("row", .text(group + row.label)), ("column", .text(column)),
            ("share", .number(cell.share)),
          ]))
      }
    }
    return data(values) + [
      ("mark", .object([("type", .text("rect")), ("tooltip", .flag(true))])),
      (
        "encoding",
        .object([
          (
            "x",
            .object([
              ("field", .text("column")), ("type", .text("ordinal")),
              ("title", .text(chart.columnTitle)),
              ("sort", .list(chart.columns.map { .text($0) })),
            ])
          ),
          (
            "y",
            .object([
              ("field", .text("row")), ("type", .text("ordinal")), ("title", .text("")),
              ("sort", .list(order.map { .text($0) })),
            ])
          ),
          (
            "color",
            .object([
              ("field", .text("share")), ("type", .text("quantitative")),
              ("title", .text(chart.title)),
              (
                "scale",
                .object([("domain", .list([.number(0), .number(1)])), ("scheme", .text("blues"))])
              ),
            ])
          ),
        ])
      ),
    ]
  }

  // MARK: - Parts

  private static func data(_ values: [VegaNode]) -> [(String, VegaNode)] {
    [("data", .object([("values", .list(values))]))]
  }
  private static func facets(_ panels: [String], _ layers: VegaNode) -> [(String, VegaNode)] {
    if panels.count < 2 { return [("layer", layers)] }
    return [
      (
        "facet",
        .object([
          ("field", .text("panel")), ("type", .text("nominal")), ("title", .text("")),
          ("sort", .list(panels.map { .text($0) })),
        ])
      ),
      ("columns", .number(3)), ("spec", .object([("layer", layers)])),
    ]
  }
  private static func axis(_ field: String, _ axis: ChartAxis, symmetric: Double? = nil) -> VegaNode
  {
    var scale: [(String, VegaNode)] = []
    if axis.isLogarithmic {
      scale = [("type", .text(symmetric == nil ? "log" : "symlog"))]
      if let symmetric { scale.append(("constant", .number(symmetric))) }
    } else if !axis.includesZero {
      scale = [("zero", .flag(false))]
    }
    return .object(
      [
        ("field", .text(field)), ("type", .text("quantitative")),
        ("title", .text(title(axis.title, axis.unit))),
      ] + (scale.isEmpty ? [] : [("scale", .object(scale))])
        + (axis.marks.map { marks in
          [
            (
              "axis",
              VegaNode.object([
                ("values", .list(marks.map { .number($0.value * axis.shownPerUnit) }))
              ])
            )
          ]
        } ?? []))
  }
  /// Values are in base units here, unlike in drawings, but for swept quantities of a unit of their own.
  private static func title(_ title: String, _ unit: ChartUnit) -> String {
    switch unit {
    case .seconds: title + " (s)"
    case .bytes: title + " (B)"
    case .bitsPerSecond: title + " (b/s)"
    case .perSecond(let things): "\(title) (\(things)/s)"
    case .named(let name): "\(title) (\(name))"
    case .factor, .share, .number: title
    }
  }
}

/// A specification under construction.
private indirect enum VegaNode {
  case text(String), number(Double), flag(Bool), null, list([VegaNode])
  case object([(String, VegaNode)])

  func has(_ key: String) -> Bool {
    if case .object(let members) = self { return members.contains { $0.0 == key } }
    return false
  }
  var json: JSONNode {
    switch self {
    case .text(let text): JSONNode(.string(text))
    case .number(let value): JSONNode(.number(JSONNumber(value)))
    case .flag(let flag): JSONNode(.bool(flag))
    case .null: JSONNode(.null)
    case .list(let items): JSONNode(.array(items.map(\.json)))
    case .object(let members): JSONNode(.object(members.map { JSONMember($0.0, $0.1.json) }))
    }
  }
}
