/// Inner loops of codecs that need instructions which a plain build may not assume.
///
/// Every kernel has a portable form, which defines its bytes, and may have one for AVX2 and F16C with
/// exactly the same result; a processor's flags choose between them when it is called, so that a
/// build without -march runs as fast as one with it. `ck_portable_NAME` is the portable form itself,
/// for tests. Products and sums are never contracted.
///
/// Pointers need no alignment beyond their type's, except where it is said. `ahead` is how many bytes
/// beyond the element in work a kernel asks the memory for; asking beyond the end of an array is
/// harmless. `streams` lets stores go past the caches, which is right for outputs that no
/// cache holds: then `ck_finish_streaming` must be called once before another thread reads them.

#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stdint.h>

#define CK_KERNEL(type, name, ...) \
  type ck_##name(__VA_ARGS__);     \
  type ck_portable_##name(__VA_ARGS__);

/// Makes streamed stores visible to other threads.
void ck_finish_streaming(void);

// Reductions.

/// The bits of the largest magnitude; above those of infinity if an element is NaN.
CK_KERNEL(int32_t, largest_magnitude_bits, const float *values, intptr_t count)

/// Sums of the values, their magnitudes or squares: single precision in sixteen lanes over blocks of
/// 4096 elements, then double precision, lanes and blocks in ascending order.
CK_KERNEL(double, sum_of_values, const float *values, intptr_t count)
CK_KERNEL(double, sum_of_magnitudes, const float *values, intptr_t count)
CK_KERNEL(double, sum_of_squares, const float *values, intptr_t count)

/// The sums of squares of `runs` runs of `size` elements each, one after another; the additions of
/// several do not wait for each other.
CK_KERNEL(void, sums_of_squares, const float *values, intptr_t size, intptr_t runs, double *sums)

// Signs.

/// Sets bit j of word i where element 64 i + j is below zero, and returns the bits of the largest
/// magnitude. Unused bits of the last word are 0.
CK_KERNEL(int32_t, pack_signs, const float *values, intptr_t count, uint64_t *words)

/// Writes `positive`, or `negative` where the bit is set, for elements `first` to `end` to `target`,
/// which begins at element 0.
CK_KERNEL(void, unpack_signs, const uint64_t *words, intptr_t first, intptr_t end, float positive,
          float negative, bool streams, float *target)

// Sixteen-bit floats.

/// Rounds to IEEE binary16, ties to even, and returns the largest magnitude written. Whatever is
/// NaN or beyond the largest number becomes an infinity of its sign, 0x7C00 without it.
CK_KERNEL(uint16_t, float_to_half, const float *values, intptr_t count, uint16_t *halves)
/// Converts from IEEE binary16, exactly; NaNs keep their bits.
CK_KERNEL(void, half_to_float, const uint16_t *halves, intptr_t count, bool streams, float *values)

/// Rounds to bfloat16, ties to even, and returns the largest magnitude written, at most 0x7FFF: a
/// carry may have left the exponent.
CK_KERNEL(uint16_t, float_to_bfloat, const float *values, intptr_t count, uint16_t *halves)
/// Keeps the upper half of every element and returns the largest magnitude written.
CK_KERNEL(uint16_t, truncate_to_bfloat, const float *values, intptr_t count, uint16_t *halves)
/// Converts from bfloat16, exactly.
CK_KERNEL(void, bfloat_to_float, const uint16_t *halves, intptr_t count, bool streams,
          float *values)

// Integers.

/// Codes value x inverse, to the nearest integer, ties to even, plus `offset`.
///
/// Precondition: |value x inverse| < 127.5.
CK_KERNEL(void, quantize, const float *values, intptr_t count, float inverse, uint8_t offset,
          bool streams, uint8_t *codes)
/// As `quantize`, and returns the bits of the largest magnitude of the `count` values that follow: the
/// range of a next scope of the same length, read while there is work to do.
CK_KERNEL(int32_t, quantize_and_scan, const float *values, intptr_t count, float inverse,
          uint8_t offset, bool streams, uint8_t *codes)
/// Writes (code - offset) x scale; codes without an offset are two's complement.
CK_KERNEL(void, dequantize, const uint8_t *codes, intptr_t count, uint8_t offset, float scale,
          bool streams, float *values)

/// Writes (code without sign) x step with the code's sign, which is the bit above `sign_bit` others.
CK_KERNEL(void, dequantize_levels, const uint8_t *codes, intptr_t count, uint32_t sign_bit,
          float step, bool streams, float *values)

// Stochastic rounding.

/// What draws and bounds levels: element i of a call takes the counter `counter` + i.
typedef struct {
  /// The counter of the first element; it counts modulo 2^32.
  uint32_t counter;
  /// The second key word of the hash.
  uint32_t key;
  /// Levels a unit of magnitude.
  float factor;
  /// The highest level, below 2^15.
  uint32_t limit;
  /// The position of the sign in a code.
  uint32_t sign_bit;
} ck_rounding;

/// Codes of one byte, of which the level takes the bits below `sign_bit`.
CK_KERNEL(void, round_to_bytes, const float *values, intptr_t count, ck_rounding rounding,
          intptr_t ahead, uint8_t *codes)
/// Codes of two bytes.
CK_KERNEL(void, round_to_words, const float *values, intptr_t count, ck_rounding rounding,
          intptr_t ahead, uint16_t *codes)
/// Ternary digits: 0 for zero, 1 for plus, 2 for minus. `limit` is 1; there is no sign bit.
CK_KERNEL(void, round_to_ternary, const float *values, intptr_t count, ck_rounding rounding,
          intptr_t ahead, uint8_t *digits)

// Ternary digits.

/// Writes 0, `scale` or minus `scale` for the digits 0, 1 and 2; 3 is minus too.
CK_KERNEL(void, ternary_to_float, const uint8_t *digits, intptr_t count, float scale, bool streams,
          float *values)

/// Writes the five digits of every byte, the highest first, and returns the place of the first byte
/// that is not below 243, or -1; `digits` has room for three more. Digits from a wrong byte on are
/// indeterminate.
intptr_t ck_unpack_five_digits(const uint8_t *bytes, intptr_t count, uint8_t *digits);

#endif
