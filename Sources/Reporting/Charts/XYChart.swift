/// Curves or clouds of points over a numeric axis, in panels side by side.
public struct XYChart: Sendable {
  /// One value.
  public struct Point: Sendable {
    public var x: Double
    public var y: Double
    /// Of ``y``; drawn as a bar with ends.
    public var interval: ClosedRange<Double>?
    /// Written beside the point where there is room.
    public var label: String?
    /// Whether no other point of the panel is better in both; see ``XYChart/drawsFront``.
    public var isOptimal: Bool
    /// What stands in the results, for hovering.
    public var note: String

    public init(
      x: Double, y: Double, interval: ClosedRange<Double>? = nil, label: String? = nil,
      isOptimal: Bool = false, note: String = ""
    ) {
      self.x = x
      self.y = y
      self.interval = interval
      self.label = label
      self.isOptimal = isOptimal
      self.note = note
    }
  }
  /// Points that belong together.
  public struct Series: Sendable {
    public var name: String
    /// Decides colour, dashes and marker; the same in every panel.
    public var style: Int
    public var points: [Point]

    public init(_ name: String, style: Int, points: [Point]) {
      self.name = name
      self.style = style
      self.points = points
    }
  }
  /// A place on the horizontal axis where the best series changes.
  public struct Crossing: Sendable {
    public var x: Double
    public var label: String

    public init(x: Double, label: String) {
      self.x = x
      self.label = label
    }
  }
  /// A stretch of the horizontal axis in which one series is best, or several tie.
  public struct Band: Sendable {
    public var range: ClosedRange<Double>
    public var style: Int

    public init(_ range: ClosedRange<Double>, style: Int) {
      self.range = range
      self.style = style
    }
  }
  /// One coordinate system.
  public struct Panel: Sendable {
    public var title: String
    public var series: [Series]
    public var crossings: [Crossing]
    public var bands: [Band]

    public init(
      _ title: String, series: [Series], crossings: [Crossing] = [], bands: [Band] = []
    ) {
      self.title = title
      self.series = series
      self.crossings = crossings
      self.bands = bands
    }
  }

  public var x: ChartAxis
  public var y: ChartAxis
  public var panels: [Panel]
  /// Whether the points of a series are joined by lines.
  public var isJoined: Bool
  /// How the front of optimal points steps: along which axis it leaves a point towards larger x.
  public enum Front: Sendable { case horizontalFirst, verticalFirst }
  /// Nil draws no front.
  public var front: Front?
  /// A value that a thin line marks, such as a speed-up of one.
  public var reference: Double?

  public init(
    x: ChartAxis, y: ChartAxis, panels: [Panel], isJoined: Bool = true, front: Front? = nil,
    reference: Double? = nil
  ) {
    self.x = x
    self.y = y
    self.panels = panels
    self.isJoined = isJoined
    self.front = front
    self.reference = reference
  }

  /// Every series once, in the order met.
  var legend: [Series] {
    var result: [Series] = []
    for panel in panels {
      for series in panel.series where !result.contains(where: { $0.style == series.style }) {
        result.append(series)
      }
    }
    return result.sorted { $0.style < $1.style }
  }
}
