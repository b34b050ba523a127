import Compression
import SimKernel

/// A gradient with its tensors and a scope, drawn from bytes.
struct GradientDraw {
  var values: [Float]
  var tensors: [TensorRange]
  var scope: CodecScope

  /// Gradients are short: every loop's remainder shows in a few thousand elements, and short ones
  /// are quick.
  static let longest = 4200

  init(_ input: inout FuzzInput) {
    let style = input.index(below: 8)
    let isLong = input.index(below: 8) == 1
    let count = min(isLong ? input.word() : Int(input.byte()), Self.longest)
    let scopeStyle = input.index(below: 5)
    let size = Int(input.byte())
    let cuts = input.index(below: 6)
    let lengths = (0..<cuts).map { _ in Int(input.byte()) }
    let areMatrices = input.bool()
    values = Self.values(style, count, &input)
    switch scopeStyle {
    case 0: scope = .bucket(1 + size)
    case 1: scope = .bucket(1 << (size % 40))
    case 2, 3: scope = .layer
    default: scope = .model
    }
    tensors = []
    var offset = 0
    for (index, length) in (lengths + [values.count]).enumerated() {
      let own = min(length, values.count - offset)
      let width = areMatrices ? 1 + own % 7 : 1
      let shape = own > 0 && own % width == 0 ? [own / width, width] : [own]
      tensors.append(TensorRange(name: "t\(index)", offset: offset, count: own, shape: shape))
      offset += own
    }
  }

  private static func values(_ style: Int, _ count: Int, _ input: inout FuzzInput) -> [Float] {
    switch style {
    case 0:
      // Any patterns at all.
      let length = min(count, (input.remaining + 3) / 4)
      return (0..<length).map { _ in input.float() }
    case 1:
      return input.take(count).map { Float(Int8(bitPattern: $0)) * 0x1p-10 }
    case 2:
      let value = input.float()
      return [Float](repeating: value.isFinite ? value : 1, count: count)
    case 3:
      return [Float](repeating: 0, count: count)
    case 4:
      // A few elements in zeros.
      var values = [Float](repeating: 0, count: count)
      while input.remaining > 0, count > 0 {
        let value = input.float()
        values[input.word() % count] = value.isFinite ? value : -0.0
      }
      return values
    case 5:
      // Both ends of the range.
      return input.take(count).map { byte in
        let sign: Float = byte & 1 == 0 ? 1 : -1
        return sign * (byte & 2 == 0 ? .greatestFiniteMagnitude : .leastNonzeroMagnitude)
          * (byte & 4 == 0 ? 1 : 0.5)
      }
    default:
      let scale = Float(sign: .plus, exponent: Int(Int8(bitPattern: input.byte())), significand: 1)
      var random = RandomStream(
        seed: UInt64(input.byte()), purpose: RandomPurpose("fuzzed gradient"))
      return (0..<count).map { _ in
        let value = random.normal()
        return min(max(Float(value * value * value) * scale, -3e38), 3e38)
      }
    }
  }
}
