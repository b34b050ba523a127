/// Names that a trace repeats, each kept once and called by a number.
///
/// Numbers count from 0 in the order of first appearance. Name 0 is the empty one.
///
/// - Complexity: O(bytes) for each name looked up; memory for the different ones only.
public struct NameTable: Sendable, Equatable {
  private var arena: [UInt8] = []
  private var ends: [Int] = []
  private var hashes: [UInt64] = []
  /// Open addressing: a name's number, or -1.
  private var slots = [Int32](repeating: -1, count: 64)

  public init() { _ = index(of: "") }

  /// The number of names.
  public var count: Int { ends.count }

  /// The name with this number.
  ///
  /// - Precondition: `0 <= index < count`.
  public subscript(_ index: Int32) -> String {
    String(decoding: arena[bounds(of: Int(index))], as: UTF8.self)
  }

  private func bounds(of index: Int) -> Range<Int> {
    (index == 0 ? 0 : ends[index - 1])..<ends[index]
  }

  /// The number of `name`, which is added if it is new.
  public mutating func index(of name: String) -> Int32 {
    var name = name
    return name.withUTF8 { index(of: UnsafeRawBufferPointer($0)) }
  }

  /// The number of `name` if it is there.
  public func find(_ name: String) -> Int32? {
    var name = name
    return name.withUTF8 { bytes in
      let entry = slots[slot(of: UnsafeRawBufferPointer(bytes), Self.hash(.init(bytes)))]
      return entry < 0 ? nil : entry
    }
  }

  /// The number of the name with these bytes, which is added if it is new.
  mutating func index(of name: UnsafeRawBufferPointer) -> Int32 {
    let hash = Self.hash(name)
    let slot = slot(of: name, hash)
    if slots[slot] >= 0 { return slots[slot] }
    let index = Int32(ends.count)
    slots[slot] = index
    arena.append(contentsOf: name)
    ends.append(arena.count)
    hashes.append(hash)
    if ends.count * 2 > slots.count { grow() }
    return index
  }

  private func slot(of name: UnsafeRawBufferPointer, _ hash: UInt64) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] >= 0 {
      let index = Int(slots[slot])
      if hashes[index] == hash, isEqual(bounds(of: index), name) { return slot }
      slot = (slot + 1) & mask
    }
    return slot
  }

  private func isEqual(_ bounds: Range<Int>, _ name: UnsafeRawBufferPointer) -> Bool {
    guard bounds.count == name.count else { return false }
    return arena.withUnsafeBytes { arena in
      // In bounds: the name lies within the arena, and both have as many bytes.
      var place = 0
      while place + 8 <= name.count {
        if arena.loadUnaligned(fromByteOffset: bounds.lowerBound + place, as: UInt64.self)
          != name.loadUnaligned(fromByteOffset: place, as: UInt64.self)
        {
          return false
        }
        place += 8
      }
      while place < name.count {
        if arena[bounds.lowerBound + place] != name[place] { return false }
        place += 1
      }
      return true
    }
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: slots.count * 2)
    let mask = slots.count - 1
    for (index, hash) in hashes.enumerated() {
      var slot = Int(truncatingIfNeeded: hash) & mask
      while slots[slot] >= 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(index)
    }
  }

  /// Multiplies and folds eight bytes at a time, which is good enough for names.
  private static func hash(_ name: UnsafeRawBufferPointer) -> UInt64 {
    var hash = UInt64(name.count) &* 0x9E37_79B9_7F4A_7C15
    var place = 0
    while place + 8 <= name.count {
      let word = name.loadUnaligned(fromByteOffset: place, as: UInt64.self)
      hash = mix(hash ^ word)
      place += 8
    }
    var rest: UInt64 = 0
    while place < name.count {
      rest = rest << 8 | UInt64(name[place])
      place += 1
    }
    return mix(hash ^ rest)
  }
  private static func mix(_ value: UInt64) -> UInt64 {
    let product = value &* 0xD6E8_FEB8_6659_FD93
    return product ^ product >> 32
  }
}
