import Experiments
import SimKernel
import Training

/// A timeline in the JSON object form of Chrome's trace format, which Perfetto shows.
///
/// A process a rank slot and one for the links; lanes as threads; arrows from the sending to the
/// receiving slice; counters for what waits on a worker and for the share of every busy link that is in
/// use. Times are microseconds of simulated time as exact decimals, to the picosecond; where a viewer's
/// rounding would lose a slice, `exact_dur_us` among its arguments has its length and `dur` is shorter.
/// (Google, "Trace Event Format", 2016.)
public struct ChromeTrace {
  private let timeline: RunTimeline
  private let lanes: TimelineLanes
  /// Distance between the thread numbers of two processes.
  private let stride: Int

  /// The trace of `timeline`.
  public init(_ timeline: RunTimeline) {
    self.timeline = timeline
    lanes = TimelineLanes(timeline)
    var stride = 100
    while stride <= lanes.processes.map(\.lanes.count).max() ?? 0 { stride *= 10 }
    self.stride = stride
  }

  /// Passes the file to `emit`, piece by piece.
  public func write(_ emit: @escaping ([UInt8]) throws -> Void) throws {
    var out = JSONText(emit)
    out.add("{\"displayTimeUnit\":\"ms\",\n\"otherData\":{\"simnet_version\":")
    out.add(quoted: SimnetVersion.current)
    let origin = timeline.origin
    out.add(",\"title\":")
    out.add(quoted: origin.title)
    out.add(",\"scenario_hash\":")
    out.add(quoted: origin.scenarioHash)
    out.add(",\"seed\":")
    out.add(raw: String(origin.seed))
    out.add(",\"point\":")
    out.add(origin.point)
    out.add(",\"replicate\":")
    out.add(origin.replicate)
    out.add(",\"network\":")
    out.add(quoted: origin.network)
    out.add(",\"units\":\"ts and dur in microseconds of simulated time, exact to a picosecond\"")
    out.add(",\"links\":")
    out.add(
      quoted: timeline.linksMissing.isEmpty
        ? "payload over line rate in slots of \(timeline.slotLength), the messages of the chosen "
          + "iterations; a message is spread evenly over its time"
        : "left out: " + timeline.linksMissing)
    out.add("},\n\"traceEvents\":[\n{\"ph\":\"M\",\"pid\":")
    let network = timeline.jobs.reduce(1) { $0 + $1.nodes.count }
    writeProcess(network, "network", order: network, to: &out)
    for process in lanes.processes {
      out.add(",\n{\"ph\":\"M\",\"pid\":")
      writeProcess(process.id, process.name, order: process.id, to: &out)
      for (index, lane) in process.lanes.enumerated() { writeThread(process, index, lane, &out) }
    }
    for process in lanes.processes {
      for (index, lane) in process.lanes.enumerated() {
        for (position, slice) in lane.slices.enumerated() {
          let next = position + 1 < lane.slices.count ? lane.slices[position + 1].start : .never
          let shown = Self.shownLength(of: slice, before: next)
          try writeSlice(
            slice, lane.kind, process, thread: thread(process, index), shown: shown, &out)
        }
      }
    }
    try writeFlows(&out)
    for process in lanes.processes { try writeQueues(of: process, &out) }
    try writeLinks(process: network, &out)
    out.add("\n]}\n")
    try out.flush(all: true)
  }

  private func thread(_ process: TimelineLanes.Process, _ lane: Int) -> Int {
    process.id * stride + lane + 1
  }

  private func writeProcess(_ id: Int, _ name: String, order: Int, to out: inout JSONText) {
    out.add(id)
    out.add(",\"name\":\"process_name\",\"args\":{\"name\":")
    out.add(quoted: name)
    out.add("}},\n{\"ph\":\"M\",\"pid\":")
    out.add(id)
    out.add(",\"name\":\"process_sort_index\",\"args\":{\"sort_index\":")
    out.add(order)
    out.add("}}")
  }

  private func writeThread(
    _ process: TimelineLanes.Process, _ index: Int, _ lane: TimelineLanes.Lane,
    _ out: inout JSONText
  ) {
    for isName in [true, false] {
      out.add(",\n{\"ph\":\"M\",\"pid\":")
      out.add(process.id)
      out.add(",\"tid\":")
      out.add(thread(process, index))
      if isName {
        out.add(",\"name\":\"thread_name\",\"args\":{\"name\":")
        out.add(quoted: lane.number == 0 ? lane.kind.name : "\(lane.kind.name) \(lane.number + 1)")
      } else {
        out.add(",\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":")
        out.add(index)
      }
      out.add("}}")
    }
  }

  // MARK: - Slices

  private func writeSlice(
    _ slice: TimelineLanes.Slice, _ kind: TimelineLanes.Kind, _ process: TimelineLanes.Process,
    thread: Int, shown: SimDuration, _ out: inout JSONText
  ) throws {
    out.add(",\n{\"ph\":\"X\",\"cat\":")
    out.add(quoted: kind.name)
    out.add(",\"pid\":")
    out.add(process.id)
    out.add(",\"tid\":")
    out.add(thread)
    out.add(",\"ts\":")
    out.add(slice.start)
    out.add(",\"dur\":")
    out.add(shown)
    out.add(",\"name\":")
    let record = Int(slice.record)
    switch kind {
    case .iteration: writeIteration(timeline.iterations[record], &out)
    case .compute, .encode, .decode, .copy, .hold: writeSpan(timeline.spans[record], &out)
    case .exchange: writeExchange(timeline.exchanges[record], &out)
    case .send: writeTransfer(timeline.transfers[record], isSent: true, &out)
    case .receive: writeTransfer(timeline.transfers[record], isSent: false, &out)
    case .reduce:
      let span = timeline.reductions[record]
      writeName("sum", of: span.unit, span.job, &out)
      writeIterationNumber(span.iteration, span.job, &out)
      writeUnit(span.unit, span.job, &out)
    }
    if shown != slice.end - slice.start {
      out.add(",\"exact_dur_us\":")
      out.add(slice.end - slice.start)
    }
    out.add("}}")
    try out.flush()
  }

  /// What is written as the length of `slice`, whose lane goes on at `next`.
  ///
  /// Perfetto rounds starts and lengths to nanoseconds, each for itself, and drops a slice that then
  /// overlaps the one after it; such a slice is cut to end before, by less than two nanoseconds, and
  /// says so.
  static func shownLength(of slice: TimelineLanes.Slice, before next: SimTime) -> SimDuration {
    let length = slice.end - slice.start
    if next == .never { return length }
    // Halves may be rounded either way.
    let start = (slice.start.picoseconds + 500) / 1000
    let limit = (next.picoseconds + 499) / 1000 - start
    if (length.picoseconds + 500) / 1000 <= limit { return length }
    return min(length, .picoseconds(max(0, limit) * 1000))
  }

  private func writeName(_ verb: String, of unit: Int32, _ job: JobID, _ out: inout JSONText) {
    guard unit >= 0 else {
      out.add(quoted: verb)
      return
    }
    let label = timeline.jobs[job.index].units[Int(unit)].label
    out.add(quoted: verb.isEmpty ? label : verb + " " + label)
  }

  private func writeIterationNumber(_ iteration: Int32, _ job: JobID, _ out: inout JSONText) {
    out.add(",\"args\":{\"iteration\":")
    out.add(timeline.counted(iteration, of: job))
  }

  private func writeUnit(_ number: Int32, _ job: JobID, _ out: inout JSONText) {
    guard number >= 0 else { return }
    let unit = timeline.jobs[job.index].units[Int(number)]
    out.add(",\"unit\":")
    out.add(number)
    out.add(",\"tensors\":")
    // A fused buffer may hold hundreds.
    let shown = unit.tensors.prefix(4).joined(separator: " ")
    out.add(
      quoted: unit.tensors.count > 4 ? shown + " +\(unit.tensors.count - 4) more" : shown)
    out.add(",\"raw_bytes\":")
    out.add(unit.bytes.bytes)
  }

  private func writeIteration(_ span: IterationSpan, _ out: inout JSONText) {
    out.add(quoted: "iteration \(timeline.counted(span.iteration, of: span.job))")
    writeIterationNumber(span.iteration, span.job, &out)
    for (name, part) in zip(Self.partNames, span.account.parts) {
      out.add(",\"")
      out.add(raw: name)
      out.add("\":")
      out.add(raw: part.exactSeconds)
    }
  }

  /// The columns of results, in the order of ``IterationAccount/parts``.
  private static let partNames = [
    "compute_time_s", "exposed_encode_s", "exposed_communication_s", "exposed_decode_s",
    "straggler_wait_s", "optimizer_time_s",
  ]

  private func writeSpan(_ span: TimelineSpan, _ out: inout JSONText) {
    writeName("\(span.kind)", of: span.unit, span.job, &out)
    writeIterationNumber(span.iteration, span.job, &out)
    out.add(",\"stream\":")
    out.add(quoted: "\(span.stream)")
    writeUnit(span.unit, span.job, &out)
  }

  private func writeExchange(_ span: ExchangeSpan, _ out: inout JSONText) {
    writeName("", of: span.unit, span.job, &out)
    writeIterationNumber(span.iteration, span.job, &out)
    writeUnit(span.unit, span.job, &out)
    let job = timeline.jobs[span.job.index]
    let exchange = job.exchanges[Int(span.exchange)]
    out.add(",\"operation\":")
    out.add(quoted: exchange.operation)
    out.add(",\"algorithm\":")
    out.add(quoted: exchange.algorithm)
    out.add(",\"bytes\":")
    out.add(exchange.bytes.bytes)
    out.add(",\"priority\":")
    out.add(job.units[Int(span.unit)].priority)
    out.add(",\"waited_us\":")
    out.add(span.start - span.ready)
  }

  private func writeTransfer(_ span: TransferSpan, isSent: Bool, _ out: inout JSONText) {
    writeName("", of: span.unit, span.job, &out)
    writeIterationNumber(span.iteration, span.job, &out)
    let job = timeline.jobs[span.job.index]
    out.add(isSent ? ",\"to\":" : ",\"from\":")
    out.add(quoted: job.name(ofRank: (isSent ? span.receiver : span.sender).index))
    out.add(",\"bytes\":")
    out.add(span.size.bytes)
    out.add(",\"unit\":")
    out.add(span.unit)
    out.add(",\"step\":")
    out.add(span.step)
    out.add(",\"priority\":")
    out.add(job.units[Int(span.unit)].priority)
    if isSent {
      out.add(",\"waited_us\":")
      out.add(span.start - span.queued)
    }
  }

  // MARK: - Flows and counters

  /// Arrows between slices that are shown at both ends.
  ///
  /// They leave and arrive at the starts of their slices; a slice under a nanosecond, which viewers
  /// round to nothing, has none.
  private func writeFlows(_ out: inout JSONText) throws {
    var starts = [(process: Int32, thread: Int32)](
      repeating: (0, 0), count: timeline.transfers.count)
    for process in lanes.processes {
      for (index, lane) in process.lanes.enumerated() where lane.kind == .send {
        for slice in lane.slices {
          starts[Int(slice.record)] = (Int32(process.id), Int32(thread(process, index)))
        }
      }
    }
    let shortest = SimDuration.picoseconds(1000)
    for process in lanes.processes {
      for (index, lane) in process.lanes.enumerated() where lane.kind == .receive {
        for slice in lane.slices {
          let number = Int(slice.record)
          let transfer = timeline.transfers[number]
          guard starts[number].process > 0, slice.end - slice.start >= shortest,
            transfer.left - transfer.start >= shortest
          else { continue }
          out.add(",\n{\"ph\":\"s\",\"cat\":\"message\",\"name\":\"message\",\"id\":")
          out.add(number + 1)
          out.add(",\"pid\":")
          out.add(starts[number].process)
          out.add(",\"tid\":")
          out.add(starts[number].thread)
          out.add(",\"ts\":")
          out.add(transfer.start)
          out.add("},\n{\"ph\":\"f\",\"bp\":\"e\",\"cat\":\"message\",\"name\":\"message\",\"id\":")
          out.add(number + 1)
          out.add(",\"pid\":")
          out.add(process.id)
          out.add(",\"tid\":")
          out.add(thread(process, index))
          out.add(",\"ts\":")
          out.add(slice.start)
          out.add("}")
          try out.flush()
        }
      }
    }
  }

  /// How many units wait for their turn on a worker, and how many messages to leave.
  private func writeQueues(
    of process: TimelineLanes.Process, _ out: inout JSONText
  ) throws {
    var changes: [(time: SimTime, units: Int, messages: Int)] = []
    for lane in process.lanes where lane.kind == .exchange {
      for slice in lane.slices {
        let span = timeline.exchanges[Int(slice.record)]
        if span.start == span.ready { continue }
        changes.append((span.ready, 1, 0))
        changes.append((span.start, -1, 0))
      }
    }
    for lane in process.lanes where lane.kind == .send {
      for slice in lane.slices {
        let span = timeline.transfers[Int(slice.record)]
        if span.start == span.queued { continue }
        changes.append((span.queued, 0, 1))
        changes.append((span.start, 0, -1))
      }
    }
    guard timeline.start < timeline.end else { return }
    changes.append((timeline.start, 0, 0))
    changes.sort { $0.time < $1.time }
    var (units, messages) = (0, 0)
    for (index, change) in changes.enumerated() {
      units += change.units
      messages += change.messages
      if index + 1 < changes.count, changes[index + 1].time == change.time { continue }
      out.add(",\n{\"ph\":\"C\",\"name\":\"waiting to be sent\",\"pid\":")
      out.add(process.id)
      out.add(",\"ts\":")
      out.add(change.time)
      out.add(",\"args\":{\"units\":")
      out.add(units)
      out.add(",\"messages\":")
      out.add(messages)
      out.add("}}")
      try out.flush()
    }
  }

  /// The share of each busy link that was in use, where it changes.
  private func writeLinks(process: Int, _ out: inout JSONText) throws {
    for use in timeline.links {
      let name = timeline.topology.links[use.link.index].name
      var last = -1.0
      for (index, share) in (use.shares + [0]).enumerated() where share != last {
        last = share
        out.add(",\n{\"ph\":\"C\",\"name\":")
        out.add(quoted: "link \(name)")
        out.add(",\"pid\":")
        out.add(process)
        out.add(",\"ts\":")
        out.add(timeline.slotStart + timeline.slotLength * index)
        out.add(",\"args\":{\"share\":")
        out.add(raw: JSONNumber.shortest(share))
        out.add("}}")
      }
      try out.flush()
    }
  }
}
