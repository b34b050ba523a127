import SimKernel

/// The connections of the jobs: between two nodes of one job messages leave one after the other.
///
/// A communication library keeps one connection (or a fixed bundle) between two ranks and sends in
/// order over it. Without this, a ring that has fallen out of step would share each link between
/// neighbouring steps, and every step would take twice as long.
///
/// - Complexity: O(1) a message; memory O(pairs that ever spoke + messages that wait + the longest
///   run of transfer numbers whose first had not left).
struct ChannelTable {
  private struct Channel {
    var isBusy = false
    /// Waiting messages, as positions in `pool`: the first and the last, or -1.
    var head: Int32 = -1
    var tail: Int32 = -1
  }
  private struct Waiting {
    var send: PlannedSend
    var next: Int32
  }

  /// Open addressing over (job, source, destination); the key 0 marks a free place.
  private var keys: [UInt64] = Array(repeating: 0, count: 64)
  private var places: [Int32] = Array(repeating: 0, count: 64)
  /// The last key and channel of each source, by node: a rank talks to few others, and often to one.
  private var recent: [(key: UInt64, channel: Int32)] = []
  private var channels: [Channel] = []
  private var pool: [Waiting] = []
  private var freePool: [Int32] = []
  /// The channel of a transfer that has not left yet, at its number modulo the capacity.
  ///
  /// Entries of transfers that have left are `none`; all numbers before `oldest` have.
  private var carriers: [Int32] = Array(repeating: Self.none, count: 256)
  private var oldest: Int64 = 0
  private var newest: Int64 = 0

  /// What messages of a node to itself use: they never wait.
  private static let none: Int32 = -1

  /// The channel of `send` and whether it may leave now; otherwise it is kept until the one before
  /// it has left.
  mutating func admit(_ send: PlannedSend) -> (channel: Int32, isFree: Bool) {
    if send.source == send.destination { return (Self.none, true) }
    let channel = index(job: send.job, from: send.source, to: send.destination)
    if !channels[channel].isBusy {
      channels[channel].isBusy = true
      return (Int32(channel), true)
    }
    let place: Int32
    if let free = freePool.popLast() {
      place = free
      pool[Int(place)] = Waiting(send: send, next: -1)
    } else {
      place = Int32(pool.count)
      pool.append(Waiting(send: send, next: -1))
    }
    if channels[channel].head < 0 {
      channels[channel].head = place
    } else {
      pool[Int(channels[channel].tail)].next = place
    }
    channels[channel].tail = place
    return (Int32(channel), false)
  }

  /// Transfer `number` now uses `channel`; numbers go up by one.
  mutating func occupy(_ channel: Int32, with number: Int64) {
    newest = number + 1
    if Int(newest - oldest) > carriers.count {
      skipFinished(before: number)
      if Int(newest - oldest) > carriers.count { widen() }
    }
    carriers[Int(number) & (carriers.count - 1)] = channel
  }

  /// The last byte of transfer `number` has left; returns the message that follows on its channel.
  mutating func release(_ number: Int64) -> (send: PlannedSend, channel: Int32)? {
    let mask = carriers.count - 1
    let carrier = carriers[Int(number) & mask]
    carriers[Int(number) & mask] = Self.none
    skipFinished(before: newest)
    if carrier == Self.none { return nil }
    let channel = Int(carrier)
    let head = channels[channel].head
    guard head >= 0 else {
      channels[channel].isBusy = false
      return nil
    }
    channels[channel].head = pool[Int(head)].next
    freePool.append(head)
    return (pool[Int(head)].send, carrier)
  }

  private mutating func skipFinished(before end: Int64) {
    let mask = carriers.count - 1
    while oldest < end, carriers[Int(oldest) & mask] == Self.none { oldest += 1 }
  }

  /// Twice the room for transfers between `oldest` and `newest`.
  private mutating func widen() {
    let old = carriers
    carriers = Array(repeating: Self.none, count: old.count * 2)
    // The newest has no entry yet.
    for number in oldest..<newest - 1 {
      carriers[Int(number) & (carriers.count - 1)] = old[Int(number) & (old.count - 1)]
    }
  }

  private mutating func index(
    job: Int, from source: NodeID, to destination: NodeID
  ) -> Int {
    // Distinct for up to 2^24 nodes and 2^15 jobs, and never 0.
    let key =
      UInt64(job + 1) << 48 | UInt64(UInt32(bitPattern: source.rawValue)) << 24
      | UInt64(UInt32(bitPattern: destination.rawValue))
    if source.index < recent.count {
      if recent[source.index].key == key { return Int(recent[source.index].channel) }
    } else {
      recent += repeatElement((key: 0, channel: -1), count: source.index + 1 - recent.count)
    }
    let channel = find(key)
    recent[source.index] = (key, Int32(channel))
    return channel
  }

  private mutating func find(_ key: UInt64) -> Int {
    var place = Int(truncatingIfNeeded: RandomStream.mix(key)) & (keys.count - 1)
    while keys[place] != key {
      if keys[place] == 0 {
        channels.append(Channel())
        keys[place] = key
        places[place] = Int32(channels.count - 1)
        if channels.count * 2 > keys.count { grow() }
        return channels.count - 1
      }
      place = (place + 1) & (keys.count - 1)
    }
    return Int(places[place])
  }

  private mutating func grow() {
    let (oldKeys, oldPlaces) = (keys, places)
    keys = Array(repeating: 0, count: oldKeys.count * 2)
    places = Array(repeating: 0, count: oldKeys.count * 2)
    for (key, value) in zip(oldKeys, oldPlaces) where key != 0 {
      var place = Int(truncatingIfNeeded: RandomStream.mix(key)) & (keys.count - 1)
      while keys[place] != 0 { place = (place + 1) & (keys.count - 1) }
      keys[place] = key
      places[place] = value
    }
  }
}
