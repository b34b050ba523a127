import Networks
import SimKernel

/// Which accelerators the ranks of a job take.
public enum PlacementSettings: Sendable, Equatable {
  /// Host after host, in the topology's order.
  case packed
  /// One a host in turn.
  case spread
  /// These accelerators, workers first.
  case list([Int])

  /// The accelerators in the order ranks take them, leaving out `taken` ones.
  func order(in topology: Topology, taken: [Bool]) -> [Int] {
    let free = topology.accelerators.indices.filter { !taken[$0] }
    switch self {
    case .packed: return free
    case .spread:
      var seen = [Int](repeating: 0, count: topology.hostCount)
      let turns = free.map { accelerator -> (Int, Int, Int) in
        let host = topology.hostOfAccelerator[accelerator]
        defer { seen[host] += 1 }
        return (seen[host], host, accelerator)
      }
      return turns.sorted { $0 < $1 }.map(\.2)
    case .list(let accelerators): return accelerators
    }
  }
}

extension FieldKind where Value == PlacementSettings {
  /// `"packed"`, `"spread"` or a list of accelerator numbers.
  public static var placement: FieldKind<PlacementSettings> {
    let expectation = #""packed", "spread" or a list of accelerator numbers"#
    return FieldKind(
      expectation: expectation, example: #""packed""#,
      schema: #"{"anyOf":[{"enum":["packed","spread"]},"#
        + #"{"type":"array","items":{"type":"integer","minimum":0}}]}"#,
      placeholder: { .packed },
      read: { node in
        if let name = node.string {
          if name == "packed" { return .success(.packed) }
          if name == "spread" { return .success(.spread) }
          return .failure(
            .init(
              .unknownName(
                noun: "placement", found: name,
                suggestion: Spelling.suggestion(for: name, among: ["packed", "spread"]),
                known: ["packed", "spread"])))
        }
        return FieldKind<[Int]>.list(of: .count(0), atLeast: 1).read(node).map { .list($0) }
      },
      show: { placement in
        switch placement {
        case .packed: #""packed""#
        case .spread: #""spread""#
        case .list(let numbers): "[" + numbers.map(String.init).joined(separator: ",") + "]"
        }
      })
  }
}
