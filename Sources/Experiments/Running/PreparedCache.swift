import Synchronization

/// Points that were prepared to be checked and wait to be run: a few thousand of them, however many
/// there are, so that memory stays flat.
final class PreparedCache: Sendable {
  /// A prepared point takes a few kilobytes.
  private static let capacity = 16_384
  private let points = Mutex<[UInt64: PreparedPoint]>([:])

  /// Keeps `point` under the hash of its configuration while there is room.
  func put(_ point: PreparedPoint, hash: UInt64) {
    points.withLock { if $0.count < Self.capacity { $0[hash] = point } }
  }

  /// Hands the point over, which is then no longer kept.
  func take(hash: UInt64) -> PreparedPoint? {
    points.withLock { $0.removeValue(forKey: hash) }
  }
}
