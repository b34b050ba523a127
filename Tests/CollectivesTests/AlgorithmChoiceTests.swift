import Collectives
import SimKernel
import Testing

@Suite("Choosing an algorithm")
struct AlgorithmChoiceTests {
  private func choice(
    _ operation: CollectiveOperation, _ n: Int, _ bytes: Int64, perHost: Int? = nil
  ) throws -> String {
    try CollectiveAlgorithm(.auto).makePlan(
      operation, shape: GroupShape(rankCount: n, ranksPerHost: perHost), size: .bytes(bytes)
    ).get().name
  }

  @Test("auto follows Open MPI for all-reduce: 10,000 bytes, and more elements than ranks")
  func allReduce() throws {
    #expect(try choice(.allReduce, 16, 9_999) == "recursive_doubling")
    #expect(try choice(.allReduce, 16, 10_000) == "ring")
    #expect(try choice(.allReduce, 2499, 10_000) == "ring")
    #expect(try choice(.allReduce, 2500, 10_000) == "tree")
    #expect(try choice(.allReduce, 16, 10_000, perHost: 4) == "hierarchical")
    #expect(try choice(.allReduce, 16, 9_999, perHost: 4) == "recursive_doubling")
    #expect(try choice(.allReduce, 16, 10_000, perHost: 16) == "ring")
    #expect(try choice(.allReduce, 16, 10_000, perHost: 1) == "ring")
    #expect(try choice(.allReduce, 15, 10_000, perHost: 4) == "ring")
  }

  @Test("auto follows Open MPI for reduce-scatter, and MPICH for all-gather")
  func others() throws {
    #expect(try choice(.reduceScatter, 6, 12 << 10) == "halving_doubling")
    #expect(try choice(.reduceScatter, 6, 12 << 10 + 1) == "ring")
    #expect(try choice(.reduceScatter, 8, 256 << 10) == "halving_doubling")
    #expect(try choice(.reduceScatter, 8, 256 << 10 + 1) == "ring")
    #expect(try choice(.reduceScatter, 1000, 400_000) == "halving_doubling")
    #expect(try choice(.allGather, 8, 64 << 10 - 1) == "recursive_doubling")
    #expect(try choice(.allGather, 8, 64 << 10) == "ring")
    #expect(try choice(.allGather, 5, 16 << 10 - 1) == "bruck")
    #expect(try choice(.allGather, 5, 16 << 10) == "ring")
    #expect(try choice(.allGather, 5, .max) == "ring")
  }

  @Test("auto passes long messages of a broadcast or reduce on in chunks, as Open MPI does")
  func longMessages() throws {
    #expect(try choice(.broadcast, 8, 370_727) == "tree")
    #expect(try choice(.broadcast, 2, 370_728) == "ring")
    #expect(try choice(.broadcast, 8, 370_728) == "k_ary_tree")
    #expect(try choice(.broadcast, 13, 1_310_000) == "ring")
    #expect(try choice(.broadcast, 14, 1_310_000) == "k_ary_tree")
    #expect(try choice(.broadcast, 1024, 16 << 10) == "tree")
    #expect(try choice(.reduce, 7, 20_479) == "tree")
    #expect(try choice(.reduce, 8, 20_480) == "k_ary_tree")
    #expect(try choice(.reduce, 17, 100_000) == "tree")
    #expect(try choice(.reduce, 5, 100 << 10) == "ring")
    for n in [7, 17, 100] {
      #expect(try choice(.broadcast, n, 1_000_000_000) == "ring")
      #expect(try choice(.reduce, n, 1_000_000_000) == "ring")
    }
  }

  @Test("what an algorithm cannot do is refused with the names of those that can")
  func refusals() throws {
    func reason(
      _ kind: CollectiveAlgorithm.Kind, _ operation: CollectiveOperation, _ shape: GroupShape,
      root: Int = 0
    ) -> String {
      let result = CollectiveAlgorithm(kind).makePlan(
        operation, shape: shape, size: .megabytes(1), root: RankID(root))
      guard case .failure(let refusal) = result else { return "a plan" }
      return "\(refusal)"
    }
    let four = GroupShape(rankCount: 4)
    for kind in CollectiveAlgorithm.Kind.allCases {
      for operation in CollectiveOperation.allCases
      where !CollectiveAlgorithm(kind).operations.contains(operation) {
        #expect(reason(kind, operation, four) != "a plan")
      }
    }
    #expect(
      reason(.bruck, .allReduce, four)
        == "bruck cannot carry out all_reduce; these can: "
        + "auto, ring, recursive_doubling, halving_doubling, tree, hierarchical, direct, "
        + "double_binary_tree, k_ary_tree, torus_ring, in_network")
    #expect(reason(.ring, .pushPull, four).contains("needs parameter servers"))
    #expect(reason(.ring, .allReduce, GroupShape(rankCount: 0)).contains("not 0"))
    #expect(
      reason(.tree, .broadcast, four, root: 4)
        == "root 4 is not a rank of a group of 4; ranks count from 0")
    #expect(reason(.tree, .reduce, four, root: -1).hasPrefix("root -1"))
    #expect(reason(.hierarchical, .allReduce, four).contains("consecutive ranks on every host"))
    #expect(
      reason(.hierarchical, .allReduce, GroupShape(hosts: [0, 1, 0, 1])).contains("host by host"))
    let grouped = CollectiveAlgorithm(.hierarchical, group: 3).makePlan(
      .allReduce, shape: four, size: .megabytes(1))
    #expect(throws: PlanRefusal("4 ranks do not fall into groups of 3; choose a divisor")) {
      try grouped.get()
    }
    let servers = ParameterServers(count: 5).makePlan(workers: 4, tensors: [])
    #expect(throws: PlanRefusal.self) { try servers.get() }
  }

  @Test("shapes know hosts only where their ranks are consecutive")
  func shapes() {
    #expect(GroupShape(rankCount: 8, ranksPerHost: 4).ranksPerHost == 4)
    #expect(GroupShape(rankCount: 7, ranksPerHost: 4).hostSizes == [4, 3])
    #expect(GroupShape(rankCount: 7, ranksPerHost: 4).ranksPerHost == nil)
    #expect(GroupShape(hosts: [7, 7, 2, 2]).ranksPerHost == 2)
    #expect(GroupShape(hosts: [7, 2, 7]).hostSizes == nil)
    #expect(GroupShape(rankCount: 3).hostSizes == nil)
  }

  @Test("the registry reads names, settings and refuses what an algorithm does not have")
  func records() throws {
    func read(_ text: String) throws -> (CollectiveAlgorithm, [SimKernel.Issue]) {
      let issues = IssueCollector()
      let value = FieldReader.member(
        of: CollectiveAlgorithm.registry, try JSONNode.parse(text, origin: "test"),
        path: FieldPath(), issues: issues)
      return (value, issues.issues)
    }
    #expect(
      CollectiveAlgorithm.registry.names == CollectiveAlgorithm.Kind.allCases.map(\.rawValue))
    for name in CollectiveAlgorithm.registry.names {
      let (algorithm, issues) = try read("\"\(name)\"")
      #expect(issues.isEmpty && algorithm == CollectiveAlgorithm.named(name))
    }
    let (ring, none) = try read(
      #"{"kind":"ring","variable_size":"grouped_broadcast","slice":"1 MiB"}"#)
    #expect(none.isEmpty && ring.variableSize == .groupedBroadcast && ring.slice == .mebibytes(1))
    let (_, unknown) = try read(#"{"kind":"tree","group":4}"#)
    #expect(unknown.count == 1)
    let (_, misspelt) = try read(#""rign""#)
    #expect(misspelt.first?.description.contains("did you mean \"ring\"") == true)
    let (_, zero) = try read(#"{"kind":"ring","slice":"0 B"}"#)
    #expect(zero.count == 1)
  }
}
