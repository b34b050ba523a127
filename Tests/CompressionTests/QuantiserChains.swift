/// Texts of the codecs that turn every value into a code of a few bits.
extension Chains {
  static let quantisers = [
    "fp8", "fp8:format=e5m2", "fp8:scaled=false", "fp8:format=e5m2,scaled=false", "int4",
    "int4:shared_range=true", "intn:bits=2", "intn:bits=3", "intn:bits=5,shared_range=true",
    "intn:bits=8", "mxfp8", "mxfp8:format=e5m2", "mxfp4", "uint8_affine",
    "uint8_affine:min_scale=0", "natural", "natural:clipped=true", "signsgd", "signum",
    "signum:momentum=0.5", "onebit", "drive",
    "drive:scale=min_mse", "rht_usq", "rht_usq:bits=1", "rht_usq:bits=8",
    "rht_usq:shared_range=true", "rht_usq:bits=3,shared_range=true",
  ]
  static let chainedQuantisers = [
    "top_k:ratio=0.1|mxfp4", "top_k:ratio=0.1|signsgd", "top_k:ratio=0.1|drive",
    "random_k:ratio=0.1|rht_usq:shared_range=true", "random_k:ratio=0.1|int4:shared_range=true",
    "fp8|zstd", "mxfp8|zstd", "drive|zstd", "onebit|zstd", "signum|zstd",
    "top_k:ratio=0.1|rht_usq|zstd",
  ]
  /// Those whose mean over draws is the gradient, element by element.
  static let unbiasedQuantisers = [
    "natural", "natural:clipped=true", "rht_usq", "rht_usq:bits=1", "rht_usq:bits=3",
  ]
}

extension DeterminismTests {
  /// Recorded as the others are.
  static let quantiserDigests: [(String, String)] = [
    ("fp8", "3454e7cb66bd6b4f"),
    ("fp8:format=e5m2", "b11064cf48ecda98"),
    ("fp8:scaled=false", "0d8a52c618a264b3"),
    ("fp8:format=e5m2,scaled=false", "16c9ba18c6c5b9cf"),
    ("int4", "cffab88ad2fb5b3e"),
    ("int4:shared_range=true", "e74335b78fbe3e43"),
    ("intn:bits=2", "f42e0eaef748abb5"),
    ("intn:bits=3", "f252530878ce41da"),
    ("intn:bits=5,shared_range=true", "0a5c8f7b0e31400c"),
    ("intn:bits=8", "b82f3ec4b79cb847"),
    ("mxfp8", "9bd3a0fc6783aa2f"),
    ("mxfp8:format=e5m2", "1c5559890fed7215"),
    ("mxfp4", "21332d19986a0063"),
    ("uint8_affine", "f0a0b5be5735511a"),
    ("uint8_affine:min_scale=0", "d899fd6d84ad5ffa"),
    ("natural", "9c33fb54fcae0f56"),
    ("natural:clipped=true", "0046b9792e6cd722"),
    ("signsgd", "b2032f8fab5b6c23"),
    ("signum", "14a6870de0bc96bd"),
    ("signum:momentum=0.5", "ef0f3c3203192f3d"),
    ("onebit", "5675929a76e9e80c"),
    ("drive", "ae9f7c50aa00a2ec"),
    ("drive:scale=min_mse", "9817b3042e2c226f"),
    ("rht_usq", "dc1ecc20b1fd2449"),
    ("rht_usq:bits=1", "8cf0980e85f8268b"),
    ("rht_usq:bits=8", "af030bc340e0db83"),
    ("rht_usq:shared_range=true", "265cf92a433d67b2"),
    ("rht_usq:bits=3,shared_range=true", "524cb5139030bb29"),
    ("top_k:ratio=0.1|mxfp4", "562a30490d28482f"),
    ("top_k:ratio=0.1|signsgd", "2ab28fb6f140c35e"),
    ("top_k:ratio=0.1|drive", "efb6da58611f1f41"),
    ("random_k:ratio=0.1|rht_usq:shared_range=true", "094d73365226c0df"),
    ("random_k:ratio=0.1|int4:shared_range=true", "5bd888b550fef5c4"),
  ]
}
