import Experiments
import Foundation
import SimKernel
import Testing

@Suite struct ScenarioTests {
  /// The example of the design: every top-level key.
  private let example = #"""
    {
      "simnet": 1,
      "$schema": "simnet.schema.json",
      "title": "ResNet-50, 16 workers, 10 Gb/s leaf-spine",
      "question": "Does 1% top-k beat plain fp32 ring all-reduce?",
      "seed": 7,
      "replicates": 5,
      "cluster": {
        "topology": { "kind": "leaf_spine", "leaves": 2, "spines": 2, "hosts_per_leaf": 8,
                      "host_link": { "bandwidth": "10 Gbps", "latency": "2 us" },
                      "fabric_link": { "bandwidth": "40 Gbps", "latency": "1 us" } },
        "device": "v100"
      },
      "network": { "model": "flow", "transport": "tcp" },
      "workload": { "model": "resnet50", "batch_per_worker": 32, "precision": "fp32", "iterations": 20, "warmup": 2 },
      "communication": { "strategy": "all_reduce", "algorithm": "ring", "schedule": { "policy": "buckets", "bucket": "25 MiB" } },
      "gradients": { "source": "synthetic" },
      "stragglers": { "compute": { "distribution": "lognormal", "sigma": 0.1 } },
      "faults": [],
      "sweep": {
        "cluster.topology.host_link.bandwidth": ["1 Gbps", "10 Gbps", "100 Gbps"],
        "communication": {
          "fp32 ring": {},
          "top_k 1%": { "strategy": "all_gather",
                        "compression": [ { "codec": "top_k", "ratio": 0.01 }, { "codec": "fp16" }, { "codec": "zstd", "level": 3 } ],
                        "error_feedback": true }
        }
      }
    }
    """#

  @Test func theExampleOfTheDesignIsValid() throws {
    let runner = try SweepRunner(Scratch().scenario(example))
    #expect(runner.count == 6 && runner.runCount == 30)
    let scenario = runner.scenario
    #expect(scenario.title == "ResNet-50, 16 workers, 10 Gb/s leaf-spine")
    #expect(scenario.seed == 7 && scenario.replicates == 5)
    #expect(scenario.jobs.count == 1 && scenario.faults.isEmpty)
    #expect(scenario.jobs[0].workload.batch == 32)
    #expect(scenario.cluster.device == .builtIn("v100"))
    #expect(scenario.cluster.topology.makeTopology().accelerators.count == 16)
  }

  @Test func theShortestScenarioHasDefaults() throws {
    let text = #"""
      {"simnet": 1, "cluster": {"topology": {"kind": "star", "hosts": 2,
       "link": {"bandwidth": "1 Gbps", "latency": "1 us"}}}, "workload": {"model": "resnet18"}}
      """#
    let scenario = try SweepRunner(Scratch().scenario(text)).scenario
    #expect(scenario.title == "untitled" && scenario.seed == 1 && scenario.replicates == 1)
    #expect(scenario.jobs[0].name == "main")
  }

  @Test func eachProblemIsReportedOnce() throws {
    #expect(try problems(quick(#", "sweep": {"workload.bach": [1, 2, 3]}"#)).count == 1)
    #expect(
      try problems(quick(#", "colour": 1, "sweep": {"workload.batch_per_worker": [1, 2, 3]}"#))
        == [
          #"colour: unknown key "colour"; known keys: simnet, $schema, title, question, source, seed, replicates, folding, cluster, network, jobs, placement, workload, communication, gradients, stragglers, faults, host_failures, assumptions, sweep"#
        ])
    #expect(
      try problems(quick(#", "jobs": [{"name": "a", "workload": {"model": "vgg16"}}]"#)).count == 3)
  }

  @Test func problemsOfAllPointsAreReportedTogether() throws {
    let found = try problems(
      quick(#", "sweep": {"workload.model": ["resnet19", "vgg16", "vgg91"], "replicates": [0, 1]}"#)
    )
    #expect(found.count == 3)
  }

  @Test func severalJobsShareTheCluster() throws {
    let text = #"""
      {"simnet": 1, "cluster": {"topology": {"kind": "star", "hosts": 4,
       "link": {"bandwidth": "1 Gbps", "latency": "1 us"}}, "device": "v100"},
       "jobs": [
        {"name": "a", "workload": {"model": "resnet18", "workers": 2, "iterations": 2}},
        {"name": "b", "workload": {"model": "alexnet", "workers": 2, "iterations": 2}}]}
      """#
    let runner = try SweepRunner(Scratch().scenario(text))
    let table = try runner.run(SweepOptions()).table
    #expect(table.cells("job") == ["a", "b"])
    #expect(table.cells("model") == ["resnet18", "alexnet"])
    #expect(table.cells("speedup_over_fp32") == ["1", "1"])
  }

  // MARK: - Hashes

  private func hash(_ text: String) throws -> String {
    Scenario.hash(try json(text), files: [])
  }

  @Test func aHashNamesWhatCanChangeANumber() throws {
    let base = try hash(#"{"a": 1, "b": {"c": "x", "d": [1, 2]}}"#)
    #expect(base.count == 16)
    #expect(try hash(#"{ "b": {"d": [1, 2], "c": "x"}, "a": 1.0 }"#) == base)
    #expect(
      try hash(
        #"{"title": "t", "question": "q", "source": "s", "$schema": "x", "seed": 9, "replicates": 3, "sweep": {}, "a": 1, "b": {"c": "x", "d": [1, 2]}}"#
      ) == base)
    let others = [
      #"{"a": 2, "b": {"c": "x", "d": [1, 2]}}"#, #"{"a": 1, "b": {"c": "y", "d": [1, 2]}}"#,
      #"{"a": 1, "b": {"c": "x", "d": [2, 1]}}"#, #"{"a": 1, "b": {"c": "x", "d": [12]}}"#,
      #"{"a": 1, "b": {"c": "x", "d": [1, 2], "e": null}}"#,
      #"{"a": "1", "b": {"c": "x", "d": [1, 2]}}"#,
    ]
    let hashes = try others.map { try hash($0) } + [base]
    #expect(Set(hashes).count == hashes.count)
    let node = try json(#"{"a": 1}"#)
    #expect(Scenario.hash(node, files: ["x"]) != Scenario.hash(node, files: ["y"]))
  }

  @Test func theContentOfGradientFilesIsPartOfTheHash() throws {
    let scratch = try Scratch()
    func hash(_ content: [Float]) throws -> String {
      try content.withUnsafeBytes {
        try Data($0).write(to: URL(fileURLWithPath: scratch.path("g.f32")))
      }
      let text = quick().replacingOccurrences(
        of: #"{"source": "synthetic", "sample": 2048}"#,
        with: #"{"source": "files", "files": ["g.f32"]}"#)
      return try SweepRunner(scratch.scenario(text)).run(SweepOptions()).table.cells(
        "scenario_hash")[0]
    }
    let values = (0..<256).map { Float($0) }
    let one = try hash(values)
    #expect(try hash(values) == one)
    #expect(try hash(values.reversed()) != one)
  }

  @Test func theDescriptionIsASchema() throws {
    let schema = try json(Scenario.description.schemaDocument(id: "test"))
    let required = schema["required"]?.elements?.compactMap(\.string)
    #expect(required == ["simnet", "cluster"])
    #expect(schema["properties"]?["jobs"] != nil && schema["properties"]?["workload"] != nil)
    for field in Scenario.description.fields { #expect(!field.doc.isEmpty) }
  }
}
