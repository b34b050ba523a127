import SimKernel

/// What transfers lost that were delivered at one instant, by transfer.
struct DeliveryRecord: ~Copyable {
  private var entries: [(transfer: TransferID, losses: TransferLosses)] = []
  private var isSorted = true

  mutating func append(_ transfer: TransferID, _ losses: TransferLosses) {
    entries.append((transfer, losses))
    isSorted = false
  }

  /// Forgets everything, as time moves on.
  @inline(__always)
  mutating func removeAll() {
    if !entries.isEmpty { entries.removeAll(keepingCapacity: true) }
  }

  /// What `transfer` lost; nothing if it is not here.
  ///
  /// Sorted when first asked, since all are asked for at once or none.
  mutating func losses(of transfer: TransferID) -> TransferLosses {
    if !isSorted {
      entries.sort { $0.transfer < $1.transfer }
      isSorted = true
    }
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].transfer < transfer { low = middle + 1 } else { high = middle }
    }
    return low < entries.count && entries[low].transfer == transfer
      ? entries[low].losses : TransferLosses(retransmissions: 0, lost: .zero)
  }
}
