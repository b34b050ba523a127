import Experiments
import SimKernel
import Testing

/// Folded runs against runs of every message of every iteration.
@Suite struct FoldingTests {
  /// The table of `text` with the key `folding` as given.
  private func table(_ text: String, folding: String) throws -> ResultTable {
    try SweepRunner(Scratch().scenario(text, set: ["folding=\(folding)"])).run(SweepOptions()).table
  }

  /// Rows without what must differ.
  private func rows(_ table: ResultTable) throws -> [[String]] {
    let left = try [#require(table.column("folded")), #require(table.column("scenario_hash"))]
    return table.rows.map { row in row.indices.filter { !left.contains($0) }.map { row[$0] } }
  }

  /// Expects that `text` gives the same both ways; returns what the column says of the folded one.
  @discardableResult
  private func expectEqual(_ text: String) throws -> String {
    let folded = try table(text, folding: "auto")
    let whole = try table(text, folding: "off")
    #expect(try rows(folded) == rows(whole), "\(text)")
    #expect(whole.cells("folded").allSatisfy { $0 == "off" })
    return folded.cells("folded").first ?? ""
  }

  /// A scenario on a star; `more` are further members.
  private func scenario(
    hosts: Int, workers: Int? = nil, model: String = "resnet18", latency: String = "1 us",
    network: String = "alpha_beta", iterations: Int = 5, warmup: Int = 1,
    communication: String = #"{"algorithm": "ring"}"#, work: String = "", more: String = ""
  ) -> String {
    """
    {"simnet": 1, "seed": 3,
     "cluster": {"topology": {"kind": "star", "hosts": \(hosts),
       "link": {"bandwidth": "10 Gbps", "latency": "\(latency)"}}, "device": "v100"},
     "network": {"model": "\(network)", "transport": "rdma"},
     "workload": {"model": "\(model)", "workers": \(workers ?? hosts), "iterations": \(iterations),
       "warmup": \(warmup)\(work)},
     "gradients": {"source": "synthetic", "sample": 2048},
     "communication": \(communication)\(more)}
    """
  }

  @Test(arguments: Array(1...33))
  func ringsOfAnySizeAreEqual(_ workers: Int) throws {
    let network = workers % 2 == 0 ? "flow" : "alpha_beta"
    let note = try expectEqual(
      scenario(
        hosts: workers + workers % 3, workers: workers, network: network, iterations: 6,
        warmup: workers % 4, more: workers % 5 == 0 ? #", "replicates": 2"# : ""))
    #expect(note.hasPrefix(workers == 1 ? "one worker" : "\(workers) alike as "))
  }

  @Test(arguments: 0..<12)
  func randomScenariosAreEqual(_ seed: UInt64) throws {
    var random = RandomStream(seed: seed, purpose: RandomPurpose("folding"), entity: 0)
    func pick<T>(_ values: [T]) -> T { values[Int(random.next() >> 33) % values.count] }
    let workers = 2 + Int(random.next() >> 33) % 8
    let schedule = pick([
      #"{"policy": "buckets", "bucket": "5 MiB"}"#, #"{"policy": "per_tensor"}"#,
      #"{"policy": "one_shot"}"#, #"{"policy": "layer"}"#,
    ])
    let compression = pick([
      "", "", #", "compression": "fp16""#,
      #", "compression": "int8:shared_range=true", "scope": "layer""#,
      #", "strategy": "all_gather", "compression": "ef_sign", "error_feedback": true"#,
      #", "strategy": "all_gather""#,
    ])
    let algorithm =
      compression.contains("all_gather")
      ? pick(["ring", "auto"])
      : pick(["ring", "ring", "halving_doubling", "recursive_doubling", "tree", "auto"])
    let streams = pick([
      "", #", "streams": {"decode": "compute_stream"}"#, #", "streams": {"encode": "cpu"}"#,
      #", "streams": {"overlap_slowdown": 1.2}"#,
    ])
    let barrier = pick(["", #", "synchronization": {"kind": "bulk_synchronous", "barrier": true}"#])
    try expectEqual(
      scenario(
        hosts: pick([workers, 8, 16].filter { $0 >= workers }), workers: workers,
        latency: pick(["0 us", "0.1 us", "1 us", "50 us"]), network: pick(["flow", "alpha_beta"]),
        iterations: pick([1, 4]), warmup: pick([0, 1, 2]),
        communication:
          #"{"algorithm": "\#(algorithm)", "schedule": \#(schedule)\#(compression)"#
          + "\(streams)\(barrier)}",
        work: pick(["", #", "accumulation_steps": 2"#]),
        more: pick([
          "", #", "stragglers": {"compute": {"distribution": "constant", "factor": 1.3}}"#,
        ])
      ))
  }

  @Test func whatAllRanksDoTogetherIsFoldedWithoutARing() throws {
    for algorithm in ["recursive_doubling", "ring"] {
      let note = try expectEqual(
        scenario(hosts: 8, communication: #"{"algorithm": "\#(algorithm)"}"#))
      #expect(note.hasPrefix("8 alike as "))
    }
  }

  @Test func linksCarryTheSame() throws {
    let scratch = try Scratch()
    for network in ["alpha_beta", "flow"] {
      var texts: [String] = []
      for folding in ["auto", "off"] {
        let accounts = LinkAccounts()
        var options = SweepOptions()
        options.links = accounts
        let runner = try SweepRunner(
          scratch.scenario(
            scenario(hosts: 7, workers: 5, network: network), set: ["folding=\(folding)"]))
        _ = try runner.run(options)
        try accounts.write(to: scratch.path("links.csv"), of: runner)
        texts.append(try scratch.read("links.csv"))
      }
      #expect(texts[0] == texts[1])
    }
  }

  @Test func thousandsOfWorkersAreRoundedByAnElementAHop() throws {
    let text = scenario(
      hosts: 4099, network: "flow", iterations: 2, warmup: 0,
      communication: #"{"algorithm": "ring", "schedule": {"policy": "one_shot"}}"#)
    let exact = try table(text, folding: "exact")
    let rounded = try table(text, folding: "auto")
    #expect(
      rounded.cells("folded") == ["4099 alike as 1; 2 of 2 iterations run; chunks as the largest"])
    #expect(exact.cells("folded").first?.contains("largest") == false)
    for name in ["wire_bytes", "host_bytes", "compute_time_s"] {
      #expect(exact.cells(name) == rounded.cells(name))
    }
    let (lower, upper) = (
      exact.number("makespan_s", exact.rows[0])!, rounded.number("makespan_s", rounded.rows[0])!
    )
    // Four bytes at 10 Gb/s, for both parts of a message at most, over 2 x 4098 hops an iteration.
    #expect(upper >= lower && upper <= lower + 2 * 2 * 4098 * 4 * 8 / 5e9)
  }

  private static let refusals: [(more: String, communication: String, reason: String)] = [
    (
      #", "stragglers": {"compute": {"distribution": "lognormal", "sigma": 0.1}}"#, "{}",
      "stragglers"
    ),
    (
      #", "stragglers": {"compute": {"distribution": "one_slow", "factor": 2}}"#, "{}",
      "stragglers"
    ),
    ("", #"{"strategy": "parameter_server"}"#, "servers"),
    ("", #"{"schedule": {"policy": "buckets", "window": 2}}"#, "several exchanges in flight"),
    ("", #"{"sending": {"overhead": "1 us"}}"#, "sending settings"),
    ("", #"{"algorithm": "tree"}"#, "ranks of tree differ"),
    ("", #"{"algorithm": "ring", "overlap_forward": true}"#, "iterations overlap"),
    (
      "", #"{"strategy": "sparse_all_reduce", "compression": "top_k:ratio=0.01"}"#,
      "payloads change on their way"
    ),
  ]

  @Test(arguments: 0..<8)
  func whatTellsWorkersApartIsSaid(_ index: Int) throws {
    let (more, communication, reason) = Self.refusals[index]
    let note = try table(
      scenario(hosts: 4, communication: communication, more: more), folding: "auto"
    ).cells("folded")
    #expect(note == [reason])
  }

  @Test(arguments: [
    ("network.model=packet", "packet network"), ("network.model=loggp", "loggp network"),
    (#"network.background=[{"links": "*", "load": 0.1}]"#, "background traffic"),
    (
      #"cluster.topology={"kind":"ring","hosts":4,"link":{"bandwidth":"1 Gbps","latency":"1 us"}}"#,
      "workers are not alone around one switch"
    ),
    (#"faults=[{"at": "1 ms", "link": "h0->switch", "bandwidth": "1 Gbps"}]"#, "faults"),
  ])
  func aNetworkThatTellsThemApartIsSaid(_ assignment: String, _ reason: String) throws {
    let file = try Scratch().scenario(
      scenario(hosts: 4, model: "resnet18", iterations: 1, warmup: 0), set: [assignment])
    let note = try SweepRunner(file).run(SweepOptions()).table.cells("folded")
    #expect(note == [reason])
  }

  @Test func severalJobsAreNotFolded() throws {
    let job = #""workload": {"model": "resnet18", "workers": 2, "iterations": 1}"#
    let text = """
      {"simnet": 1,
       "cluster": {"topology": {"kind": "star", "hosts": 4,
         "link": {"bandwidth": "10 Gbps", "latency": "1 us"}}},
       "jobs": [{"name": "a", \(job)}, {"name": "b", \(job)}]}
      """
    #expect(try table(text, folding: "auto").cells("folded") == ["several jobs", "several jobs"])
  }
}
