import SimKernel

/// The devices simnet knows, with the source of every number.
public enum DeviceCatalog {
  /// In the order they are listed.
  public static var profiles: [DeviceProfile] { sheets + measured }
  /// The names in the order of ``profiles``.
  public static let names: [String] = sheets.map(\.name) + measuredNames

  /// The device called `name`.
  ///
  /// A measured profile is read when it is first asked for.
  public static func profile(named name: String) -> DeviceProfile? {
    if let sheet = sheets.first(where: { $0.name == name }) { return sheet }
    return measuredNames.contains(name) ? measured.first { $0.name == name } : nil
  }

  /// From data sheets, published totals and assumptions.
  private static let sheets: [DeviceProfile] = [v100, a100, h100, p100, k80, cpu]
  /// What the profiles of ``measured`` call themselves, known without reading them.
  private static let measuredNames = ["epyc-1core"]
  /// Written by `Tools/profile_device.py` and carried inside the binary.
  private static let measured: [DeviceProfile] = [EmbeddedText.deviceEPYC].map { text in
    do {
      return try DeviceFile.parse(
        UnsafeRawBufferPointer(text), origin: "built-in profile", isListed: true
      ).profile()
    } catch {
      // Tests read every profile: a fault is a programmer's.
      preconditionFailure("a built-in device profile cannot be read: \(error)")
    }
  }

  /// What to say about a name that is not a device.
  public static func unknown(_ name: String) -> Issue.Problem {
    .unknownName(
      noun: "device", found: name, suggestion: Spelling.suggestion(for: name, among: names),
      known: names)
  }

  // MARK: - Devices

  private static let v100 = gpu(
    "v100", "NVIDIA V100 SXM2 (2017)", sheet: "NVIDIA V100 datasheet",
    memory: (gigabytes: 32, "32 GB version; there is one of 16 GB"), gigabytesPerSecond: 900,
    host: (gigabytesPerSecond: 16, "PCIe 3.0 x16, 32 GB/s both ways"),
    peaks: [
      PeakRate(.fp32, teraflops: 15.7, .vector, .published, "NVIDIA V100 datasheet, SXM2"),
      PeakRate(.amp, teraflops: 125, .matrix, .published, "NVIDIA V100 datasheet, tensor cores"),
    ],
    // Adding vectors of 671,088,640 bytes took 2.43368 ms.
    reduction: Sourced(
      .gigabytesPerSecond(275.75), .measured,
      "vector addition on a V100 takes 2.43368 ms for 671,088,640 bytes (" + vectorLog + ")"),
    launch: Sourced(
      .microseconds(9.3696), .measured,
      "the shortest vector addition on a V100, launch to completion (" + vectorLog + ")"))

  private static let a100 = gpu(
    "a100", "NVIDIA A100 SXM 80 GB (2020)", sheet: "NVIDIA A100 datasheet",
    memory: (gigabytes: 80, "80 GB version; there is one of 40 GB with 1,555 GB/s"),
    gigabytesPerSecond: 2_039, host: (gigabytesPerSecond: 32, "PCIe 4.0 x16, 64 GB/s both ways"),
    peaks: [
      PeakRate(.fp32, teraflops: 19.5, .vector, .published, "NVIDIA A100 datasheet"),
      PeakRate(.tf32, teraflops: 156, .matrix, .published, "NVIDIA A100 datasheet, dense"),
      PeakRate(.amp, teraflops: 312, .matrix, .published, "NVIDIA A100 datasheet, dense"),
    ], hasBFloat16: true, relatives: ["v100"])

  private static let h100 = gpu(
    "h100", "NVIDIA H100 SXM 80 GB (2022)", sheet: "NVIDIA H100 datasheet",
    memory: (gigabytes: 80, "SXM5"), gigabytesPerSecond: 3_350,
    host: (gigabytesPerSecond: 64, "PCIe 5.0 x16, 128 GB/s both ways"),
    peaks: [
      PeakRate(.fp32, teraflops: 67, .vector, .published, "NVIDIA H100 datasheet, SXM5"),
      PeakRate(
        .tf32, teraflops: 494.5, .matrix, .published,
        "NVIDIA H100 datasheet, half of the 989 stated with sparsity"),
      PeakRate(
        .amp, teraflops: 989.5, .matrix, .published,
        "NVIDIA H100 datasheet, half of the 1,979 stated with sparsity"),
    ], hasBFloat16: true, relatives: ["a100", "v100"])

  private static let p100 = gpu(
    "p100", "NVIDIA P100 SXM2 (2016)", sheet: "NVIDIA P100 datasheet",
    memory: (gigabytes: 16, "SXM2"), gigabytesPerSecond: 732,
    host: (gigabytesPerSecond: 16, "PCIe 3.0 x16, 32 GB/s both ways"),
    peaks: [
      PeakRate(.fp32, teraflops: 10.6, .vector, .published, "NVIDIA P100 datasheet"),
      PeakRate(
        .amp, teraflops: 21.2, .vector, .published,
        "NVIDIA P100 datasheet, half precision without tensor cores"),
    ], relatives: ["v100"])

  private static let k80 = gpu(
    "k80", "one of the two processors of an NVIDIA K80 board (2014)",
    sheet: "NVIDIA K80 datasheet, half of the board",
    memory: (gigabytes: 12, "half of the board's 24 GB"), gigabytesPerSecond: 240,
    host: (gigabytesPerSecond: 16, "PCIe 3.0 x16, shared with the board's other processor"),
    peaks: [
      PeakRate(
        .fp32, teraflops: 4.365, .vector, .published,
        "NVIDIA K80 datasheet, half of the board's 8.73 with boost clocks")
    ], relatives: ["v100"])

  private static let cpu = DeviceProfile(
    name: "cpu", timedAs: "cpu",
    summary: "a server processor of 28 AVX-512 cores, assumed throughout",
    memoryBandwidth: Sourced(
      .gigabytesPerSecond(140.8), .assumed, "six channels of DDR4-2933 at 23.46 GB/s each"),
    memory: Sourced(ByteCount(192_000_000_000), .assumed, "six channels of 32 GB"),
    kernelLaunch: Sourced(
      .microseconds(5), .assumed, "waking the threads of a parallel loop takes some microseconds"),
    reductionRate: Sourced(
      .gigabytesPerSecond(43.1), .assumed,
      "a third of the memory bandwidth (two reads and a write), at the V100's 92 %"),
    hostCopyBandwidth: Sourced(
      .gigabytesPerSecond(70.4), .assumed,
      "gradients lie in host memory; a copy reads and writes it once"),
    peaks: [
      PeakRate(
        .fp32, teraflops: 3.23, .vector, .assumed, "28 cores x 64 operations a cycle x 1.8 GHz")
    ],
    hasBFloat16: false, relatives: [],
    fixedEfficiency: Sourced(0.5, .assumed, "half of the processor's peak, a guess"))

  private static let vectorLog =
    "cuda_vec_add.log, github.com/netx-repo/training-bottleneck @f81b140, Apache-2.0"

  private static func gpu(
    _ name: String, _ summary: String, sheet: String, memory: (gigabytes: Int64, note: String),
    gigabytesPerSecond: Double, host: (gigabytesPerSecond: Double, note: String),
    peaks: [PeakRate], hasBFloat16: Bool = false, relatives: [String] = [],
    reduction: Sourced<Bandwidth>? = nil, launch: Sourced<SimDuration>? = nil
  ) -> DeviceProfile {
    DeviceProfile(
      name: name, timedAs: name, summary: summary,
      memoryBandwidth: Sourced(
        .gigabytesPerSecond(gigabytesPerSecond), .published, sheet + ", peak"),
      memory: Sourced(
        ByteCount(memory.gigabytes << 30), .published, "\(sheet), \(memory.note)"),
      kernelLaunch: launch
        ?? Sourced(.microseconds(9.3696), .assumed, "as measured on a V100 (\(vectorLog))"),
      // 671,088,640 / 2.43368 ms is 0.3064 of the V100's 900 GB/s.
      reductionRate: reduction
        ?? Sourced(
          .gigabytesPerSecond(gigabytesPerSecond * 0.3064), .derived,
          "two reads and a write at 92 % of the memory bandwidth, as measured on a V100"),
      hostCopyBandwidth: Sourced(
        .gigabytesPerSecond(host.gigabytesPerSecond), .published,
        "\(sheet), \(host.note); one way, peak"),
      peaks: peaks, hasBFloat16: hasBFloat16, relatives: relatives, fixedEfficiency: nil)
  }
}

extension FieldKind where Value == String {
  /// The name of a device of ``DeviceCatalog``.
  public static var deviceName: FieldKind<String> {
    let names = DeviceCatalog.names
    return FieldKind(
      expectation: "a device: " + names.joined(separator: ", "), example: #""v100""#,
      schema: #"{"enum":[\#(names.map(JSONNode.quoted).joined(separator: ","))]}"#,
      placeholder: { "v100" },
      read: { node in
        guard let text = node.string else {
          return .failure(.wrongType(node, "the name of a device", #""v100""#))
        }
        guard names.contains(text) else { return .failure(.init(DeviceCatalog.unknown(text))) }
        return .success(text)
      },
      show: { JSONNode.quoted($0) })
  }
}
