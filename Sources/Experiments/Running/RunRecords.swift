/// The cells of finished runs and the reasons of failed ones, in memory or in journals.
final class RunRecords: Sendable {
  private let memory: [RunID: [String]]
  private let failures: [RunID: any Error]
  private let journals: JournalIndex

  /// What was kept of this run, and what journals hold.
  init(
    memory: [RunID: [String]] = [:], failures: [RunID: any Error] = [:],
    journals: JournalIndex
  ) {
    self.memory = memory
    self.failures = failures
    self.journals = journals
  }

  /// The builds that wrote the journals.
  var builds: [BuildVersion] { journals.builds }

  /// Whether the run is finished.
  func isFinished(_ id: RunID) -> Bool { memory[id] != nil || journals.isFinished(id) }

  /// The cells of a run: whole jobs of this build's columns, or nil.
  func cells(_ id: RunID) -> [String]? {
    guard let cells = memory[id] ?? journals.cells(id), !cells.isEmpty,
      cells.count % ResultColumns.measurements.count == 0
    else { return nil }
    return cells
  }

  /// Why the run failed; nil if it did not.
  func failure(_ id: RunID) -> (any Error)? {
    failures[id] ?? journals.failure(id).map { EarlierFailure(description: $0) }
  }
}
