import Collectives
import Networks
import SimKernel
import Testing
import Training

/// Whole jobs whose iteration time is a formula: F = 100 us, B = 200 us, update 10 us.
@Suite struct ClosedFormTests {
  static let compute = us(310)
  static let elements = 30_240
  static let bytes: Int64 = 4 * 30_240

  @Test(
    "a ring all-reduce after backward takes F + B + 2(n-1)(2 latencies + S/nB) + n-1 sums",
    arguments: [NetworkModelKind.alphaBeta, .flow], [2, 3, 4, 5, 8, 16])
  func ring(model: NetworkModelKind, workers: Int) throws {
    for latency in [0, 5] as [Int64] {
      var scene = Scene()
      scene.model = Scene.table([Self.elements])
      scene.topology = Lab.star(workers, latency: us(latency))
      scene.communication = #""algorithm": "ring", "schedule": "one_shot""#
      let (job, _) = try scene.run(model)
      let chunk = Self.bytes / Int64(workers)
      let step = us(2 * latency) + Lab.bytePerNanosecond.time(toSend: ByteCount(chunk))
      let n = workers - 1
      let expected = step * (2 * n) + Scene.reduction(chunk) * n
      #expect(isClose(job.mean.communication, expected, within: Int64(2 * n)))
      #expect(isClose(job.mean.total, Self.compute + expected, within: Int64(2 * n)))
      #expect(job.mean.encode == .zero && job.mean.decode == .zero)
      let iterations = Int64(20)
      let sent = iterations * 2 * Int64(n) * Self.bytes
      #expect(job.wireBytes == ByteCount(sent))
    }
  }

  @Test("an all-gather moves n-1 payloads and every worker adds n up", arguments: [2, 3, 7])
  func allGather(workers: Int) throws {
    var scene = Scene()
    scene.model = Scene.table([Self.elements])
    scene.topology = Lab.star(workers, latency: us(5))
    scene.communication = #""strategy": "all_gather", "algorithm": "ring", "schedule": "one_shot""#
    let mean = try scene.run().job.mean
    let step = us(10) + Lab.bytePerNanosecond.time(toSend: ByteCount(Self.bytes))
    #expect(isClose(mean.communication, step * (workers - 1), within: Int64(workers)))
    // Reads payload and sum, writes the sum: 12 bytes an element and payload, one launch each.
    let device = DeviceCatalog.profile(named: "v100")!
    let add =
      device.kernelLaunch.value
      + device.memoryBandwidth.value.time(toSend: ByteCount(Int64(12 * Self.elements)))
    #expect(mean.decode == add * workers)
    #expect(mean.total == Self.compute + mean.communication + mean.decode)
  }

  @Test("one dedicated server takes N pushes through its link, and sends N replies")
  func dedicatedServer() throws {
    for workers in 1...6 {
      var scene = Scene()
      scene.model = Scene.table([Self.elements])
      scene.topology = Lab.star(workers + 1, latency: us(5))
      scene.communication =
        #""strategy": "parameter_server", "servers": {"placement": "dedicated"}, "#
        + #""schedule": "one_shot""#
      let (job, _) = try scene.run()
      #expect(job.workers == workers)
      if workers == 1 {
        #expect(job.mean.total == Self.compute)
        continue
      }
      let way = us(10) + Lab.bytePerNanosecond.time(toSend: ByteCount(Self.bytes)) * workers
      let sums = Scene.reduction(Self.bytes) * (workers - 1)
      #expect(isClose(job.mean.communication, way * 2 + sums, within: 8))
      let sent = 20 * Int64(workers) * Self.bytes
      #expect(job.wireBytes == ByteCount(sent))
    }
  }

  @Test(
    "co-located servers spread the incast: (N-1)/N of the gradient each way",
    arguments: [2, 3, 4, 6])
  func colocatedServers(workers: Int) throws {
    var scene = Scene()
    scene.model = Scene.table([Self.elements])
    scene.topology = Lab.star(workers, latency: us(5))
    scene.communication =
      #""strategy": "parameter_server", "servers": {"sharding": {"kind": "split", "from": 1}}, "#
      + #""schedule": "one_shot""#
    let (job, _) = try scene.run()
    let shard = Self.bytes / Int64(workers)
    let n = workers - 1
    let way = us(10) + Lab.bytePerNanosecond.time(toSend: ByteCount(shard * Int64(n)))
    #expect(isClose(job.mean.communication, way * 2 + Scene.reduction(shard) * n, within: 8))
    let sent = 20 * Int64(workers * n) * shard
    #expect(job.wireBytes == ByteCount(sent))
  }

  @Test("a hierarchical all-reduce sends 2(h-1)/h of the gradient through each host's interface")
  func hierarchical() throws {
    var scene = Scene()
    scene.model = Scene.table([Self.elements])
    scene.workload += #", "iterations": 2, "warmup": 1"#
    scene.topology = HostsTopology(
      hosts: 4, acceleratorsPerHost: 4,
      innerLink: LinkSpecification(bandwidth: .gigabitsPerSecond(1000)),
      nicLink: LinkSpecification(bandwidth: .gigabitsPerSecond(8))
    ).makeTopology()
    func outside(_ algorithm: String) throws -> Int64 {
      scene.communication = #""algorithm": "\#(algorithm)", "schedule": "one_shot""#
      let usage = try scene.run().usage
      return zip(scene.topology.links, usage).reduce(0) {
        $0 + ($1.0.isInner ? 0 : $1.1.carried.bytes)
      }
    }
    // 4 hosts x 3 iterations x 2 directions of a cable x 2 * 3/4 S.
    let two: Int64 = 4 * 3 * 2 * Self.bytes * 3 / 2
    #expect(try outside("hierarchical") == two)
    // A flat ring crosses each interface once a step: 2 * 15/16 S.
    let flat: Int64 = 4 * 3 * 2 * Self.bytes * 15 / 8
    #expect(try outside("ring") == flat)
  }

  @Test("one worker never communicates or encodes, whatever the strategy")
  func oneWorker() throws {
    for communication in [
      "", #""strategy": "all_gather", "compression": "top_k:ratio=0.01""#,
      #""strategy": "parameter_server""#, #""compression": "int8:shared_range=true""#,
    ] {
      var scene = Scene()
      scene.workload += #", "workers": 1"#
      scene.communication = communication
      let (job, usage) = try scene.run()
      #expect(job.mean.total == Self.compute)
      #expect(job.wireBytes == .zero)
      #expect(usage.allSatisfy { $0.carried == .zero })
    }
  }

  @Test("half the bytes take half the communication on links without latency")
  func ratio() throws {
    var scene = Scene()
    scene.model = Scene.table([Self.elements])
    scene.communication = #""algorithm": "ring", "schedule": "one_shot""#
    let plain = try scene.run().job
    scene.communication += #", "compression": "fp16""#
    let half = try scene.run().job
    #expect(isClose(plain.mean.communication, half.mean.communication * 2, within: 40))
    #expect(plain.wireBytes == half.wireBytes * 2)
    #expect(half.mean.encode > .zero && half.mean.decode > .zero)
  }

  @Test("communication faster than backward leaves only the last bucket in the open")
  func overlap() throws {
    var scene = Scene()
    scene.model = Scene.table([7560, 30_240, 30_240, 30_240])
    scene.topology = Lab.star(4, .gigabitsPerSecond(400))
    scene.communication = #""algorithm": "ring", "schedule": "per_tensor""#
    let mean = try scene.run().job.mean
    let chunk: Int64 = 7560
    let last =
      Bandwidth.gigabitsPerSecond(400).time(toSend: ByteCount(chunk)) * 6
      + Scene.reduction(chunk) * 3
    #expect(isClose(mean.communication, last, within: 6))
    #expect(mean.compute == us(300))
  }

  @Test("four micro-batches compute four times and communicate once")
  func accumulation() throws {
    var scene = Scene()
    scene.model = Scene.table([Self.elements])
    scene.communication = #""algorithm": "ring", "schedule": "one_shot""#
    let once = try scene.run().job
    scene.workload += #", "accumulation_steps": 4"#
    let built = try scene.plan().plan
    #expect(built.exchanges.count == 1)
    #expect(built.graph.operations.count { $0.kind == .exchange } == 1)
    let four = try scene.run().job
    #expect(four.mean.compute == us(1200))
    #expect(four.mean.communication == once.mean.communication)
    #expect(four.mean.total == once.mean.total + us(900))
    #expect(four.wireBytes == once.wireBytes)
  }

  @Test("a server decodes every push and encodes one reply")
  func encodedServer() throws {
    var scene = Scene()
    scene.model = Scene.table([Self.elements])
    scene.topology = Lab.star(4)
    let servers = #""servers": {"placement": "dedicated", "reply": "encoded"}"#
    scene.communication =
      #""strategy": "parameter_server", \#(servers), "schedule": "one_shot", "#
      + #""compression": "top_k:ratio=0.1""#
    let (plan, report) = try scene.plan()
    let mean = try scene.run().job.mean
    let cost = plan.exchanges[0].combining
    let payload = plan.exchanges[0].sizes[0]
    #expect(report.encodedBytes == Double(payload.bytes))
    #expect(payload.bytes >= 8 * 3024 && payload.bytes < 8 * 3024 + 200)
    let way = Lab.bytePerNanosecond.time(toSend: payload) * 3
    // Three pushes are decoded, two sums made, one reply encoded.
    let server = cost.perPayload * 3 + Scene.reduction(payload.bytes) * 2 + cost.onLast
    #expect(cost.perPayload > .zero && cost.onLast > .zero)
    #expect(isClose(mean.communication, way * 2 + server, within: 10))
  }

  @Test("a plain reply has the gradient's size")
  func denseReply() throws {
    var scene = Scene()
    scene.model = Scene.table([Self.elements])
    scene.topology = Lab.star(4)
    let servers = #""servers": {"placement": "dedicated", "reply": "dense"}"#
    scene.workload += #", "iterations": 1, "warmup": 0"#
    scene.communication =
      #""strategy": "parameter_server", \#(servers), "schedule": "one_shot", "#
      + #""compression": "top_k:ratio=0.1""#
    let payload = try scene.plan().plan.exchanges[0].sizes[0].bytes
    let (job, usage) = try scene.run()
    #expect(job.mean.decode == .zero)
    // Every transfer crosses two links; rounding the reply up may cost a byte.
    let carried = usage.reduce(0) { $0 + $1.carried.bytes }
    let expected = 2 * 3 * (payload + Self.bytes)
    #expect((0...12).contains(carried - expected))
  }
}
