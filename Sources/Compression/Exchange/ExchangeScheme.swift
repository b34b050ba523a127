import SimKernel

/// How compressed gradients of several workers become one, as far as it decides the numbers.
public enum ExchangeScheme: Sendable, Equatable {
  /// A sum where payloads add, a gather where they do not: every worker decodes what all have sent,
  /// and nothing is encoded twice.
  case collective

  /// Every shard of the gradient has a server that decodes the workers' pushes, adds them up in the
  /// order of ranks, divides by their number and replies.
  ///
  /// One shard is a single server; as many as there are workers, with an encoded reply, is the
  /// all-to-all, sum and all-gather of 1-bit Adam. BytePS decodes, sums and encodes again in the reply
  /// (`byteps/server/server.cc`), with the error feedback of the same registration and without
  /// momentum. DeepSpeed's `compressed_allreduce` keeps an error of the worker over its whole buffer
  /// and one of the server over its chunk, but has one scale for the whole buffer of a worker, where
  /// here every chunk has scopes of its own. 3LC's servers encode their update once for all workers.
  case servers(shards: Int, reply: Reply, feedback: ErrorFeedbackSettings?)

  /// A ring whose every hop decodes the partial sum, adds its own part and encodes again; what the
  /// last of a chunk encodes, the mean, is gathered.
  ///
  /// Errors add up with the hops. With error feedback every rank keeps what its own encodes lost,
  /// whoever's gradient that was.
  case ring

  /// A binomial tree whose every merge keeps the k largest of the sum (gTop-k: Shi, Wang, Zhao, Tang,
  /// Wang, Huang and Chu, ICDCS 2019, arXiv:1901.04359).
  ///
  /// A worker keeps what of its own selection is not in the final one, as the paper has it. What a
  /// merge cut of a position that got through by another branch is lost there; here the rank that cut
  /// it keeps it.
  case topKTree

  /// What a server sends back.
  public enum Reply: String, Sendable, CaseIterable {
    /// The mean as float32.
    case dense
    /// The mean, encoded again by the same pipeline.
    case encoded
  }
}

extension ExchangeScheme: CustomStringConvertible {
  /// The scheme with everything that decides its numbers: equal texts, equal results.
  public var description: String {
    switch self {
    case .collective: "collective"
    case .servers(let shards, let reply, let feedback):
      "servers \(shards) \(reply.rawValue)" + (feedback.map { " feedback \($0.decay)" } ?? "")
    case .ring: "ring"
    case .topKTree: "top_k_tree"
    }
  }
}

// MARK: - What makes no sense

extension ExchangeScheme {
  /// Why payloads of `pipeline` cannot be exchanged in this way, and what to do; nil if they can.
  ///
  /// A gradient that is not compressed can be exchanged in every way.
  public func refusal(of pipeline: CompressionPipeline) -> String? {
    if pipeline.isIdentity { return nil }
    switch self {
    case .collective: return nil
    case .servers(let shards, let reply, let feedback):
      if feedback != nil, reply == .dense {
        return "a server that replies with plain numbers loses nothing; leave its feedback out"
      }
      return refusalOfAgreement(pipeline, by: "servers")
        ?? refusalOfChunks(pipeline, count: shards, by: "\(shards) servers")
        ?? (reply == .encoded ? refusalOfSharedDraws(pipeline, by: "an encoding server") : nil)
    case .ring:
      if let voter = pipeline.stages.first(where: { !$0.keepsMagnitude }) {
        return "\(voter.name) sends no magnitudes, so that a partial sum cannot be added to a "
          + "gradient; gather it, or use servers"
      }
      return refusalOfAgreement(pipeline, by: "a ring of re-encoding hops")
        ?? refusalOfChunks(pipeline, count: 2, by: "a ring")
        ?? refusalOfSharedDraws(pipeline, by: "a re-encoding hop")
    case .topKTree:
      if pipeline.form.coverage == .selected, pipeline.form.content == .numbers(.float32),
        pipeline.indexEncoding != nil, !pipeline.isLossless
      {
        return nil
      }
      return "a top-k tree merges selected float32 values with their positions, but "
        + "\(pipeline.label) leaves \(pipeline.form.summary); use a codec such as top_k alone"
    }
  }

  /// Pipelines whose workers agree on something before they send.
  private func refusalOfAgreement(_ pipeline: CompressionPipeline, by whom: String) -> String? {
    if pipeline.form.content == .factors { return nil }
    let setup = ExchangeSetup(
      pipeline: pipeline, elementCount: 1024, scopeCount: 1, values: 1024, workers: 2,
      tensors: TensorRange.whole(1024), worstCaseBits: 32 * 1024)
    for stage in pipeline.stages {
      guard let first = stage.exchanges(setup)?.first else { continue }
      return
        "\(stage.label) has the workers agree on \(first.purpose) first, which \(whom) take no "
        + "part in; use a codec without it"
    }
    return nil
  }

  /// Pipelines that look at whole matrices.
  private func refusalOfChunks(
    _ pipeline: CompressionPipeline, count: Int, by whom: String
  ) -> String? {
    guard count > 1, pipeline.forms.contains(where: { $0.content == .factors }) else { return nil }
    return "\(whom) would cut the matrices that \(pipeline.label) factorises; use one server or a "
      + "collective"
  }

  /// Pipelines that select by a draw which all workers share.
  private func refusalOfSharedDraws(_ pipeline: CompressionPipeline, by whom: String) -> String? {
    guard pipeline.form.coverage == .sharedSelection else { return nil }
    return "payloads of \(pipeline.label) add up as they are, while \(whom) would draw again among "
      + "what is left of the sum; sum them in a collective"
  }
}

extension CompressionPipeline {
  /// How the positions of the selecting stage travel; nil if it has none.
  var indexEncoding: IndexEncoding? {
    for stage in stages {
      if let selecting = stage as? any IndexedSelection { return selecting.index }
    }
    return nil
  }
}

/// A codec that sends the positions of single elements which it selects for itself.
protocol IndexedSelection: Codec {
  var index: IndexEncoding { get }
}

extension TopK: IndexedSelection {}
extension Threshold: IndexedSelection {}
extension GaussianK: IndexedSelection {}
extension SIDCo: IndexedSelection {}
extension RedSync: IndexedSelection {}
extension DeepGradientCompression: IndexedSelection {}
extension Wangni: IndexedSelection {}
