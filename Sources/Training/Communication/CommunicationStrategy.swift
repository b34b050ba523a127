import Collectives
import Compression

/// How the gradients of the workers become one update.
public enum CommunicationStrategy: Sendable {
  /// Payloads are summed on the way: they must add.
  case allReduce
  /// Every worker gets every payload and decodes them all.
  case allGather
  /// Workers push to servers, which sum and reply.
  case parameterServer(ServerSettings)
  /// Selected elements are summed on the way and their supports unite (SparCML, Renggli et al., SC'19,
  /// doi:10.1145/3295500.3356222): as algorithm `recursive_doubling`, or `direct` for its split and
  /// all-gather.
  case sparseAllReduce
  /// Up a binomial tree, every sum keeping only its largest k (gTop-k, Shi et al., ICDCS 2019,
  /// arXiv:1901.04359).
  case globalTopK
  /// A ring whose every hop decodes, adds and encodes again.
  case reencodingRing

  public var name: String {
    switch self {
    case .allReduce: StrategyKind.allReduce.rawValue
    case .allGather: StrategyKind.allGather.rawValue
    case .parameterServer: StrategyKind.parameterServer.rawValue
    case .sparseAllReduce: StrategyKind.sparseAllReduce.rawValue
    case .globalTopK: StrategyKind.globalTopK.rawValue
    case .reencodingRing: StrategyKind.reencodingRing.rawValue
    }
  }

  /// Whether every worker decodes every payload.
  var isGather: Bool { if case .allGather = self { true } else { false } }

  /// Whether all workers must start exchanges in the same order: ranks of a collective wait for one
  /// another, servers take what comes.
  var needsAgreement: Bool { if case .parameterServer = self { false } else { true } }

  /// Whether servers wait for all pushes of an iteration before they reply.
  var holdsReplies: Bool {
    if case .parameterServer(let servers) = self {
      servers.replyTime == .allSummed
    } else {
      false
    }
  }

  /// Whether servers update the parameters and send them back instead of sums.
  var updatesOnServers: Bool {
    if case .parameterServer(let servers) = self { servers.update == .server } else { false }
  }

  /// Whether it makes sense only for payloads of selected elements.
  var needsSelection: Bool {
    switch self {
    case .sparseAllReduce, .globalTopK: true
    case .parameterServer(let servers): servers.reply == .union
    case .allReduce, .allGather, .reencodingRing: false
    }
  }

  /// What wants selected elements, as a message names it.
  var selector: String {
    if case .parameterServer = self { return "a server that replies \"union\"" }
    return name
  }

  /// The only algorithms it knows; empty if the scenario chooses.
  var fixedAlgorithm: [CollectiveAlgorithm.Kind] {
    switch self {
    case .globalTopK: [.tree]
    case .reencodingRing: [.ring]
    case .allReduce, .allGather, .parameterServer, .sparseAllReduce: []
    }
  }

  /// Why payloads of `pipeline` cannot be moved this way, and what to do; nil if they can.
  func refusal(of pipeline: CompressionPipeline) -> String? {
    let form = pipeline.form
    if let reason = scheme(for: pipeline, servers: serverCount).refusal(of: pipeline) {
      return reason
    }
    switch self {
    case .allReduce:
      if pipeline.aggregation == .summable { return nil }
      return "payloads of \(pipeline.label) do not add, so all_reduce cannot sum them; "
        + "use \"strategy\": \"all_gather\" or \"parameter_server\""
    case .allGather: return nil
    case .parameterServer(let servers):
      return servers.reply == .union ? mergeRefusal(form, pipeline.label) : nil
    case .sparseAllReduce, .globalTopK: return mergeRefusal(form, pipeline.label)
    case .reencodingRing: return nil
    }
  }

  /// How payloads of `pipeline` are decoded, summed and encoded again with `servers` servers.
  func scheme(for pipeline: CompressionPipeline, servers: Int) -> ExchangeScheme {
    switch self {
    case .allReduce, .allGather, .sparseAllReduce: return .collective
    case .globalTopK: return pipeline.isIdentity ? .collective : .topKTree
    case .reencodingRing: return .ring
    case .parameterServer(let settings):
      // What adds as it is need not be decoded, and a plain or united reply loses nothing.
      if pipeline.aggregation == .summable || settings.reply != .encoded { return .collective }
      return .servers(shards: servers, reply: .encoded, feedback: settings.errorFeedback)
    }
  }

  /// Servers, as far as the scenario says; co-located ones are by default as many as workers.
  private var serverCount: Int {
    guard case .parameterServer(let servers) = self else { return 1 }
    return servers.count ?? (servers.placement == .colocated ? 2 : 1)
  }

  /// Whether errors add up, or supports unite, from worker to worker, so that four say little about
  /// many.
  var dependsOnWorkers: Bool {
    if case .reencodingRing = self { return true }
    return needsSelection
  }

  /// Whether sums of payloads can be made without decoding all of them.
  private func mergeRefusal(_ form: PayloadForm, _ label: String) -> String? {
    if form.coverage == .dense, form.aggregation == .summable { return nil }
    if form.coverage == .selected, case .numbers = form.content { return nil }
    if form.aggregation == .summable {
      return "payloads of \(label) add as they are, with one support for all workers; "
        + "use \"strategy\": \"all_reduce\""
    }
    return "\(label) leaves \(form.summary), which cannot be added to another worker's on the way; "
      + "end the pipeline with selected numbers, such as \"top_k|fp16\", or use \"all_gather\""
  }
}

/// The names of the strategies.
enum StrategyKind: String, CaseIterable {
  case allReduce = "all_reduce"
  case allGather = "all_gather"
  case parameterServer = "parameter_server"
  case sparseAllReduce = "sparse_all_reduce"
  case globalTopK = "gtop_k"
  case reencodingRing = "reencoding_ring"

  func strategy(servers: ServerSettings) -> CommunicationStrategy {
    switch self {
    case .allReduce: .allReduce
    case .allGather: .allGather
    case .parameterServer: .parameterServer(servers)
    case .sparseAllReduce: .sparseAllReduce
    case .globalTopK: .globalTopK
    case .reencodingRing: .reencodingRing
    }
  }
}
