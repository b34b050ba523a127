/// Gradients that real workers computed, given as flat values.
///
/// Worker r answers with recorded worker r mod W, iteration i with recorded iteration i mod I: more
/// simulated workers than recorded ones repeat each other, so their selections overlap completely.
public struct RecordedGradients: GradientSource {
  public let tensors: [GradientTensor]
  public let layout: SampledLayout
  public let provenance: String
  private let iterations: [[[Float]]]

  /// One iteration, recorded for each of `workers`.
  ///
  /// - Throws: ``GradientSourceError`` when no worker is given or a length does not fit `tensors`.
  public init(
    tensors: [GradientTensor], workers: [[Float]], layout: SampledLayout? = nil,
    provenance: String = "recorded"
  ) throws(GradientSourceError) {
    try self.init(
      tensors: tensors, iterations: [workers], layout: layout, provenance: provenance)
  }

  /// Consecutive iterations, each with the same number of workers or not.
  ///
  /// - Throws: ``GradientSourceError`` when an iteration is empty or a length does not fit `tensors`.
  public init(
    tensors: [GradientTensor], iterations: [[[Float]]], layout: SampledLayout? = nil,
    provenance: String = "recorded"
  ) throws(GradientSourceError) {
    let expected = tensors.reduce(0) { $0 + $1.elements }
    guard !iterations.isEmpty else { throw .empty }
    for (iteration, workers) in iterations.enumerated() {
      guard !workers.isEmpty else { throw .empty }
      for (worker, values) in workers.enumerated() where values.count != expected {
        throw .length(
          worker: worker, iteration: iteration, found: values.count, expected: expected)
      }
    }
    self.tensors = tensors
    self.iterations = iterations
    self.layout = layout ?? SampledLayout(tensors, budget: nil)
    self.provenance = provenance
    precondition(
      self.layout.tensorElements == tensors.map(\.elements), "the layout belongs to the tensors")
  }

  /// The same recordings, of which `layout` samples other elements.
  func sampled(_ layout: SampledLayout) -> RecordedGradients {
    RecordedGradients(tensors, layout, provenance, iterations)
  }

  private init(
    _ tensors: [GradientTensor], _ layout: SampledLayout, _ provenance: String,
    _ iterations: [[[Float]]]
  ) {
    precondition(
      layout.tensorElements == tensors.map(\.elements), "the layout belongs to the tensors")
    self.tensors = tensors
    self.layout = layout
    self.provenance = provenance
    self.iterations = iterations
  }

  public func gradient(
    worker: Int, iteration: Int, parameterVersion: Int,
    into values: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(values.count == layout.elementCount, "one value a sampled element")
    let workers = iterations[iteration % iterations.count]
    let recorded = workers[worker % workers.count]
    var bases: [Int] = []
    var base = 0
    for tensor in tensors {
      bases.append(base)
      base += tensor.elements
    }
    var at = 0
    for run in layout.runs {
      let start = bases[run.tensor] + run.start
      for offset in 0..<run.count { values[at + offset] = recorded[start + offset] }
      at += run.count
    }
  }
}
