/// Chains of the codecs that select by thresholds or at random, sketch, or factorise.
extension Chains {
  static let sparsifiers = [
    "threshold:v=0.001", "threshold:v=0", "gaussian_k:ratio=0.1", "gaussian_k:ratio=0.01,index=auto",
    "sidco_e:ratio=0.1", "sidco_e:ratio=0.01,stages=3", "redsync:ratio=0.1",
    "redsync:ratio=0.1,mode=binary_search", "dgc:ratio=0.1", "dgc:ratio=0.01,index=packed",
    "stc:ratio=0.1", "wangni:ratio=0.1", "wangni:ratio=0.01,index=rice", "3lc", "3lc:s=1.75",
    "3lc:s=1.5,packing=consecutive", "count_sketch:ratio=0.1",
    "count_sketch:ratio=0.02,rows=4,cols=50", "omnireduce", "omnireduce:block=16,index=bitmap",
    "powersgd", "powersgd:rank=2,minimum_rate=2,power_steps=2",
  ]
  static let chainedSparsifiers = [
    "threshold:v=0.001|fp16", "gaussian_k:ratio=0.1|int8", "sidco_e:ratio=0.1|qsgd:s=4",
    "redsync:ratio=0.1|ef_sign", "dgc:ratio=0.1|fp16|zstd", "stc:ratio=0.1|zstd",
    "wangni:ratio=0.1|bf16", "3lc|zstd", "top_k:ratio=0.1|3lc", "count_sketch:ratio=0.1|bf16",
    "count_sketch:ratio=0.1|int8:shared_range=true", "count_sketch:ratio=0.1|zstd",
    "omnireduce|fp16", "omnireduce:block=16|zstd", "powersgd|zstd",
  ]

  /// Hashes of encoded bytes; see ``DeterminismTests/digests``.
  static let sparsifierDigests: [(String, String)] = [
    ("threshold:v=0.001", ""),
    ("threshold:v=0", ""),
    ("gaussian_k:ratio=0.1", ""),
    ("gaussian_k:ratio=0.01,index=auto", ""),
    ("sidco_e:ratio=0.1", ""),
    ("sidco_e:ratio=0.01,stages=3", ""),
    ("redsync:ratio=0.1", ""),
    ("redsync:ratio=0.1,mode=binary_search", ""),
    ("dgc:ratio=0.1", ""),
    ("dgc:ratio=0.01,index=packed", ""),
    ("stc:ratio=0.1", ""),
    ("wangni:ratio=0.1", ""),
    ("wangni:ratio=0.01,index=rice", ""),
    ("3lc", ""),
    ("3lc:s=1.75", ""),
    ("3lc:s=1.5,packing=consecutive", ""),
    ("count_sketch:ratio=0.1", ""),
    ("count_sketch:ratio=0.02,rows=4,cols=50", ""),
    ("omnireduce", ""),
    ("omnireduce:block=16,index=bitmap", ""),
    ("powersgd", ""),
    ("powersgd:rank=2,minimum_rate=2,power_steps=2", ""),
    ("threshold:v=0.001|fp16", ""),
    ("gaussian_k:ratio=0.1|int8", ""),
    ("sidco_e:ratio=0.1|qsgd:s=4", ""),
    ("redsync:ratio=0.1|ef_sign", ""),
    ("wangni:ratio=0.1|bf16", ""),
    ("top_k:ratio=0.1|3lc", ""),
    ("count_sketch:ratio=0.1|bf16", ""),
    ("count_sketch:ratio=0.1|int8:shared_range=true", ""),
    ("omnireduce|fp16", ""),
  ]
}
