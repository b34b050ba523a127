import Collectives
import SimKernel

/// The configurations every row is compared with: the same scenario with plain fp32 gradients, and
/// with fp16 ones, summed on the way - or by the servers, where those have nodes of their own.
enum Baseline: CaseIterable {
  case fp32, fp16

  /// `root` with the compression of every job replaced by this baseline's.
  func derive(from root: JSONNode) -> JSONNode {
    var derived = root
    if let jobs = root["jobs"]?.elements {
      for index in jobs.indices { replace(in: &derived, ["jobs", String(index)]) }
    } else {
      replace(in: &derived, [])
    }
    return derived
  }

  private func replace(in root: inout JSONNode, _ prefix: [String]) {
    let place = prefix + ["communication"]
    var communication = root.get(place) ?? JSONNode(.object([]))
    guard case .object(var members) = communication.value else { return }
    members.removeAll {
      [
        "compression", "error_feedback", "momentum_correction", "warm_up", "start_iteration",
        "minimum_tensor", "scope", "layers", "variable_size", "inter_node",
      ].contains($0.key)
    }
    // Servers of plain gradients have nothing to decide about their replies.
    var hasNodes = false
    if let index = members.firstIndex(where: { $0.key == "servers" }),
      case .object(var servers) = members[index].node.value
    {
      servers.removeAll { $0.key == "reply" || $0.key == "error_feedback" }
      hasNodes = servers.contains { $0.key == "placement" && $0.node.string == "dedicated" }
      members[index].node.value = .object(servers)
    }
    // Without servers' nodes there would be other workers, so that these servers stay.
    if !hasNodes, let index = members.firstIndex(where: { $0.key == "strategy" }) {
      members[index].node = "all_reduce"
      members.removeAll {
        $0.key == "servers" || $0.key == "algorithm" && !Self.sums($0.node)
      }
    }
    if self == .fp16 { members.append(JSONMember("compression", "fp16")) }
    communication.value = .object(members)
    if !members.isEmpty || root.get(place) != nil { _ = root.set(place, to: communication) }
    if let type = root.get(prefix + ["workload", "gradient_type"]), type.string != "fp32" {
      _ = root.set(prefix + ["workload", "gradient_type"], to: "fp32")
    }
  }

  /// Whether the algorithm named by `node` can sum; one that only gathers gives way to `auto`.
  private static func sums(_ node: JSONNode) -> Bool {
    let registry = CollectiveAlgorithm.registry
    guard let name = node.string ?? node[registry.discriminator]?.string,
      let entry = registry[name]
    else { return true }
    return FieldReader.placeholder(of: entry).operations.contains(.allReduce)
  }
}
