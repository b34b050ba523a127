/// Why an encode or a decode could not be done: damaged bytes, or a gradient with NaN or infinity.
public struct CodecError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The name of the codec that refused, or `frame` for the container around its streams.
  public var codec: String
  /// The tensor in which the first offending element lies; nil where bytes are damaged.
  public var tensor: String?
  /// Where in the encoded bytes the damage shows; nil while encoding.
  public var byteOffset: Int?
  /// What was found, and what was expected.
  public var message: String

  public init(codec: String, tensor: String? = nil, byteOffset: Int? = nil, _ message: String) {
    self.codec = codec
    self.tensor = tensor
    self.byteOffset = byteOffset
    self.message = message
  }

  public var description: String {
    let place = tensor.map { ", tensor \($0)" } ?? byteOffset.map { ", byte \($0)" } ?? ""
    return "codec \(codec)\(place): \(message)"
  }
}
