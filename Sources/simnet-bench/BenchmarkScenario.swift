import Experiments
import Networks
import SimKernel
import Training

/// Scenarios made in memory, as the groups that measure whole jobs need them.
enum BenchmarkScenario {
  /// The text of a data-parallel job on a star.
  static func text(
    model: String = "resnet50", workers: Int, iterations: Int, warmup: Int = 0,
    schedule: String = #"{"policy": "buckets", "bucket": "25 MiB"}"#, sweep: String = "{}",
    stragglers: String = #"{"distribution": "lognormal", "sigma": 0.02}"#, servers: Int = 0
  ) -> String {
    let strategy =
      servers == 0
      ? #""strategy": "all_reduce", "algorithm": "ring""#
      : #""strategy": "parameter_server", "servers": {"count": \#(servers), "placement": "dedicated"}"#
    let axes = sweep == "{}" ? "" : #", "sweep": \#(sweep)"#
    return """
      {"simnet": 1,
       "cluster": {"topology": {"kind": "star", "hosts": \(workers + servers),
         "link": {"bandwidth": "10 Gbps", "latency": "1 us"}}, "device": "v100"},
       "network": {"model": "flow", "transport": "rdma"},
       "workload": {"model": "\(model)", "batch_per_worker": 32, "precision": "fp32",
         "iterations": \(iterations), "warmup": \(warmup)},
       "communication": {\(strategy), "schedule": \(schedule)},
       "stragglers": {"compute": \(stragglers)}\(axes)}
      """
  }

  /// The document that `text` is.
  static func root(_ text: String) -> JSONNode {
    do {
      return try JSONNode.parse(text, origin: "benchmark")
    } catch { preconditionFailure("the benchmark's scenario is JSON: \(error)") }
  }

  /// The only job of `text`, placed, with the topology it runs on and the network's settings.
  static func job(_ text: String) -> (
    job: JobBlueprint, topology: Topology, network: NetworkSettings
  ) {
    let issues = IssueCollector()
    let scenario = Scenario.read(root(text), issues: issues)
    let topology = scenario.cluster.topology.makeTopology()
    let settings = scenario.jobs[0]
    var taken = [Bool](repeating: false, count: topology.accelerators.count)
    guard case .builtIn(let name) = settings.workload.model,
      let model = ModelCatalog.table(named: name),
      case .builtIn(let deviceName) = scenario.cluster.device,
      let device = DeviceCatalog.profile(named: deviceName),
      let job = JobBlueprint(
        name: settings.name, workload: settings.workload, communication: settings.communication,
        gradients: settings.gradients, recorded: nil, stragglers: settings.stragglers,
        placement: settings.placement, model: model,
        devices: HostDevices(device, hosts: topology.hostCount),
        topology: topology, taken: &taken, path: FieldPath(), issues: issues),
      issues.errors.isEmpty
    else { preconditionFailure("the benchmark's scenario is valid: \(issues.issues)") }
    return (job, topology, scenario.network)
  }
}
