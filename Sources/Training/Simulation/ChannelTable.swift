import SimKernel

/// What messages of the jobs leave through: usually a connection between two nodes, or the one sending
/// thread of a worker or server (see ``SendingSettings``).
///
/// A communication library keeps one connection (or a fixed bundle) between two ranks and sends in
/// order over it. Without this, a ring that has fallen out of step would share each link between
/// neighbouring steps, and every step would take twice as long.
///
/// - Complexity: O(1) a message; memory O(pairs that ever spoke + messages that wait + the longest
///   run of transfer numbers whose first had not left).
struct ChannelTable {
  private struct Channel {
    let job: Int32
    /// Messages handed over and not yet gone.
    var inFlight: Int32 = 0
    var depth: Int32 = 1
    /// Waiting messages in the order in which they came, as positions in `pool`: the first and the
    /// last, or -1.
    var head: Int32 = -1
    var tail: Int32 = -1
    /// Where they are instead if the most urgent goes first: a position in `heaps`, or -1.
    var heap: Int32 = -1
  }
  private struct Waiting {
    var send: PlannedSend
    var next: Int32
  }

  /// By job.
  private let settings: [SendingSettings]
  /// Open addressing over (job, source, destination), or (job, sender); the key 0 marks a free place.
  private var keys: [UInt64] = Array(repeating: 0, count: 64)
  private var places: [Int32] = Array(repeating: 0, count: 64)
  /// The last key and channel of each source, by node: a rank talks to few others, and often to one.
  private var recent: [(key: UInt64, channel: Int32)] = []
  private var channels: [Channel] = []
  private var pool: [Waiting] = []
  private var freePool: [Int32] = []
  private var heaps: [ReadyHeap] = []
  /// The channel of a transfer that has not left yet, at its number modulo the capacity.
  ///
  /// Entries of transfers that have left are `none`; all numbers before `oldest` have.
  private var carriers: [Int32] = Array(repeating: Self.none, count: 256)
  private var oldest: Int64 = 0
  private var newest: Int64 = 0

  /// What messages of a node to itself use: they never wait.
  private static let none: Int32 = -1

  /// Channels for jobs that send as `settings` say.
  init(_ settings: [SendingSettings]) { self.settings = settings }

  /// The channel of `send` and whether it may leave now; otherwise it is kept until one before it has
  /// left.
  mutating func admit(_ send: PlannedSend) -> (channel: Int32, isFree: Bool) {
    if send.source == send.destination { return (Self.none, true) }
    let channel = index(of: send)
    if channels[channel].inFlight < channels[channel].depth {
      channels[channel].inFlight += 1
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
    if channels[channel].heap >= 0 {
      heaps[Int(channels[channel].heap)].insert(Int(place), key: Int64(send.priority))
    } else if channels[channel].head < 0 {
      channels[channel].head = place
      channels[channel].tail = place
    } else {
      pool[Int(channels[channel].tail)].next = place
      channels[channel].tail = place
    }
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
    let heap = Int(channels[channel].heap)
    if heap >= 0 {
      if let place = heaps[heap].popFirst() {
        freePool.append(Int32(place))
        return (pool[place].send, carrier)
      }
      heaps[heap].removeAll()
      channels[channel].inFlight -= 1
      return nil
    }
    let head = channels[channel].head
    guard head >= 0 else {
      channels[channel].inFlight -= 1
      return nil
    }
    channels[channel].head = pool[Int(head)].next
    freePool.append(head)
    return (pool[Int(head)].send, carrier)
  }

  /// Empties the channels of `job`; returns how many messages it had on their way or waiting.
  ///
  /// - Complexity: O(channels and messages of all jobs).
  mutating func forget(job: Int) -> Int {
    var dropped = 0
    let mask = carriers.count - 1
    for number in oldest..<newest {
      let carrier = carriers[Int(number) & mask]
      if carrier != Self.none, Int(channels[Int(carrier)].job) == job {
        carriers[Int(number) & mask] = Self.none
      }
    }
    skipFinished(before: newest)
    for index in channels.indices where Int(channels[index].job) == job {
      dropped += Int(channels[index].inFlight)
      channels[index].inFlight = 0
      if channels[index].heap >= 0 {
        let heap = Int(channels[index].heap)
        while let place = heaps[heap].popFirst() {
          freePool.append(Int32(place))
          dropped += 1
        }
        heaps[heap].removeAll()
      }
      while channels[index].head >= 0 {
        freePool.append(channels[index].head)
        channels[index].head = pool[Int(channels[index].head)].next
        dropped += 1
      }
    }
    return dropped
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

  private mutating func index(of send: PlannedSend) -> Int {
    // Distinct for up to 2^24 nodes or rank slots and 2^14 jobs, and never 0.
    let isProcess = settings[send.job].scope == .process
    let key =
      UInt64(2 * send.job + (isProcess ? 2 : 1)) << 48
      | UInt64(UInt32(bitPattern: isProcess ? send.sender : send.source.rawValue)) << 24
      | (isProcess ? 0 : UInt64(UInt32(bitPattern: send.destination.rawValue)))
    let source = send.source.index
    if source < recent.count {
      if recent[source].key == key { return Int(recent[source].channel) }
    } else {
      recent += repeatElement((key: 0, channel: -1), count: source + 1 - recent.count)
    }
    let channel = find(key, job: send.job)
    recent[source] = (key, Int32(channel))
    return channel
  }

  private mutating func find(_ key: UInt64, job: Int) -> Int {
    var place = Int(truncatingIfNeeded: RandomStream.mix(key)) & (keys.count - 1)
    while keys[place] != key {
      if keys[place] == 0 {
        channels.append(makeChannel(settings[job], job: job))
        keys[place] = key
        places[place] = Int32(channels.count - 1)
        if channels.count * 2 > keys.count { grow() }
        return channels.count - 1
      }
      place = (place + 1) & (keys.count - 1)
    }
    return Int(places[place])
  }

  private mutating func makeChannel(_ settings: SendingSettings, job: Int) -> Channel {
    var channel = Channel(job: Int32(truncatingIfNeeded: job))
    channel.depth = Int32(clamping: settings.depth)
    if settings.order == .priority {
      channel.heap = Int32(heaps.count)
      heaps.append(ReadyHeap())
    }
    return channel
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
