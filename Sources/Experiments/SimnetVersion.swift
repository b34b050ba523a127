import Compression

/// The versions that a result depends on.
public enum SimnetVersion {
  /// simnet's own; changes whenever a number may.
  public static let current = "0.1.0"
  /// The libzstd that made the compressed sizes.
  public static let libzstd = Zstandard.libraryVersion
}
