/// Chains of the codecs that select by thresholds or at random, sketch, or factorise.
extension Chains {
  static let sparsifiers = [
    "threshold:v=0.001", "threshold:v=0", "gaussian_k:ratio=0.1",
    "gaussian_k:ratio=0.01,index=auto",
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
    ("threshold:v=0.001", "6ec58b0e47031e61"),
    ("threshold:v=0", "ed97d58b7ffd568c"),
    ("gaussian_k:ratio=0.1", "771a0f5431b2c45c"),
    ("gaussian_k:ratio=0.01,index=auto", "320767ff885f1ed0"),
    ("sidco_e:ratio=0.1", "879ed24a6483355c"),
    ("sidco_e:ratio=0.01,stages=3", "bbd73ce13767a72f"),
    ("redsync:ratio=0.1", "8d0f8a437fa42369"),
    ("redsync:ratio=0.1,mode=binary_search", "fc822768895527f4"),
    ("dgc:ratio=0.1", "2b501dfce17702de"),
    ("dgc:ratio=0.01,index=packed", "b0afa35a0625880e"),
    ("stc:ratio=0.1", "17fc88dbcd820941"),
    ("wangni:ratio=0.1", "f95cd7361ff7df95"),
    ("wangni:ratio=0.01,index=rice", "a69ae00079714787"),
    ("3lc", "80a0df7c7b170c7c"),
    ("3lc:s=1.75", "bbd5031220f6aa8b"),
    ("3lc:s=1.5,packing=consecutive", "6967836e9ebb0760"),
    ("count_sketch:ratio=0.1", "88b63dd885852886"),
    ("count_sketch:ratio=0.02,rows=4,cols=50", "c1c36f91a5207e34"),
    ("omnireduce", "0c05a0e4a2f10d55"),
    ("omnireduce:block=16,index=bitmap", "222de59d8e3b4537"),
    ("powersgd", "f69921b5a7e3537b"),
    ("powersgd:rank=2,minimum_rate=2,power_steps=2", "7446872f48c8918b"),
    ("threshold:v=0.001|fp16", "11e5d97afdfda502"),
    ("gaussian_k:ratio=0.1|int8", "91f9e250ed1df192"),
    ("sidco_e:ratio=0.1|qsgd:s=4", "d7b704345e938782"),
    ("redsync:ratio=0.1|ef_sign", "e7bb13ae458fdba5"),
    ("wangni:ratio=0.1|bf16", "283d4d264f057aa2"),
    ("top_k:ratio=0.1|3lc", "8fa128beb4a8dd2d"),
    ("count_sketch:ratio=0.1|bf16", "c6c6294ee454c2ce"),
    ("count_sketch:ratio=0.1|int8:shared_range=true", "5aab22625f67d26f"),
    ("omnireduce|fp16", "9291d877e192093f"),
  ]
}
