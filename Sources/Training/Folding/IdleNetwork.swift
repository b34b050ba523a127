import Networks
import SimKernel

/// A network that nobody sends over: for runs whose exchanges are solved without it.
struct IdleNetwork: NetworkModel, ~Copyable {
  mutating func send(_ transfer: Transfer, at now: SimTime) {
    preconditionFailure("solved exchanges send nothing")
  }
  mutating func cancel(group: GroupID, at now: SimTime) {}
  mutating func change(link: LinkID, bandwidth: Bandwidth?, up: Bool?, at now: SimTime) {}
  var nextEventTime: SimTime { .never }
  mutating func advance(to now: SimTime) {}
  mutating func drain(into notices: inout [Notice]) {}
  mutating func usage(of link: LinkID) -> LinkUsage { LinkUsage(carried: .zero, busy: .zero) }
  var waiting: [WaitingTransfer] { [] }
}
