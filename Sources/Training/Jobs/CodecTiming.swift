import Compression
import SimKernel

/// Turns the declared work of codecs into time on a device.
///
/// On the accelerator: kernels x launch + bytes / memory bandwidth + operations / fp32 peak. Work
/// that only a CPU does takes its seconds an element there, plus copies of the gradient between
/// device and host. All of it is derived from declarations; nothing of it was measured on a device.
struct CodecTiming: Sendable {
  let device: DeviceProfile

  /// Time on the accelerator and time on a host core.
  struct Cost: Sendable, Equatable {
    var accelerator: SimDuration = .zero
    var cpu: SimDuration = .zero
    static func += (a: inout Cost, b: Cost) {
      a.accelerator += b.accelerator
      a.cpu += b.cpu
    }
  }

  /// The time of `work` on `elements` gradient elements, `repetitions` times over.
  ///
  /// `copied` is what crosses between device and host when a CPU takes part.
  func cost(
    of work: CodecWork, elements: Int, copied: ByteCount, repetitions: Int = 1
  ) -> Cost {
    let n = Double(elements)
    var cost = Cost()
    cost.accelerator = device.kernelLaunch.value.scaled(by: work.kernels)
    if work.bytesPerElement > 0 {
      cost.accelerator += device.memoryBandwidth.value.time(
        toSend: ByteCount(Int64((work.bytesPerElement * n).rounded(.up))))
    }
    if work.operationsPerElement > 0, let peak = device.peak(.fp32) {
      cost.accelerator += .seconds(work.operationsPerElement * n / peak.operationsPerSecond)
    }
    if work.cpuSecondsPerElement > 0 {
      cost.cpu =
        .seconds(work.cpuSecondsPerElement * n)
        + device.hostCopyBandwidth.value.time(toSend: copied)
    }
    cost.accelerator = cost.accelerator * repetitions
    cost.cpu = cost.cpu * repetitions
    return cost
  }

  /// The same work done by a host core instead: its memory traffic at the CPU's bandwidth, plus the
  /// copy of the gradient.
  func onCPU(_ work: CodecWork, elements: Int, copied: ByteCount, repetitions: Int = 1) -> Cost {
    var cost = cost(of: work, elements: elements, copied: copied, repetitions: repetitions)
    guard let cpu = DeviceCatalog.profile(named: "cpu") else { return cost }
    let traffic = Double(elements) * work.bytesPerElement
    var time = cpu.memoryBandwidth.value.time(toSend: ByteCount(Int64(traffic.rounded(.up))))
    if work.cpuSecondsPerElement == 0, traffic > 0 {
      time += device.hostCopyBandwidth.value.time(toSend: copied)
    }
    cost.cpu += time * repetitions
    cost.accelerator = .zero
    return cost
  }

  /// What error feedback adds to an encode: it reads gradient and residual, writes their sum, and
  /// after a local decode reads both again and writes the residual.
  static let errorFeedback = CodecWork(
    kernels: 2, bytesPerElement: 24, source: "two passes over gradient and residual, derived")
  /// What momentum correction adds: momentum and residual are read and written with the gradient, and
  /// after a local decode what was sent leaves the residual and is masked in the momentum.
  static let momentumCorrection = CodecWork(
    kernels: 2, bytesPerElement: 40,
    source: "two passes over gradient, momentum and residual, derived")
  /// What adding up gathered plain payloads costs: each is read, the sum read and written.
  static let accumulation = CodecWork(
    kernels: 1, bytesPerElement: 12, source: "reads payload and sum, writes the sum, derived")
}
