import Compression
import SimKernel

/// A device profile of the user's own, as a file holds it: a catalogued device with some numbers
/// replaced and the costs of codecs that somebody measured.
///
///     {
///       "simnet_device": 1,
///       "name": "my-host",
///       "base": "v100",
///       "known": "measured",
///       "evidence": "best of 5 on 4096...16777216 elements",
///       "codecs_run_on": "cpu",
///       "codecs": [
///         { "pipeline": "qsgd",
///           "encode": { "launch": "3.1 us", "bandwidth": "4.2 GB/s", "r2": 0.998 },
///           "decode": { "launch": "0.4 us", "bandwidth": "9.8 GB/s", "r2": 0.999 } }
///       ]
///     }
///
/// Everything but `simnet_device` may be left out. `simnet calibrate codecs` writes such a file for
/// the codecs of a host, `Tools/profile_device.py` one of a whole GPU or CPU, with the times of models
/// (`models`), codec times at several sizes (`sizes_bytes`, `times_us`), what both do to each other
/// (`overlap`) and how it was measured (`measurement`).
public struct DeviceFile: Sendable {
  /// The version of the format.
  public static let formatVersion = 1

  public var name: String
  public var summary: String?
  /// The catalogued device whose numbers apply where the file gives none.
  public var base: String
  /// How the numbers of the file came to be known.
  public var evidence: Evidence
  public var memoryBandwidth: Bandwidth?
  public var memory: ByteCount?
  public var kernelLaunch: SimDuration?
  public var reductionRate: Bandwidth?
  public var hostCopyBandwidth: Bandwidth?
  /// TFLOP/s by arithmetic: fp32, tf32, amp; empty keeps those of the base.
  public var teraflops: [(precision: Precision, value: Double)]
  public var hasBFloat16: Bool?
  public var place: CodecCosts.Place
  public var codecs: [CodecCosts.Entry]
  /// Times of whole models; no model twice at one batch and precision.
  public var models: [MeasuredModel] = []
  /// What codecs and backward passes do to each other.
  public var overlaps: [MeasuredOverlap] = []
  /// When and how it was measured.
  public var measurement: DeviceMeasurement?

  /// A profile of measured codecs and nothing else.
  public init(
    name: String, base: String, evidence: Evidence, place: CodecCosts.Place,
    codecs: [CodecCosts.Entry]
  ) {
    self.name = name
    self.base = base
    self.evidence = evidence
    self.place = place
    self.codecs = codecs
    teraflops = []
  }

  /// Reads the record.
  public init(_ fields: inout FieldReader) { self.init(&fields, isListed: false) }

  /// Reads the record, of a file or of a listed device.
  private init(_ fields: inout FieldReader, isListed: Bool) {
    _ = fields.required(
      "simnet_device", .integer(Self.formatVersion...Self.formatVersion),
      doc: "the version of this format: 1")
    name = fields.optional(
      "name", .text("a name", example: "my-host"), default: "custom",
      doc: "what results and messages call the device")
    if !isListed, DeviceCatalog.names.contains(name) {
      fields.report("name", .conflict("\(name) is a listed device; choose another name"))
    }
    summary = fields.optional("summary", .text(), doc: "one sentence about it")
    base = fields.optional(
      "base", .deviceName, default: DeviceCatalog.names[0],
      doc: "the listed device whose numbers apply where this file gives none")
    let known = fields.optional(
      "known", .choice("provenance"), default: Provenance.overridden,
      doc: "how the numbers of this file came to be known")
    let sentence = fields.optional(
      "evidence", .text(), default: "given in a device profile", doc: "who measured them, and how")
    evidence = Evidence(known, sentence)
    memoryBandwidth = fields.optional(
      "memory_bandwidth", .bandwidth, doc: "between its memory and its arithmetic units")
    memory = fields.optional("memory", .size, doc: "how much memory it has")
    kernelLaunch = fields.optional(
      "kernel_launch", .duration, doc: "from launching a small kernel until its end")
    reductionRate = fields.optional(
      "reduction_rate", .bandwidth,
      doc: "payload bytes a second when one vector is added to another")
    hostCopyBandwidth = fields.optional(
      "host_copy_bandwidth", .bandwidth, doc: "between device and host, one direction")
    teraflops =
      fields.optionalRecord(
        "peak_teraflops",
        doc:
          "highest arithmetic rates; models then run at the share of the peak that they reach on "
          + "the base, instead of at its measured times"
      ) { fields in
        let fp32 = fields.required(
          "fp32", .positive, doc: "single precision, 10^12 operations a second")
        let others: [(Precision, Double?)] = [
          (.tf32, fields.optional("tf32", .positive, doc: "fp32 storage on matrix units")),
          (.amp, fields.optional("amp", .positive, doc: "half precision on matrix units")),
        ]
        return [(Precision.fp32, fp32)] + others.compactMap { rate in rate.1.map { (rate.0, $0) } }
      } ?? []
    hasBFloat16 = fields.optional(
      "bfloat16", .bool, doc: "whether bfloat16 products run at the rate of amp")
    place = fields.optional(
      "codecs_run_on", .choice("place"), default: .accelerator,
      doc: "cpu: codecs take a host core's time on the CPU stream, and gradients are copied there "
        + "and back; accelerator: they take the device's, on the stream the scenario says")
    codecs = fields.records(
      "codecs", doc: "measured costs, which replace the derived ones of the same pipelines"
    ) { fields in
      CodecCosts.Entry(
        pipeline: fields.required(
          "pipeline", .pipelineLabel,
          doc: "one codec or a chain; other chains are charged as the sum of their stages"),
        encode: fields.record("encode", doc: "launch + bytes / bandwidth", CodecCost.init),
        decode: fields.record("decode", doc: "launch + bytes / bandwidth", CodecCost.init))
    }
    models = fields.records(
      "models", doc: "measured times of models, which go before all other sources",
      MeasuredModel.init)
    for (index, entry) in models.enumerated() {
      if models[..<index].contains(where: {
        $0.model == entry.model && $0.batch == entry.batch && $0.precision == entry.precision
      }) {
        fields.report(
          "models",
          .conflict(
            "\(entry.model) at batch \(entry.batch) in \(entry.precision.rawValue) is given twice; "
              + "keep one"))
      }
    }
    overlaps = fields.records(
      "overlap",
      doc: "how much codecs and backward slow each other down; the mean applies where a scenario "
        + "gives no communication.streams.overlap_slowdown", MeasuredOverlap.init)
    measurement = fields.optionalRecord(
      "measurement", doc: "when and how Tools/profile_device.py measured it; informs",
      DeviceMeasurement.init)
    for (index, entry) in codecs.enumerated() {
      if codecs[..<index].contains(where: { $0.pipeline == entry.pipeline }) {
        fields.report("codecs", .conflict("\(entry.pipeline) is given twice; keep one"))
      }
    }
  }

  /// Reads a whole file.
  ///
  /// - Throws: `InvalidInput` with all problems, each with its line; `JSONError` where it is not JSON.
  public static func parse(
    _ bytes: UnsafeRawBufferPointer, origin: String
  ) throws -> DeviceFile {
    try parse(bytes, origin: origin, isListed: false)
  }

  /// Reads the file behind a listed device, which has the name of one.
  static func parse(
    _ bytes: UnsafeRawBufferPointer, origin: String, isListed: Bool
  ) throws -> DeviceFile {
    let root = try JSONNode.parse(bytes, origin: origin)
    let issues = IssueCollector()
    let file = FieldReader.read(root, issues: issues) { DeviceFile(&$0, isListed: isListed) }
    try issues.throwIfInvalid()
    return file
  }

  /// The format as documentation.
  public static var description: RecordDescription {
    RecordDescription.of(
      name: "device profile", summary: "a device of your own, or the codec costs of a host"
    ) { _ = DeviceFile(&$0) }
  }

  // MARK: - The profile

  /// The device the file describes: the base with what the file replaces.
  ///
  /// `override` stands instead of the file's own base, as a scenario may say.
  public func profile(base override: String? = nil) -> DeviceProfile {
    guard let base = DeviceCatalog.profile(named: override ?? base) else {
      preconditionFailure("the base was checked when it was read")
    }
    var device = base
    device.name = name
    device.timedAs = base.timedAs
    device.summary = summary ?? "\(base.name) with the numbers of a profile"
    func sourced<Value>(_ value: Value?, _ field: inout Sourced<Value>) {
      if let value { field = Sourced(value, evidence.provenance, evidence.sentence) }
    }
    sourced(memoryBandwidth, &device.memoryBandwidth)
    sourced(memory, &device.memory)
    sourced(kernelLaunch, &device.kernelLaunch)
    sourced(reductionRate, &device.reductionRate)
    sourced(hostCopyBandwidth, &device.hostCopyBandwidth)
    if let hasBFloat16 { device.hasBFloat16 = hasBFloat16 }
    if !teraflops.isEmpty {
      // With other peaks it is another device, and the base a relative of it.
      device.timedAs = name
      device.relatives = [base.name] + base.relatives
      device.peaks = teraflops.map { precision, value in
        PeakRate(
          precision, teraflops: value, precision == .fp32 ? .vector : .matrix,
          evidence.provenance, evidence.sentence)
      }
    }
    if !codecs.isEmpty {
      device.codecCosts = CodecCosts(entries: codecs, place: place, evidence: evidence)
    }
    device.models = models
    device.modelEvidence = models.isEmpty ? nil : evidence
    device.overlaps = overlaps
    device.measurement = measurement
    return device
  }
}

extension DeviceFile {
  /// The file as JSON text; what it does not replace is left out.
  public var text: String {
    var members = [
      JSONMember("simnet_device", JSONNode(integerLiteral: Self.formatVersion)),
      JSONMember("name", JSONNode(.string(name))),
    ]
    func add(_ key: String, _ node: JSONNode?) {
      if let node { members.append(JSONMember(key, node)) }
    }
    func text(_ value: String) -> JSONNode { JSONNode(.string(value)) }
    add("summary", summary.map(text))
    add("base", text(base))
    add("known", text(evidence.provenance.rawValue))
    add("evidence", text(evidence.sentence))
    add("memory_bandwidth", memoryBandwidth.map { text(Self.text($0)) })
    add("memory", memory.map { text($0.shortText) })
    add("kernel_launch", kernelLaunch.map { text(Self.text($0)) })
    add("reduction_rate", reductionRate.map { text(Self.text($0)) })
    add("host_copy_bandwidth", hostCopyBandwidth.map { text(Self.text($0)) })
    if !teraflops.isEmpty {
      add(
        "peak_teraflops",
        JSONNode(
          .object(
            teraflops.map { JSONMember($0.precision.rawValue, JSONNode(floatLiteral: $0.value)) })))
    }
    add("bfloat16", hasBFloat16.map { JSONNode(.bool($0)) })
    add("measurement", measurement?.node)
    if !models.isEmpty { add("models", JSONNode(.array(models.map(\.node)))) }
    add("codecs_run_on", text(place.rawValue))
    add("codecs", JSONNode(.array(codecs.map(Self.node))))
    if !overlaps.isEmpty { add("overlap", JSONNode(.array(overlaps.map(\.node)))) }
    return JSONNode(.object(members)).prettyText + "\n"
  }

  private static func node(_ entry: CodecCosts.Entry) -> JSONNode {
    JSONNode(
      .object([
        JSONMember("pipeline", JSONNode(.string(entry.pipeline))),
        JSONMember("encode", node(entry.encode)), JSONMember("decode", node(entry.decode)),
      ]))
  }

  private static func node(_ cost: CodecCost) -> JSONNode {
    if let samples = cost.samples { return JSONNode(.object(samples.members)) }
    var members = [JSONMember("launch", JSONNode(.string(text(cost.launch))))]
    if let bandwidth = cost.bandwidth {
      members.append(JSONMember("bandwidth", JSONNode(.string(text(bandwidth)))))
    }
    if cost.nanosecondsPerElement > 0 {
      members.append(
        JSONMember("ns_per_element", JSONNode(floatLiteral: cost.nanosecondsPerElement)))
    }
    if let fit = cost.rSquared { members.append(JSONMember("r2", JSONNode(floatLiteral: fit))) }
    return JSONNode(.object(members))
  }

  private static func text(_ bandwidth: Bandwidth) -> String {
    JSONNumber.shortest(Double(bandwidth.bitsPerSecond) / 8e9) + " GB/s"
  }
  static func text(_ duration: SimDuration) -> String {
    JSONNumber.shortest(Double(duration.picoseconds) / 1e6) + " us"
  }
}

extension FieldKind where Value == String {
  /// A pipeline as text, read as the label it has: parameters in order, defaults left out.
  public static var pipelineLabel: FieldKind<String> {
    let expectation = "codecs in the order they encode, separated by |"
    return FieldKind(
      expectation: expectation, example: #""top_k:ratio=0.01|fp16""#,
      schema: #"{"type":"string"}"#, placeholder: { "none" },
      read: { node in
        guard node.string != nil else {
          return .failure(.wrongType(node, expectation, #""qsgd""#))
        }
        let issues = IssueCollector()
        let pipeline = CompressionPipeline.read(node, path: FieldPath(), issues: issues)
        if let issue = issues.errors.first { return .failure(.init(issue.problem)) }
        return .success(pipeline.label)
      },
      show: { JSONNode.quoted($0) })
  }
}
