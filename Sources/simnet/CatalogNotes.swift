import Collectives
import Compression
import Networks
import Reporting
import SimKernel
import Training

/// What a codec says about itself.
enum CodecNotes {
  static func lines(for entry: Registry<any Codec>.Entry) -> [String] {
    let codec = FieldReader.placeholder(of: entry)
    let traits = codec.traits
    return [
      "payload: \(traits.payloadFormula) bits",
      "aggregation: \(aggregation(codec)); \(traits.bias.rawValue)"
        + (traits.isRandomised ? ", randomised" : "")
        + sampling(traits.sampleScaling),
      "source: \(traits.citation)",
    ]
  }

  private static func sampling(_ scaling: CodecTraits.SampleScaling) -> String {
    switch scaling {
    case .scales: ""
    case .scalesInBuckets: "; the full tensor is encoded, not a sample, except in buckets"
    case .needsFullTensor: "; the full tensor is encoded, not a sample"
    }
  }

  private static func aggregation(_ codec: any Codec) -> String {
    switch codec.accept(.gradient) {
    case .success(let form): form.aggregation.rawValue
    case .failure: "as the stage before"
    }
  }
}

/// What an algorithm can do.
enum CollectiveNotes {
  static func lines(for entry: Registry<CollectiveAlgorithm>.Entry) -> [String] {
    let algorithm = FieldReader.placeholder(of: entry)
    return ["operations: " + algorithm.operations.map(\.rawValue).joined(separator: ", ")]
  }
}

/// Where the numbers of a transport come from.
enum TransportNotes {
  static func lines(for entry: Registry<Transport>.Entry) -> [String] {
    FieldReader.placeholder(of: entry).provenance.map { "\($0.key): \($0.text)" }
  }
}

/// The numbers of a device with their evidence.
enum DeviceNotes {
  struct Fact {
    var name: String
    var value: String
    var evidence: Evidence
  }

  /// How a scenario names a device that is not listed.
  static let ownDevices = """
    A device of your own is a JSON file that replaces numbers of a listed one: "device": "my.json".
    Its keys: simnet explain cluster.device; codec costs of this host: simnet calibrate codecs; a whole
    GPU or CPU: Tools/profile_device.py. All that is known of one: simnet explain device NAME.

    """

  /// The device's summary, the quality of its profile and its numbers.
  static func text(of device: DeviceProfile, width: Int) -> String {
    var text = "\(device.name): \(device.summary)\n"
    for line in DeviceReport.quality(of: device) {
      for part in WrappedText.lines(line, head: "    ", indent: 6, width: width) {
        text += part + "\n"
      }
    }
    var table = TextTable(
      [
        (title: "quantity", alignment: .left), (title: "value", alignment: .right),
        (title: "known", alignment: .left), (title: "source", alignment: .left),
      ], isProse: true)
    for fact in facts(of: device) {
      table.add([
        fact.name, fact.value, fact.evidence.provenance.rawValue, fact.evidence.sentence,
      ])
    }
    for line in table.text(width: width == .max ? width : width - 4).split(separator: "\n") {
      text += "    \(line)\n"
    }
    return text
  }

  static func facts(of device: DeviceProfile) -> [Fact] {
    var facts = [
      Fact(
        name: "memory bandwidth", value: rate(device.memoryBandwidth.value),
        evidence: device.memoryBandwidth.evidence),
      Fact(
        name: "memory", value: device.memory.value.shortText, evidence: device.memory.evidence),
      Fact(
        name: "kernel launch", value: device.kernelLaunch.value.shortText,
        evidence: device.kernelLaunch.evidence),
      Fact(
        name: "reduction rate", value: rate(device.reductionRate.value),
        evidence: device.reductionRate.evidence),
      Fact(
        name: "host copy", value: rate(device.hostCopyBandwidth.value),
        evidence: device.hostCopyBandwidth.evidence),
    ]
    for peak in device.peaks {
      facts.append(
        Fact(
          name: "peak \(peak.precision.rawValue)",
          value: JSONNumber.shortest(peak.operationsPerSecond / 1e12) + " TFLOP/s",
          evidence: peak.evidence))
    }
    return facts
  }

  private static func rate(_ bandwidth: Bandwidth) -> String {
    JSONNumber.shortest(Double(bandwidth.bitsPerSecond) / 8e9) + " GB/s"
  }
}
