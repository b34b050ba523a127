/// A part of a sweep: the points whose index leaves `index` when divided by `count`.
///
/// Neighbouring points, which tend to cost the same, go to different shards.
public struct Shard: Sendable, Equatable, CustomStringConvertible {
  /// From 0.
  public let index: Int
  /// Shards in all.
  public let count: Int

  /// The whole sweep.
  public static let whole = Shard(0, of: 1)!

  /// Shard `index` of `count`; nil unless 0 <= index < count.
  public init?(_ index: Int, of count: Int) {
    guard index >= 0, index < count else { return nil }
    self.index = index
    self.count = count
  }

  /// The shard written as `i/n`, with `i` from 0.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1] else { return nil }
    self.init(index, of: count)
  }

  /// As it is written.
  public var description: String { "\(index)/\(count)" }

  /// Its points of a sweep of `total`.
  public func points(of total: Int) -> StrideTo<Int> { stride(from: index, to: total, by: count) }
}
