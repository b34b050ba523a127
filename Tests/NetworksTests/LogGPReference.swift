import Networks
import SimKernel

/// LogGOPSim's main loop, transcribed plainly: one sorted list of events, linear matching, every
/// operation that finds its resources busy put back into the list.
///
/// Two things differ from LogGOPSim: operations released together are posted in a stable order, and
/// with several CPUs nothing begins before what it waits for has ended.
struct LogGPReference {
  enum Kind: Int { case send = 1, receive, calculation, message }
  struct Operation {
    var kind: Kind
    var size: Int64
    var peer = -1
    var tag: Int32 = 0
    var cpu = 0
    var nic = 0
    /// Operations of the same host, and whether only their start counts.
    var requires: [(operation: Int, onStart: Bool)] = []
  }
  var hosts: [[Operation]]
  var parameters: [LogGPParameters]
  var cpus = 1
  var nics = 1

  private struct Event {
    var time: Int64
    var number: Int
    var kind: Kind
    var host: Int
    /// The host and operation of the send of a message, else this operation.
    var source: Int
    var operation: Int
  }

  /// The schedule as simnet takes it.
  func schedule() -> LogGPSchedule {
    var builder = LogGPScheduleBuilder(hosts: hosts.count)
    for (host, operations) in hosts.enumerated() {
      builder.begin(host: host)
      for operation in operations {
        let (cpu, nic) = (UInt8(operation.cpu), UInt8(operation.nic))
        switch operation.kind {
        case .send:
          builder.send(
            .bytes(operation.size), to: operation.peer, tag: operation.tag, cpu: cpu, nic: nic)
        case .receive:
          builder.receive(
            .bytes(operation.size), from: operation.peer < 0 ? nil : operation.peer,
            tag: operation.tag < 0 ? nil : operation.tag, cpu: cpu, nic: nic)
        case .calculation, .message:
          builder.calculate(.picoseconds(operation.size), cpu: cpu)
        }
      }
      for (index, operation) in operations.enumerated() {
        for other in operation.requires {
          builder.require(index, after: other.operation, onStart: other.onStart)
        }
      }
    }
    return builder.finish()
  }

  /// The finish time of every host in picoseconds; nil if something can never happen.
  func run() -> [Int64]? {
    var cpu = hosts.map { _ in [Int64](repeating: 0, count: cpus) }
    var sending = hosts.map { _ in [Int64](repeating: 0, count: nics) }
    var receiving = sending
    var pending = hosts.map { $0.map(\.requires.count) }
    var ready = hosts.map { $0.map { _ in Int64(0) } }
    var done = 0
    var posted = hosts.map { _ in [Int]() }
    var unexpected = hosts.map { _ in [(source: Int, operation: Int, end: Int64)]() }
    var events: [Event] = []
    var number = 0
    // What one event released, by host.
    var released: [(host: Int, operation: Int)] = []

    func per(_ rate: TimePerByte, _ size: Int64) -> Int64 {
      // Exact as long as rates are whole picoseconds, as in these tests.
      rate.femtoseconds / 1000 * max(size - 1, 0)
    }
    func put(_ event: Event) {
      let place =
        events.firstIndex { ($0.time, $0.number) > (event.time, event.number) } ?? events.count
      events.insert(event, at: place)
    }
    func release(_ host: Int, _ operation: Int, started: Bool, at time: Int64) {
      for (later, it) in hosts[host].enumerated() {
        for other in it.requires where other.operation == operation && other.onStart == started {
          pending[host][later] -= 1
          ready[host][later] = max(ready[host][later], time)
          if pending[host][later] == 0 { released.append((host, later)) }
        }
      }
      if !started { done += 1 }
    }
    func post() {
      for host in Set(released.map(\.host)).sorted() {
        for kind in [Kind.send, .receive, .calculation] {
          for item in released where item.host == host {
            let it = hosts[host][item.operation]
            if it.kind != kind { continue }
            var time = max(ready[host][item.operation], cpu[host][it.cpu])
            if kind == .send { time = max(time, sending[host][it.nic]) }
            number += 1
            put(
              Event(
                time: time, number: number, kind: kind, host: host, source: host,
                operation: item.operation))
          }
        }
      }
      released = []
    }
    func fits(_ receive: Operation, from source: Int, _ send: Operation) -> Bool {
      (receive.peer < 0 || receive.peer == source) && (receive.tag < 0 || receive.tag == send.tag)
    }
    func acknowledge(_ source: Int, _ operation: Int, at time: Int64) {
      let it = hosts[source][operation]
      if it.size <= parameters[source].rendezvousAbove?.bytes ?? .max { return }
      cpu[source][it.cpu] = max(cpu[source][it.cpu], time)
      sending[source][it.nic] = max(sending[source][it.nic], time)
      release(source, operation, started: false, at: time)
    }

    for host in hosts.indices {
      for operation in hosts[host].indices where pending[host][operation] == 0 {
        released.append((host, operation))
      }
    }
    post()
    while !events.isEmpty {
      var event = events.removeFirst()
      let (host, now) = (event.host, event.time)
      let it = hosts[event.source][event.operation]
      let its = parameters[host]
      switch event.kind {
      case .calculation:
        if cpu[host][it.cpu] > now {
          event.time = cpu[host][it.cpu]
          put(event)
          continue
        }
        cpu[host][it.cpu] = now + it.size
        release(host, event.operation, started: true, at: now)
        release(host, event.operation, started: false, at: now + it.size)
      case .send:
        let free = max(cpu[host][it.cpu], sending[host][it.nic])
        if free > now {
          event.time = free
          put(event)
          continue
        }
        let end = now + its.overhead.picoseconds + per(its.overheadPerByte, it.size)
        cpu[host][it.cpu] = end
        sending[host][it.nic] = now + its.gap.picoseconds + per(its.gapPerByte, it.size)
        release(host, event.operation, started: true, at: now)
        number += 1
        put(
          Event(
            time: now + its.overhead.picoseconds + its.latency.picoseconds, number: number,
            kind: .message, host: it.peer, source: host, operation: event.operation))
        if it.size <= its.rendezvousAbove?.bytes ?? .max {
          release(host, event.operation, started: false, at: end)
        }
      case .receive:
        release(host, event.operation, started: true, at: now)
        let match = unexpected[host].firstIndex {
          fits(it, from: $0.source, hosts[$0.source][$0.operation])
        }
        if let match {
          let message = unexpected[host].remove(at: match)
          acknowledge(message.source, message.operation, at: now)
          release(host, event.operation, started: false, at: max(now, message.end))
        } else {
          posted[host].append(event.operation)
        }
      case .message:
        let free = max(cpu[host][it.cpu], receiving[host][it.nic])
        if free > now {
          event.time = free
          put(event)
          continue
        }
        let bytes = per(its.gapPerByte, it.size)
        let end =
          now + its.overhead.picoseconds + max(per(its.overheadPerByte, it.size), bytes)
        cpu[host][it.cpu] = end
        receiving[host][it.nic] = now + its.gap.picoseconds + bytes
        let match = posted[host].firstIndex { fits(hosts[host][$0], from: event.source, it) }
        if let match {
          let receive = posted[host].remove(at: match)
          acknowledge(event.source, event.operation, at: now)
          release(host, receive, started: false, at: end)
        } else {
          unexpected[host].append((event.source, event.operation, end))
        }
      }
      post()
    }
    let all = hosts.reduce(0) { $0 + $1.count }
    if done < all || unexpected.contains(where: { !$0.isEmpty }) { return nil }
    return cpu.map { $0.max()! }
  }
}

extension LogGPReference {
  /// A random schedule; most run to their end, some wait for ever.
  static func random(_ random: inout RandomStream) -> LogGPReference {
    let count = 1 + random.index(below: 5)
    let (cpus, nics) = (1 + random.index(below: 2), 1 + random.index(below: 2))
    var hosts = [[Operation]](repeating: [], count: count)
    func place(_ it: inout Operation, _ random: inout RandomStream) {
      it.cpu = random.index(below: cpus)
      it.nic = random.index(below: nics)
    }
    func dependencies(
      _ host: Int, _ random: inout RandomStream
    ) -> [(operation: Int, onStart: Bool)] {
      if hosts[host].isEmpty { return [] }
      return (0..<random.index(below: 3)).map { _ in
        (random.index(below: hosts[host].count), random.index(below: 4) == 0)
      }
    }
    let hasWildcards = random.index(below: 3) == 0
    let tags = 1 + random.index(below: 3)
    for _ in 0..<random.index(below: 30) {
      let source = random.index(below: count)
      if random.index(below: 3) == 0 {
        // Also calculations of no length.
        var it = Operation(kind: .calculation, size: Int64(random.index(below: 4)) * 700)
        it.requires = dependencies(source, &random)
        place(&it, &random)
        hosts[source].append(it)
        continue
      }
      let destination = random.index(below: count)
      let size = [0, 1, 2, 5, 9, 30][random.index(below: 6)]
      let tag = Int32(random.index(below: tags))
      var send = Operation(kind: .send, size: Int64(size), peer: destination, tag: tag)
      send.requires = dependencies(source, &random)
      place(&send, &random)
      hosts[source].append(send)
      var receive = Operation(kind: .receive, size: Int64(size), peer: source, tag: tag)
      receive.requires = dependencies(destination, &random)
      if hasWildcards, random.index(below: 4) == 0 { receive.peer = -1 }
      if hasWildcards, random.index(below: 4) == 0 { receive.tag = -1 }
      place(&receive, &random)
      hosts[destination].append(receive)
    }
    let isUniform = random.index(below: 2) == 0
    func parameters(_ random: inout RandomStream) -> LogGPParameters {
      // Small numbers, so that instants coincide; zeroes among them.
      LogGPParameters(
        latency: .picoseconds(Int64(random.index(below: 4)) * 500),
        overhead: .picoseconds(Int64(random.index(below: 3)) * 500),
        gap: .picoseconds(Int64(random.index(below: 4)) * 500),
        gapPerByte: TimePerByte(femtoseconds: Int64(random.index(below: 3)) * 100_000),
        overheadPerByte: TimePerByte(femtoseconds: Int64(random.index(below: 3)) * 100_000),
        rendezvousAbove: random.index(below: 2) == 0 ? .bytes(4) : nil)
    }
    let common = parameters(&random)
    return LogGPReference(
      hosts: hosts,
      parameters: hosts.map { _ in isUniform ? common : parameters(&random) }, cpus: cpus,
      nics: nics)
  }
}
