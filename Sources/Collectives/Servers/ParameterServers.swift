import SimKernel

/// Parameter servers: workers push their gradients, servers sum them and send the sums back.
public struct ParameterServers: Hashable, Sendable {
  /// Where servers run.
  public enum Placement: String, CaseIterable, Hashable, Sendable {
    /// Server s shares the node of worker s, so that its own worker's traffic is free.
    case colocated
    /// Servers have nodes of their own.
    case dedicated
  }

  public var count: Int
  public var placement: Placement
  public var sharding: ServerSharding
  /// Whether servers only notify workers that a part is summed, and send it once a worker that has
  /// heard of all parts asks, as MXNet's key-value store does.
  ///
  /// Notices and requests have no bytes.
  public var pullsOnRequest: Bool

  public init(
    count: Int, placement: Placement = .colocated,
    sharding: ServerSharding = .split(from: 1_000_000), pullsOnRequest: Bool = false
  ) {
    self.count = count
    self.placement = placement
    self.sharding = sharding
    self.pullsOnRequest = pullsOnRequest
  }

  /// Reads `count`, `placement` and `sharding`.
  public init(_ fields: inout FieldReader) {
    count = fields.required("count", .count(1), doc: "number of parameter servers")
    placement = fields.optional(
      "placement", .choice("placement"), default: .colocated,
      doc: "on the workers' nodes, or on nodes of their own")
    sharding = fields.variant(
      "sharding", ServerSharding.registry, default: "split",
      doc: "how tensors are spread over the servers")
    pullsOnRequest = false
  }

  /// The plan by which `workers` push a payload made of `tensors` and pull its sum.
  ///
  /// Rank slots are the workers, then the servers; ``Plan/home(of:)`` says on whose node a server
  /// runs. A server adds what arrives in the order of arrival and answers every worker when all
  /// pushes of a shard are in. Chunk bounds are element offsets. Push w of shard s is step
  /// `s * workers + w`; its pull follows all pushes, or a request that follows all notices.
  ///
  /// - Parameter turn: the server that gets the first slice, modulo their number, where tensors are
  ///   dealt in slices; payloads that follow one another begin at different ones.
  public func makePlan(
    workers: Int, tensors: [ServedTensor], turn: Int = 0
  ) -> Result<Plan, PlanRefusal> {
    if workers < 1 { return .failure(PlanRefusal("push_pull needs a worker")) }
    if count < 1 { return .failure(PlanRefusal("push_pull needs a server")) }
    if placement == .colocated, count > workers {
      return .failure(
        PlanRefusal(
          "\(count) co-located servers need as many workers, there are \(workers); use fewer, "
            + "or dedicated ones"))
    }
    let shards = sharding.shards(of: tensors, servers: count, turn: turn)
    var builder = PlanBuilder()
    for (chunk, shard) in shards.enumerated() {
      for worker in 0..<workers {
        builder.append(PlanStep(worker, workers + shard.server, chunk, chunk + 1, .reduce))
      }
    }
    var notices: [Int] = []
    if pullsOnRequest {
      for (chunk, shard) in shards.enumerated() {
        let pushes = Array(chunk * workers..<(chunk + 1) * workers)
        for worker in 0..<workers {
          notices.append(
            builder.append(
              PlanStep(workers + shard.server, worker, chunk, chunk, .store),
              departsAfter: pushes))
        }
      }
    }
    for (chunk, shard) in shards.enumerated() {
      for worker in 0..<workers {
        // Notices and requests are steps without chunks.
        var before = Array(chunk * workers..<(chunk + 1) * workers)
        if pullsOnRequest {
          let heard = shards.indices.map { notices[$0 * workers + worker] }
          before = [
            builder.append(
              PlanStep(worker, workers + shard.server, chunk, chunk, .store),
              departsAfter: heard)
          ]
        }
        builder.append(
          PlanStep(workers + shard.server, worker, chunk, chunk + 1, .store),
          departsAfter: before)
      }
    }
    return .success(
      builder.plan(
        name: "push_pull", operation: .pushPull, rankCount: workers + count,
        workerCount: workers, root: RankID(0), chunkCount: shards.count,
        cut: .offsets([0] + shards.map(\.elements.upperBound)),
        serversAreColocated: placement == .colocated))
  }
}
