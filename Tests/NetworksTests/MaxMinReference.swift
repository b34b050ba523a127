import Networks
import SimKernel

/// A brute-force weighted max-min solver, written from the definition.
///
/// Raise all rates together, stop what saturates, go on. Ties within 1e-12 stop together.
func bruteForceRates(
  paths: [[Int]], weights: [Double], caps: [Double], capacities: [Double]
) -> [Double] {
  var rates = [Double](repeating: 0, count: paths.count)
  var open = Set(paths.indices)
  while !open.isEmpty {
    var step = Double.infinity
    for flow in open { step = min(step, (caps[flow] - rates[flow]) / weights[flow]) }
    for (link, capacity) in capacities.enumerated() {
      let users = open.filter { paths[$0].contains(link) }
      if users.isEmpty { continue }
      let used = paths.indices.filter { paths[$0].contains(link) }.reduce(0) { $0 + rates[$1] }
      let weight = users.reduce(0) { $0 + weights[$1] }
      step = min(step, max(0, capacity - used) / weight)
    }
    for flow in open { rates[flow] += step * weights[flow] }
    var stopped: [Int] = []
    for flow in open {
      let capped = rates[flow] >= caps[flow] * (1 - 1e-12)
      let saturated = paths[flow].contains { link in
        let used = paths.indices.filter { paths[$0].contains(link) }.reduce(0) { $0 + rates[$1] }
        return used >= capacities[link] * (1 - 1e-12)
      }
      if capped || saturated { stopped.append(flow) }
    }
    precondition(!stopped.isEmpty)
    open.subtract(stopped)
  }
  return rates
}

/// Finish times in seconds of flows at brute-force rates, from event to event.
func bruteForceFinishTimes(
  paths: [[Int]], bytes: [Double], starts: [Double], bytesPerSecond: [Double]
) -> [Double] {
  var left = bytes
  var ends = [Double](repeating: .nan, count: bytes.count)
  var now = 0.0
  while let next = ends.indices.first(where: { ends[$0].isNaN }) {
    let active = ends.indices.filter { ends[$0].isNaN && starts[$0] <= now }
    let rates = bruteForceRates(
      paths: active.map { paths[$0] }, weights: active.map { _ in 1 },
      caps: active.map { _ in .infinity }, capacities: bytesPerSecond)
    var step = starts[next] > now ? starts[next] - now : Double.infinity
    for start in starts where start > now { step = min(step, start - now) }
    for (index, rate) in zip(active, rates) { step = min(step, left[index] / rate) }
    // An arrival is reached exactly, not by adding rounded steps.
    now = starts.first { abs($0 - (now + step)) < 1e-15 } ?? now + step
    for (index, rate) in zip(active, rates) {
      left[index] -= rate * step
      if left[index] <= 1e-9 * bytes[index] { ends[index] = now }
    }
  }
  return ends
}

/// Checks that no link carries too much and that every flow has a bottleneck: a full link on its way
/// on which nobody gets more for his weight, or its own cap.
func violations(
  of rates: [(transfer: Transfer, weight: Double, rate: Double)], in topology: Topology,
  capacity: (LinkID) -> Double, cap: Double = .infinity
) -> [String] {
  var found: [String] = []
  let paths = rates.map { entry in
    topology.route(
      from: entry.transfer.source, to: entry.transfer.destination,
      key: Topology.routeKey(from: entry.transfer.source, to: entry.transfer.destination))!
  }
  var used = [Double](repeating: 0, count: topology.links.count)
  var largest = used
  for (entry, path) in zip(rates, paths) {
    for link in path {
      used[link.index] += entry.rate
      largest[link.index] = max(largest[link.index], entry.rate / entry.weight)
    }
  }
  for link in topology.links.indices where used[link] > capacity(LinkID(link)) * (1 + 1e-12) {
    found.append("link \(link) carries \(used[link])")
  }
  for (entry, path) in zip(rates, paths) {
    if entry.rate >= cap * (1 - 1e-12) { continue }
    let bottleneck = path.contains { link in
      used[link.index] >= capacity(link) * (1 - 1e-9)
        && entry.rate / entry.weight >= largest[link.index] * (1 - 1e-9)
    }
    if !bottleneck { found.append("transfer \(entry.transfer.id.sequence) has no bottleneck") }
  }
  return found
}
