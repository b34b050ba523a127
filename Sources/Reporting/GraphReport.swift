import Experiments
import SimKernel
import Training

/// A graph under several orders as a person or a script reads it.
public struct GraphReport {
  private let study: GraphStudy

  public init(_ study: GraphStudy) { self.study = study }

  /// One row an order: times in seconds, E and S without unit.
  public var table: ResultTable {
    ResultTable(
      header: [
        "schedule", "runs", "makespan_s", "makespan_p5_s", "makespan_p95_s", "bound_s",
        "upper_s", "lower_s", "efficiency", "speedup", "is_bound",
      ], sweptCount: 0,
      rows: study.entries.map { entry in
        let metrics = entry.metrics
        return [
          entry.order.rawValue, String(entry.makespans.count), JSONNumber.shortest(entry.mean),
          JSONNumber.shortest(entry.percentile(0.05)), JSONNumber.shortest(entry.percentile(0.95)),
          study.graph.makespanBound.exactSeconds, metrics.upper.exactSeconds,
          metrics.lower.exactSeconds, JSONNumber.shortest(metrics.efficiency),
          JSONNumber.shortest(metrics.speedup), entry.isBound ? "1" : "0",
        ]
      })
  }

  /// One row a step of each order's critical path, in the first of its runs.
  public var criticalPathTable: ResultTable {
    ResultTable(
      header: [
        "schedule", "step", "operation", "kind", "resource", "start_s", "duration_s",
        "waited_for", "blocker",
      ], sweptCount: 0,
      rows: study.entries.flatMap { entry in
        steps(entry).enumerated().map { index, step in
          let (reason, blocker) = words(step.reason)
          let operation = study.graph.operations[step.operation.index]
          return [
            entry.order.rawValue, String(index), study.graph.names[step.operation.index],
            operation.kind.rawValue, study.graph.resources[operation.resource.index].name,
            (step.start - SimTime.zero).exactSeconds, step.duration.exactSeconds, reason, blocker,
          ]
        }
      })
  }

  private func steps(_ entry: GraphStudy.Entry) -> [CriticalStep] {
    entry.timeline?.criticalPath(of: study.graph) ?? []
  }

  private func words(_ reason: CriticalStep.Reason) -> (String, String) {
    switch reason {
    case .start: ("nothing", "")
    case .dependency(let id): ("dependency", study.graph.names[id.index])
    case .resource(let id): ("resource", study.graph.names[id.index])
    }
  }

  /// Everything, for standard output.
  public func text(criticalPaths: Bool) -> String {
    let graph = study.graph
    var text =
      "\(graph.name): \(graph.count) operations on \(graph.resources.count) "
      + "\(graph.resources.count == 1 ? "resource" : "resources"); no order ends before "
      + "\(Numbers.seconds(graph.makespanBound.seconds)) (busiest resource "
      + "\(Numbers.seconds((graph.loads.max() ?? .zero).seconds)), longest chain "
      + "\(Numbers.seconds(graph.longestChain.seconds)))\n\n"
    var table = TextTable([
      (title: "schedule", alignment: .left), (title: "makespan", alignment: .right),
      (title: "p5", alignment: .right), (title: "p95", alignment: .right),
      (title: "U", alignment: .right), (title: "L", alignment: .right),
      (title: "E", alignment: .right), (title: "S", alignment: .right),
      (title: "runs", alignment: .right), (title: "", alignment: .left),
    ])
    for entry in study.entries {
      let metrics = entry.metrics
      let varies = entry.makespans.count > 1
      table.add([
        entry.order.rawValue, Numbers.seconds(entry.mean),
        varies ? Numbers.seconds(entry.percentile(0.05)) : "",
        varies ? Numbers.seconds(entry.percentile(0.95)) : "",
        Numbers.seconds(metrics.upper.seconds), Numbers.seconds(metrics.lower.seconds),
        Numbers.fixed(metrics.efficiency, 3), Numbers.fixed(metrics.speedup, 3),
        entry.isBound ? "0" : String(entry.makespans.count),
        entry.isBound
          ? "a lower bound: too many orders to try"
          : entry.order == .oracle ? "no order is better" : "",
      ])
    }
    text += table.text()
    if criticalPaths {
      for entry in study.entries where !entry.isBound { text += "\n" + path(entry) }
    }
    return text
  }

  private func path(_ entry: GraphStudy.Entry) -> String {
    var table = TextTable([
      (title: "critical path, \(entry.order.rawValue)", alignment: .left),
      (title: "start", alignment: .right), (title: "duration", alignment: .right),
      (title: "on", alignment: .left), (title: "waited for", alignment: .left),
    ])
    for step in steps(entry) {
      let (reason, blocker) = words(step.reason)
      let operation = study.graph.operations[step.operation.index]
      table.add([
        study.graph.names[step.operation.index],
        Numbers.seconds((step.start - SimTime.zero).seconds),
        Numbers.seconds(step.duration.seconds),
        study.graph.resources[operation.resource.index].name,
        blocker.isEmpty ? reason : "\(reason): \(blocker)",
      ])
    }
    return table.text()
  }
}
