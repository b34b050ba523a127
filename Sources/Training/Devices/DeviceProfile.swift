import SimKernel

/// Which units a device's peak belongs to; they reach different shares of it.
public enum ArithmeticUnit: Sendable { case vector, matrix }

/// The highest rate a device has for one kind of arithmetic.
public struct PeakRate: Sendable {
  /// ``Precision/fp32``, ``Precision/tf32`` or ``Precision/amp``.
  public var precision: Precision
  /// Floating-point operations a second; a multiply-accumulate is two.
  public var operationsPerSecond: Double
  public var unit: ArithmeticUnit
  public var evidence: Evidence

  init(
    _ precision: Precision, teraflops: Double, _ unit: ArithmeticUnit, _ provenance: Provenance,
    _ sentence: String
  ) {
    self.precision = precision
    operationsPerSecond = teraflops * 1e12
    self.unit = unit
    evidence = Evidence(provenance, sentence)
  }
}

/// An accelerator: what it takes to say how long a model computes on it, each number with its source.
public struct DeviceProfile: Sendable {
  public var name: String
  /// The name under which its models were timed: ``name``, or that of the device a profile is laid
  /// over.
  var timedAs: String
  /// One sentence for `simnet list devices`.
  public var summary: String
  /// Between its memory and its arithmetic units.
  public var memoryBandwidth: Sourced<Bandwidth>
  public var memory: Sourced<ByteCount>
  /// From launching a small kernel until its end.
  public var kernelLaunch: Sourced<SimDuration>
  /// Payload bytes a second when one vector is added to another (the gamma of cost models).
  public var reductionRate: Sourced<Bandwidth>
  /// Between device and host, one direction.
  public var hostCopyBandwidth: Sourced<Bandwidth>
  /// At least one for fp32.
  public var peaks: [PeakRate]
  /// Whether bfloat16 products run at the rate of ``Precision/amp``.
  public var hasBFloat16: Bool
  /// Devices whose efficiency stands in where this one has no measured model, nearest first.
  var relatives: [String]
  /// Used instead of any calibration.
  var fixedEfficiency: Sourced<Double>?
  /// What somebody measured of codecs; nil derives all of their costs.
  public var codecCosts: CodecCosts?
  /// What was measured of whole models, before any other source of their times.
  public var models: [MeasuredModel] = []
  /// How ``models`` came to be known.
  var modelEvidence: Evidence?
  /// What was measured of codecs beside a backward pass.
  public var overlaps: [MeasuredOverlap] = []
  /// When and how the profile was measured, if it was.
  public var measurement: DeviceMeasurement?

  /// How much compute and codecs slow each other down, where a scenario does not say; nil if that was
  /// not measured.
  public var overlap: OverlapSlowdown? { MeasuredOverlap.mean(overlaps) }

  /// The peak for `precision`; nil if the device has no such units.
  public func peak(_ precision: Precision) -> PeakRate? {
    if precision == .bf16, !hasBFloat16 { return nil }
    return peaks.first { $0.precision == precision.arithmetic }
  }

  /// The time to add one payload of `size` bytes to another: a launch and `size` over
  /// ``reductionRate``; none for no bytes.
  public func reductionTime(of size: ByteCount) -> SimDuration {
    size == .zero ? .zero : kernelLaunch.value + reductionRate.value.time(toSend: size)
  }

  /// The time of one optimizer step over `model`.
  public func optimizerTime(_ optimizer: OptimizerKind, model: ModelTable) -> SimDuration {
    optimizer.time(parameters: model.parameters, memory: memoryBandwidth.value)
  }
}
