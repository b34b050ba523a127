import SimKernel

extension JobState {
  /// Who waits for what, when nothing more can happen.
  func waitingReport() -> [String] {
    var lines: [String] = []
    for worker in 0..<plan.workers {
      let number = Int(iteration[worker])
      if number < plan.warmup + plan.iterations, waitingSince[worker] != .never {
        lines.append(
          "\(plan.name): worker \(worker) waits for the others after iteration \(number)")
      } else if number < plan.warmup + plan.iterations {
        lines += waitingReport(worker, number)
      }
      if parities == 2, number > 0, operationsLeft[place(of: worker, number - 1)] > 0 {
        lines += waitingReport(worker, number - 1)
      }
    }
    return lines
  }

  /// The exchanges of one iteration that a worker waits in.
  private func waitingReport(_ worker: Int, _ number: Int) -> [String] {
    var lines: [String] = []
    let base = worker * cellCount + firstCell(of: number)
    for exchange in phases[phaseIndex(of: number)].exchanges {
      let (place, rank) = slots.place(exchange, worker: worker, iteration: number)
      let slot = slots[place]
      if remaining[base + exchangeOperations[exchange]] == 0, slot.isWaiting(for: rank) {
        lines.append(
          "\(plan.name): worker \(worker), iteration \(number), waits in "
            + "\(plan.exchanges[exchange].plan.name) of unit \(plan.exchanges[exchange].unit): "
            + slot.pendingDescription.split(separator: "\n").joined(separator: "; "))
      }
    }
    return lines
  }
}
