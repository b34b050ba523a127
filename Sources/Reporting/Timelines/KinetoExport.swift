import Experiments
import SimKernel
import Training

/// A worker's timeline as PyTorch's profiler would have written it, for the tools that read its traces.
///
/// Forward, backward, encoding and the like are kernels of a stream, exchanges are NCCL kernels on
/// streams of their own, each with the launch it was started by and the operator around that; an
/// iteration is a `ProfilerStep#n`. Launches take no time and happen as their kernels begin, since no
/// host is modelled; what a host core did (`cpu` streams) is an operator of a second thread. Servers
/// have no trace. What such tools ask of events is in Holistic Trace Analysis (Meta, 2022).
public struct KinetoExport {
  private let timeline: RunTimeline
  private let lanes: TimelineLanes

  /// The traces of the workers of `timeline`.
  public init(_ timeline: RunTimeline) {
    self.timeline = timeline
    lanes = TimelineLanes(timeline)
  }

  /// A file to be written.
  public struct File {
    /// Its path inside the folder: `rank3.json`, below a folder a job where there are several.
    public let name: String
    fileprivate let process: TimelineLanes.Process
  }

  /// One file a worker.
  public var files: [File] {
    lanes.processes.filter { $0.rank < timeline.jobs[$0.job].workers }.map { process in
      let folder = timeline.jobs.count > 1 ? "job\(process.job)/" : ""
      return File(name: "\(folder)rank\(process.rank).json", process: process)
    }
  }

  /// The numbers of processes, threads and streams.
  private enum Place {
    static let host = 1
    static let device = 2
    static let mainThread = 11
    static let coreThread = 12
    static let computeStream = 7
    static let sideStream = 13
    static let firstCommunicationStream = 20
  }

  /// Passes `file` to `emit`, piece by piece.
  public func write(_ file: File, _ emit: @escaping ([UInt8]) throws -> Void) throws {
    let process = file.process
    let job = timeline.jobs[process.job]
    let ranks = (0..<job.workers).map(String.init).joined(separator: ", ")
    var out = JSONText(emit)
    out.add("{\n\"schemaVersion\": 1,\n\"deviceProperties\": [{\"id\": 0, \"name\": ")
    out.add(quoted: job.device)
    out.add("}],\n\"distributedInfo\": {\"backend\": \"nccl\", \"rank\": ")
    out.add(process.rank)
    out.add(", \"world_size\": ")
    out.add(job.workers)
    out.add(", \"pg_count\": 1, \"pg_config\": [{\"pg_name\": \"0\", \"pg_desc\": \"default_pg\", ")
    out.add("\"backend_config\": \"cuda:nccl\", \"pg_size\": ")
    out.add(job.workers)
    out.add(", \"ranks\": [")
    out.add(raw: ranks)
    out.add("]}]},\n\"displayTimeUnit\": \"ms\",\n\"traceEvents\": [\n")
    writeNames(process, &out)
    var correlation = 0
    for lane in process.lanes {
      for slice in lane.slices {
        correlation += 1
        try writeSlice(slice, lane, process, correlation, ranks: ranks, &out)
      }
    }
    out.add("\n],\n\"traceName\": ")
    out.add(quoted: file.name)
    out.add("\n}\n")
    try out.flush(all: true)
  }

  private func writeNames(_ process: TimelineLanes.Process, _ out: inout JSONText) {
    for (id, name, order) in [
      (Place.host, "\(process.name) host", 0), (Place.device, "\(process.name) device", 1),
    ] {
      out.add(id == Place.host ? "{" : ",\n{")
      out.add("\"ph\": \"M\", \"name\": \"process_name\", \"pid\": ")
      out.add(id)
      out.add(", \"tid\": 0, \"ts\": 0, \"args\": {\"name\": ")
      out.add(quoted: name)
      out.add("}},\n{\"ph\": \"M\", \"name\": \"process_sort_index\", \"pid\": ")
      out.add(id)
      out.add(", \"tid\": 0, \"ts\": 0, \"args\": {\"sort_index\": ")
      out.add(order)
      out.add("}}")
    }
  }

  private func writeSlice(
    _ slice: TimelineLanes.Slice, _ lane: TimelineLanes.Lane, _ process: TimelineLanes.Process,
    _ correlation: Int, ranks: String, _ out: inout JSONText
  ) throws {
    let record = Int(slice.record)
    switch lane.kind {
    case .iteration:
      let span = timeline.iterations[record]
      let name = "ProfilerStep#\(timeline.counted(span.iteration, of: span.job))"
      begin(
        "user_annotation", name, Place.host, Place.mainThread, slice.start,
        slice.end - slice.start, &out)
      out.add("\"External id\": ")
      out.add(correlation)
      out.add("}}")
    case .compute, .encode, .decode, .copy:
      let span = timeline.spans[record]
      let verb = "simnet::\(span.kind)"
      switch span.stream {
      case .cpu:
        begin(
          "cpu_op", verb, Place.host, Place.coreThread, slice.start, slice.end - slice.start, &out)
        out.add("\"External id\": ")
        out.add(correlation)
        out.add("}}")
      case .compute, .side, .communication:
        let stream = span.stream == .side ? Place.sideStream : Place.computeStream
        launch(verb, slice.start, correlation, &out)
        kernel(verb + "_kernel", stream, slice, correlation, &out)
        out.add("}}")
      }
    case .exchange:
      let span = timeline.exchanges[record]
      let exchange = timeline.jobs[process.job].exchanges[Int(span.exchange)]
      let names = Self.collective(exchange.operation)
      launch("nccl:\(names.call)", slice.start, correlation, &out)
      kernel(
        "ncclDevKernel_\(names.kernel)_\(exchange.algorithm)",
        Place.firstCommunicationStream + lane.number, slice, correlation, &out)
      let group =
        exchange.groups.first { $0.contains(process.rank) }
        ?? Array(0..<timeline.jobs[process.job].workers)
      out.add(", \"Collective name\": ")
      out.add(quoted: names.call)
      out.add(", \"In msg nelems\": ")
      out.add(exchange.bytes.bytes)
      out.add(", \"Out msg nelems\": ")
      out.add(exchange.bytes.bytes)
      out.add(", \"dtype\": \"Byte\", \"Group size\": ")
      out.add(group.count)
      out.add(", \"Process Group Name\": \"0\", \"Process Group Ranks\": ")
      out.add(
        quoted: "["
          + (exchange.groups.isEmpty
            ? ranks : group.map(String.init).joined(separator: ", ")) + "]")
      out.add("}}")
    // Messages and sums are inside NCCL's kernels; what only waits is no work.
    case .send, .receive, .reduce, .hold: return
    }
    try out.flush()
  }

  /// The head of a complete event, up to its arguments.
  private func begin(
    _ category: StaticString, _ name: String, _ process: Int, _ thread: Int, _ start: SimTime,
    _ length: SimDuration, _ out: inout JSONText
  ) {
    out.add(",\n{\"ph\": \"X\", \"cat\": \"")
    out.add(category)
    out.add("\", \"name\": ")
    out.add(quoted: name)
    out.add(", \"pid\": ")
    out.add(process)
    out.add(", \"tid\": ")
    out.add(thread)
    out.add(", \"ts\": ")
    out.add(start)
    out.add(", \"dur\": ")
    out.add(length)
    out.add(", \"args\": {")
  }

  /// An operator and the launch inside it.
  private func launch(
    _ name: String, _ time: SimTime, _ correlation: Int, _ out: inout JSONText
  ) {
    begin("cpu_op", name, Place.host, Place.mainThread, time, .zero, &out)
    out.add("\"External id\": ")
    out.add(correlation)
    out.add("}}")
    begin(
      "cuda_runtime", "cudaLaunchKernel", Place.host, Place.mainThread, time, .zero, &out)
    out.add("\"External id\": ")
    out.add(correlation)
    out.add(", \"cbid\": 211, \"correlation\": ")
    out.add(correlation)
    out.add("}}")
  }

  /// A kernel whose arguments are still open.
  private func kernel(
    _ name: String, _ stream: Int, _ slice: TimelineLanes.Slice, _ correlation: Int,
    _ out: inout JSONText
  ) {
    begin("kernel", name, Place.device, stream, slice.start, slice.end - slice.start, &out)
    out.add("\"External id\": ")
    out.add(correlation)
    out.add(", \"device\": 0, \"context\": 1, \"stream\": ")
    out.add(stream)
    out.add(", \"correlation\": ")
    out.add(correlation)
  }

  /// What PyTorch calls `operation`, and what NCCL's kernel is named after.
  private static func collective(_ operation: String) -> (call: String, kernel: String) {
    switch operation {
    case "all_reduce": ("all_reduce", "AllReduce_Sum")
    case "all_gather", "all_gather_v": ("all_gather", "AllGather")
    case "reduce_scatter": ("reduce_scatter", "ReduceScatter_Sum")
    case "broadcast": ("broadcast", "Broadcast")
    case "reduce": ("reduce", "Reduce_Sum")
    case "all_to_all", "all_to_all_v": ("all_to_all", "SendRecv")
    // Servers, gathers and the rest are made of sends and receives.
    default: (operation, "SendRecv")
    }
  }
}
