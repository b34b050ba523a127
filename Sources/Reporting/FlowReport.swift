import Experiments
import SimKernel

/// What a list of flows did, as a person reads it: how many, how long, and where it was crowded.
public struct FlowReport {
  private let result: FlowResult

  public init(_ result: FlowResult) { self.result = result }

  /// Percentiles of completion time and slowdown: one row each, for scripts.
  public var table: ResultTable {
    func row(_ name: String, _ values: FlowResult.Distribution) -> [String] {
      [name]
        + [values.mean, values.p50, values.p90, values.p99, values.maximum].map {
          $0.isNaN ? "" : JSONNumber.shortest($0)
        }
    }
    return ResultTable(
      header: ["quantity", "mean", "p50", "p90", "p99", "max"], sweptCount: 0,
      rows: [
        row("completion_s", result.completionTimes), row("slowdown", result.slowdowns),
      ])
  }

  /// Everything, for standard output.
  public var text: String {
    let outcome = result.outcome
    var head =
      "\(outcome.delivered) of \(result.flows.count) flows of \(result.scene.topology.name) under "
      + "\(result.scene.network.model.rawValue) and \(result.scene.network.transport.name): "
      + "\(result.deliveredBytes) in \((outcome.end - .zero).exactSeconds) s"
    if outcome.reroutes > 0 { head += "; \(outcome.reroutes) took another way" }
    if outcome.lost > 0 { head += "; \(outcome.lost) were lost" }
    return head + "\n\n" + distributions + "\n" + hotSpots
  }

  private var distributions: String {
    var table = TextTable(
      [(title: "", alignment: .left)]
        + ["mean", "p50", "p90", "p99", "max"].map { (title: $0, alignment: .right) })
    func add(_ name: String, _ values: FlowResult.Distribution, _ show: (Double) -> String) {
      table.add(
        [name]
          + [values.mean, values.p50, values.p90, values.p99, values.maximum].map {
            $0.isNaN ? "-" : show($0)
          })
    }
    add("completion time", result.completionTimes) { Numbers.seconds($0) }
    add("slowdown", result.slowdowns) { Numbers.significant($0, 4) + "x" }
    return table.text()
  }

  /// The links that were busy longest; ties go to the one that carried more, then the first.
  private var hotSpots: String {
    let loads = result.linkLoads.filter { $0.usage.carried > .zero }
    if loads.isEmpty { return "nothing crossed a link\n" }
    let hottest = loads.sorted {
      ($1.usage.busy, $1.usage.carried, $0.link) < ($0.usage.busy, $0.usage.carried, $1.link)
    }
    let hasPorts = loads.contains { $0.port != nil }
    var columns: [(title: String, alignment: TextTable.Alignment)] = [
      ("busiest link", .left), ("busy", .right), ("utilization", .right), ("bytes", .right),
      ("flows", .right),
    ]
    if hasPorts { columns += [("longest queue", .right), ("lost", .right), ("marked", .right)] }
    columns.append(("top talkers", .left))
    var table = TextTable(columns)
    for load in hottest.prefix(5) {
      var cells = [
        result.scene.topology.links[load.link.index].name,
        Numbers.fixed(load.busyShare * 100, 1) + " %",
        Numbers.fixed(load.utilization * 100, 1) + " %", String(load.usage.carried.bytes),
        String(load.flows),
      ]
      if let port = load.port {
        cells.append(String(port.highWaterMark.bytes))
        cells.append(String(port.dropped + port.trimmed))
        cells.append(String(port.marked))
      }
      cells.append(talkers(of: load))
      table.add(cells)
    }
    return table.text()
  }

  private func talkers(of load: FlowResult.LinkLoad) -> String {
    let names = result.scene.topology.nodeNames
    return load.talkers.prefix(2).map { talker in
      let share = Numbers.fixed(talker.share * 100, 0)
      return "\(names[talker.source.index])->\(names[talker.destination.index]) \(share) %"
    }.joined(separator: ", ")
  }
}
