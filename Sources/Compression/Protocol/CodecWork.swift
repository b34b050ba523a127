/// What an encode or a decode costs, in terms that a device turns into time.
///
/// Time on an accelerator = `kernels` x launch time + `bytesPerElement` x n / memory bandwidth +
/// `operationsPerElement` x n / arithmetic rate; work that only a CPU does is
/// `cpuSecondsPerElement` x n. All per element of the *gradient*, whatever the stage before left of
/// it, so that the works of a chain add up.
public struct CodecWork: Sendable, Equatable {
  /// How many kernels are launched one after the other.
  public var kernels: Double
  /// Bytes read and written in device memory, per gradient element.
  public var bytesPerElement: Double
  /// Arithmetic beyond what hides behind the memory traffic, per gradient element.
  public var operationsPerElement: Double
  /// Seconds on one CPU core per gradient element, for codecs without an accelerator form.
  public var cpuSecondsPerElement: Double
  /// Where the numbers come from; several are joined by semicolons.
  public var source: String

  public init(
    kernels: Double = 0, bytesPerElement: Double = 0, operationsPerElement: Double = 0,
    cpuSecondsPerElement: Double = 0, source: String = ""
  ) {
    self.kernels = kernels
    self.bytesPerElement = bytesPerElement
    self.operationsPerElement = operationsPerElement
    self.cpuSecondsPerElement = cpuSecondsPerElement
    self.source = source
  }

  /// No work at all.
  public static var none: CodecWork { CodecWork() }

  /// One piece of work after the other.
  public static func + (a: CodecWork, b: CodecWork) -> CodecWork {
    let sources = [a.source, b.source].filter { !$0.isEmpty }
    return CodecWork(
      kernels: a.kernels + b.kernels,
      bytesPerElement: a.bytesPerElement + b.bytesPerElement,
      operationsPerElement: a.operationsPerElement + b.operationsPerElement,
      cpuSecondsPerElement: a.cpuSecondsPerElement + b.cpuSecondsPerElement,
      source: a.source == b.source ? a.source : sources.joined(separator: "; "))
  }
}

/// What enters a stage of a pipeline, per element of the gradient.
public struct StageLoad: Sendable, Equatable {
  /// Values per gradient element: 1 before a sparsifier, its ratio after.
  public var values: Double
  /// Bytes of one value.
  public var bytesPerValue: Double
  /// Bytes of everything else (indices, scales) per gradient element.
  public var otherBytes: Double

  public init(values: Double, bytesPerValue: Double, otherBytes: Double) {
    self.values = values
    self.bytesPerValue = bytesPerValue
    self.otherBytes = otherBytes
  }

  /// The dense float32 gradient.
  public static var gradient: StageLoad {
    StageLoad(values: 1, bytesPerValue: 4, otherBytes: 0)
  }
  /// All bytes per gradient element.
  public var bytes: Double { values * bytesPerValue + otherBytes }
}

/// The cost of one stage and what leaves it.
public struct StageCost: Sendable, Equatable {
  public var encode: CodecWork
  public var decode: CodecWork
  public var leaving: StageLoad

  public init(encode: CodecWork, decode: CodecWork, leaving: StageLoad) {
    self.encode = encode
    self.decode = decode
    self.leaving = leaving
  }
}

/// The largest payload a chain can make, worked out stage by stage.
public struct WorstCase: Sendable, Equatable {
  /// Elements of the gradient.
  public let elementCount: Int
  /// Scopes that have a scale or a selection of their own.
  public let scopeCount: Int
  /// Values that may be left.
  public var values: Int
  /// Bits of one value.
  public var bitsPerValue: Int
  /// Bits of everything else: indices, scales, seeds.
  public var otherBits: Int

  /// The dense float32 gradient.
  public init(elementCount: Int, scopeCount: Int) {
    self.elementCount = elementCount
    self.scopeCount = scopeCount
    values = elementCount
    bitsPerValue = 32
    otherBits = 0
  }

  /// The payload in bits.
  public var bits: Int { values * bitsPerValue + otherBits }
}
