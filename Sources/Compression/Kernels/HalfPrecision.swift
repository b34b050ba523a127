import CKernels

/// Conversions between float32 and the two 16-bit formats, with the same bits on every machine.
///
/// Rounding is to nearest, ties to even, and subnormals are kept.
enum HalfPrecision {
  /// Converts to IEEE binary16 and returns the largest magnitude written: 0x7C00 says that an element
  /// was not finite or too large.
  static func toFloat16(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<UInt16>, _ count: Int
  ) -> UInt16 {
    ck_float_to_half(source, count, target)
  }

  /// Converts from IEEE binary16, exactly; infinities and NaNs of damaged bytes stay what they are.
  static func fromFloat16(
    _ source: UnsafePointer<UInt16>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    let stores = LargeStores(count)
    ck_half_to_float(source, count, stores.stream, target)
    stores.finish()
  }

  /// Converts to bfloat16 and returns the largest magnitude written: 0x7F80 or more says that an
  /// element was not finite or would round to infinity.
  static func toBFloat16(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<UInt16>, _ count: Int
  ) -> UInt16 {
    ck_float_to_bfloat(source, count, target)
  }

  /// Drops the lower 16 bits and returns the largest magnitude written, as ``toBFloat16(_:_:_:)``.
  static func truncateToBFloat16(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<UInt16>, _ count: Int
  ) -> UInt16 {
    ck_truncate_to_bfloat(source, count, target)
  }

  /// Converts from bfloat16, exactly.
  static func fromBFloat16(
    _ source: UnsafePointer<UInt16>, _ target: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    let stores = LargeStores(count)
    ck_bfloat_to_float(source, count, stores.stream, target)
    stores.finish()
  }
}
