// Stochastic rounding with counter-based random numbers.

#include "kernels.h"

enum { first_factor = 0x7FEB352D, second_shift = 15 };
static const uint32_t second_factor = 0x846CA68B;

// 1.5 x 2^23, whose neighbours are one apart, times 2^32: magnitudes are carried times 2^32, which is
// exact, so that a dither of a whole level is one conversion from an integer.
static const float magic = 0x1.8p55f;

// The level of one element in the low 16 bits: |x| x factor plus a dither in [-1/2, 1/2], to the
// nearest integer. Above them stands the exponent of the magic number.
CK_INLINE uint32_t level(float x, uint32_t counter, uint32_t key, float factor, float top) {
  uint32_t hash = counter ^ counter >> 16;
  hash *= first_factor;
  hash ^= hash >> second_shift;
  hash = (hash + key) * second_factor;
  float magnitude = float_of(bits_of(x) & 0x7FFFFFFF);
  float rounded = magnitude * factor + (float)(int32_t)hash + magic;
  return bits_of(rounded < top ? rounded : top);
}

#define FACTOR(rounding) ((rounding).factor * 0x1p32f)
#define TOP(rounding) ((12582912 + (float)(rounding).limit) * 0x1p32f)

CK_INLINE void round_to_bytes_from(
    const float *values, intptr_t first, intptr_t count, ck_rounding r, uint8_t *codes) {
  float factor = FACTOR(r), top = TOP(r);
  uint32_t counter = r.counter + (uint32_t)first;
  for (intptr_t i = first; i < count; i++) {
    codes[i] = (uint8_t)(level(values[i], counter, r.key, factor, top) |
                         bits_of(values[i]) >> 31 << r.sign_bit);
    counter++;
  }
}
CK_INLINE void round_to_words_from(
    const float *values, intptr_t first, intptr_t count, ck_rounding r, uint16_t *codes) {
  float factor = FACTOR(r), top = TOP(r);
  uint32_t counter = r.counter + (uint32_t)first;
  for (intptr_t i = first; i < count; i++) {
    codes[i] = (uint16_t)(level(values[i], counter, r.key, factor, top) |
                          bits_of(values[i]) >> 31 << r.sign_bit);
    counter++;
  }
}
CK_INLINE void round_to_ternary_from(
    const float *values, intptr_t first, intptr_t count, ck_rounding r, uint8_t *digits) {
  float factor = FACTOR(r), top = TOP(r);
  uint32_t counter = r.counter + (uint32_t)first;
  for (intptr_t i = first; i < count; i++) {
    uint32_t digit = level(values[i], counter, r.key, factor, top) & 1;
    digits[i] = (uint8_t)(digit << (bits_of(values[i]) >> 31));
    counter++;
  }
}

static void round_to_bytes_portable(
    const float *values, intptr_t count, ck_rounding rounding, intptr_t ahead, uint8_t *codes) {
  (void)ahead;
  round_to_bytes_from(values, 0, count, rounding, codes);
}
static void round_to_words_portable(
    const float *values, intptr_t count, ck_rounding rounding, intptr_t ahead, uint16_t *codes) {
  (void)ahead;
  round_to_words_from(values, 0, count, rounding, codes);
}
static void round_to_ternary_portable(
    const float *values, intptr_t count, ck_rounding rounding, intptr_t ahead, uint8_t *digits) {
  (void)ahead;
  round_to_ternary_from(values, 0, count, rounding, digits);
}

#if CK_HAS_AVX2_FORMS
enum { width = 4 };
#define EACH for (int j = 0; j < width; j++)

// Counters of the next 32 elements.
typedef struct {
  __m256i of[width];
} counters;

CK_AVX2 CK_INLINE counters counters_from(uint32_t first) {
  counters result;
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  EACH result.of[j] = _mm256_add_epi32(_mm256_set1_epi32((int)(first + 8 * (uint32_t)j)), lane);
  return result;
}

// Levels of 32 elements, four vectors side by side: one after another, their long chains of dependent
// instructions would fill the scheduler.
CK_AVX2 CK_INLINE void levels(
    const float *values, counters *counter, ck_rounding rounding, __m256i *result) {
  const __m256 factor = _mm256_set1_ps(FACTOR(rounding)), magics = _mm256_set1_ps(magic);
  const __m256i top = _mm256_castps_si256(_mm256_set1_ps(TOP(rounding)));
  const __m256i key = _mm256_set1_epi32((int)rounding.key);
  const __m256 all = _mm256_castsi256_ps(_mm256_set1_epi32(0x7FFFFFFF));
  __m256i h[width];
  __m256 a[width];
  EACH h[j] = _mm256_xor_si256(counter->of[j], _mm256_srli_epi32(counter->of[j], 16));
  EACH counter->of[j] = _mm256_add_epi32(counter->of[j], _mm256_set1_epi32(8 * width));
  EACH h[j] = _mm256_mullo_epi32(h[j], _mm256_set1_epi32(first_factor));
  EACH a[j] = _mm256_and_ps(_mm256_loadu_ps(values + 8 * j), all);
  EACH h[j] = _mm256_xor_si256(h[j], _mm256_srli_epi32(h[j], second_shift));
  EACH a[j] = _mm256_mul_ps(a[j], factor);
  EACH h[j] = _mm256_add_epi32(h[j], key);
  EACH h[j] = _mm256_mullo_epi32(h[j], _mm256_set1_epi32((int)second_factor));
  EACH a[j] = _mm256_add_ps(a[j], _mm256_cvtepi32_ps(h[j]));
  EACH a[j] = _mm256_add_ps(a[j], magics);
  // Positive floats order like their bits, and a NaN stands above the top as it does in the
  // portable form.
  EACH result[j] = _mm256_min_epu32(_mm256_castps_si256(a[j]), top);
}

// The low 16 bits of two vectors of eight: within each half of the result, elements of the two take
// turns. What stands above the low 16 bits of `second` is cut off.
CK_AVX2 CK_INLINE __m256i take_turns(__m256i first, __m256i second) {
  return _mm256_blend_epi16(first, _mm256_slli_epi32(second, 16), 0xAA);
}

// The low bytes of 32 levels below 2^15, in runs of four: 0-3, 8-11, 16-19, 24-27, then the others.
CK_AVX2 CK_INLINE __m256i low_bytes(const __m256i *v) {
  const __m256i apart = _mm256_setr_epi8(
      0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15,
      0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15);
  const __m256i packed = _mm256_packus_epi16(take_turns(v[0], v[1]), take_turns(v[2], v[3]));
  return _mm256_shuffle_epi8(packed, apart);
}

// Bytes of all ones where the sign of an element is set, in the order of `low_bytes`.
CK_AVX2 CK_INLINE __m256i sign_bytes(const float *values) {
  const __m256i *x = (const __m256i *)values;
  // Saturation keeps the sign.
  __m256i signs = _mm256_packs_epi16(
      _mm256_packs_epi32(_mm256_loadu_si256(x), _mm256_loadu_si256(x + 1)),
      _mm256_packs_epi32(_mm256_loadu_si256(x + 2), _mm256_loadu_si256(x + 3)));
  return _mm256_cmpgt_epi8(_mm256_setzero_si256(), signs);
}

// Undoes the order of `low_bytes`.
CK_AVX2 CK_INLINE __m256i in_order(__m256i bytes) {
  return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

CK_AVX2 static void round_to_bytes_avx2(
    const float *values, intptr_t count, ck_rounding rounding, intptr_t ahead, uint8_t *codes) {
  const __m256i sign = _mm256_set1_epi8((char)(1u << rounding.sign_bit));
  counters counter = counters_from(rounding.counter);
  intptr_t i = 0;
  for (; i + 32 <= count; i += 32) {
    prefetch(values + i, ahead);
    __m256i v[width];
    levels(values + i, &counter, rounding, v);
    __m256i signs = _mm256_and_si256(sign_bytes(values + i), sign);
    put_bytes(codes + i, in_order(_mm256_or_si256(low_bytes(v), signs)), false);
  }
  round_to_bytes_from(values, i, count, rounding, codes);
}

CK_AVX2 static void round_to_ternary_avx2(
    const float *values, intptr_t count, ck_rounding rounding, intptr_t ahead, uint8_t *digits) {
  counters counter = counters_from(rounding.counter);
  intptr_t i = 0;
  for (; i + 32 <= count; i += 32) {
    prefetch(values + i, ahead);
    __m256i v[width];
    levels(values + i, &counter, rounding, v);
    __m256i digit = _mm256_and_si256(low_bytes(v), _mm256_set1_epi8(1));
    digit = _mm256_add_epi8(digit, _mm256_and_si256(digit, sign_bytes(values + i)));
    put_bytes(digits + i, in_order(digit), false);
  }
  round_to_ternary_from(values, i, count, rounding, digits);
}

CK_AVX2 static void round_to_words_avx2(
    const float *values, intptr_t count, ck_rounding rounding, intptr_t ahead, uint16_t *codes) {
  const __m256i sign = _mm256_set1_epi16((short)(1u << rounding.sign_bit));
  const __m256i apart = _mm256_setr_epi8(
      0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15,
      0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
  counters counter = counters_from(rounding.counter);
  intptr_t i = 0;
  for (; i + 32 <= count; i += 32) {
    prefetch(values + i, ahead);
    __m256i v[width];
    levels(values + i, &counter, rounding, v);
    for (int j = 0; j < width; j += 2) {
      const __m256i *x = (const __m256i *)(values + i + 8 * j);
      // Saturation keeps the sign; both orders are 0-3, 8-11, 4-7, 12-15.
      __m256i signs = _mm256_srai_epi16(
          _mm256_packs_epi32(_mm256_loadu_si256(x), _mm256_loadu_si256(x + 1)), 15);
      __m256i code = _mm256_shuffle_epi8(take_turns(v[j], v[j + 1]), apart);
      code = _mm256_or_si256(code, _mm256_and_si256(signs, sign));
      _mm256_storeu_si256(
          (__m256i *)(codes + i + 8 * j), _mm256_permute4x64_epi64(code, 0xD8));
    }
  }
  round_to_words_from(values, i, count, rounding, codes);
}
#endif

CK_DISPATCH(void, round_to_bytes,
            (const float *values, intptr_t count, ck_rounding rounding, intptr_t ahead,
             uint8_t *codes),
            (values, count, rounding, ahead, codes))
CK_DISPATCH(void, round_to_words,
            (const float *values, intptr_t count, ck_rounding rounding, intptr_t ahead,
             uint16_t *codes),
            (values, count, rounding, ahead, codes))
CK_DISPATCH(void, round_to_ternary,
            (const float *values, intptr_t count, ck_rounding rounding, intptr_t ahead,
             uint8_t *digits),
            (values, count, rounding, ahead, digits))
