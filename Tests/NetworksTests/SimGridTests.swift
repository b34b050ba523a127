import Foundation
import Networks
import SimKernel
import Testing

/// Random zero-latency networks with SimGrid 3.32's finish times, kept outside the repository.
///
/// The file writes times to the nanosecond, and its "independent" column equals SimGrid's in every
/// row, so it cannot show 1e-6 for transfers of a few microseconds: exact rational arithmetic misses
/// nine of its 174 times by more than that, all by less than half a nanosecond. The file is
/// therefore compared to 1e-6 or half its last digit, and the same networks are compared to 1e-6
/// without exception with the brute-force solver of these tests, which shares no code with ours.
@Suite struct SimGridTests {
  private struct File: Decodable { var cases: [Case] }
  struct Case: Decodable, CustomTestStringConvertible {
    struct Line: Decodable {
      var name: String
      var bandwidthBytesPerS: Double
    }
    struct Route: Decodable {
      var src: String
      var dst: String
      var links: [String]
    }
    struct Flow: Decodable {
      var src: String
      var dst: String
      var bytes: Int64
      var startS: Double
      var independentMaxminFinishS: Double
    }
    var name: String
    var hosts: [String]
    var links: [Line]
    var routes: [Route]
    var flows: [Flow]
    var testDescription: String { name }
  }

  static let cases: [Case] = {
    var folder = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { folder.deleteLastPathComponent() }
    // Beside the repository, or one folder further out when this is a worktree of it.
    var found: Data?
    for _ in 0..<2 where found == nil {
      folder.deleteLastPathComponent()
      found = try? Data(
        contentsOf: folder.appendingPathComponent("shared/traces/simgrid-fluid/cases.json"))
    }
    guard let data = found else { return [] }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return (try? decoder.decode(File.self, from: data).cases) ?? []
  }()

  @Test(.enabled(if: !cases.isEmpty, "../shared/traces/simgrid-fluid/cases.json is absent"))
  func finishTimesAgreeWithTheFileAndWithBruteForce() throws {
    var compared = 0
    for one in Self.cases {
      var builder = TopologyBuilder(name: one.name)
      var nodes: [String: NodeID] = [:]
      for host in one.hosts { nodes[host] = builder.addHost(host) }
      var links: [String: LinkID] = [:]
      for line in one.links {
        // The routes say where a link is used; its ends do not matter.
        let rate = Bandwidth.gigabytesPerSecond(line.bandwidthBytesPerS / 1e9)
        links[line.name] = builder.link(
          from: NodeID(0), to: NodeID(1), LinkSpecification(bandwidth: rate), name: line.name)
      }
      for route in one.routes {
        builder.route(
          from: nodes[route.src]!, to: nodes[route.dst]!, over: route.links.map { links[$0]! })
      }
      let topology = builder.build()
      let requests = one.flows.map {
        FlowRequest(
          source: nodes[$0.src]!, destination: nodes[$0.dst]!, size: .bytes($0.bytes),
          start: SimTime(picoseconds: Int64(($0.startS * 1e12).rounded())))
      }
      let numbers = Dictionary(uniqueKeysWithValues: one.links.enumerated().map { ($1.name, $0) })
      let brute = bruteForceFinishTimes(
        paths: one.flows.map { flow in
          one.routes.first { $0.src == flow.src && $0.dst == flow.dst }!.links.map { numbers[$0]! }
        },
        bytes: one.flows.map { Double($0.bytes) }, starts: one.flows.map(\.startS),
        bytesPerSecond: one.links.map(\.bandwidthBytesPerS))
      for solver in FlowNetwork.Solver.allCases {
        var network = FlowNetwork(topology, transport: .ideal, solver: solver)
        let ends = runFlows(requests, on: &network)
        for (index, flow) in one.flows.enumerated() {
          let expected = flow.independentMaxminFinishS
          let found = try #require(ends[index].delivered).seconds
          #expect(abs(found - expected) <= max(1e-6 * expected, 0.5e-9), "\(one.name)")
          #expect(abs(found - brute[index]) <= 1e-6 * brute[index], "\(one.name)")
          compared += 1
        }
      }
    }
    #expect(compared == 3 * Self.cases.reduce(0) { $0 + $1.flows.count })
  }
}
