import Interchange
import SimKernel
import Training

/// One iteration of a scenario in the formats of other simulators.
public struct ScenarioExport: Sendable {
  /// What was not kept, one sentence each.
  public private(set) var notes: [String]
  /// The workers of the job.
  public var workers: Int { iteration.workers }
  private var iteration: PlannedIteration

  /// The iteration of `point` of `file`, the first if nil, of its only job or of `job`.
  public init(_ file: ScenarioFile, point: Int? = nil, job: String? = nil) throws {
    iteration = try PlannedIteration(file, point: point, job: job)
    notes = iteration.notes
  }

  /// Worker `rank` as a Chakra trace: in microseconds, the format's tick; lanes keep their length to half of one.
  public func chakra(rank: Int, name: String) throws(InterchangeError) -> [UInt8] {
    let graph = try iteration.collectiveGraph(rank: rank)
    var trace = try ChakraTrace(graph, rank: rank, origin: name)
    // What runs on a host core is told from the accelerator's operations by this attribute.
    for (index, node) in graph.nodes.enumerated() where node.lane == 1 && node.work == .compute {
      for place in trace.nodes[index].attributes.indices
      where trace.nodes[index].attributes[place].name == "is_cpu_op" {
        trace.nodes[index].attributes[place].value = .bool(true)
      }
    }
    return ChakraFile.bytes(of: trace)
  }

  /// All hosts as a GOAL schedule: in nanoseconds, the format's tick; lanes keep their length to half of one.
  ///
  /// The scenario is run once for the sizes of its messages and the times of its sums.
  public mutating func goal(
    _ file: ScenarioFile, point: Int? = nil, stop: StopFlag = StopFlag()
  ) throws -> [UInt8] {
    let recorded = try RecordedRun(
      file, point: point, selection: TimelineSelection(iterations: NumberRanges([0...0])),
      stop: stop)
    if let timeline = recorded.timeline { iteration.takeMessages(of: timeline) }
    let graph = try iteration.messageGraph()
    var writer = GOALWriter()
    try graph.write(to: &writer, origin: file.origin)
    return writer.bytes
  }
}
