import SimKernel

/// Every codec by name.
///
/// A new codec is one file, one line here and one test file.
public enum CodecCatalog {
  /// The codecs; `{"codec": "top_k", "ratio": 0.01}` or just `"fp16"`.
  public static let registry = Registry<any Codec>(
    noun: "codec", discriminator: "codec",
    entries: [
      .init("none", summary: "no compression: float32 as it is") { _ in Identity() },
      .init("fp16", summary: "IEEE half precision, to nearest even") { _ in FloatCast(.float16) },
      .init("bf16", summary: "bfloat16, to nearest even or truncated") { FloatCast(bfloat16: &$0) },
      .init("int8", summary: "symmetric 8-bit integers, scaled per scope") { fields in
        Int8Quantization(
          sharedRange: fields.optional(
            "shared_range", .bool, default: false,
            doc: "all workers use the largest range, so that codes add up in a reducing collective"
          ))
      },
      .init("qsgd", summary: "stochastic uniform levels against a norm") { QSGD(&$0) },
      .init("terngrad", summary: "stochastic -1, 0, +1 times the largest magnitude") {
        TernGrad(&$0)
      },
      .init("ef_sign", summary: "signs times the mean magnitude") { _ in ErrorFeedbackSign() },
      .init("fp8", summary: "8-bit floating point, E4M3 or E5M2, scaled per scope or not") {
        Float8(&$0)
      },
      .init("int4", summary: "symmetric 4-bit integers, scaled per scope") {
        NarrowIntegers.int4(&$0)
      },
      .init("intn", summary: "symmetric integers of 2 to 8 bits, scaled per scope") {
        NarrowIntegers(&$0)
      },
      .init("mxfp8", summary: "OCP microscaling: 8-bit floats, blocks of 32 share an exponent") {
        Microscaling.mxfp8(&$0)
      },
      .init("mxfp4", summary: "OCP microscaling: 4-bit floats, blocks of 32 share an exponent") {
        _ in Microscaling(.e2m1)
      },
      .init("uint8_affine", summary: "8-bit integers with a zero point, as PyTorch's hook") {
        AffineQuantization(&$0)
      },
      .init("natural", summary: "sign and a stochastically rounded exponent") {
        NaturalCompression(&$0)
      },
      .init("signsgd", summary: "signs only, majority vote of the workers") { _ in SignSGD() },
      .init("signum", summary: "signs of the momentum, majority vote of the workers") {
        Signum(&$0)
      },
      .init("onebit", summary: "signs, and the means of both sides") { _ in OneBit() },
      .init("drive", summary: "random rotation, then signs and one scale") { Drive(&$0) },
      .init("rht_usq", summary: "random rotation, then uniform stochastic quantisation (THC)") {
        RotatedQuantization(&$0)
      },
      .init("top_k", summary: "the largest magnitudes with their positions") { TopK(&$0) },
      .init("scalecom", summary: "a leader's largest magnitudes, whose positions all workers send")
      {
        ScaleCom(&$0)
      },
      .init("random_k", summary: "elements drawn with a seed that all workers share") {
        RandomK(&$0)
      },
      .init("threshold", summary: "magnitudes strictly above a fixed value") { Threshold(&$0) },
      .init("gaussian_k", summary: "magnitudes beyond a quantile of a fitted normal") {
        GaussianK(&$0)
      },
      .init("sidco_e", summary: "magnitudes beyond a quantile of exponentials fitted in stages") {
        SIDCo(&$0)
      },
      .init("redsync", summary: "magnitudes beyond a threshold searched from mean to maximum") {
        RedSync(&$0)
      },
      .init("dgc", summary: "magnitudes beyond a threshold that a sample of 1 % suggests") {
        DeepGradientCompression(&$0)
      },
      .init("stc", summary: "the largest magnitudes as signs times their mean, gaps in Rice code") {
        SparseTernary(&$0)
      },
      .init("wangni", summary: "elements kept with optimal probabilities, without bias") {
        Wangni(&$0)
      },
      .init("3lc", summary: "three values, five a byte, with runs of zeros in one byte") {
        ThreeLC(&$0)
      },
      .init("count_sketch", summary: "hashed counters that add up, and the largest estimates") {
        CountSketch(&$0)
      },
      .init("omnireduce", summary: "only the blocks that have an element other than zero") {
        OmniReduce(&$0)
      },
      .init("powersgd", summary: "low-rank factors by a power step, in two dependent sums") {
        PowerSGD(&$0)
      },
      .init("zstd", summary: "lossless compression of whatever the stages before left") {
        Zstandard(&$0)
      },
    ])
}
