import Compression

extension ReferenceFile {
  /// The pipeline of a worked row of a codec that selects, sketches or factorises.
  static func sparsifier(
    _ method: String, _ parameters: String
  ) -> (String, CodecScope, Double)? {
    let parts = parameters.split { $0 == "," || $0 == " " }.map(String.init)
    func value(_ key: String) -> String? {
      parts.first { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.count + 1)) }
    }
    // `0.1` of `target 0.1,stages=1` and of `target 0.1, no refinement`.
    let target = parts.count > 1 && parts[0] == "target" ? parts[1] : ""
    switch method {
    case "threshold": return ("threshold:v=\(value("v")!)", .model, 0)
    case "gaussian-k": return ("gaussian_k:ratio=\(target)", .model, 0)
    case "sidco-e": return ("sidco_e:ratio=\(target),stages=\(value("stages")!)", .model, 0)
    case "redsync-trim": return ("redsync:ratio=\(target)", .model, 0)
    case "redsync-bs": return ("redsync:ratio=\(target),mode=binary_search", .model, 0)
    case "dgc-sampled": return ("dgc:ratio=\(target)", .model, 0)
    case "wangni": return ("wangni:ratio=\(target)", .model, 0)
    case "stc": return ("stc:ratio=\(ratio(parameters))", .model, 0)
    case "topk+fp16": return ("top_k:ratio=\(ratio(parameters))|fp16", .model, 0)
    case "3lc": return ("3lc:s=\(value("s")!),packing=consecutive", .model, 0)
    case "count-sketch":
      // Both gradients were worked with a hundredth decoded.
      return ("count_sketch:ratio=0.01,rows=5,cols=\(value("cols")!)", .model, 0)
    case "powersgd":
      let steps = parameters.contains("8 power steps") ? 8 : 1
      return ("powersgd:rank=\(parts[1]),minimum_rate=0,power_steps=\(steps)", .layer, 0)
    case "low-rank-svd":
      // What power steps come to: the best factors of that rank.
      return ("powersgd:rank=\(parts[1]),minimum_rate=0,power_steps=64", .layer, 0)
    default: return nil
    }
  }
}
