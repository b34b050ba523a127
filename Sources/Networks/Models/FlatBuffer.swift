/// A growable array of plain values with one owner: in-place edits need no uniqueness check.
///
/// Standard arrays spend a call on that check at every mutation, which is a tenth of the time of a
/// ring all-reduce. Indices are checked as usual.
struct FlatBuffer<Element: BitwiseCopyable>: ~Copyable {
  /// Owned memory for `capacity` elements, of which `count` are initialised; freed in `deinit`.
  private(set) var base: UnsafeMutablePointer<Element>
  private(set) var count = 0
  private var capacity: Int

  init(capacity: Int = 16) {
    self.capacity = max(capacity, 1)
    base = Self.memory(self.capacity)
  }
  init(repeating element: Element, count: Int) {
    self.init(capacity: count)
    base.initialize(repeating: element, count: count)
    self.count = count
  }
  deinit { UnsafeMutableRawPointer(base).deallocate() }

  /// Room for `capacity` elements that begins with a cache line, as elements of such a size hope for.
  private static func memory(_ capacity: Int) -> UnsafeMutablePointer<Element> {
    UnsafeMutableRawPointer.allocate(
      byteCount: capacity * MemoryLayout<Element>.stride, alignment: 64
    ).bindMemory(to: Element.self, capacity: capacity)
  }

  var isEmpty: Bool { count == 0 }
  var indices: Range<Int> { 0..<count }

  subscript(index: Int) -> Element {
    @inline(__always) _read {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "index out of range")
      yield base[index]
    }
    @inline(__always) _modify {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "index out of range")
      yield &base[index]
    }
  }

  @inline(__always)
  mutating func append(_ element: Element) {
    if count == capacity { grow() }
    // In bounds: count < capacity was just ensured.
    base[count] = element
    count &+= 1
  }

  @inline(__always)
  mutating func popLast() -> Element? {
    if count == 0 { return nil }
    count &-= 1
    return base[count]
  }

  /// Keeps the first `kept` elements and the memory.
  mutating func truncate(to kept: Int = 0) {
    precondition(kept >= 0 && kept <= count, "a buffer is only shortened")
    count = kept
  }

  @inline(never)
  private mutating func grow() {
    let larger = Self.memory(capacity * 2)
    larger.update(from: base, count: count)
    UnsafeMutableRawPointer(base).deallocate()
    base = larger
    capacity *= 2
  }
}
