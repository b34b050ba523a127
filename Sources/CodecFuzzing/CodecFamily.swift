import Compression
import SimKernel

/// Codecs that are fuzzed together, by what they make of a dense gradient.
///
/// A codec belongs to a family by its declaration, so that one that is added to the catalogue is
/// fuzzed without being named anywhere.
public enum CodecFamily: String, Sendable, CaseIterable {
  /// Numbers of another type, one an element.
  case casts
  /// Codes that mean something together with a scale.
  case quantisers
  /// Selected elements with their positions.
  case sparsifiers
  /// Factors, sketches and bytes that only their maker can read.
  case transforms
  /// Two or three stages of any codecs that may follow one another.
  case chains

  /// The names of the codecs a first stage is drawn from, in the order of the catalogue.
  public var codecs: [String] {
    CodecCatalog.registry.entries.filter { self == .chains || self == Self.family(of: $0) }
      .map(\.name)
  }

  /// Where a codec belongs on its own.
  private static func family(of entry: Registry<any Codec>.Entry) -> CodecFamily {
    guard case .success(let form) = FieldReader.placeholder(of: entry).accept(.gradient) else {
      return .chains
    }
    if form.coverage != .dense { return .sparsifiers }
    return switch form.content {
    case .numbers: .casts
    case .codes: .quantisers
    case .factors, .opaque: .transforms
    }
  }
}
