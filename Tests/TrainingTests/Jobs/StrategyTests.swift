import Collectives
import Compression
import Networks
import SimKernel
import Testing
import Training

/// What the strategies plan for one unit of 40,000 elements, 160,000 bytes.
@Suite struct StrategyTests {
  private static let elements: Int64 = 40_000

  private func plan(_ communication: String, workers: Int = 4) throws
    -> (plan: JobPlan, report: JobPlanBuilder.Report)
  {
    var scene = Scene()
    scene.topology = Lab.star(workers)
    scene.communication = communication
    return try scene.plan()
  }

  @Test("a sparse sum sends pairs of four bytes each until they outgrow the gradient")
  func sparseSum() throws {
    let topK = #""strategy": "sparse_all_reduce", "compression": "top_k:ratio=0.01""#
    let (plan, report) = try plan(topK)
    let exchange = plan.exchanges[0]
    #expect(plan.exchanges.count == 1)
    // 400 elements of an index and a value.
    let payload: Int64 = 400 * 8
    for size in exchange.sizes { #expect(size.bytes >= payload && size.bytes < payload + 200) }
    let growth = exchange.combining.growth
    #expect(growth[0] == 1 && growth[1] == 1)
    for (less, more) in zip(growth.dropFirst(), growth.dropFirst(2)) { #expect(less <= more) }
    // At most disjoint supports.
    for count in 1..<growth.count { #expect(growth[count] <= Double(count) + 1e-9) }
    #expect(growth.last! > 1)
    #expect(report.algorithms == ["recursive_doubling"])
    #expect(
      try self.plan(topK + #", "algorithm": "direct""#).report.algorithms == ["direct"])
    // Half of the elements as pairs take as much as the gradient: two of them never more.
    let dense = try self.plan(
      #""strategy": "sparse_all_reduce", "compression": "top_k:ratio=0.4""#
    ).plan.exchanges[0]
    let largest = Double(dense.sizes[0].bytes) * dense.combining.growth.last!
    #expect(abs(largest - Double(4 * Self.elements)) < 200)
  }

  @Test("a tree of largest k keeps its payload and pays for a selection at every merge")
  func globalTopK() throws {
    let (plan, report) = try plan(#""strategy": "gtop_k", "compression": "top_k:ratio=0.01""#)
    #expect(report.algorithms == ["tree"])
    let cost = plan.exchanges[0].combining
    #expect(cost.growth.isEmpty && cost.perReduction > .zero)
  }

  @Test("a ring that encodes again spends one share of an encode first, and one at every hop")
  func reencodingRing() throws {
    let ring = #""strategy": "reencoding_ring", "schedule": "one_shot", "compression": "ef_sign""#
    let (plan, report) = try plan(ring)
    #expect(report.algorithms == ["ring"])
    let hop = plan.exchanges[0].combining.perReduction
    func encode(_ plan: JobPlan) -> SimDuration {
      plan.graph.operations.filter { $0.kind == .encode }.map(\.duration).reduce(.zero, +)
    }
    let gather = try self.plan(
      #""strategy": "all_gather", "schedule": "one_shot", "compression": "ef_sign""#
    ).plan
    #expect(hop > encode(plan) && encode(plan) < encode(gather) && encode(plan) > .zero)
    // A residual is passed over at every encode.
    let kept = try self.plan(ring + #", "error_feedback": true"#).plan
    #expect(kept.exchanges[0].combining.perReduction > hop && encode(kept) > encode(plan))
    // More workers, shorter chunks: every hop is cheaper, but for its launches.
    let wide = try self.plan(ring, workers: 16).plan
    #expect(wide.exchanges[0].combining.perReduction < hop)
  }

  @Test("a server may reply with united supports")
  func unionReply() throws {
    let (plan, _) = try plan(
      #""strategy": "parameter_server", "servers": {"reply": "union"}, "#
        + #""compression": "omnireduce""#)
    let cost = plan.exchanges[0].combining
    #expect(!cost.growth.isEmpty && cost.perPayload == .zero && cost.replyScale == 1)
  }

  @Test("what cannot be merged on the way is refused with the way out")
  func refusals() {
    func problems(_ members: String) -> String {
      SettingsTests.communication(members).joined(separator: "\n")
    }
    let sparse = #""strategy": "sparse_all_reduce", "compression": "#
    let tree = #""strategy": "gtop_k", "compression": "#
    #expect(
      problems(sparse + #""top_k:ratio=0.01|zstd""#)
        .contains("cannot be added to another worker's on the way"))
    #expect(problems(sparse + #""top_k:ratio=0.01|fp16""#).isEmpty)
    #expect(
      problems(tree + #""top_k:ratio=0.01|fp16""#).contains("use a codec such as top_k alone"))
    #expect(problems(tree + #""top_k:ratio=0.01""#).isEmpty)
    #expect(problems(sparse + #""fp16""#).contains("nothing here selects any"))
    #expect(problems(sparse + #""random_k:ratio=0.1""#).contains("add as they are"))
    #expect(
      problems(#""strategy": "parameter_server", "servers": {"reply": "union"}"#)
        .contains(#"a server that replies "union" moves selected elements"#))
    #expect(problems(#""strategy": "gtop_k""#).contains("nothing here selects any"))
    #expect(
      problems(#""strategy": "gtop_k", "algorithm": "ring", "compression": "top_k:ratio=0.1""#)
        .contains(#"always takes the algorithm "tree""#))
    #expect(
      problems(#""strategy": "reencoding_ring", "compression": "powersgd""#)
        .contains("would cut the matrices"))
    #expect(
      problems(
        #""strategy": "parameter_server", "servers": {"reply": "dense", "error_feedback": true}"#
      ).contains("loses nothing"))
    #expect(
      problems(#""strategy": "parameter_server", "inter_node": true"#)
        .contains("no exchange between hosts alone"))
  }
}

/// Compression only between hosts.
@Suite struct InterNodeTests {
  private func scene(_ hosts: Int, _ perHost: Int, _ communication: String) -> Scene {
    var scene = Scene()
    let link = LinkSpecification(bandwidth: Lab.bytePerNanosecond, latency: .zero)
    scene.topology = HostsTopology(
      hosts: hosts, acceleratorsPerHost: perHost, innerLink: link, nicLink: link,
      nicsPerHost: perHost, fabric: nil
    ).makeTopology()
    scene.communication = communication + #", "inter_node": true, "schedule": "one_shot""#
    return scene
  }

  @Test("a plain sum inside, an encoded exchange of shares between, a plain gather inside")
  func shape() throws {
    let (plan, report) = try scene(
      3, 2, #""strategy": "all_gather", "algorithm": "ring", "compression": "ef_sign""#
    ).plan()
    #expect(
      report.algorithms == [
        "inner ring reduce_scatter", "inner bruck all_gather", "ring+padded",
      ] || report.algorithms.count == 3)
    let operations = plan.graph.operations
    #expect(
      operations.map(\.kind) == [
        .forward, .backward, .exchange, .encode, .exchange, .decode, .exchange, .optimizer,
      ])
    #expect(
      plan.exchanges.map(\.groups) == [
        [[0, 1], [2, 3], [4, 5]], [[0, 2, 4], [1, 3, 5]], [[0, 1], [2, 3], [4, 5]],
      ])
    // Half the signs, one float, and a frame.
    let sign = plan.exchanges[1].sizes[0].bytes
    #expect(sign >= 20_000 / 8 && sign < 20_000 / 8 + 200)
    #expect(plan.exchanges[0].sizes[0].bytes == 160_000)
    #expect(plan.exchanges[2].sizes[0].bytes == 80_000)
  }

  @Test("a host's workers send shares of one payload, hosts payloads of their own")
  func payloads() throws {
    let (plan, _) = try scene(
      3, 2, #""strategy": "all_gather", "compression": "threshold:v=0.0001""#
    ).plan()
    let sizes = plan.exchanges.map(\.sizes).first { $0[0] != $0[2] }!
    #expect(sizes[0] == sizes[1] && sizes[2] == sizes[3] && sizes[4] == sizes[5])
    #expect(Set(sizes).count == 3)
  }

  @Test("without compression it takes the sum of its three collectives")
  func closedForm() throws {
    for (hosts, perHost) in [(2, 2), (4, 2), (2, 4), (3, 3)] {
      var given = scene(hosts, perHost, #""algorithm": "ring""#)
      given.model = Scene.table([36_000])
      let (job, _) = try given.run(.alphaBeta)
      let bytes: Int64 = 144_000
      let share = bytes / Int64(perHost)
      let chunk = share / Int64(hosts)
      func wire(_ bytes: Int64) -> SimDuration {
        Lab.bytePerNanosecond.time(toSend: ByteCount(bytes))
      }
      let inner = perHost - 1
      let outer = hosts - 1
      let expected =
        (wire(share) * 2 + Scene.reduction(share)) * inner
        + (wire(chunk) * 2 + Scene.reduction(chunk)) * outer
      // The inner gather may take another algorithm; all of them move as much.
      #expect(isClose(job.mean.communication, expected, within: Int64(4 * (inner + outer) + 8)))
    }
  }

  @Test("one worker a host is compression as ever, one host is none at all")
  func degenerate() throws {
    let communication = #""strategy": "all_gather", "compression": "ef_sign""#
    let single = scene(4, 1, communication)
    var plain = single
    plain.communication = communication + #", "schedule": "one_shot""#
    #expect(try single.run().job.mean == plain.run().job.mean)
    let (plan, _) = try scene(1, 4, communication).plan()
    #expect(plan.exchanges.count == 2)
    #expect(!plan.graph.operations.contains { $0.kind == .decode })
  }

  @Test("uneven hosts are refused")
  func uneven() {
    var given = scene(2, 4, #""compression": "fp16""#)
    given.workload = #""workers": 7"#
    let message = refusal { _ = try given.plan() }
    #expect(message.contains("communication.inter_node: hosts have between 3 and 4 workers"))
  }
}

/// Compression that does not begin at once.
@Suite struct LateStartTests {
  private func lengths(_ communication: String) throws -> [SimDuration] {
    var scene = Scene()
    scene.workload += #", "iterations": 6, "warmup": 1"#
    scene.communication =
      #""strategy": "all_gather", "compression": "top_k:ratio=0.01", "schedule": "one_shot""#
      + communication
    return try scene.run().job.iterations.map { $0.total }
  }

  @Test("iterations before the start are those of plain gradients, later ones compressed")
  func startIteration() throws {
    let compressed = try lengths("")
    #expect(Set(compressed).count == 1)
    var scene = Scene()
    scene.communication = #""strategy": "all_gather", "schedule": "one_shot""#
    let dense = try scene.run().job.iterations[0].total
    #expect(dense > compressed[0])
    // Iteration 0 is the simulated warm-up.
    let late = try lengths(#", "start_iteration": 4"#)
    #expect(late == Array(repeating: dense, count: 3) + compressed.prefix(3))
    #expect(try lengths(#", "start_iteration": 100"#) == Array(repeating: dense, count: 6))
  }

  @Test("a warm-up of ratios takes less every stage")
  func warmUp() throws {
    let ramp = try lengths(#", "warm_up": {"iterations": 6, "ratios": [0.25, 0.1, 0.02]}"#)
    let settled = try lengths("")[0]
    #expect(ramp.count == 6 && ramp[5] == settled)
    // Iterations 1 | 2, 3 | 4, 5 | 6.
    #expect(ramp[0] > ramp[1] && ramp[1] == ramp[2] && ramp[2] > ramp[3] && ramp[3] == ramp[4])
    #expect(ramp[4] > settled)
  }
}
