/// Finish times of flows whose rates change, as an indexed 4-ary heap.
///
/// A change moves one entry; when most entries change at once, as after a solve of dense traffic,
/// ``update(_:finish:)`` rebuilds the heap in linear time instead.
struct FinishHeap: ~Copyable {
  private struct Entry: BitwiseCopyable {
    var finish: Int64
    var flow: Int32
  }
  private var entries: [Entry] = []
  /// Position of a flow in `entries`, or -1.
  private var position: [Int32] = []

  var count: Int { entries.count }
  /// The earliest finish, or `Int64.max`.
  var minimum: Int64 { entries.isEmpty ? .max : entries[0].finish }

  /// Removes the flow that finishes first.
  mutating func popMinimum() -> Int {
    let flow = Int(entries[0].flow)
    remove(flow)
    return flow
  }

  /// Removes `flow` if it is there.
  mutating func remove(_ flow: Int) {
    guard flow < position.count, position[flow] >= 0 else { return }
    let hole = Int(position[flow])
    position[flow] = -1
    let last = entries.removeLast()
    if hole == entries.count { return }
    place(last, at: hole)
    if !siftUp(hole) { siftDown(hole) }
  }

  /// Files each of `flows` under its new finish; `Int64.max` removes it.
  mutating func update(_ flows: [Int32], finish: (Int) -> Int64) {
    if flows.count * 3 < entries.count {
      for flow in flows { set(Int(flow), finish(Int(flow))) }
      return
    }
    for flow in flows {
      let index = Int(flow)
      let time = finish(index)
      while position.count <= index { position.append(-1) }
      if position[index] >= 0 {
        entries[Int(position[index])].finish = time
      } else if time != .max {
        position[index] = Int32(entries.count)
        entries.append(Entry(finish: time, flow: flow))
      }
    }
    var kept = 0
    for index in entries.indices {
      let entry = entries[index]
      if entry.finish == .max {
        position[Int(entry.flow)] = -1
        continue
      }
      entries[kept] = entry
      position[Int(entry.flow)] = Int32(kept)
      kept += 1
    }
    entries.removeLast(entries.count - kept)
    if kept > 1 {
      for index in stride(from: (kept - 2) / 4, through: 0, by: -1) { siftDown(index) }
    }
  }

  private mutating func set(_ flow: Int, _ finish: Int64) {
    while position.count <= flow { position.append(-1) }
    if finish == .max {
      remove(flow)
      return
    }
    let index: Int
    if position[flow] >= 0 {
      index = Int(position[flow])
      entries[index].finish = finish
    } else {
      index = entries.count
      position[flow] = Int32(index)
      entries.append(Entry(finish: finish, flow: Int32(flow)))
    }
    if !siftUp(index) { siftDown(index) }
  }

  private mutating func place(_ entry: Entry, at index: Int) {
    entries[index] = entry
    position[Int(entry.flow)] = Int32(index)
  }

  private mutating func siftUp(_ start: Int) -> Bool {
    var index = start
    let entry = entries[index]
    while index > 0 {
      let parent = (index - 1) / 4
      if entries[parent].finish <= entry.finish { break }
      place(entries[parent], at: index)
      index = parent
    }
    if index == start { return false }
    place(entry, at: index)
    return true
  }

  private mutating func siftDown(_ start: Int) {
    var index = start
    let entry = entries[index]
    while true {
      let first = index * 4 + 1
      if first >= entries.count { break }
      var child = first
      for other in first + 1..<max(first + 1, min(first + 4, entries.count))
      where entries[other].finish < entries[child].finish { child = other }
      if entries[child].finish >= entry.finish { break }
      place(entries[child], at: index)
      index = child
    }
    place(entry, at: index)
  }
}
