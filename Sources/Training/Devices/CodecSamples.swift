import SimKernel

/// The times of one direction of a codec at several sizes, and how well a line explains them.
///
/// Where `launch + bytes / bandwidth` misses them - caches, selection algorithms that change with the
/// size - the time at a size is interpolated between its neighbours instead.
public struct CodecSamples: Sendable, Equatable {
  /// R^2 below which times are interpolated.
  public static let leastRSquared = 0.98
  /// Relative error of the fit at any sample above which times are interpolated.
  public static let mostError = 0.15

  /// One size.
  public struct Sample: Sendable, Equatable {
    /// Of the float32 values that enter an encode, or leave a decode.
    public var size: ByteCount
    /// What counts of the repetitions, such as their median.
    public var time: SimDuration
    /// The quartiles of the repetitions, if they were kept.
    public var quartiles: ClosedRange<SimDuration>?

    public init(
      size: ByteCount, time: SimDuration, quartiles: ClosedRange<SimDuration>? = nil
    ) {
      self.size = size
      self.time = time
      self.quartiles = quartiles
    }
  }

  /// In ascending order of size.
  public let samples: [Sample]
  /// launch + elements x slope, by least relative squares.
  public let fit: CodecCostFit

  /// - Precondition: at least one sample, sizes ascending and above zero, times above zero.
  public init(_ samples: [Sample]) {
    precondition(
      zip(samples, samples.dropFirst()).allSatisfy { $0.size < $1.size }, "sizes ascend")
    self.samples = samples
    fit = CodecCostFit(
      sizes: samples.map { Int($0.size.bytes / 4) }, times: samples.map(\.time.seconds))
  }

  /// Whether times come from between the samples instead of from the fit.
  public var isInterpolated: Bool {
    fit.rSquared < Self.leastRSquared || fit.largestError > Self.mostError
  }

  /// The time for `bytes`, on straight lines between the samples.
  ///
  /// Below the first sample its time, which is mostly launches; beyond the last along the line of the
  /// last two, or in proportion if that line falls.
  ///
  /// - Complexity: linear in the samples.
  public func time(bytes: Double) -> SimDuration {
    let first = samples[0]
    if bytes <= Double(first.size.bytes) { return first.time }
    let last = samples[samples.count - 1]
    var upper = 1
    while upper < samples.count - 1, Double(samples[upper].size.bytes) < bytes { upper += 1 }
    let isBeyond = bytes > Double(last.size.bytes)
    if samples.count == 1 || (isBeyond && samples[upper].time < samples[upper - 1].time) {
      return .decimal(
        Double(last.time.picoseconds) * (bytes / Double(last.size.bytes)), unit: 1)
    }
    let (a, b) = (samples[upper - 1], samples[upper])
    let share = (bytes - Double(a.size.bytes)) / Double(b.size.bytes - a.size.bytes)
    let (start, end) = (Double(a.time.picoseconds), Double(b.time.picoseconds))
    return .decimal(start + (end - start) * share, unit: 1)
  }

  // MARK: - Records

  /// Reads the lists of one direction; nil if there are none.
  static func read(_ fields: inout FieldReader) -> CodecSamples? {
    let sizes = fields.optional(
      "sizes_bytes", .list(of: .integer(4...(1 << 50)), atLeast: 2),
      doc:
        "sizes of the float32 values that were timed, ascending; instead of launch and bandwidth, "
        + "which are then fitted, or left for interpolation where the fit is poor")
    let times = fields.optional(
      "times_us", .list(of: .positive), doc: "what each of sizes_bytes took, in microseconds")
    let low = fields.optional(
      "low_us", .list(of: .positive), doc: "lower quartiles of the repetitions; informs")
    let high = fields.optional(
      "high_us", .list(of: .positive), doc: "upper quartiles of the repetitions; informs")
    guard let sizes, let times else {
      if sizes != nil || times != nil || low != nil || high != nil {
        fields.report(nil, .conflict("sizes_bytes and times_us are given together"))
      }
      return nil
    }
    for (key, list) in [("times_us", times), ("low_us", low), ("high_us", high)] {
      if let list, list.count != sizes.count {
        fields.report(
          key, .conflict("\(list.count) values for the \(sizes.count) of sizes_bytes"))
        return nil
      }
    }
    guard zip(sizes, sizes.dropFirst()).allSatisfy({ $0 < $1 }) else {
      fields.report("sizes_bytes", .conflict("sizes must ascend"))
      return nil
    }
    return CodecSamples(
      sizes.indices.map { index in
        var quartiles: ClosedRange<SimDuration>?
        if let low, let high, low[index] <= high[index] {
          quartiles = .microseconds(low[index])...(.microseconds(high[index]))
        }
        return Sample(
          size: ByteCount(Int64(sizes[index])), time: .microseconds(times[index]),
          quartiles: quartiles)
      })
  }

  /// The lists as JSON members.
  var members: [JSONMember] {
    func list(_ key: String, _ values: [SimDuration]) -> JSONMember {
      JSONMember(
        key,
        JSONNode(
          .array(values.map { JSONNode(floatLiteral: Double($0.picoseconds) / 1e6) })))
    }
    var members = [
      JSONMember(
        "sizes_bytes",
        JSONNode(.array(samples.map { JSONNode(.number(JSONNumber(Int($0.size.bytes)))) }))),
      list("times_us", samples.map(\.time)),
    ]
    let quartiles = samples.compactMap(\.quartiles)
    if quartiles.count == samples.count {
      members.append(list("low_us", quartiles.map(\.lowerBound)))
      members.append(list("high_us", quartiles.map(\.upperBound)))
    }
    return members
  }
}
