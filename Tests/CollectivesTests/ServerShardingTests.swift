import Collectives
import SimKernel
import Testing

@Suite("Sharding over parameter servers")
struct ServerShardingTests {
  @Test(
    "every element has exactly one server",
    arguments: [
      ServerSharding.hash, .split(from: 1), .split(from: 1000), .split(from: 1_000_000),
      .slices(of: 1), .slices(of: 777),
    ])
  func coversOnce(_ sharding: ServerSharding) {
    var random = RandomStream(seed: 3, purpose: RandomPurpose("sharding"))
    for servers in 1...7 {
      let tensors = (0..<40).map {
        ServedTensor(key: $0 * 3, elements: Int64(random.index(below: 3000)))
      }
      let shards = sharding.shards(of: tensors, servers: servers)
      var next: Int64 = 0
      for shard in shards {
        #expect(shard.elements.lowerBound == next && !shard.elements.isEmpty)
        #expect((0..<servers).contains(shard.server))
        next = shard.elements.upperBound
      }
      #expect(next == tensors.reduce(0) { $0 + $1.elements })
    }
  }

  @Test("whole tensors go to key * 9973 mod servers, as in MXNet")
  func hash() {
    let tensors = (0..<30).map { ServedTensor(key: $0, elements: 10) }
    let shards = ServerSharding.split(from: 1_000_000).shards(of: tensors, servers: 8)
    #expect(shards.map(\.server) == (0..<30).map { $0 * 9973 % 8 })
    let far = [ServedTensor(key: .max, elements: 1)]
    #expect(ServerSharding.hash.shards(of: far, servers: 10).map(\.server) == [1])
  }

  @Test("large tensors are cut into equal parts, rounded as MXNet rounds")
  func split() {
    let shards = ServerSharding.split(from: 1_000_000).shards(
      of: [
        ServedTensor(key: 1, elements: 999_999), ServedTensor(key: 2, elements: 1_000_001),
      ], servers: 4)
    #expect(shards.map(\.server) == [1, 0, 1, 2, 3])
    // 1,000,001 / 4 = 250,000.25: bounds round to 250,000, 500,001 (from .5), 750,001 (from .75).
    #expect(
      shards.dropFirst().map { $0.elements.count } == [250_000, 250_001, 250_000, 250_000])
  }

  @Test("slices are dealt in turn, across tensors")
  func slices() {
    let shards = ServerSharding.slices(of: 50).shards(
      of: [ServedTensor(key: 0, elements: 120), ServedTensor(key: 1, elements: 60)], servers: 2)
    #expect(shards.map { $0.elements.count } == [50, 50, 20, 50, 10])
    #expect(shards.map(\.server) == [0, 1, 0, 1, 0])
  }

  @Test("server slots follow the workers; co-located ones live with theirs")
  func slots() throws {
    let tensors = [ServedTensor(key: 0, elements: 2_000_000)]
    let shared = try ParameterServers(count: 2).makePlan(workers: 3, tensors: tensors).get()
    #expect(shared.rankCount == 5 && shared.workerCount == 3 && shared.chunkCount == 2)
    #expect((0..<5).map { shared.home(of: RankID($0))?.index } == [0, 1, 2, 0, 1])
    #expect(shared.chunkBounds() == [0..<1_000_000, 1_000_000..<2_000_000])
    #expect(shared.whole() == 2_000_000)
    // Every worker pushes and pulls each of two shards.
    #expect(shared.stepCount == 2 * 2 * 3)
    #expect(shared.departureDependencies(of: 6) == [0, 1, 2])
    #expect(shared.successors(of: 4) == [9, 10, 11])
    let apart = try ParameterServers(count: 2, placement: .dedicated).makePlan(
      workers: 3, tensors: tensors
    ).get()
    #expect((0..<5).map { apart.home(of: RankID($0))?.index } == [0, 1, 2, nil, nil])
  }

  @Test("servers are read with their defaults")
  func records() throws {
    let issues = IssueCollector()
    let servers = FieldReader.read(
      try JSONNode.parse(#"{"count":4}"#, origin: "test"), issues: issues
    ) { ParameterServers(&$0) }
    #expect(issues.issues.isEmpty && servers == ParameterServers(count: 4))
    let other = FieldReader.read(
      try JSONNode.parse(
        #"{"count":2,"placement":"dedicated","sharding":{"kind":"slices","of":9}}"#,
        origin: "test"), issues: issues
    ) { ParameterServers(&$0) }
    #expect(issues.issues.isEmpty && other.placement == .dedicated)
    #expect(other.sharding == .slices(of: 9))
  }
}
