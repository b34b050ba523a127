import CKernels

/// Whether the stores of a decode go past the caches.
///
/// An output that no cache holds would first be read into them, line by line, only to be written
/// back: half as much traffic again. What fits stays, for whoever reads it next.
struct LargeStores {
  /// The share of a last-level cache that one worker's output may take.
  static let cachedBytes = 16 << 20

  /// What kernels are told.
  let stream: Bool

  /// Stores of `count` float32 elements.
  init(_ count: Int) { stream = 4 * count > Self.cachedBytes }

  /// Orders the stores before whatever the thread does next; needed once, after the last of them.
  func finish() { if stream { ck_finish_streaming() } }
}
