import Networks
import SimKernel
import Testing
import Training

@Suite struct ScheduleTests {
  static func schedule(_ text: String) throws -> any CommunicationSchedule {
    try record("{\"s\": \(text)}") {
      $0.variant("s", ScheduleCatalog.registry, default: "buckets", doc: "")
    }
  }
  static func input(_ elements: [Int], ready: [Int64]? = nil) -> ScheduleInput {
    // Without times of its own, the last tensor is ready first.
    let times = ready ?? elements.indices.map { Int64(elements.count - $0) }
    return ScheduleInput(elements: elements, bytesPerElement: 4, readyOffsets: times.map { us($0) })
  }
  static func tensors(_ plan: SchedulePlan) -> [[Int]] {
    plan.units.map { $0.tensors.map(\.index) }
  }

  @Test("ResNet-50 falls into the buckets of DDP's greedy rule")
  func resnet50() throws {
    let table = ModelCatalog.table(named: "resnet50")!
    let elements = table.tensors.map(\.elements)
    // compute_bucket_assignment_by_size, over the parameters in reverse: a bucket closes when it
    // holds its limit, which is 1 MiB for the first and 25 MiB for the others.
    var expected: [[Int]] = []
    var open: [Int] = []
    var bytes = 0
    for index in elements.indices.reversed() {
      open.append(index)
      bytes += 4 * elements[index]
      if bytes >= (expected.isEmpty ? 1 << 20 : 25 << 20) {
        expected.append(open)
        (open, bytes) = ([], 0)
      }
    }
    if !open.isEmpty { expected.append(open) }
    let plan = BucketSchedule().plan(Self.input(elements))
    #expect(Self.tensors(plan) == expected)
    // 102 MB: the classifier closes the small first bucket, the rest fills four of 25 MiB.
    #expect(plan.units.count == 5)
    #expect(plan.limit == .exchanges(1))
  }

  @Test("every schedule sends every tensor once, in the order of readiness")
  func partition() throws {
    var random = RandomStream(seed: 9, purpose: RandomPurpose("tensors"))
    for name in ScheduleCatalog.registry.names {
      for count in [0, 1, 2, 3, 10, 57] {
        let elements = (0..<count).map { _ in 1 + random.index(below: 1 << 20) }
        let ready = (0..<count).map { _ in Int64(random.index(below: 20)) }
        let input = Self.input(elements, ready: ready)
        let plan = try Self.schedule("\"\(name)\"").plan(input)
        var order: [Int] = []
        var reached = Array(repeating: 0, count: count)
        for unit in plan.units {
          #expect(!unit.tensors.isEmpty)
          if let slice = unit.slice, let tensor = unit.tensors.first?.index {
            // Slices follow one another and leave nothing out.
            #expect(slice.lowerBound == reached[tensor] && unit.elements == slice.count)
            reached[tensor] = slice.upperBound
            if slice.upperBound == elements[tensor] { order.append(tensor) }
          } else {
            #expect(unit.elements == unit.tensors.reduce(0) { $0 + elements[$1.index] })
            order += unit.tensors.map(\.index)
          }
        }
        #expect(order.sorted() == Array(0..<count), "\(name), \(count)")
        for (a, b) in zip(order, order.dropFirst()) {
          #expect(ready[a] < ready[b] || (ready[a] == ready[b] && a > b), "\(name)")
        }
      }
    }
  }

  @Test("buckets of 0 B, and per_tensor, send every tensor alone; one_shot all at once")
  func extremes() throws {
    let input = Self.input([5, 0, 7, 9])
    let alone = [[3], [2], [1], [0]]
    #expect(
      Self.tensors(try Self.schedule(#"{"policy": "buckets", "bucket": "0 B"}"#).plan(input))
        == alone)
    #expect(Self.tensors(try Self.schedule(#""per_tensor""#).plan(input)) == alone)
    #expect(Self.tensors(try Self.schedule(#""one_shot""#).plan(input)) == [[3, 2, 1, 0]])
    let window = try Self.schedule(#"{"policy": "per_tensor", "window": 3}"#).plan(input)
    #expect(window.limit == .exchanges(3))
  }

  @Test("a bucket closes at its limit, not before; the first limit is never above the others")
  func limits() {
    let input = Self.input([256, 256, 256, 256])
    let kib = ByteCount.kibibytes
    #expect(
      Self.tensors(BucketSchedule(bucket: kib(2), first: kib(1)).plan(input)) == [
        [3], [2, 1], [0],
      ])
    #expect(
      Self.tensors(BucketSchedule(bucket: ByteCount(1025), first: kib(4)).plan(input)) == [
        [3, 2], [1, 0],
      ])
  }

  @Test("bucket size has an optimum: too many messages on one side, no overlap on the other")
  func uShape() throws {
    var scene = Scene()
    scene.model = ModelCatalog.table(named: "resnet50")!
    scene.workload = #""iterations": 1, "warmup": 0"#
    scene.topology = Lab.star(8, .gigabitsPerSecond(10), latency: us(50))
    func total(_ schedule: String) throws -> SimDuration {
      scene.communication = #""algorithm": "ring", "schedule": \#(schedule)"#
      return try scene.run(.alphaBeta).job.mean.total
    }
    let buckets = try total(#"{"policy": "buckets", "bucket": "25 MiB"}"#)
    #expect(try total(#""per_tensor""#) > buckets)
    #expect(try total(#""one_shot""#) > buckets)
  }
}
