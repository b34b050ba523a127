import SimKernel
import Training

/// One worker's receives, computation and sends under an order of transfers: the `graph` of a paper
/// file.
///
/// Every server's link is shared equally by all workers, so that a worker has a channel to each of the
/// `servers` at `bandwidth / workers`.
struct GraphExperiment {
  var model: String
  var device: String
  var batch: Int
  /// How many times longer computation takes than on the device.
  var factor: Double
  var pass: GraphPass
  var bandwidth: Bandwidth
  var workers: Int
  var servers: Int
  var order: GraphOrder
  var runs: Int
  var seed: Int

  /// Reads the record of one point.
  init(_ fields: inout FieldReader) {
    model = fields.required("model", .modelName, doc: "whose tensors, as one chain")
    device = fields.optional(
      "device", .deviceName, default: DeviceCatalog.names[0], doc: "whose times")
    batch = fields.optional("batch", .count(), default: 32, doc: "samples of an iteration")
    factor = fields.optional(
      "compute_time", .positive, default: 1, doc: "a factor on the device's times")
    pass = fields.optional("pass", .choice("pass"), default: .training, doc: "what a worker does")
    bandwidth = fields.required("bandwidth", .bandwidth, doc: "of the link of a server")
    workers = fields.optional("workers", .count(), default: 1, doc: "that share each server")
    servers = fields.optional("servers", .count(), default: 1, doc: "over which tensors are dealt")
    order = fields.required("order", .choice("order"), doc: "of transfers")
    runs = fields.optional("runs", .integer(1...100_000), default: 100, doc: "where chance decides")
    seed = fields.optional("seed", .count(0), default: 1, doc: "of the random numbers")
    if servers > workers {
      fields.report(
        "servers",
        .conflict("\(servers) servers for \(workers) workers; workers are then the limit"))
    }
  }

  /// What it measures, in the order of ``measured()``.
  static let columns = ["makespan_s", "runs_per_s", "efficiency"]

  /// The numbers of ``columns``.
  ///
  /// - Throws: `InvalidInput` for an order that the graph cannot have.
  func measured() throws -> [Double] {
    guard let profile = DeviceCatalog.profile(named: device),
      let table = ModelCatalog.table(named: model)
    else { preconditionFailure("reading refuses names that are not listed") }
    let own = profile.computeTimes(model: table, batch: batch, precision: .fp32)
    let times = own.overridden(
      by: ComputeOverride(
        forward: own.forward.scaled(by: factor), backward: own.backward.scaled(by: factor)))
    let channel = GraphChannel(
      bandwidth: .megabitsPerSecond(Double(bandwidth.bitsPerSecond) / 1e6 / Double(workers)),
      count: servers)
    let graph: OperationGraph
    do { graph = try LayerProfile(model: table, times: times).graph(pass, channel: channel) } catch
    {
      throw InvalidInput([error.issue(at: FieldPath(["graph"]), nil)])
    }
    let study = try GraphStudy(
      graph, orders: [order], runs: runs, seed: UInt64(seed), option: "graph.order")
    let entry = study.entries[0]
    return [entry.mean, 1 / entry.mean, entry.metrics.efficiency]
  }
}
