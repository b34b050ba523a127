import Experiments
import Reporting
import SimKernel
import Testing
import Validation

@Suite struct ParetoFrontTests {
  @Test func `nothing, one point and ties`() {
    let two: [MetricDirection] = [.lowerIsBetter, .lowerIsBetter]
    #expect(ParetoFront.isOptimal([], two) == [])
    #expect(ParetoFront.isOptimal([[1, 2]], two) == [true])
    #expect(ParetoFront.isOptimal([[1, 2], [1, 2]], two) == [true, true])
    // Equal in one objective, the other decides.
    #expect(ParetoFront.isOptimal([[1, 2], [1, 1], [2, 1]], two) == [false, true, false])
    #expect(ParetoFront.isOptimal([[0, 1], [-0.0, 1]], two) == [true, true])
    #expect(
      ParetoFront.isOptimal([[1, 2], [2, 3]], [.lowerIsBetter, .higherIsBetter]) == [true, true])
    #expect(
      ParetoFront.isOptimal([[1, 3], [2, 2]], [.lowerIsBetter, .higherIsBetter]) == [true, false])
  }

  /// Few distinct values, so that there are many ties.
  @Test(arguments: [2, 3, 4], [1, 2, 3, 10, 60])
  func `the front is what brute force finds`(objectives: Int, count: Int) {
    var random = RandomStream(
      seed: 11, purpose: RandomPurpose("pareto"), entity: 100 * objectives + count)
    for _ in 0..<40 {
      let directions = (0..<objectives).map { _ in
        random.index(below: 2) == 0 ? MetricDirection.lowerIsBetter : .higherIsBetter
      }
      let points = (0..<count).map { _ in
        (0..<objectives).map { _ in Double(random.index(below: 6)) }
      }
      let expected = points.map { point in
        !points.contains { other in
          var isWorse = false
          var isBetter = false
          for index in directions.indices {
            let sign = directions[index] == .lowerIsBetter ? 1.0 : -1.0
            if sign * other[index] > sign * point[index] { isWorse = true }
            if sign * other[index] < sign * point[index] { isBetter = true }
          }
          return isBetter && !isWorse
        }
      }
      #expect(ParetoFront.isOptimal(points, directions) == expected)
    }
  }
}

@Suite struct ParetoReportTests {
  private static let file = """
    point,replicate,seed,bandwidth,communication,job,iteration_time_s,gradient_rel_l2,wire_bytes
    0,0,1,1 Gbps,fp32,main,8,0,100
    0,1,1,1 Gbps,fp32,main,10,0,100
    1,0,1,1 Gbps,fp16,main,5,0.001,50
    1,1,1,1 Gbps,fp16,main,5,0.001,50
    2,0,1,1 Gbps,bf16,main,5,0.001,50
    2,1,1,1 Gbps,bf16,main,5,0.001,50
    3,0,1,1 Gbps,qsgd,main,6,0.01,25
    3,1,1,1 Gbps,qsgd,main,6,0.01,25
    4,0,1,1 Gbps,lost,main,1,unknown,1
    5,0,1,10 Gbps,qsgd,main,2,0.01,25

    """
  private static let objectives = [
    JudgedMetric("iteration_time_s", .lowerIsBetter),
    JudgedMetric("gradient_rel_l2", .lowerIsBetter),
  ]

  private static func report(_ all: Bool, by: [String]? = nil) throws -> AnswerDocument {
    try ParetoReport(
      [ResultsFile(file, path: "a.csv")], objectives: objectives, by: by, showsDominated: all
    ).document
  }

  @Test func `groups have their fronts, ties are kept and unknowns counted`() throws {
    #expect(
      try Self.report(true).text(.table) == """
        Pareto-optimal in low iteration_time_s and low gradient_rel_l2

        bandwidth  communication  iteration_time_s   sd  gradient_rel_l2  sd  optimal  dominated by
        1 Gbps     fp16                      5.000    0         0.001000   0  yes
        1 Gbps     bf16                      5.000    0         0.001000   0  yes
        1 Gbps     qsgd                      6.000    0          0.01000   0  no       fp16; bf16
        1 Gbps     fp32                      9.000  1.4                0   0  yes
        10 Gbps    qsgd                      2.000               0.01000      yes

        4 of 5 points in 2 groups are optimal: no other is at least as good in every objective and better in one; means over replicates, sd is their
          standard deviation
        a tie (1 Gbps): fp16, bf16
        1 point left out: an objective is unknown

        """)
  }

  @Test func `files hold the numbers in full and only the front unless all is asked for`() throws {
    let csv = try Self.report(false).text(.csv)
    #expect(
      csv == """
        bandwidth,job,communication,iteration_time_s,iteration_time_s_sd,gradient_rel_l2,gradient_rel_l2_sd,replicates,pareto
        1 Gbps,main,fp16,5,0,0.001,0,2,yes
        1 Gbps,main,bf16,5,0,0.001,0,2,yes
        1 Gbps,main,fp32,9,1.4142135623730951,0,0,2,yes
        10 Gbps,main,qsgd,2,,0.01,,1,yes

        """)
    let markdown = try Self.report(false, by: ["job"]).text(.markdown)
    #expect(markdown.contains("| bandwidth | communication | iteration_time_s | sd |"))
    #expect(markdown.contains("| --- | --- | ---: | ---: |"))
    #expect(markdown.contains("| 10 Gbps | qsgd | 2.000 |  | 0.01000 |  |"))
  }

  @Test func `columns that are not there are refused`() throws {
    #expect(throws: InvalidInput.self) { try Self.report(false, by: ["bandwith"]) }
    let file = try ResultsFile(Self.file, path: "a.csv")
    #expect(throws: InputError.self) {
      try ParetoReport(
        [file], objectives: [Self.objectives[0], JudgedMetric("score", .lowerIsBetter)])
    }
    #expect(throws: InputError.self) {
      try ParetoReport([file, file], objectives: Self.objectives)
    }
    #expect(throws: InvalidInput.self) { try JudgedMetric(parsing: "workers", option: "--x") }
    #expect(
      try JudgedMetric(parsing: "workers:lower", option: "--x")
        == JudgedMetric("workers", .lowerIsBetter))
  }
}
