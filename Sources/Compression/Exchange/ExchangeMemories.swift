/// What the codecs of an exchange remember: of every worker and chunk, and of every server.
final class ExchangeMemories {
  /// The memories of one tensor group.
  struct Group {
    /// By rank and chunk.
    var workers: [[CodecMemory]]
    /// By shard.
    var servers: [CodecMemory]
  }
  let groups: [Group]

  private init(_ groups: [Group]) { self.groups = groups }

  /// Memories of nothing yet.
  convenience init(groups: Int, workers: Int, chunks: Int) {
    self.init(
      (0..<groups).map { _ in
        Group(
          workers: (0..<workers).map { _ in (0..<chunks).map { _ in CodecMemory() } },
          servers: (0..<chunks).map { _ in CodecMemory() })
      })
  }

  /// Memories of their own with the same content.
  func copy() -> ExchangeMemories {
    ExchangeMemories(
      groups.map { group in
        Group(
          workers: group.workers.map { $0.map { $0.copy() } },
          servers: group.servers.map { $0.copy() })
      })
  }

  /// All numbers that one worker keeps.
  func floatCount(ofWorker rank: Int) -> Int {
    groups.reduce(0) { $0 + $1.workers[rank].reduce(0) { $0 + $1.floatCount } }
  }
}
