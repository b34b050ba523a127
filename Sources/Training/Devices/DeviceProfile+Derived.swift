import Compression
import SimKernel

extension DeviceProfile {
  /// The same device as if nobody had measured models, codecs or their overlap on it.
  ///
  /// What it says then follows from its rates alone: what a measurement is to be compared with.
  public var withoutMeasurements: DeviceProfile {
    var device = self
    device.models = []
    device.modelEvidence = nil
    device.codecCosts = nil
    device.overlaps = []
    return device
  }

  /// What one encode and one decode of `elements` elements take by the declaration of `pipeline`:
  /// launches, memory traffic and operations at the device's rates.
  public func derivedCodecTimes(
    of pipeline: CompressionPipeline, elements: Int
  ) -> (encode: SimDuration, decode: SimDuration) {
    let timing = CodecTiming(device: self)
    let size = ByteCount(Int64(elements) * 4)
    let work = pipeline.declaration
    let encode = timing.cost(of: work.encode, elements: elements, copied: size)
    let decode = timing.cost(of: work.decode, elements: elements, copied: size)
    return (encode.accelerator + encode.cpu, decode.accelerator + decode.cpu)
  }
}
