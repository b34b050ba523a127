import SimKernel

extension PacketNetwork {
  // Pointers: see PacketNetwork+Ports.swift.

  /// A data packet, or what is left of one, reaches its receiver by `link`; it returns as an
  /// acknowledgement or a refusal.
  @inline(__always)
  mutating func receiveData(_ index: Int, _ link: Int) {
    let packet = packets.base + index
    let number = Int(packet.pointee.flow)
    let flow = flows.base + number
    let isWhole = packet.pointee.kind == .data
    if isWhole {
      counters.arrived &+= 1
      counters.bytesArrived &+= Int64(packet.pointee.wire &- rules.overhead)
    } else {
      counters.trimmedArrived &+= 1
    }
    if flow.pointee.phase == .cancelled {
      discard(index)
      return
    }
    if isWhole {
      if bits.insert(packet.pointee.sequence, in: flow.pointee.receivedBits) {
        flow.pointee.received &+= 1
        if packet.pointee.sequence == flow.pointee.receivedCumulative {
          flow.pointee.receivedCumulative = bits.firstClear(
            from: packet.pointee.sequence &+ 1, to: flow.pointee.total,
            in: flow.pointee.receivedBits)
        }
        if flow.pointee.received == flow.pointee.total { deliver(number) }
      } else {
        counters.duplicates += 1
      }
    }
    packet.pointee.kind = isWhole ? .acknowledgement : .refusal
    packet.pointee.wire = rules.wireControl
    packet.pointee.value = flow.pointee.receivedCumulative
    if rules.law == .dcqcn {
      packet.pointee.isNotification =
        packet.pointee.isMarked && present >= flow.pointee.nextNotification
      if packet.pointee.isNotification {
        flow.pointee.nextNotification =
          present &+ rules.rateControl.notificationInterval.picoseconds
      }
    }
    returnToSender(index)
    if rules.law == .ndp {
      flow.pointee.expected = max(0, flow.pointee.expected &- 1)
      if flow.pointee.expected < flow.pointee.total &- flow.pointee.received {
        flow.pointee.expected &+= 1
        askForPull(number, link)
      }
    }
  }

  /// Tells that a transfer has been delivered, and remembers what that cost for as long as the
  /// instant lasts.
  mutating func announceDelivery(_ number: Int) {
    let flow = flows.base + number
    flow.pointee.isDelivered = true
    if flow.pointee.retransmissions > 0 {
      deliveries.append(
        flow.pointee.transfer.id,
        TransferLosses(
          retransmissions: Int64(flow.pointee.retransmissions),
          lost: ByteCount(flow.pointee.bytesRepeated)))
    }
    outbox.append(.delivered, of: flow.pointee.transfer)
  }

  private mutating func deliver(_ number: Int) {
    let transfer = flows[number].transfer
    let launch =
      topology.shareHost(transfer.source, transfer.destination)
      ? transport.innerLaunch : transport.launch
    if launch == .zero {
      announceDelivery(number)
    } else {
      schedule(
        .delivery, number, generation: flows[number].generation,
        at: (SimTime(picoseconds: present) + launch).picoseconds)
    }
  }

  /// Sends a control packet of the receiver on its way.
  @inline(__always)
  private mutating func returnToSender(_ index: Int) {
    counters.controlSent &+= 1
    let packet = packets.base + index
    let flow = flows.base + Int(packet.pointee.flow)
    packet.pointee.cursor = nextPath(flow.pointee.backward, &flow.pointee.backwardSpray)
    packet.pointee.way = paths.pool[Int(packet.pointee.cursor)]
    enter(index, Int(flow.pointee.backward.first), from: -1)
  }

  /// Where in the pool the next packet's way begins.
  @inline(__always)
  mutating func nextPath(_ set: PathSet, _ spray: inout SprayState) -> Int32 {
    if set.count == 1 || rules.paths == .adaptive { return set.start }
    let count = UInt32(truncatingIfNeeded: set.count)
    let position = UInt32(truncatingIfNeeded: spray.position)
    if position == 0 {
      draws &+= 1
      let hash = RandomStream.mix(draws &* 0x9E37_79B9_7F4A_7C15)
      spray.offset = UInt32(
        truncatingIfNeeded: (hash & 0xFFFF_FFFF) &* UInt64(count) &>> 32)
      // With a power of two of ways, odd factors give permutations.
      spray.factor = count & (count &- 1) == 0 ? UInt32(truncatingIfNeeded: hash &>> 40) | 1 : 1
    }
    spray.position = position &+ 1 == count ? 0 : Int32(truncatingIfNeeded: position &+ 1)
    var choice: UInt32
    if count & (count &- 1) == 0 {
      choice = (position &* spray.factor &+ spray.offset) & (count &- 1)
    } else {
      choice = position &+ spray.offset
      if choice >= count { choice &-= count }
    }
    return set.start &+ Int32(truncatingIfNeeded: choice) &* set.stride
  }

  // MARK: - Pulls

  /// One more pull for a flow, in turn with the others whose packets come by `link`.
  private mutating func askForPull(_ number: Int, _ link: Int) {
    flows.base[number].pullsDue &+= 1
    let port = ports.base + link
    if !flows.base[number].isInPullRing {
      flows.base[number].isInPullRing = true
      appendToPullRing(number, link)
    }
    if !port.pointee.hasPullEvent {
      port.pointee.hasPullEvent = true
      schedule(.pull, link, at: max(present, port.pointee.nextPull))
    }
  }

  private mutating func appendToPullRing(_ number: Int, _ link: Int) {
    let port = ports.base + link
    flows.base[number].pullNext = -1
    if port.pointee.pullTail >= 0 {
      flows.base[Int(port.pointee.pullTail)].pullNext = Int32(truncatingIfNeeded: number)
    } else {
      port.pointee.pullHead = Int32(truncatingIfNeeded: number)
    }
    port.pointee.pullTail = Int32(truncatingIfNeeded: number)
  }

  /// Sends the pull that is due for packets by `link`, and plans the next one.
  mutating func sendPull(_ link: Int) {
    let port = ports.base + link
    port.pointee.hasPullEvent = false
    while port.pointee.pullHead >= 0 {
      let number = Int(port.pointee.pullHead)
      let flow = flows.base + number
      port.pointee.pullHead = flow.pointee.pullNext
      if flow.pointee.pullNext < 0 { port.pointee.pullTail = -1 }
      if flow.pointee.phase == .cancelled || flow.pointee.received == flow.pointee.total {
        flow.pointee.isInPullRing = false
        releaseIfDone(number)
        continue
      }
      flow.pointee.pullsDue &-= 1
      flow.pointee.pullsSent &+= 1
      if flow.pointee.pullsDue > 0 {
        appendToPullRing(number, link)
      } else {
        flow.pointee.isInPullRing = false
      }
      port.pointee.nextPull = present &+ port.pointee.pullInterval
      let index = allocate(
        Packet(
          flow: Int32(truncatingIfNeeded: number), sequence: 0, value: flow.pointee.pullsSent,
          wire: rules.wireControl, kind: .pull))
      returnToSender(index)
      if port.pointee.pullHead >= 0 {
        port.pointee.hasPullEvent = true
        schedule(.pull, link, at: port.pointee.nextPull)
      }
      return
    }
  }
}
