import SimKernel

/// Which way a flow takes where routing is adaptive.
extension FlowNetwork {
  /// The path of a transfer that starts now: its route, or the alternative drawn for it if that is less
  /// loaded (``RoutingPolicy/adaptive``); nil if there is no way.
  ///
  /// - Complexity: O(1) unless routing is adaptive, else O(links of both ways).
  mutating func choosePath(of transfer: Transfer) -> Int? {
    guard let usual = routes.find(from: transfer.source, to: transfer.destination) else {
      return nil
    }
    guard
      let other = routes.findAlternative(
        from: transfer.source, to: transfer.destination, for: transfer.id.sequence)
    else { return usual }
    return load(of: other) < load(of: usual) ? other : usual
  }

  /// The flows on the busiest link of a path times its links; the most there is if a link is closed.
  private func load(of number: Int) -> Int {
    let path = routes[number]
    var most = 0
    for position in routes.links(of: path) {
      let link = Int(routes.pool[position])
      if links[link].capacity == 0 { return .max }
      most = max(most, Int(links[link].meter.active))
    }
    return most * Int(path.count)
  }
}
