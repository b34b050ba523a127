// Sixteen-bit floats.

#include "kernels.h"

// Integer arithmetic after Giesen's float_to_half_fast3_rtne.
CK_INLINE uint16_t float_to_half_from(
    const float *values, intptr_t first, intptr_t count, uint16_t *halves) {
  int32_t worst = 0;
  for (intptr_t i = first; i < count; i++) {
    uint32_t bits = bits_of(values[i]);
    uint32_t magnitude = bits & 0x7FFFFFFF;
    // Below 2^-14: adding 0.5 moves the bits that stay into place and rounds them, ties to even.
    uint32_t small = bits_of(float_of(magnitude) + 0.5f) - 0x3F000000;
    // Otherwise re-bias the exponent and round; a carry into the exponent is the right one.
    uint32_t normal = (magnitude - 0x38000000 + 0xFFF + (magnitude >> 13 & 1)) >> 13;
    int32_t half = (int32_t)(magnitude < 0x38800000 ? small : normal);
    int32_t held = half < 0x7C00 ? half : 0x7C00;
    worst = held > worst ? held : worst;
    halves[i] = (uint16_t)((uint32_t)held | (bits >> 16 & 0x8000));
  }
  return (uint16_t)worst;
}
static uint16_t float_to_half_portable(const float *values, intptr_t count, uint16_t *halves) {
  return float_to_half_from(values, 0, count, halves);
}

CK_INLINE void half_to_float_from(
    const uint16_t *halves, intptr_t first, intptr_t count, float *values) {
  for (intptr_t i = first; i < count; i++) {
    uint32_t bits = halves[i];
    uint32_t shifted = (bits & 0x7FFF) << 13;
    uint32_t exponent = shifted & 0x0F800000;
    // Subnormal: 2^-14 x 1.m minus 2^-14 leaves the number, exactly.
    uint32_t subnormal = bits_of(float_of(shifted + 0x38800000) - 0x1p-14f);
    uint32_t magnitude = exponent == 0 ? subnormal : shifted + 0x38000000;
    magnitude = exponent == 0x0F800000 ? shifted + 0x70000000 : magnitude;
    values[i] = float_of(magnitude | (bits & 0x8000) << 16);
  }
}
static void half_to_float_portable(
    const uint16_t *halves, intptr_t count, bool streams, float *values) {
  (void)streams;
  half_to_float_from(halves, 0, count, values);
}

#if CK_HAS_AVX2_FORMS
CK_AVX2 static uint16_t float_to_half_avx2(
    const float *values, intptr_t count, uint16_t *halves) {
  const __m128i all = _mm_set1_epi16(0x7FFF);
  __m128i largest = _mm_setzero_si128();
  intptr_t i = 0;
  for (; i + 32 <= count; i += 32) {
    prefetch(values + i, 1024);
    for (int j = 0; j < 32; j += 8) {
      __m128i half = _mm256_cvtps_ph(
          _mm256_loadu_ps(values + i + j), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
      largest = _mm_max_epi16(largest, _mm_and_si128(half, all));
      _mm_storeu_si128((__m128i *)(halves + i + j), half);
    }
  }
  uint16_t each[8], worst = 0;
  _mm_storeu_si128((__m128i *)each, largest);
  for (int lane = 0; lane < 8; lane++) worst = each[lane] > worst ? each[lane] : worst;
  if (worst > 0x7C00) {
    // The instruction keeps NaNs, which the portable form does not.
    for (intptr_t k = 0; k < i; k++) {
      if ((halves[k] & 0x7FFF) > 0x7C00) halves[k] = (halves[k] & 0x8000) | 0x7C00;
    }
    worst = 0x7C00;
  }
  uint16_t rest = float_to_half_from(values, i, count, halves);
  return rest > worst ? rest : worst;
}

CK_AVX2 CK_INLINE void half_to_float_put(
    const uint16_t *halves, intptr_t count, bool streams, float *values) {
  const __m128i all = _mm_set1_epi16(0x7FFF), infinity = _mm_set1_epi16(0x7C00);
  intptr_t i = unaligned(values, count, streams);
  half_to_float_from(halves, 0, i, values);
  for (; i + 8 <= count; i += 8) {
    __m128i half = _mm_loadu_si128((const __m128i *)(halves + i));
    __m128i isNaN = _mm_cmpgt_epi16(_mm_and_si128(half, all), infinity);
    if (__builtin_expect(_mm_testz_si128(isNaN, isNaN), 1)) {
      put(values + i, _mm256_cvtph_ps(half), streams);
    } else {
      // The instruction makes signalling NaNs quiet, which changes a bit.
      half_to_float_from(halves, i, i + 8, values);
    }
  }
  half_to_float_from(halves, i, count, values);
}
CK_AVX2 static void half_to_float_avx2(
    const uint16_t *halves, intptr_t count, bool streams, float *values) {
  if (streams) {
    half_to_float_put(halves, count, true, values);
  } else {
    half_to_float_put(halves, count, false, values);
  }
}
#endif

CK_DISPATCH(uint16_t, float_to_half, (const float *values, intptr_t count, uint16_t *halves),
            (values, count, halves))
CK_DISPATCH(void, half_to_float,
            (const uint16_t *halves, intptr_t count, bool streams, float *values),
            (halves, count, streams, values))

static uint16_t float_to_bfloat_portable(
    const float *values, intptr_t count, uint16_t *halves) {
  int32_t worst = 0;
  for (intptr_t i = 0; i < count; i++) {
    uint32_t bits = bits_of(values[i]);
    uint32_t magnitude = bits & 0x7FFFFFFF;
    // No wrap: a magnitude is below 2^31.
    int32_t rounded = (int32_t)((magnitude + 0x7FFF + (magnitude >> 16 & 1)) >> 16);
    worst = rounded > worst ? rounded : worst;
    halves[i] = (uint16_t)((uint32_t)rounded | (bits >> 16 & 0x8000));
  }
  return (uint16_t)(worst < 0x7FFF ? worst : 0x7FFF);
}
#if CK_HAS_AVX2_FORMS
CK_AVX2 static uint16_t float_to_bfloat_avx2(
    const float *values, intptr_t count, uint16_t *halves) {
  const __m256i all = _mm256_set1_epi32(0x7FFFFFFF), below = _mm256_set1_epi32(0x7FFF);
  const __m256i one = _mm256_set1_epi32(1), sign = _mm256_set1_epi32(0x8000);
  __m256i largest = _mm256_setzero_si256();
  intptr_t i = 0;
  for (; i + 16 <= count; i += 16) {
    _mm_prefetch((const char *)(values + i) + 4096, _MM_HINT_T0);
    __m256i v[2];
    for (int j = 0; j < 2; j++) {
      __m256i bits = _mm256_loadu_si256((const __m256i *)(values + i + 8 * j));
      __m256i magnitude = _mm256_and_si256(bits, all);
      __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), one);
      __m256i rounded =
          _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(magnitude, below), odd), 16);
      largest = _mm256_max_epi32(largest, rounded);
      v[j] = _mm256_or_si256(rounded, _mm256_and_si256(_mm256_srli_epi32(bits, 16), sign));
    }
    _mm256_storeu_si256(
        (__m256i *)(halves + i), _mm256_permute4x64_epi64(_mm256_packus_epi32(v[0], v[1]), 0xD8));
  }
  int32_t each[8];
  _mm256_storeu_si256((__m256i *)each, largest);
  uint16_t worst = float_to_bfloat_portable(values + i, count - i, halves + i);
  for (int lane = 0; lane < 8; lane++) {
    uint16_t held = (uint16_t)(each[lane] < 0x7FFF ? each[lane] : 0x7FFF);
    worst = held > worst ? held : worst;
  }
  return worst;
}
#endif
CK_DISPATCH(uint16_t, float_to_bfloat, (const float *values, intptr_t count, uint16_t *halves),
            (values, count, halves))

CK_INLINE uint16_t truncate_to_bfloat_body(
    const float *values, intptr_t count, uint16_t *halves) {
  int32_t worst = 0;
  for (intptr_t i = 0; i < count; i++) {
    uint32_t upper = bits_of(values[i]) >> 16;
    int32_t magnitude = (int32_t)(upper & 0x7FFF);
    worst = magnitude > worst ? magnitude : worst;
    halves[i] = (uint16_t)upper;
  }
  return (uint16_t)worst;
}
CK_BOTH_FORMS(uint16_t, truncate_to_bfloat,
              (const float *values, intptr_t count, uint16_t *halves), (values, count, halves))

static void bfloat_to_float_portable(
    const uint16_t *halves, intptr_t count, bool streams, float *values) {
  (void)streams;
  for (intptr_t i = 0; i < count; i++) values[i] = float_of((uint32_t)halves[i] << 16);
}
#if CK_HAS_AVX2_FORMS
CK_AVX2 CK_INLINE void bfloat_to_float_put(
    const uint16_t *halves, intptr_t count, bool streams, float *values) {
  intptr_t i = unaligned(values, count, streams);
  bfloat_to_float_portable(halves, i, false, values);
  for (; i + 8 <= count; i += 8) {
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(halves + i)));
    put(values + i, _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16)), streams);
  }
  bfloat_to_float_portable(halves + i, count - i, false, values + i);
}
CK_AVX2 static void bfloat_to_float_avx2(
    const uint16_t *halves, intptr_t count, bool streams, float *values) {
  if (streams) {
    bfloat_to_float_put(halves, count, true, values);
  } else {
    bfloat_to_float_put(halves, count, false, values);
  }
}
#endif
CK_DISPATCH(void, bfloat_to_float,
            (const uint16_t *halves, intptr_t count, bool streams, float *values),
            (halves, count, streams, values))
