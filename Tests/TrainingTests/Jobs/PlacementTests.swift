import Networks
import SimKernel
import Testing
import Training

@Suite struct PlacementTests {
  static let hosts = HostsTopology(
    hosts: 3, acceleratorsPerHost: 2,
    innerLink: LinkSpecification(bandwidth: .gigabitsPerSecond(100)),
    nicLink: LinkSpecification(bandwidth: .gigabitsPerSecond(10))
  ).makeTopology()

  static func scene(_ placement: PlacementSettings, workers: Int? = nil) -> Scene {
    var scene = Scene()
    scene.topology = hosts
    scene.placement = placement
    if let workers { scene.workload += #", "workers": \#(workers)"# }
    return scene
  }

  @Test("packed fills hosts, spread takes one of each in turn, a list is taken as written")
  func orders() throws {
    #expect(try Self.scene(.packed).blueprint().accelerators == [0, 1, 2, 3, 4, 5])
    #expect(try Self.scene(.packed, workers: 3).blueprint().accelerators == [0, 1, 2])
    #expect(try Self.scene(.spread).blueprint().accelerators == [0, 2, 4, 1, 3, 5])
    #expect(try Self.scene(.spread, workers: 4).blueprint().accelerators == [0, 2, 4, 1])
    let list = try Self.scene(.list([5, 0, 3])).blueprint()
    #expect(list.accelerators == [5, 0, 3])
    #expect(list.workers == 3)
  }

  @Test("jobs take what earlier ones left")
  func taken() throws {
    var scene = Self.scene(.packed)
    scene.taken = [true, false, false, true, false, false]
    #expect(try scene.blueprint().accelerators == [1, 2, 4, 5])
    scene.placement = .spread
    #expect(try scene.blueprint().accelerators == [1, 2, 4, 5])
  }

  @Test("dedicated servers come after the workers and take accelerators of their own")
  func servers() throws {
    var scene = Self.scene(.packed)
    scene.communication =
      #""strategy": "parameter_server", "servers": {"placement": "dedicated", "count": 2}"#
    let dedicated = try scene.blueprint()
    #expect(dedicated.workers == 4 && dedicated.servers == 2)
    #expect(dedicated.accelerators == [0, 1, 2, 3, 4, 5])
    scene.communication = #""strategy": "parameter_server""#
    let colocated = try scene.blueprint()
    #expect(colocated.workers == 6 && colocated.servers == 6)
    let plan = try scene.plan().plan
    #expect(plan.nodes.count == 12)
    #expect(Array(plan.nodes.prefix(6)) == Array(plan.nodes.suffix(6)))
  }

  @Test("what does not fit is refused with what there is")
  func conflicts() throws {
    func refused(_ scene: Scene) -> String { refusal { _ = try scene.blueprint() } }
    #expect(
      refused(Self.scene(.packed, workers: 7))
        == "workload.workers: 7 workers and 0 dedicated servers need 7 accelerators, but 6 are free "
        + "on hosts(3x2)")
    #expect(refused(Self.scene(.list([1, 9]))).contains("accelerator 9 does not exist"))
    #expect(refused(Self.scene(.list([1, 1]))).contains("accelerator 1 is listed twice"))
    var second = Self.scene(.list([1]))
    second.taken = [false, true, false, false, false, false]
    #expect(refused(second).contains("accelerator 1 already belongs to an earlier job"))
    second.taken = Array(repeating: true, count: 6)
    second.placement = .packed
    #expect(refused(second).contains("but 0 are free"))
    var servers = Self.scene(.packed, workers: 2)
    servers.communication = #""strategy": "parameter_server", "servers": {"count": 3}"#
    #expect(
      refused(servers)
        == "communication.servers.count: 3 co-located servers need as many workers, "
        + "but there are 2")
    servers.communication =
      #""strategy": "parameter_server", "servers": {"count": 5, "placement": "dedicated"}"#
    #expect(refused(servers).contains("2 workers and 5 dedicated servers need 7"))
  }

  @Test("a placement is a name or a list of numbers")
  func reading() throws {
    func read(_ text: String) throws -> PlacementSettings {
      try record("{\"p\": \(text)}") { $0.required("p", .placement, doc: "") }
    }
    #expect(try read(#""packed""#) == .packed)
    #expect(try read(#""spread""#) == .spread)
    #expect(try read("[3, 0]") == .list([3, 0]))
    for bad in [#""pakced""#, "[]", "[-1]", "[1.5]", "true", "3"] {
      #expect(refusal { _ = try read(bad) } != "", "\(bad)")
    }
    #expect(refusal { _ = try read(#""pakced""#) }.contains("packed"))
  }
}
