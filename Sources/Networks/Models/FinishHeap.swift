/// The next event of every flow, its end or its arrival, as an indexed 4-ary heap.
///
/// A flow has at most one event pending, which every change of rate moves, so the heap is indexed by
/// flow: nothing stale is ever kept. When most events move at once, as after a solve of dense
/// traffic, ``update(_:finish:)`` rebuilds the heap in linear time. Equal times, which synchronous
/// collectives are full of, sift in O(1).
struct FinishHeap: ~Copyable {
  struct Entry: BitwiseCopyable {
    var finish: Int64
    var flow: Int32
  }
  private var entries = FlatBuffer<Entry>()
  /// Position of a flow in `entries`, or -1.
  private var position = FlatBuffer<Int32>()

  /// The earliest event, or `Int64.max`.
  var minimum: Int64 { entries.isEmpty ? .max : entries[0].finish }

  /// The entry of the earliest event, if there is one.
  var first: Entry? { entries.isEmpty ? nil : entries[0] }

  /// Removes the flow whose event is first.
  mutating func popMinimum() -> Int {
    let flow = Int(entries[0].flow)
    position[flow] = -1
    if let last = entries.popLast(), !entries.isEmpty { siftDown(0, last) }
    return flow
  }

  /// Removes `flow` if it is there.
  mutating func remove(_ flow: Int) {
    guard flow < position.count, position[flow] >= 0 else { return }
    let hole = Int(position[flow])
    position[flow] = -1
    if let last = entries.popLast(), hole < entries.count { move(last, to: hole) }
  }

  /// Files `flow` under `finish`; `Int64.max` removes it.
  mutating func set(_ flow: Int, _ finish: Int64) {
    if finish == .max {
      remove(flow)
      return
    }
    while position.count <= flow { position.append(-1) }
    let entry = Entry(finish: finish, flow: Int32(truncatingIfNeeded: flow))
    if position[flow] >= 0 {
      move(entry, to: Int(position[flow]))
    } else {
      entries.append(entry)
      move(entry, to: entries.count - 1)
    }
  }

  /// Files each of `flows` under its new finish; `Int64.max` removes it.
  mutating func update(_ flows: borrowing FlatBuffer<Int32>, finish: (Int) -> Int64) {
    if flows.count * 3 < entries.count {
      for index in flows.indices { set(Int(flows[index]), finish(Int(flows[index]))) }
      return
    }
    for index in flows.indices {
      let flow = Int(flows[index])
      let time = finish(flow)
      while position.count <= flow { position.append(-1) }
      if position[flow] >= 0 {
        entries[Int(position[flow])].finish = time
      } else if time != .max {
        position[flow] = Int32(entries.count)
        entries.append(Entry(finish: time, flow: Int32(truncatingIfNeeded: flow)))
      }
    }
    var kept = 0
    for index in entries.indices {
      let entry = entries[index]
      if entry.finish == .max {
        position[Int(entry.flow)] = -1
        continue
      }
      place(entry, at: kept)
      kept += 1
    }
    entries.truncate(to: kept)
    if kept > 1 {
      for index in stride(from: (kept - 2) / 4, through: 0, by: -1) {
        siftDown(index, entries[index])
      }
    }
  }

  @inline(__always)
  private mutating func place(_ entry: Entry, at index: Int) {
    entries[index] = entry
    position[Int(entry.flow)] = Int32(truncatingIfNeeded: index)
  }

  /// Puts `entry` at `start` or where order wants it from there.
  private mutating func move(_ entry: Entry, to start: Int) {
    var index = start
    while index > 0 {
      let parent = (index - 1) / 4
      if entries[parent].finish <= entry.finish { break }
      place(entries[parent], at: index)
      index = parent
    }
    if index == start { siftDown(start, entry) } else { place(entry, at: index) }
  }

  private mutating func siftDown(_ start: Int, _ entry: Entry) {
    var index = start
    while true {
      let first = index * 4 + 1
      if first >= entries.count { break }
      var child = first
      var other = first + 1
      let end = min(first + 4, entries.count)
      while other < end {
        if entries[other].finish < entries[child].finish { child = other }
        other += 1
      }
      if entries[child].finish >= entry.finish { break }
      place(entries[child], at: index)
      index = child
    }
    place(entry, at: index)
  }
}
