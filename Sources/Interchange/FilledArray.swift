import Glibc

extension [Float] {
  /// An array of `count` elements that `body` fills completely, without zeroing it first.
  static func filled(
    count: Int,
    _ body: (UnsafeMutableBufferPointer<Float>) throws(InterchangeError) -> Void
  ) throws(InterchangeError) -> [Float] {
    var failure: InterchangeError?
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(InterchangeError) {
        askForHugePages(UnsafeRawBufferPointer(buffer))
        // The buffer may be larger than asked for.
        try body(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
        initialized = count
      } catch { failure = error }
    }
    if let failure { throw failure }
    return values
  }
}

/// Asks the system to back a large buffer with huge pages, before it is first touched.
///
/// Most of the time of filling fresh memory goes into faults of single pages. Only advice: a refusal
/// changes nothing.
private func askForHugePages(_ buffer: UnsafeRawBufferPointer) {
  guard let base = buffer.baseAddress, buffer.count >= 4 << 20 else { return }
  let page = 4096
  // In bounds: only the whole pages inside the buffer are named.
  let skipped = (page - Int(bitPattern: base) % page) % page
  let length = (buffer.count - skipped) / page * page
  _ = madvise(UnsafeMutableRawPointer(mutating: base + skipped), length, MADV_HUGEPAGE)
}
