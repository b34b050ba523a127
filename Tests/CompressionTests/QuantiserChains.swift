/// Texts of the codecs that turn every value into a code of a few bits.
extension Chains {
  static let quantisers = [
    "fp8", "fp8:format=e5m2", "fp8:scaled=false", "fp8:format=e5m2,scaled=false", "int4",
    "int4:shared_range=true", "intn:bits=2", "intn:bits=3", "intn:bits=5,shared_range=true",
    "intn:bits=8", "mxfp8", "mxfp8:format=e5m2", "mxfp4", "uint8_affine",
    "uint8_affine:min_scale=0", "natural", "natural:clipped=true", "signsgd", "onebit", "drive",
    "drive:scale=min_mse", "rht_usq", "rht_usq:bits=1", "rht_usq:bits=8",
    "rht_usq:shared_range=true", "rht_usq:bits=3,shared_range=true",
  ]
  static let chainedQuantisers = [
    "top_k:ratio=0.1|mxfp4", "top_k:ratio=0.1|signsgd", "top_k:ratio=0.1|drive",
    "random_k:ratio=0.1|rht_usq:shared_range=true", "random_k:ratio=0.1|int4:shared_range=true",
    "fp8|zstd", "mxfp8|zstd", "drive|zstd", "onebit|zstd", "top_k:ratio=0.1|rht_usq|zstd",
  ]
  /// Those whose mean over draws is the gradient, element by element.
  static let unbiasedQuantisers = [
    "natural", "natural:clipped=true", "rht_usq", "rht_usq:bits=1", "rht_usq:bits=3",
  ]
}

extension DeterminismTests {
  /// Recorded as the others are.
  static let quantiserDigests: [(String, String)] = [
    ("fp8", "0"),
    ("fp8:format=e5m2", "0"),
    ("fp8:scaled=false", "0"),
    ("fp8:format=e5m2,scaled=false", "0"),
    ("int4", "0"),
    ("int4:shared_range=true", "0"),
    ("intn:bits=2", "0"),
    ("intn:bits=3", "0"),
    ("intn:bits=5,shared_range=true", "0"),
    ("intn:bits=8", "0"),
    ("mxfp8", "0"),
    ("mxfp8:format=e5m2", "0"),
    ("mxfp4", "0"),
    ("uint8_affine", "0"),
    ("uint8_affine:min_scale=0", "0"),
    ("natural", "0"),
    ("natural:clipped=true", "0"),
    ("signsgd", "0"),
    ("onebit", "0"),
    ("drive", "0"),
    ("drive:scale=min_mse", "0"),
    ("rht_usq", "0"),
    ("rht_usq:bits=1", "0"),
    ("rht_usq:bits=8", "0"),
    ("rht_usq:shared_range=true", "0"),
    ("rht_usq:bits=3,shared_range=true", "0"),
    ("top_k:ratio=0.1|mxfp4", "0"),
    ("top_k:ratio=0.1|signsgd", "0"),
    ("top_k:ratio=0.1|drive", "0"),
    ("random_k:ratio=0.1|rht_usq:shared_range=true", "0"),
    ("random_k:ratio=0.1|int4:shared_range=true", "0"),
  ]
}
