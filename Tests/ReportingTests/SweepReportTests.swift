import Experiments
import Reporting
import Testing

/// A result with made-up numbers: a time for each (bandwidth, variant, replicate).
private func synthetic(
  _ entries: [(bandwidth: String, variant: String, times: [Double])],
  swept: [String] = ["cluster.topology.link.bandwidth", "communication"]
) -> ResultTable {
  let header = ResultColumns.header(swept: swept)
  var rows: [[String]] = []
  func baseline(_ bandwidth: String, _ replicate: Int) -> Double {
    entries.first { $0.bandwidth == bandwidth && $0.variant == "fp32" }?.times[replicate] ?? 1
  }
  for (point, entry) in entries.enumerated() {
    for (replicate, time) in entry.times.enumerated() {
      let cells = [
        "title": "synthetic", "point": "\(point)", "replicate": "\(replicate)",
        "cluster.topology.link.bandwidth": entry.bandwidth, "communication": entry.variant,
        "job": "main", "model": "resnet50", "iteration_time_s": "\(time)",
        "compute_time_s": "0.1", "exposed_encode_s": "0",
        "exposed_communication_s": "\(time - 0.1)",
        "exposed_decode_s": "0", "straggler_wait_s": "0", "compression_ratio": "1",
        "wire_ratio": "1", "gradient_rel_l2": entry.variant == "fp32" ? "0" : "0.5",
        "error_feedback": entry.variant == "fp32" ? "off" : "on", "strategy": "all_gather",
        "compression": entry.variant == "fp32" ? "none" : "top_k", "bottleneck": "compute",
        "speedup_over_fp32": "\(baseline(entry.bandwidth, replicate) / time)",
        "speedup_over_fp16": "\(baseline(entry.bandwidth, replicate) / time)",
        "compute_source":
          "forward derived: step less backward; a second clause; backward measured: a log",
        "codec_cost_source": entry.variant == "fp32"
          ? "" : "derived: launches and memory traffic of top_k on v100 (derived: one pass)",
        "transport_source": "rdma: goodput derived: headers; flow_cap assumed: none",
        "gradient_source": entry.variant == "fp32"
          ? "not needed: nothing is encoded" : "synthetic, convolutional family, assumed",
      ]
      rows.append(header.map { cells[$0] ?? "" })
    }
  }
  return ResultTable(header: header, sweptCount: swept.count, rows: rows)
}

@Suite struct PointSummaryTests {
  private func compare(_ a: [Double], _ b: [Double]) -> PointSummary.Comparison {
    let points = PointSummary.all(of: synthetic([("1 Gbps", "a", a), ("1 Gbps", "b", b)]))
    return points[0].compare(with: points[1])
  }

  @Test func lessThanAPercentIsATie() {
    #expect(compare([1], [1]) == .tie)
    #expect(compare([1], [1.009]) == .tie)
    #expect(compare([1], [1.02]) == .faster)
    #expect(compare([1.02], [1]) == .slower)
    #expect(compare([1, 1, 1], [1.009, 1.009, 1.009]) == .tie)
  }

  @Test func anIntervalAroundZeroIsATie() {
    // Differences of -0.1, -0.1 and 0.15: far more spread than mean.
    #expect(compare([1, 1, 1.2], [1.1, 1.1, 1.05]) == .tie)
    // Paired: both vary widely, but always by the same difference.
    #expect(compare([1, 2, 3], [1.1, 2.1, 3.1]) == .faster)
  }

  @Test func replicatesAreAveraged() {
    let points = PointSummary.all(
      of: synthetic([("1 Gbps", "fp32", [1, 3]), ("1 Gbps", "b", [2, 2])]))
    #expect(points.count == 2)
    #expect(points[0].time == 2 && points[1].mean("iteration_time_s") == 2)
    #expect(points[0].timeInterval != nil && points[1].timeInterval == 0)
    #expect(points[1].mean("no_such_column") == nil)
    #expect(points[1].errorNote == "gradient error 0.500, error feedback on")
    #expect(PointSummary.all(of: synthetic([("1 Gbps", "a", [1])]))[0].timeInterval == nil)
  }
}

@Suite struct SweepReportTests {
  private let table = synthetic([
    ("1 Gbps", "fp32", [0.5, 0.52]), ("1 Gbps", "top_k", [0.2, 0.21]),
    ("10 Gbps", "fp32", [0.15, 0.16]), ("10 Gbps", "top_k", [0.15, 0.16]),
  ])

  // The interval of two replicates d apart is 12.7 d / 2 (Student's t with one degree of freedom).
  @Test func aSweepReads() {
    #expect(
      SweepReport(table, width: 100).text == """
        bandwidth  communication  iteration  +-95%  vs fp32  vs fp16   comm  payload  error  ef   bottleneck
        1 Gbps     fp32               510.0    127    1.00x    1.00x  410.0    1.00x      0  off  compute
        1 Gbps     top_k              205.0     64    2.49x    2.49x  105.0    1.00x  0.500  on   compute

        10 Gbps    fp32               155.0     64    1.00x    1.00x  55.00    1.00x      0  off  compute
        10 Gbps    top_k              155.0     64    1.00x    1.00x  55.00    1.00x  0.500  on   compute
        times in ms along the critical path; payload and wire are ratios to the raw gradient; error is |mean
        decoded - mean| / |mean|, ef is error feedback
        left out at this width: compute, encode, decode, wait, wire; --format csv has everything

        1 Gbps: top_k is fastest at 205.0 ms, 2.49x over fp32, 2.49x over fp16; gradient error 0.500, error
            feedback on
        10 Gbps: a tie at 155.0 ms (1.00x over fp32, 1.00x over fp16) between fp32 (gradient error 0, error
            feedback off); top_k (gradient error 0.500, error feedback on)

        Pays off against the better of fp32 and fp16:
        communication  faster at  tie at      slower at
        fp32           -          1, 10 Gbps  -
        top_k          1 Gbps     10 Gbps     -

        What the numbers rest on (in full in the *_source columns of the CSV):
          compute     measured: backward; derived: forward
          codec cost  derived: top_k
          transport   derived: goodput; assumed: flow_cap
          gradients   assumed: synthetic, convolutional family

        """)
  }

  @Test func noLineIsLongerThanTheTerminal() {
    for width in stride(from: 40, through: 220, by: 10) {
      for line in SweepReport(table, width: width).text.split(separator: "\n") {
        #expect(line.count <= width)
      }
    }
  }

  @Test func noWinnerIsNamedWithoutItsError() {
    for line in SweepReport(table, width: 1000).answers.split(separator: "\n")
    where line.contains("fastest") || line.contains("tie at 1") {
      #expect(line.contains("gradient error") && line.contains("error feedback"))
    }
  }

  @Test func withoutVariantsThereIsNoVerdict() {
    let plain = synthetic([("1 Gbps", "fp32", [1])], swept: ["cluster.topology.link.bandwidth"])
    #expect(SweepReport(plain).answers == "")
    let none = ResultTable(header: plain.header, sweptCount: 1, rows: [])
    #expect(SweepReport(none).text == "no finished points\n")
  }

  @Test func sweptPathsWithOneLastKeyKeepEnoughToDiffer() {
    let swept = ["cluster.topology.host_link.bandwidth", "cluster.topology.fabric_link.bandwidth"]
    let text = SweepReport(synthetic([("x", "fp32", [1])], swept: swept)).text
    #expect(text.hasPrefix("host_link.bandwidth  fabric_link.bandwidth  iteration"))
  }
}
