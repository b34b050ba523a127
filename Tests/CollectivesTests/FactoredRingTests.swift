import Collectives
import SimKernel
import Testing

@Suite("Rings over levels and dimensions")
struct FactoredRingTests {
  let clock = IdealClock(alpha: .microseconds(5), bandwidth: .gigabitsPerSecond(7))

  private func plan(
    _ kind: CollectiveAlgorithm.Kind, _ factors: [Int]
  ) throws -> Plan {
    try CollectiveAlgorithm(kind, factors: factors).makePlan(
      .allReduce, shape: GroupShape(rankCount: factors.reduce(1, *)), size: .megabytes(1)
    ).get()
  }
  private func time(_ plan: Plan, _ size: ByteCount) -> SimTime {
    var execution = CollectiveExecution(plan: plan, size: size)
    var none = ByteAlgebra()
    return clock.run(&execution, algebra: &none).max()!
  }
  /// The sum over levels of 2 (p - 1)(alpha + share/B), the shares of the payload being bytes.
  private func closedForm(_ factors: [Int], _ bytes: Int) -> SimTime {
    var share = bytes
    return factors.reduce(SimTime.zero) { time, factor in
      share /= factor
      let message = clock.alpha + clock.bandwidth.time(toSend: .bytes(Int64(share)))
      return time + message * (2 * (factor - 1))
    }
  }
  private static let factorisations = [
    [1], [5], [2, 3], [3, 2], [4, 4], [2, 3, 4], [4, 1, 3, 2], [2, 2, 2, 2], [17, 2], [6, 5, 4],
  ]

  @Test(
    "BlueConnect takes the sum over levels of 2(p-1)(alpha + share/B), exactly",
    arguments: factorisations)
  func levels(_ factors: [Int]) throws {
    let n = factors.reduce(1, *)
    let plan = try plan(.hierarchical, factors)
    #expect(plan.isImplicit)
    #expect(plan.stepCount == n * factors.reduce(0) { $0 + 2 * ($1 - 1) })
    #expect(time(plan, .bytes(Int64(n * 1009))) == closedForm(factors, n * 1009))
    checkOnIntegers(plan, elements: 3 * n + 1, seed: 5, costPerElement: .picoseconds(2))
    checkOnIntegers(plan.stored(), elements: n - 1, seed: 6)
  }

  @Test("one factor is the flat ring, step by step; two are hosts of so many ranks")
  func identities() throws {
    for n in 1...9 {
      let flat = try CollectiveAlgorithm(.ring).makePlan(
        .allReduce, shape: GroupShape(rankCount: n), size: .megabytes(1)
      ).get()
      let one = try plan(.hierarchical, [n])
      #expect(one.stepCount == flat.stepCount)
      for index in 0..<flat.stepCount {
        #expect(one.step(index) == flat.step(index))
        #expect(one.dependencies(of: index) == flat.dependencies(of: index))
      }
    }
    let hosts = try CollectiveAlgorithm(.hierarchical).makePlan(
      .allReduce, shape: GroupShape(rankCount: 12, ranksPerHost: 3), size: .megabytes(1)
    ).get()
    let two = try plan(.hierarchical, [3, 4])
    for index in 0..<two.stepCount { #expect(two.step(index) == hosts.step(index)) }
  }

  @Test("messages stay within one dimension, and a level carries 2(p-1)/p of the share it is left")
  func traffic() throws {
    let factors = [4, 3, 2]
    let n = 24
    let plan = try plan(.hierarchical, factors)
    var carried = [0, 0, 0]
    for index in 0..<plan.stepCount {
      let step = plan.step(index)
      let places = [step.source.index, step.destination.index].map {
        [$0 % 4, $0 / 4 % 3, $0 / 12]
      }
      let different = (0..<3).filter { places[0][$0] != places[1][$0] }
      #expect(different.count == 1)
      if step.source.index == 0 { carried[different[0]] += step.chunks.count }
    }
    #expect(carried == [2 * 3 * n / 4, 2 * 2 * n / 12, 2 * n / 24])
  }

  @Test(
    "a torus ring takes a part of its payload along every dimension at once",
    arguments: factorisations)
  func torus(_ dimensions: [Int]) throws {
    let n = dimensions.reduce(1, *)
    let sizes = dimensions.filter { $0 > 1 }
    let parts = max(1, sizes.count)
    let plan = try plan(.torusRing, dimensions)
    // Without contention the parts do not meet: the slowest order of dimensions counts.
    let orders = (0..<sizes.count).map { first in
      (0..<parts).map { sizes[(first + $0) % parts] }
    }
    let slowest = orders.map { closedForm($0, n * 1009) }.max() ?? .zero
    #expect(time(plan, .bytes(Int64(parts * n * 1009))) == slowest)
    for seed in 0..<3 {
      checkOnIntegers(
        plan, elements: 2 * n + 3, seed: UInt64(seed), costPerElement: .picoseconds(2))
    }
  }

  @Test("no two parts of an even torus use one dimension in the same round")
  func apart() throws {
    let plan = try plan(.torusRing, [3, 3, 3])
    let stepsOfPart = plan.stepCount / 3
    for round in 0..<12 {
      let dimensions = (0..<3).map { part -> Int in
        let step = plan.step(part * stepsOfPart + round * 27)
        let (a, b) = (step.source.index, step.destination.index)
        return a % 3 != b % 3 ? 0 : a / 3 % 3 != b / 3 % 3 ? 1 : 2
      }
      #expect(Set(dimensions).count == 3)
    }
  }

  @Test("factors that do not multiply to the ranks are refused with one message")
  func refusals() throws {
    func reason(_ kind: CollectiveAlgorithm.Kind, _ factors: [Int], _ ranks: Int) -> String {
      let made = CollectiveAlgorithm(kind, factors: factors).makePlan(
        .allReduce, shape: GroupShape(rankCount: ranks), size: .zero)
      guard case .failure(let refusal) = made else { return "a plan" }
      return "\(refusal)"
    }
    #expect(
      reason(.hierarchical, [2, 3], 7)
        == "\"factors\" 2 x 3 do not multiply to 7 ranks; choose numbers that do")
    #expect(reason(.torusRing, [2, 3], 5).hasPrefix("\"dimensions\" 2 x 3 do not multiply"))
    #expect(reason(.hierarchical, Array(repeating: 2, count: 9), 512).contains("9 levels"))
    #expect(reason(.torusRing, [2048, 2048], 1 << 22).contains("use hierarchical"))
    #expect(reason(.hierarchical, Array(repeating: 2, count: 8), 256) == "a plan")
  }

  @Test("factors and dimensions are read, and not together with a group")
  func records() throws {
    func read(_ text: String) throws -> (CollectiveAlgorithm, [SimKernel.Issue]) {
      let issues = IssueCollector()
      let algorithm = FieldReader.member(
        of: CollectiveAlgorithm.registry, try JSONNode.parse(text, origin: "test"),
        path: FieldPath(["algorithm"]), issues: issues)
      return (algorithm, issues.issues)
    }
    let (levels, none) = try read(#"{"kind": "hierarchical", "factors": [2, 4, 3]}"#)
    #expect(none.isEmpty && levels.factors == [2, 4, 3])
    let (torus, alsoNone) = try read(#"{"kind": "torus_ring", "dimensions": [4, 4]}"#)
    #expect(alsoNone.isEmpty && torus.factors == [4, 4])
    #expect(try read(#"{"kind": "hierarchical", "factors": [2], "group": 2}"#).1.count == 1)
    #expect(try read(#"{"kind": "torus_ring", "dimensions": [4, 0]}"#).1.count == 1)
    #expect(try read(#"{"kind": "hierarchical", "factors": [0]}"#).1.count == 1)
  }
}
