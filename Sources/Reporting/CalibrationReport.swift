import Training

/// What codecs cost, as a table: both directions of every pipeline with how well the fit explains them.
public enum CalibrationReport {
  /// One row a pipeline.
  public static func text(_ measured: [CodecCalibration.Measurement], width: Int) -> String {
    var table = TextTable([
      (title: "pipeline", alignment: .left),
      (title: "encode: launch us", alignment: .right), (title: "GB/s", alignment: .right),
      (title: "ns/element", alignment: .right), (title: "R^2", alignment: .right),
      (title: "decode: launch us", alignment: .right), (title: "GB/s", alignment: .right),
      (title: "ns/element", alignment: .right), (title: "R^2", alignment: .right),
    ])
    for entry in measured {
      table.add([entry.pipeline] + cells(entry.encode) + cells(entry.decode))
    }
    return table.text(width: width)
  }

  private static func cells(_ fit: CodecCostFit) -> [String] {
    [
      Numbers.fixed(fit.launch * 1e6, 2),
      fit.slope > 0 ? Numbers.significant(4 / fit.slope / 1e9, 3) : "inf",
      Numbers.significant(fit.slope * 1e9, 3), Numbers.fixed(fit.rSquared, 3),
    ]
  }
}
