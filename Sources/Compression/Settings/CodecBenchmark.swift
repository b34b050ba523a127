import SimKernel

/// Encode and decode speed of every codec on this machine, as ratios to a copy of the same gradient
/// measured in the same rounds.
///
/// Ratios survive a noisy machine; absolute rates do not. Every round runs the copy, the encode and
/// the decode once, and the best of each counts.
public enum CodecBenchmark {
  /// What one row times.
  public enum Operation: String, Sendable {
    case encode, decode, kernel
  }

  /// One speed, the yardstick measured beside it, and what was aimed at.
  public struct Row: Sendable {
    /// The pipeline or kernel, and what it works on where that is not the plain gradient.
    public var label: String
    public var operation: Operation
    /// Elements of the gradient.
    public var elements: Int
    /// Gigabytes of float32 gradient a second.
    public var gigabytesPerSecond: Double
    /// What the speed is compared with, such as `memcpy`.
    public var yardstick: String
    /// The yardstick's gigabytes a second.
    public var yardstickGigabytesPerSecond: Double
    /// The ratio to the yardstick that was aimed at; nil where nothing was.
    public var aim: Double?
    /// The payload of one encode; nil for kernels.
    public var payloadBits: Int64?

    /// The speed over the yardstick's.
    public var ratio: Double { gigabytesPerSecond / yardstickGigabytesPerSecond }
    /// Whether the aim was reached; nil without one.
    public var meetsAim: Bool? { aim.map { ratio >= $0 } }
  }

  /// Measures every case whose label contains one of `filters` (all without any) and hands each row
  /// over as soon as it is measured.
  ///
  /// `seconds` times a call; a clock of the thread is not disturbed by other processes. Decoding is
  /// meant to be no slower than encoding, so a decode's aim is the encode's ratio, but not beyond the
  /// stated aim of the encode.
  ///
  /// - Throws: what a pipeline's text or a codec refuses, which the cases here do not give rise to.
  public static func run(
    elements: Int = 26_000_000, filters: [String] = [], rounds: Int = 5,
    seconds: @escaping (() -> Void) -> Double = wallSeconds, report: (Row) -> Void
  ) throws {
    func isWanted(_ label: String) -> Bool {
      filters.isEmpty || filters.contains { label.contains($0) }
    }
    let bench = Bench(elements: elements, rounds: rounds, seconds: seconds)
    for kernel in kernels where isWanted(kernel.label) { bench.measure(kernel, report) }
    for row in cases where isWanted(row.label) { try bench.measure(row, report) }
    if isWanted("zstd") { try bench.measureZstandard(report) }
    if isWanted(adversarialPipeline) { try bench.measureAdversarial(report) }
  }

  /// Seconds of the day that `body` takes.
  public static func wallSeconds(_ body: () -> Void) -> Double {
    let (seconds, attoseconds) = ContinuousClock().measure(body).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }

  /// About normal times about Pareto, from hashes of the position.
  static func gradient(_ count: Int) -> [Float] {
    let hash = CounterHash(key: 0x5EED)
    let tail = CounterHash(key: 0x7A11)
    return (0..<count).map { index in
      let normal =
        Float(Int32(bitPattern: hash.bits(2 * index)))
        + Float(Int32(bitPattern: hash.bits(2 * index + 1)))
      return 0x1p-38 * normal / (Float(tail.bits(index)) * 0x1p-32 + 0x1p-10).squareRoot()
    }
  }
}

/// The gradient, memory for its copy and the clock, for measurements in turns.
struct Bench {
  let gradient: [Float]
  let rounds: Int
  let seconds: (() -> Void) -> Double

  init(elements: Int, rounds: Int, seconds: @escaping (() -> Void) -> Double) {
    gradient = CodecBenchmark.gradient(elements)
    self.rounds = max(1, rounds)
    self.seconds = seconds
  }

  var gigabytes: Double { Double(4 * gradient.count) / 1e9 }

  /// The least seconds of each contender, run in turn; a first turn, which meets cold memory, does
  /// not count.
  func contest(_ contenders: [() -> Void]) -> [Double] {
    var best = [Double](repeating: .infinity, count: contenders.count)
    for round in 0...rounds {
      for (index, contender) in contenders.enumerated() {
        let taken = seconds(contender)
        if round > 0 { best[index] = min(best[index], taken) }
      }
    }
    return best
  }

  /// One copy of `source`, as fast as the C library copies.
  static func copy(_ source: [Float], _ target: UnsafeMutablePointer<Float>) {
    // In bounds: callers' targets are as long as their sources.
    source.withUnsafeBufferPointer { target.update(from: $0.baseAddress!, count: $0.count) }
  }

  /// Times a copy, the encode and the decode of `input`, and adds rows for the last two.
  func measure(_ row: CodecBenchmark.Case, _ report: (CodecBenchmark.Row) -> Void) throws {
    let run = try PipelineRun(row.text, row.scope, gradient, shape: row.shape(gradient.count))
    let best = contest([{ Self.copy(gradient, run.target) }, { run.encode() }, { run.decode() }])
    try run.check()
    var rate = CodecBenchmark.Row(
      label: row.label, operation: .encode, elements: gradient.count,
      gigabytesPerSecond: gigabytes / best[1], yardstick: "memcpy",
      yardstickGigabytesPerSecond: gigabytes / best[0], aim: row.aim,
      payloadBits: run.encoded.payloadBits)
    report(rate)
    rate.aim = min(rate.ratio, row.aim ?? .infinity)
    rate.operation = .decode
    rate.gigabytesPerSecond = gigabytes / best[2]
    report(rate)
  }
}

/// One pipeline with its gradient, scratch, bytes and decoded values, ready to run again and again.
final class PipelineRun {
  private let pipeline: CompressionPipeline
  private let scope: CodecScope
  private let values: [Float]
  private let tensors: [TensorRange]
  private let random = RandomStream(seed: 1, purpose: RandomPurpose("codec benchmark"))
  private var scratch = CodecScratch()
  private var failure: CodecError?
  private(set) var encoded = EncodedGradient()
  /// As many elements as the gradient.
  let target: UnsafeMutablePointer<Float>

  init(_ text: String, _ scope: CodecScope, _ values: [Float], shape: [Int]) throws {
    let issues = IssueCollector()
    pipeline = CompressionPipeline.read(text, issues: issues)
    try issues.throwIfInvalid()
    self.scope = scope
    self.values = values
    tensors = [TensorRange(name: "gradient", offset: 0, count: values.count, shape: shape)]
    target = .allocate(capacity: max(1, values.count))
    target.initialize(repeating: 0, count: values.count)
  }
  deinit { target.deallocate() }

  func encode() {
    values.withUnsafeBufferPointer { values in
      do throws(CodecError) {
        try pipeline.encode(
          values, tensors: tensors, scope: scope, random: random, scratch: &scratch,
          into: &encoded)
      } catch { failure = error }
    }
  }
  func decode() {
    do throws(CodecError) {
      try pipeline.decode(
        encoded, into: UnsafeMutableBufferPointer(start: target, count: values.count),
        scratch: &scratch)
    } catch { failure = error }
  }
  /// Throws what a codec refused.
  func check() throws { if let failure { throw failure } }
}
