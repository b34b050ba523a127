/// What a stroke or a fill is for: its colour follows from the medium.
public enum Ink: Hashable, Sendable {
  /// Words, and marks that are to be seen first.
  case text
  /// Units, notes.
  case faint
  /// The line of an axis and its ticks.
  case axis
  case grid
  /// What lies under a drawing, and the gaps between parts.
  case background
  /// One of several things that are told apart; beyond eight, colours repeat.
  case series(Int)
  /// A part of an iteration, one of six.
  case part(Int)
  /// A share between 0 and 1, from light to dark.
  case share(Double)
}

/// Colours that people with any kind of colour vision tell apart (Okabe and Ito, "Color universal
/// design", 2008), never the only cue: lines have dashes and markers, parts have hatching.
public enum Palette {
  /// Blue, vermillion, green, purple, orange, sky blue, black and grey: yellow has too little
  /// contrast with paper for a line.
  static let series = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8A8A8A",
  ]
  /// The same hues, lighter where they would drown in the dark.
  static let darkSeries = [
    "#3D9FDC", "#F0773A", "#1FBF92", "#E093BE", "#F0B429", "#86CEF5", "#F2F2F2", "#A0A0A0",
  ]
  /// Compute, optimizer, encode, communication, decode, wait.
  static let parts = ["#56B4E9", "#0072B2", "#E69F00", "#D55E00", "#F0E442", "#B8B8B8"]
  /// From none to all: the sequential blues of Brewer, "ColorBrewer", 2003.
  private static let ramp: [(red: Double, green: Double, blue: Double)] = [
    (247, 251, 255), (198, 219, 239), (107, 174, 214), (33, 113, 181), (8, 48, 107),
  ]

  /// The number of colours of ``Ink/series(_:)``.
  public static var seriesCount: Int { series.count }

  /// The colour of `ink` on white paper, as `#RRGGBB`.
  public static func paper(_ ink: Ink) -> String {
    switch ink {
    case .text: "#000000"
    case .faint: "#555555"
    case .axis: "#333333"
    case .grid: "#DDDDDD"
    case .background: "#FFFFFF"
    case .series(let index): series[index % series.count]
    case .part(let index): parts[index % parts.count]
    case .share(let share): ramp(share)
    }
  }

  /// The colour of `ink` on a page, which says in its style sheet what the names stand for.
  ///
  /// Shares stay what they are: their darkness is their meaning.
  public static func page(_ ink: Ink) -> String {
    switch ink {
    case .text: "var(--text)"
    case .faint: "var(--faint)"
    case .axis: "var(--axis)"
    case .grid: "var(--grid)"
    case .background: "var(--back)"
    case .series(let index): "var(--s\(index % series.count))"
    case .part(let index): "var(--p\(index % parts.count))"
    case .share(let share): ramp(share)
    }
  }

  /// Whether words on a field of this share must be white.
  ///
  /// Where black and white stand out alike, by 4.6 (WCAG 2.1, 1.4.3, asks for 4.5).
  public static func isDark(_ share: Double) -> Bool { share > 0.7125 }

  private static func ramp(_ share: Double) -> String {
    let place = min(max(share, 0), 1) * Double(ramp.count - 1)
    let index = min(Int(place), ramp.count - 2)
    let rest = place - Double(index)
    func mix(_ part: (((red: Double, green: Double, blue: Double)) -> Double)) -> String {
      let value = part(ramp[index]) * (1 - rest) + part(ramp[index + 1]) * rest
      let hex = String(Int(value.rounded()), radix: 16, uppercase: true)
      return hex.count == 1 ? "0" + hex : hex
    }
    return "#" + mix { $0.red } + mix { $0.green } + mix { $0.blue }
  }
}

/// How a series is drawn besides its colour.
public struct SeriesMark: Sendable, Equatable {
  /// The shape of its points.
  public enum Shape: Sendable, CaseIterable {
    case circle, square, triangle, diamond, cross, plus, wedge, bar
  }
  public var shape: Shape
  /// Lengths of strokes and gaps in units of the line's width; empty is a solid line.
  public var dashes: [Double]

  private static let dashes: [[Double]] = [
    [], [5, 2.5], [1.2, 2], [7, 2, 1.2, 2], [3, 2], [9, 3], [], [5, 2, 1.2, 2, 1.2, 2],
  ]

  /// The mark of the series at `index`: no two of the first 64 share colour, shape and dashes.
  public init(_ index: Int) {
    let all = Shape.allCases
    shape = all[(index + index / all.count) % all.count]
    dashes = Self.dashes[(index + index / all.count * 3) % Self.dashes.count]
  }

  /// `dashes` for a line of `width`, as the attribute takes it; nil for a solid line.
  public func dashArray(width: Double) -> String? {
    dashes.isEmpty ? nil : dashes.map { SVGWriter.number($0 * width) }.joined(separator: " ")
  }
}
