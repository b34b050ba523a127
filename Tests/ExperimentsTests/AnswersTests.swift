import Experiments
import Foundation
import SimKernel
import Testing

/// Four workers, no contention, the whole gradient at once.
///
/// An iteration takes compute + encode + 6 (2 latency + chunk / bandwidth) + decode, chunks being
/// quarters of the payload. `more` are further members.
private func closedForm(_ more: String = "", variants: String? = nil) -> String {
  let pair = #""fp32": {}, "fp16": {"compression": "fp16"}"#
  return """
    {"simnet": 1, "title": "closed form", "seed": 5,
     "cluster": {"topology": {"kind": "star", "hosts": 4,
       "link": {"bandwidth": "400 Gbps", "latency": "5 us"}}, "device": "v100"},
     "network": {"model": "alpha_beta",
       "transport": {"preset": "ideal", "reduction_rate": "900 GB/s"}},
     "workload": {"model": "resnet18", "iterations": 2, "warmup": 0},
     "gradients": {"source": "synthetic", "sample": 2048},
     "communication": {"algorithm": "ring", "schedule": "one_shot"},
     "sweep": {"communication": {\(variants ?? pair)}}\(more)}
    """
}

/// What the closed form needs to know, from one run at 400 Gb/s.
private struct Measured {
  /// Seconds by which fp16 takes longer.
  var difference: Double
  /// Seconds of encode and decode together.
  var codec: Double
  /// The bits that fp16 sends less, one step after the other.
  var bits: Double

  init() throws {
    let table = try SweepRunner(Scratch().scenario(closedForm())).run(SweepOptions()).table
    func number(_ name: String, _ row: Int) throws -> Double {
      try #require(table.number(name, table.rows[row]))
    }
    difference = try number("iteration_time_s", 1) - number("iteration_time_s", 0)
    codec = try number("exposed_encode_s", 1) + number("exposed_decode_s", 1)
    let raw = try number("raw_bytes", 0)
    bits = 6 * 8 * ((raw / 4).rounded(.up) - (raw / 8).rounded(.up))
  }
  /// The bandwidth at which both take the same time: all that differs are bits / B and a constant.
  var bandwidth: Double { bits / (difference + bits / 400e9) }
}

private func message(_ body: () throws -> Void) -> String {
  do {
    try body()
    return ""
  } catch let invalid as InvalidInput {
    return invalid.issues.map(\.description).joined(separator: "\n")
  } catch { return "\(error)" }
}

@Suite struct CrossoverTests {
  private static let bandwidth = "cluster.topology.link.bandwidth"

  private func ask(
    _ text: String, _ question: CrossoverQuestion, set: [String] = [], jobs: Int = 2
  ) throws -> CrossoverAnswer {
    try question.answer(Scratch().scenario(text, set: set), options: AnswerOptions(jobs: jobs))
  }

  @Test func `two variants without contention tie at the algebraic bandwidth`() throws {
    let answer = try ask(
      closedForm(),
      CrossoverQuestion(
        axis: Self.bandwidth, from: "10 Gbps", to: "10 Tbps", between: ["fp32", "fp16"],
        tolerance: 1e-8))
    #expect(answer.isLogarithmic && answer.results.count == 1 && answer.replicates == 1)
    let crossings = answer.results[0].crossings
    let crossing = try #require(crossings.first)
    #expect(crossings.count == 1)
    #expect((crossing.value / (try Measured().bandwidth) - 1).magnitude < 1e-6)
    #expect(crossing.bracket.contains(crossing.value))
    #expect(crossing.bracket.upperBound / crossing.bracket.lowerBound - 1 < 1.1e-8)
    #expect(crossing.below == .b && crossing.above == .a && !crossing.isJump)
    #expect(crossing.errorOfA == 0 && crossing.errorOfB ?? 0 > 0)
    #expect(crossing.interval == nil && crossing.replicates.isEmpty)
    // Bisection alone would take 2 (17 + 26) runs.
    #expect(answer.results[0].runs < 80)
    #expect(answer.scale.unit == "Gbps" && answer.scale.inUnits(crossing.value) > 1000)
  }

  @Test func `without a crossing the answer is who is better at both ends`() throws {
    let answer = try ask(
      closedForm(),
      CrossoverQuestion(
        axis: Self.bandwidth, from: "1 Gbps", to: "4 Gbps", between: ["fp32", "fp16"]))
    let result = answer.results[0]
    #expect(!answer.isLogarithmic && result.crossings.isEmpty)
    #expect(result.atFrom == .b && result.atTo == .b && result.gainAtFrom < result.gainAtTo)
    let same = try ask(
      closedForm(variants: #""x": {}, "y": {"algorithm": "ring"}"#),
      CrossoverQuestion(axis: Self.bandwidth, between: ["x", "y"], intervals: 2))
    #expect(same.results[0].crossings.isEmpty && same.results[0].atFrom == .tie)
  }

  /// Buckets below the smallest tensors, 256 B, hold one tensor each, as `per_tensor` does.
  ///
  /// A tie. Some fusing saves latency, fusing everything leaves nothing to hide behind backward.
  @Test func `all crossings are found, and where a tie ends`() throws {
    let text = closedForm(
      variants: #"""
        "each": {"schedule": "per_tensor"},
        "fused": {"schedule": {"policy": "buckets", "bucket": "4 MiB", "first_bucket": "0 B"}}
        """#)
    let answer = try ask(
      text,
      CrossoverQuestion(
        axis: "communication.schedule.bucket", from: "16 B", to: "64 MiB",
        between: ["each", "fused"], intervals: 24),
      set: ["\(Self.bandwidth)=20 Gbps", "cluster.topology.link.latency=25 us"])
    let crossings = answer.results[0].crossings
    #expect(crossings.map(\.below) == [.tie, .b] && crossings.map(\.above) == [.b, .a])
    #expect(answer.results[0].atFrom == .tie && answer.results[0].atTo == .a)
    #expect(crossings[0].value > 256 && crossings[0].value < 257)
    #expect(crossings[1].value > Double(32 << 20) && crossings[1].value < Double(48 << 20))
  }

  @Test func `every combination of the other axes has its own`() throws {
    let answer = try ask(
      closedForm(),
      CrossoverQuestion(axis: Self.bandwidth, to: "10 Tbps", between: ["fp16", "fp32"]),
      set: ["workload.model=resnet18,alexnet"])
    #expect(answer.columns == ["workload.model"])
    #expect(answer.results.map(\.labels) == [["resnet18"], ["alexnet"]])
    #expect(answer.results.allSatisfy { $0.crossings.count == 1 })
    #expect(answer.results.allSatisfy { $0.crossings[0].below == .a })
    #expect(answer.results[0].crossings[0].value != answer.results[1].crossings[0].value)
  }

  @Test func `replicates give an interval, whatever the number of threads`() throws {
    let noisy = closedForm(
      #", "replicates": 4, "stragglers": {"compute": {"distribution": "lognormal", "sigma": 0.1}}"#)
    let question = CrossoverQuestion(
      axis: Self.bandwidth, from: "100 Gbps", to: "10 Tbps", between: ["fp32", "fp16"])
    let answer = try ask(noisy, question)
    let crossing = try #require(answer.results[0].crossings.first)
    #expect(crossing.replicates.count == 4 && crossing.replicates.allSatisfy { $0 != nil })
    let interval = try #require(crossing.interval)
    #expect(interval.lowerBound <= crossing.value * 1.001)
    #expect(interval.upperBound >= crossing.value * 0.999)
    let again = try ask(noisy, question, jobs: 1)
    #expect(again.results[0].crossings == answer.results[0].crossings)
  }

  /// Only one of the variants has the axis; at the ends of the bracket the other one is better.
  @Test func `an axis may belong to one variant alone`() throws {
    let text = closedForm(
      variants: #"""
        "fp32": {}, "top_k": {"strategy": "all_gather", "algorithm": "auto",
          "compression": [{"codec": "top_k", "ratio": 0.01}]}
        """#)
    let axis = "communication.compression.0.ratio"
    let answer = try ask(
      text,
      CrossoverQuestion(axis: axis, from: "0.001", to: "1", between: ["fp32", "top_k"]),
      set: ["\(Self.bandwidth)=20 Gbps"])
    let crossing = try #require(answer.results[0].crossings.first)
    #expect(crossing.below == .b && crossing.above == .a)
    func times(_ ratio: Double) throws -> [Double] {
      var file = try Scratch().scenario(
        text.replacingOccurrences(of: "0.01}", with: "\(ratio)}"),
        set: ["\(Self.bandwidth)=20 Gbps"])
      file.origin = "changed"
      return try SweepRunner(file).run(SweepOptions()).table.cells("iteration_time_s")
        .compactMap(Double.init)
    }
    let below = try times(crossing.bracket.lowerBound)
    let above = try times(crossing.bracket.upperBound)
    #expect(below[1] < below[0] && above[1] > above[0])
  }

  @Test func `an axis of whole numbers is looked at in whole numbers`() throws {
    let answer = try ask(
      closedForm(),
      CrossoverQuestion(
        axis: "workload.batch_per_worker", from: "1", to: "64", between: ["fp32", "fp16"],
        intervals: 5))
    #expect(answer.results[0].crossings.isEmpty && answer.results[0].atTo == .b)
  }

  @Test func `what will not do is one clear message`() throws {
    func ask(
      _ axis: String, from: String? = "1", to: String? = "2", between: [String] = ["fp32", "fp16"]
    ) -> String {
      message {
        _ = try self.ask(
          closedForm(), CrossoverQuestion(axis: axis, from: from, to: to, between: between))
      }
    }
    let metric = message {
      _ = try self.ask(
        closedForm(),
        CrossoverQuestion(axis: Self.bandwidth, between: ["fp32", "fp16"], metric: "wire_byte"))
    }
    #expect(metric.contains("did you mean \"wire_bytes\"?"))
    #expect(ask("workload.model").contains("--axis: workload.model is \"resnet18\", no number"))
    #expect(ask(Self.bandwidth).contains("does not measure what"))
    #expect(ask(Self.bandwidth, from: "2 Gbps", to: "1 Gbps").contains("must begin below"))
    #expect(ask(Self.bandwidth, from: "5 us", to: "1 Gbps").contains("does not measure what"))
    #expect(ask("workload.stepps", from: nil).contains("give --from and --to"))
    #expect(ask("workload.stepps").contains("--from: workload.stepps: unknown key"))
    #expect(ask("workload.model.depth").contains("leads through a plain value"))
    #expect(ask("cluster.topology.link").contains("is an object, no number"))
    #expect(
      ask(Self.bandwidth, from: nil, to: nil, between: ["fp32", "fp61"]).contains(
        "did you mean \"fp16\"?"))
    let swept = message {
      _ = try self.ask(
        closedForm(), CrossoverQuestion(axis: Self.bandwidth, between: ["fp32", "fp16"]),
        set: ["\(Self.bandwidth)=1 Gbps,2 Gbps"])
    }
    #expect(swept.contains("is swept in the scenario") && swept.contains("--set"))
    #expect(swept.split(separator: "\n").count == 1)
  }
}

@Suite struct WhatIfTests {
  private func ask(_ question: WhatIfQuestion, set: [String] = []) throws -> WhatIfAnswer {
    try question.answer(Scratch().scenario(closedForm(), set: set), options: AnswerOptions(jobs: 2))
  }

  /// fp16 saves bits / B and costs its codec: the codec may become (1 - difference / codec) times as
  /// dear, the links may become (tie bandwidth / bandwidth) times as fast.
  @Test func `the winner flips at the algebraic factors`() throws {
    let measured = try Measured()
    let answer = try ask(WhatIfQuestion(between: ["fp32", "fp16"], tolerance: 1e-9))
    let result = answer.results[0]
    #expect(result.winner == .b && result.ratio < 1 && answer.results.count == 1)
    func influence(_ name: String) throws -> AssumptionInfluence {
      try #require(result.influences.first { $0.assumption == name })
    }
    let codec = try influence("codec_cost")
    let dear = 1 - measured.difference / measured.codec
    #expect((try #require(codec.flipAbove) / dear - 1).magnitude < 1e-6 && codec.flipBelow == nil)
    let links = try influence("link_bandwidth")
    let fast = measured.bandwidth / 400e9
    #expect((try #require(links.flipAbove) / fast - 1).magnitude < 1e-6 && links.flipBelow == nil)
    // Nothing spreads here, compute is in both, and no transport gets faster than the line.
    #expect(try influence("straggler_spread").swing == 0)
    for name in ["straggler_spread", "compute_time", "goodput", "latency"] {
      #expect(try influence(name).nearestFlip == nil)
    }
    #expect(result.influences.map(\.swing) == result.influences.map(\.swing).sorted(by: >))
    #expect(result.errorOfA == 0 && result.errorOfB ?? 0 > 0)
  }

  /// A = C + x, B = C + y: compute times 0.7 and 1.3 give the ratios in closed form.
  @Test func `moved ratios are those of runs with the factor`() throws {
    let answer = try ask(WhatIfQuestion(between: ["fp32", "fp16"], change: 0.25))
    for (name, path) in [("compute_time", "compute_time"), ("latency", "latency")] {
      let influence = try #require(answer.results[0].influences.first { $0.assumption == name })
      for (factor, ratio) in [("0.75", influence.ratioBelow), ("1.25", influence.ratioAbove)] {
        let table = try SweepRunner(
          Scratch().scenario(closedForm(), set: ["assumptions.\(path)=\(factor)"])
        ).run(SweepOptions()).table
        let times = table.cells("iteration_time_s").compactMap(Double.init)
        #expect((times[1] / times[0] / ratio - 1).magnitude < 1e-12)
      }
    }
  }

  @Test func `a change that decides says so, and differences within a percent are ties`() throws {
    let tie = try ask(
      WhatIfQuestion(between: ["fp32", "fp16"], change: 0.98, tieThreshold: 0.05),
      set: ["cluster.topology.link.bandwidth=\(Int64(try Measured().bandwidth)) bps"])
    #expect(tie.results[0].winner == .tie)
    let links = tie.results[0].influences.first { $0.assumption == "link_bandwidth" }
    #expect(links?.winnerBelow == .b && links?.effect(on: .tie) == .decides)
    let close = try ask(
      WhatIfQuestion(between: ["fp32", "fp16"], tieThreshold: 0),
      set: ["cluster.topology.link.bandwidth=\(Int64(try Measured().bandwidth * 1.2)) bps"])
    #expect(close.results[0].winner == .a)
    let flip = close.results[0].influences.first { $0.assumption == "link_bandwidth" }
    #expect(flip?.effect(on: .a) == .flips && flip?.winnerBelow == .b)
    #expect(((flip?.flipBelow ?? 0) * 1.2 - 1).magnitude < 1e-3)
  }
}

@Suite struct AssumptionsTests {
  /// All measurements of one run under `assumptions`, by column.
  private func run(_ assumptions: String?, _ text: String = closedForm()) throws -> ResultTable {
    let member = assumptions.map { #", "assumptions": \#($0)"# } ?? ""
    let whole = String(text.dropLast()) + member + "}"
    return try SweepRunner(Scratch().scenario(whole)).run(SweepOptions()).table
  }

  @Test func `at 1 nothing changes but the hash`() throws {
    let base = try run(nil)
    for same in ["{}", #"{"compute_time": 1, "goodput": 1, "codec_cost": 1, "latency": 1.0}"#] {
      let other = try run(same)
      for name in base.header where name != "scenario_hash" {
        #expect(other.cells(name) == base.cells(name), "\(name)")
      }
      #expect(other.cells("scenario_hash") != base.cells("scenario_hash"))
    }
  }

  @Test(arguments: [
    ("compute_time", 1.5, ["compute_time_s", "optimizer_time_s"], "compute_source"),
    ("codec_cost", 3, ["exposed_encode_s", "exposed_decode_s"], "codec_cost_source"),
  ])
  func `times follow their factor and lose their source`(
    name: String, factor: Double, columns: [String], source: String
  ) throws {
    let base = try run(nil)
    let scaled = try run("{\"\(name)\": \(factor)}")
    for column in columns {
      for (a, b) in zip(base.rows, scaled.rows) {
        let (old, new) = (base.number(column, a) ?? -1, scaled.number(column, b) ?? -2)
        #expect((new - factor * old).magnitude <= 1e-11, "\(column)")
      }
    }
    for row in scaled.rows where !scaled.cell(source, row).isEmpty {
      let text = scaled.cell(source, row)
      #expect(text.contains("assumed: \(JSONNumber.shortest(factor)) times"))
      #expect(text.contains("assumptions.\(name)"))
    }
  }

  @Test func `rates and latencies scale the communication`() throws {
    func communication(_ assumptions: String?) throws -> Double {
      let table = try run(assumptions)
      return try #require(table.number("exposed_communication_s", table.rows[0]))
    }
    // 6 (2 latency + chunk / B), and six sums that stay.
    let base = try communication(nil)
    let table = try run(nil)
    let raw = try #require(table.number("raw_bytes", table.rows[0]))
    let bits = 6 * 8 * (raw / 4).rounded(.up) / 400e9
    #expect((try communication(#"{"goodput": 0.5}"#) - base - bits).magnitude < 1e-10)
    #expect((try communication(#"{"link_bandwidth": 0.5}"#) - base - bits).magnitude < 1e-10)
    #expect((try communication(#"{"link_bandwidth": 2}"#) - base + bits / 2).magnitude < 1e-10)
    #expect((try communication(#"{"latency": 3}"#) - base - 6 * 2 * 10e-6).magnitude < 1e-10)
    // The line is the limit.
    #expect(try communication(#"{"goodput": 2}"#) == base)
    let source = try run(#"{"goodput": 0.5, "latency": 3}"#).cells("transport_source")[0]
    #expect(source.contains("goodput assumed: 0.5 times (assumptions.goodput)"))
    #expect(source.contains("link latency assumed: 3 times (assumptions.latency)"))
  }

  @Test func `a spread of nothing is no straggler, and more is worse`() throws {
    let noisy = closedForm(
      #", "stragglers": {"compute": {"distribution": "lognormal", "sigma": 0.2}}"#)
    func wait(_ spread: Double?) throws -> Double {
      let table = try run(spread.map { "{\"straggler_spread\": \($0)}" }, noisy)
      return try #require(table.number("straggler_wait_s", table.rows[0]))
    }
    #expect(try wait(0) == 0)
    let (half, one, two) = (try wait(0.5), try wait(nil), try wait(2))
    #expect(half > 0 && half < one && one < two)
    let still = try run(#"{"straggler_spread": 0}"#, noisy)
    #expect(still.cells("iteration_time_s") == (try run(nil).cells("iteration_time_s")))
    #expect(still.cells("compute_source")[0].contains("straggler spread assumed: 0 times"))
  }

  @Test func `faults and preset caps follow as well`() throws {
    let faulty = closedForm(
      #", "faults": [{"at": "0 s", "link": "h0->switch", "bandwidth": "40 Gbps"}]"#)
    let base = try run(nil, faulty)
    let scaled = try run(#"{"link_bandwidth": 0.1}"#, faulty)
    let slow = try run(#"{"link_bandwidth": 0.1}"#)
    func time(_ table: ResultTable) throws -> Double {
      try #require(table.number("iteration_time_s", table.rows[0]))
    }
    #expect(try time(scaled) > time(base) && time(scaled) > time(slow))
    let message = message { _ = try self.run(#"{"goodput": 0}"#) }
    #expect(message.contains("assumptions.goodput"))
  }
}
