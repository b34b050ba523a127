// Ternary digits, one a byte or five.

#include "kernels.h"

// The five digits of every byte below 243, the highest in the lowest byte of the word.
#define FIFTH(p) (p), (p) | 1ull << 32, (p) | 2ull << 32
#define FOURTH(p) FIFTH(p), FIFTH((p) | 1ull << 24), FIFTH((p) | 2ull << 24)
#define THIRD(p) FOURTH(p), FOURTH((p) | 1ull << 16), FOURTH((p) | 2ull << 16)
#define SECOND(p) THIRD(p), THIRD((p) | 1ull << 8), THIRD((p) | 2ull << 8)
// Bytes that are refused in the end may be looked up before.
static const uint64_t digits_of[256] = {SECOND(0ull), SECOND(1ull), SECOND(2ull)};

intptr_t ck_unpack_five_digits(const uint8_t *bytes, intptr_t count, uint8_t *digits) {
  uint8_t largest = 0;
  for (intptr_t i = 0; i < count; i++) {
    // Three bytes too many, which the next group overwrites or the memory has room for.
    memcpy(digits + 5 * i, &digits_of[bytes[i]], 8);
    largest = bytes[i] > largest ? bytes[i] : largest;
  }
  if (largest < 243) return -1;
  intptr_t place = 0;
  while (bytes[place] < 243) place++;
  return place;
}

static void ternary_to_float_portable(
    const uint8_t *digits, intptr_t count, float scale, bool streams, float *values) {
  (void)streams;
  uint32_t bits = bits_of(scale);
  for (intptr_t i = 0; i < count; i++) {
    uint32_t keep = digits[i] == 0 ? 0 : 0xFFFFFFFF;
    values[i] = float_of((bits ^ (uint32_t)(digits[i] >> 1) << 31) & keep);
  }
}

#if CK_HAS_AVX2_FORMS
CK_AVX2 CK_INLINE void ternary_to_float_put(
    const uint8_t *digits, intptr_t count, float scale, bool streams, float *values) {
  const float minus = float_of(bits_of(scale) ^ 0x80000000);
  const __m256 table = _mm256_setr_ps(0, scale, minus, minus, 0, scale, minus, minus);
  intptr_t i = unaligned(values, count, streams);
  ternary_to_float_portable(digits, i, scale, false, values);
  for (; i + 8 <= count; i += 8) {
    __m256i index = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(digits + i)));
    put(values + i, _mm256_permutevar_ps(table, index), streams);
  }
  ternary_to_float_portable(digits + i, count - i, scale, false, values + i);
}
CK_AVX2 static void ternary_to_float_avx2(
    const uint8_t *digits, intptr_t count, float scale, bool streams, float *values) {
  if (streams) {
    ternary_to_float_put(digits, count, scale, true, values);
  } else {
    ternary_to_float_put(digits, count, scale, false, values);
  }
}
#endif

CK_DISPATCH(void, ternary_to_float,
            (const uint8_t *digits, intptr_t count, float scale, bool streams, float *values),
            (digits, count, scale, streams, values))
